//! Files that are made from the source: the bindings of other languages, the reference of the
//! settings, and the copies that the languages carry so that a project of theirs is complete.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::glue;
use crate::process::{self, output, say};
use crate::workspace::Workspace;

/// Languages whose tools read the contract themselves, with the namespace in which WASI's packages stand
/// there. The tool of QuickJS runs a component while it builds it, against a WASI of its own, and then
/// cannot take further packages of that name; `andon plugin build` gives the imports the real one.
const READERS: [(&str, &str); 3] = [
    ("javascript", "andon-wasi"),
    ("typescript", "andon-wasi"),
    ("python", "wasi"),
];

/// What a sink is built against, below `wit/sink` and below `glue/wit/sink` of a language.
const SINK: [(&str, &str); 4] = [
    ("plugin.wit", "sink/deps/plugin.wit"),
    ("sink/sink.wit", "sink/sink.wit"),
    ("sink/deps/http.wit", "sink/deps/http.wit"),
    ("sink/deps/io.wit", "sink/deps/io.wit"),
];

/// What TypeScript takes over from JavaScript, below `glue`.
const TYPED: [&str; 5] = [
    "andon.js",
    "andon.d.ts",
    "author.js",
    "sink.js",
    "sink.d.ts",
];

/// Copies that a language carries: place below the root, and text.
fn copies(root: &Path) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let read = |place: &str| {
        let source = root.join(place);
        std::fs::read_to_string(&source).with_context(|| format!("read {}", source.display()))
    };
    let mut copies = Vec::new();
    let contract = read("wit/plugin.wit")?;
    for (language, namespace) in READERS {
        let glue = root.join("sdk").join(language).join("glue/wit");
        copies.push((glue.join("plugin.wit"), contract.clone()));
        for (from, to) in SINK {
            let text = read(&format!("wit/{from}"))?;
            let text = text.replace(" wasi:", &format!(" {namespace}:"));
            copies.push((glue.join(to), text));
        }
    }
    for file in TYPED {
        let text = read(&format!("sdk/javascript/glue/{file}"))?;
        copies.push((root.join("sdk/typescript/glue").join(file), text));
    }
    Ok(copies)
}

/// Writes them, or checks that they are as the source says.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    // Before the programs: these carry the bindings inside.
    for (place, text) in glue::files(workspace.root())? {
        keep(&workspace.root().join(place), &text, check)?;
    }
    for (place, text) in copies(workspace.root())? {
        keep(&place, text.as_bytes(), check)?;
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
