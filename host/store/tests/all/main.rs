//! The store, through its entry types, on real files.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed expectation is a failed test"
)]

mod crash;
mod damage;
mod failing_disk;
mod kit;
mod life;
mod model;
mod pages;
mod reading;
mod tidying;
