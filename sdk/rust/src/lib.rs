//! Write Andon rules and functions in Rust.
