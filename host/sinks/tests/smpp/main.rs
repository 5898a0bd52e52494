//! The SMPP sink against a scripted SMSC over real sockets: good days and bad ones.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod broken;
mod link;
mod npm;
mod plant;
mod receiving;
mod sending;
mod smsc;
