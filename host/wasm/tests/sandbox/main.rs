//! The sandbox as its users see it: guests that behave, guests that do not, files that are no
//! guests. One binary, because each that links the engine is large.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and a long one says what it saw"
)]

mod answers;
mod bounds;
mod calls;
mod compiling;
mod determinism;
mod fuzz;
mod guests;
mod hostile;
mod language_sinks;
mod languages;
mod log;
mod refusals;
mod sinks;
