//! The whole program from outside: the real `andon`, a PLC, an SMSC and a Twilio endpoint on real
//! sockets, and the command line. Nothing of the host is called but its program, but in `crowd`,
//! where scheduler and sandbox run without sockets, on a clock that skips idle time.
//!
//! Plugins are taken from `ANDON_GUESTS`, or from `guests` in the target folder; `cargo xtask
//! guests` builds them. What is waited for is asked again and again; nothing is timed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod api;
mod authors;
mod conditions;
mod crashes;
mod crowd;
mod devices;
mod escalations;
mod full_disk;
mod kit;
mod oncall;
mod page;
mod plugins;
mod projects;
mod pulls;
mod pulls_killed;
mod pulls_over_tls;
mod replay;
mod report;
mod restarts;
mod secrets;
mod senders;
mod settings;
mod shadows;
mod silence;
mod sink_components;
mod starting;
mod trust;
