//! The book of alarms, through its entry type.
#![expect(
    clippy::indexing_slicing,
    reason = "a failed expectation is a failed test"
)]

mod acknowledging;
mod bounds;
mod codes;
mod desk;
mod latching;
mod life;
mod model;
mod naive;
mod re_alarming;
mod service;
mod settings;
mod shelving;
mod suppressing;
mod taking;
