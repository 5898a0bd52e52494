//! `cargo xtask test`: every test of the project.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::counterparts::Counterparts;
use crate::process::{self, cargo, say};
use crate::workspace::Workspace;
use crate::{goldens, guests};

/// Builds the guests, runs all tests, then the scenarios of the plugins through the real host.
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
    template(&workspace)?;
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

/// The template of the Rust SDK builds as a user would build it: copied out of the workspace.
fn template(workspace: &Workspace) -> anyhow::Result<()> {
    let sdk = workspace.root().join("sdk/rust");
    let copy = workspace.target().join("template-check");
    if copy.exists() {
        std::fs::remove_dir_all(&copy)?;
    }
    copy_folder(&sdk.join("template"), &copy)?;
    let manifest = copy.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest)?;
    let text = text.replace("path = \"..\"", &format!("path = {sdk:?}"));
    std::fs::write(&manifest, text)?;
    // The versions that the workspace is tested with.
    std::fs::copy(workspace.root().join("Cargo.lock"), copy.join("Cargo.lock"))?;
    let target = workspace.target().join("template-target");
    let build = |arguments: &[&str]| {
        let mut build = cargo();
        build
            .current_dir(&copy)
            .args(arguments)
            .env("CARGO_TARGET_DIR", &target)
            .env_remove("RUSTFLAGS");
        process::run(&mut build)
    };
    build(&["test", "--quiet"])?;
    build(&["build", "--quiet", "--release", "--target", guests::TARGET])
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in from
        .read_dir()
        .with_context(|| format!("list {}", from.display()))?
    {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
