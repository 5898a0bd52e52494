//! The sandbox as its users see it: guests that behave, guests that do not, files that are no
//! guests. One binary, because each that links the engine is large.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod answers;
mod bounds;
mod calls;
mod compiling;
mod determinism;
mod guests;
mod log;
mod refusals;
