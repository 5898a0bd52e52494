//! `cargo xtask test`: every test of the project.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::counterparts::Counterparts;
use crate::process::{self, cargo, say};
use crate::workspace::Workspace;
use crate::{goldens, guests, languages};

/// Builds the guests, runs all tests, then the scenarios of the plugins through the real host, then
/// the same rule in every language.
pub(crate) fn run() -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let guests = guests::build()?;
    let counterparts = Counterparts::install(&workspace);
    let mut tests = cargo();
    tests
        .args(["test", "--workspace", "--no-fail-fast"])
        .env("ANDON_GUESTS", &guests);
    counterparts.describe(&mut tests);
    process::run(&mut tests)?;
    scenarios(&workspace)?;
    languages::run(&[])?;
    goldens::run(true)?;
    say("all tests passed");
    Ok(())
}

/// The scenarios beside each plugin, through the compiled component in the real host.
fn scenarios(workspace: &Workspace) -> anyhow::Result<()> {
    process::build_programs()?;
    let files = scenario_files(&workspace.root().join("plugins"))?;
    anyhow::ensure!(!files.is_empty(), "no scenario was found under plugins/");
    let mut test = std::process::Command::new(workspace.program("andon"));
    test.args(["plugin", "test", "--plugins"])
        .arg(workspace.guests())
        .args(&files);
    process::run(&mut test)
}

fn scenario_files(plugins: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for plugin in plugins.read_dir().context("list plugins/")? {
        let folder = plugin?.path().join("scenarios");
        if folder.is_dir() {
            for file in folder.read_dir()? {
                files.push(file?.path());
            }
        }
    }
    files.retain(|file| file.extension().is_some_and(|kind| kind == "toml"));
    files.sort();
    Ok(files)
}
