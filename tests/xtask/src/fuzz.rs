//! `cargo xtask fuzz`: the fuzz tests of the sandbox, for longer than `cargo xtask test` runs them.
//!
//! They are ordinary tests (`host/wasm/tests/sandbox/fuzz`). Given a time they draw a seed of their
//! own, run side by side for so long, and write what they find into `tests/fuzz/corpus`.

use crate::guests;
use crate::process::{self, cargo, say};

/// Runs them; fails if an input broke a rule.
pub(crate) fn run(seconds: u64) -> anyhow::Result<()> {
    let guests = guests::build()?;
    let mut tests = cargo();
    tests
        .args(["test", "--workspace", "--test", "sandbox", "fuzz::"])
        .args(["--", "--nocapture"])
        .env("ANDON_GUESTS", guests)
        .env("ANDON_FUZZ_SECONDS", seconds.to_string());
    process::run(&mut tests)?;
    say("nothing broke; new ends, if any, are in tests/fuzz/corpus");
    Ok(())
}
