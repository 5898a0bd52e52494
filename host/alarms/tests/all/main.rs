//! The book of alarms, through its entry type.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod acknowledging;
mod bounds;
mod circles;
mod codes;
mod delays;
mod desk;
mod flooding;
mod inhibiting;
mod latching;
mod life;
mod model;
mod naive;
mod plant;
mod re_alarming;
mod service;
mod settings;
mod shelving;
mod suppressing;
mod taking;
