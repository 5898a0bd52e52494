//! What no scenario can see of the components that were built: whether their memory grows, and what
//! odd configurations do to them. The tests for it call the engine, which this program does not hold;
//! they lie in `host/wasm/tests/sandbox/languages.rs` and are handed a folder of components.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::process::{self, cargo, say};
use crate::workspace::Workspace;

/// The folder of components, emptied.
pub(super) fn folder(below: &Path) -> anyhow::Result<PathBuf> {
    let folder = below.join("components");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    Ok(folder)
}

/// Runs the tests on what lies in the folder; with nothing in it there is nothing to test.
pub(super) fn test(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    if folder.read_dir()?.next().is_none() {
        return Ok(());
    }
    say("memory, and odd configurations:");
    process::run(
        cargo()
            .args(["test", "--quiet", "--workspace", "--test", "sandbox", "--"])
            .args(["--ignored", "languages::"])
            .env("ANDON_LANGUAGES", folder)
            .env("ANDON_GUESTS", workspace.guests()),
    )
}
