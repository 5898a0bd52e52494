//! Reading devices: plan of reads, scaling, quality, reconnect.
//!
//! The way of a setting: [`DeviceSettings`], [`PollClassSettings`] and [`TagSettings`] (inline or
//! from CSV by [`parse_csv`]) go through [`check`], which is pure and finds every problem at once,
//! to a [`TagsPlan`]; [`TagsPlan::build`] gives the tags their ids and makes a [`ReadPlan`];
//! [`run`] reads by it until it is told to stop, and takes new plans while it runs.
//!
//! The way of a sample: a block of registers is read ([`modbus`]), decoded and compared with what
//! was last told ([`Points`]), and what changed goes out as one batch a poll cycle.
//!
//! This crate alone knows Modbus. It only ever reads: no function that writes to a device is used.

mod address;
mod blocks;
mod change;
mod check;
mod csv;
mod decode;
pub mod modbus;
mod nearest;
mod overlap;
mod plan;
mod points;
mod readers;
mod schedule;
mod settings;
mod statistics;

pub use address::{Address, Table};
pub use blocks::{Block, BlockLimits, Obstacles, Span, merge};
pub use change::{Change, Latest};
pub use check::check;

pub use self::csv::{CSV_COLUMNS, CsvProblem, CsvTag, parse_csv};
pub use decode::{Layout, Orders};
pub use plan::{ClassPlan, DevicePlan, Endpoint, PointPlan, ReadPlan, TagsPlan, UnitPlan};
pub use points::{Answer, Points};
pub use readers::{DeviceEvent, Link, Surroundings, run};
pub use settings::{
    ByteOrder, DeviceSettings, PollClassSettings, Protocol, TagSettings, WordOrder,
};
pub use statistics::{DeviceSnapshot, Statistics, UnitSnapshot};
