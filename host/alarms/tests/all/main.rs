//! The book of alarms, through its entry type.
#![expect(
    clippy::indexing_slicing,
    reason = "a failed expectation is a failed test"
)]

mod acknowledging;
mod bounds;
mod codes;
mod desk;
mod life;
mod model;
mod taking;
