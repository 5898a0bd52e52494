//! Builds every component of the workspace: the shipped plugins and the test guests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use cargo_metadata::CrateType;

use crate::process::{cargo, run, say};
use crate::workspace::Workspace;

/// The target that guests are built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Without this a hash table that Rhai brings into `expression` draws its keys anew at each build,
/// and the same source gives other bytes. The keys are no secret: they are in the component.
const HASH_KEYS: (&str, &str) = ("CONST_RANDOM_SEED", "andon");

/// Rust guests may use vector instructions, which every machine that the engine compiles for has.
const VECTORS: (&str, &str) = (
    "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS",
    "-Ctarget-feature=+simd128",
);

/// Builds all guests and copies them to `target/guests/NAME.wasm`; gives that folder.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    let workspace = Workspace::load()?;
    add_target()?;
    let names: Vec<String> = workspace
        .packages()
        .filter(|package| {
            package
                .targets
                .iter()
                .any(|target| target.crate_types.contains(&CrateType::CDyLib))
        })
        .map(|package| package.name.to_string())
        .collect();
    let mut build = cargo();
    build.args([
        "build",
        "--quiet",
        "--profile",
        "plugin",
        "--target",
        TARGET,
    ]);
    for name in &names {
        build.args(["--package", name]);
    }
    // A guest that warns is looked at natively, where clippy sees it too.
    build.env_remove("RUSTFLAGS");
    build.env(HASH_KEYS.0, HASH_KEYS.1);
    build.env(VECTORS.0, VECTORS.1);
    run(&mut build)?;
    let folder = workspace.guests();
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let built = workspace.target().join(TARGET).join("plugin");
    for name in &names {
        let from = built.join(format!("{}.wasm", name.replace('-', "_")));
        copy_if_new(&from, &folder.join(format!("{name}.wasm")))?;
    }
    say(format!("{} guests in {}", names.len(), folder.display()));
    Ok(folder)
}

/// Adds the wasm target with rustup, where it is missing.
pub(crate) fn add_target() -> anyhow::Result<()> {
    let missing = "add the target by hand (`rustup target add wasm32-wasip2`), then run this again";
    let mut probe = Command::new("rustc");
    probe
        .args(["--print", "target-libdir", "--target", TARGET])
        .stderr(Stdio::null());
    let folder = crate::process::output(&mut probe).unwrap_or_default();
    if !folder.trim().is_empty() && Path::new(folder.trim()).exists() {
        return Ok(());
    }
    say(format!("adding the target {TARGET}"));
    run(Command::new("rustup").args(["target", "add", TARGET])).context(missing)
}

/// Copies a file unless the same bytes are there: what did not change keeps its time.
fn copy_if_new(from: &Path, to: &Path) -> anyhow::Result<()> {
    let bytes = fs::read(from).with_context(|| format!("read {}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(to, bytes).with_context(|| format!("write {}", to.display()))
}
