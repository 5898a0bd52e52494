//! What is read from where: the checked settings as values.
//!
//! [`TagsPlan`] knows no ids, because the check is pure; [`TagsPlan::build`] puts the tags into the
//! table of all tags and gives the [`ReadPlan`] that the readers work by. Two equal device plans
//! are read in the same way, which is how a reload knows what it may leave alone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Tag, TagId, TagTable};

use crate::Table;
use crate::decode::{Layout, Orders};

/// Checked settings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TagsPlan {
    /// The tags, in the order of the settings.
    pub tags: Vec<Tag>,
    /// The devices; ids of their points are places in `tags`.
    pub(crate) devices: Vec<DevicePlan>,
}

impl TagsPlan {
    /// Puts the tags into the table. A tag that was there keeps its id. Tags that are gone from the
    /// settings are not retired here: whoever owns the table knows the tags of functions too.
    #[must_use]
    pub fn build(&self, table: &mut TagTable) -> ReadPlan {
        let ids: Vec<TagId> = self.tags.iter().map(|tag| table.put(tag.clone())).collect();
        let mut devices = self.devices.clone();
        for unit in devices.iter_mut().flat_map(|device| &mut device.units) {
            for point in &mut unit.points {
                point.id = ids.get(point.id.index()).copied().unwrap_or(point.id);
            }
        }
        ReadPlan {
            ids,
            devices: devices.into_iter().map(Arc::new).collect(),
        }
    }
}

/// What the readers work by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadPlan {
    /// Ids of all tags, in the order of the settings.
    pub ids: Vec<TagId>,
    /// The devices, those without tags too.
    pub devices: Vec<Arc<DevicePlan>>,
}

/// One device.
#[derive(Debug, Clone, PartialEq)]
pub struct DevicePlan {
    /// Unique name.
    pub name: Arc<str>,
    /// Where it listens.
    pub endpoint: Endpoint,
    /// How long to wait for a connection, and for an answer.
    pub timeout: Duration,
    /// How often a request is tried.
    pub attempts: u8,
    /// Most registers read for nothing in a row; sixteen times as many bits.
    pub gap: u16,
    /// Most registers in one request.
    pub max_registers: u16,
    /// Most bits in one request.
    pub max_bits: u16,
    /// First pause after a failure.
    pub reconnect_min: Duration,
    /// Longest pause after failures.
    pub reconnect_max: Duration,
    /// After this time refused addresses are tried again.
    pub refused_retry: Duration,
    /// The poll classes that its tags use.
    pub classes: Vec<ClassPlan>,
    /// The units behind it, by unit id, each with at least one tag.
    pub units: Vec<UnitPlan>,
}

/// Where a device listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address of the host.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A poll class as one device uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassPlan {
    /// Its name.
    pub name: Arc<str>,
    /// From the start of one read to the start of the next.
    pub interval: Duration,
}

/// One unit of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitPlan {
    /// Modbus unit id.
    pub unit_id: u8,
    /// Its tags.
    pub points: Vec<PointPlan>,
}

/// One tag in a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct PointPlan {
    /// Which tag.
    pub id: TagId,
    /// Its name.
    pub name: Arc<str>,
    /// Index into the classes of the device.
    pub class: usize,
    /// Which table.
    pub table: Table,
    /// First register or bit, from 0.
    pub start: u16,
    /// How its registers are read.
    pub layout: Layout,
    /// Order of its bytes and registers.
    pub orders: Orders,
    /// The value is the raw one times this, plus `offset`.
    pub scale: f64,
    /// Added after scaling.
    pub offset: f64,
    /// A change by no more than this is not told.
    pub deadband: f64,
}
