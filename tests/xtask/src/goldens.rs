//! Files that are made from the source: the reference of the settings.

use std::process::Command;

use anyhow::{Context as _, bail};

use crate::process::{self, output, say};
use crate::workspace::Workspace;

/// Writes them, or checks that they are as the source says.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    process::build_programs()?;
    let reference =
        output(Command::new(workspace.program("andon")).args(["check", "--reference"]))?;
    let file = workspace.root().join("host/config/REFERENCE.md");
    let old = std::fs::read_to_string(&file).unwrap_or_default();
    if old == reference {
        return Ok(());
    }
    if check {
        bail!(
            "{} is not what the source says: run `cargo xtask goldens` and commit it",
            file.display()
        );
    }
    std::fs::write(&file, reference).with_context(|| format!("write {}", file.display()))?;
    say(format!("wrote {}", file.display()));
    Ok(())
}
