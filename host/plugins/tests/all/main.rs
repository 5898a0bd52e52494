//! The stage as a whole: through the scheduler, with guests that are made of closures.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::let_underscore_must_use,
    reason = "a test that meets what it does not expect has to fail, there and then"
)]

mod doubles;
mod order;
mod rounds;
mod scenarios;
mod shadow_failures;
mod shadow_life;
mod shadows;
mod strikes;
mod suspects;
mod swaps;
