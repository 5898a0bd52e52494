//! Files that are made from the source: the bindings of other languages, the reference of the
//! settings.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::glue;
use crate::process::{self, output, say};
use crate::workspace::Workspace;

/// Writes them, or checks that they are as the source says.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    // Before the programs: these carry the bindings inside.
    for (place, text) in glue::files(workspace.root())? {
        keep(&workspace.root().join(place), &text, check)?;
    }
    process::build_programs()?;
    let reference =
        output(Command::new(workspace.program("andon")).args(["check", "--reference"]))?;
    let file = workspace.root().join("host/config/REFERENCE.md");
    keep(&file, reference.as_bytes(), check)
}

fn keep(file: &Path, text: &[u8], check: bool) -> anyhow::Result<()> {
    if std::fs::read(file).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if check {
        bail!(
            "{} is not what the source says: run `cargo xtask goldens` and commit it",
            file.display()
        );
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    std::fs::write(file, text).with_context(|| format!("write {}", file.display()))?;
    say(format!("wrote {}", file.display()));
    Ok(())
}
