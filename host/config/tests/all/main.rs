//! What people see when they check their settings: every problem, word for word.
//!
//! `cases/NAME/` holds an `andon.toml` with the files that it names, `instances/NAME/` the file of
//! one plugin instance; `expected.txt` beside them is what must be told. With `ANDON_BLESS=1` the
//! tests write it anew: read the difference before it is committed.

mod cases;
mod examples;
mod folder;
mod instances;
mod secrets;
