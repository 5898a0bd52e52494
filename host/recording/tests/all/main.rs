//! Recordings through the entry types: what is written is read, what is wrong is told with its
//! line, and two outcomes are held against each other.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod comparing;
mod kit;
mod reading;
mod writing;
