//! What people see when they check their settings: every problem, word for word.
//!
//! `cases/NAME/` holds an `andon.toml` with the files that it names, `instances/NAME/` the file of
//! one plugin instance; `expected.txt` beside them is what must be told. With `ANDON_BLESS=1` the
//! tests write it anew: read the difference before it is committed.

// `cfg(test)` tells clippy that what they share is a test too.
#[cfg(test)]
mod cases;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod foreign_schemas;
#[cfg(test)]
mod instances;
#[cfg(test)]
mod secrets;
