//! Figures from small journals that were worked out by hand, and against a slow model.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod diary;
mod groups;
mod hand;
mod live;
mod model;
mod rendering;
