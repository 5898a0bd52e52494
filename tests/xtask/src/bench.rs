//! `cargo xtask bench`: what the project promises about speed and memory, measured in one run.

use std::process::Command;

use crate::guests;
use crate::process::{self, cargo};
use crate::workspace::Workspace;

/// Packages with a bench that prints medians and ratios, in the order of the path of a sample.
const BENCHES: [&str; 5] = [
    "andon-tags",
    "andon-plugins",
    "andon-wasm",
    "andon-store",
    "andon",
];

/// Builds guests and the host as they ship, then runs every bench.
pub(crate) fn run() -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let guests = guests::build()?;
    process::run(cargo().args([
        "build",
        "--release",
        "--package",
        "andon",
        "--package",
        "plant-simulator",
        "--package",
        "phone-simulator",
    ]))?;
    for package in BENCHES {
        let mut bench: Command = cargo();
        bench
            .args(["bench", "--package", package])
            .env("ANDON_GUESTS", &guests)
            .env("ANDON_PROGRAMS", workspace.target().join("release"));
        process::run(&mut bench)?;
    }
    Ok(())
}
