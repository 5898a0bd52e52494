//! Files that are made from the source: the bindings of other languages, the reference of the
//! settings, and the copies that the languages carry so that a project of theirs is complete.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::glue;
use crate::process::{self, output, say};
use crate::workspace::Workspace;

/// Copies that a language carries: from where, to where, below the root.
const COPIES: [(&str, &str); 5] = [
    ("wit/plugin.wit", "sdk/javascript/glue/wit/plugin.wit"),
    ("wit/plugin.wit", "sdk/typescript/glue/wit/plugin.wit"),
    ("wit/plugin.wit", "sdk/python/glue/wit/plugin.wit"),
    (
        "sdk/javascript/glue/andon.js",
        "sdk/typescript/glue/andon.js",
    ),
    (
        "sdk/javascript/glue/andon.d.ts",
        "sdk/typescript/glue/andon.d.ts",
    ),
];

/// Writes them, or checks that they are as the source says.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    // Before the programs: these carry the bindings inside.
    for (place, text) in glue::files(workspace.root())? {
        keep(&workspace.root().join(place), &text, check)?;
    }
    for (from, to) in COPIES {
        let source = workspace.root().join(from);
        let text = std::fs::read_to_string(&source)
            .with_context(|| format!("read {}", source.display()))?;
        keep(&workspace.root().join(to), text.as_bytes(), check)?;
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
