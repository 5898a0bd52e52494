//! Placeholder until the slice lands.
fn main() {}
