//! What no scenario can see of the components that were built: whether their memory grows, and what
//! odd configurations do to them. The tests for it call the engine, which this program does not hold;
//! they lie in `host/wasm/tests/sandbox`, `languages.rs` and `language_sinks.rs`, and are handed a folder of
//! components.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::process::{self, cargo, say};
use crate::workspace::Workspace;

/// Where the components of all languages are collected.
pub(super) struct Components {
    rules: PathBuf,
    sinks: PathBuf,
}

impl Components {
    /// Folders without components.
    pub(super) fn empty(below: &Path) -> anyhow::Result<Self> {
        let folder = below.join("components");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        let all = Self {
            rules: folder.join("rules"),
            sinks: folder.join("sinks"),
        };
        for folder in [&all.rules, &all.sinks] {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("make {}", folder.display()))?;
        }
        Ok(all)
    }

    /// The rule of a language.
    pub(super) fn rule(&self, language: &str) -> PathBuf {
        self.rules.join(format!("{language}.wasm"))
    }

    /// The sink of a language.
    pub(super) fn sink(&self, language: &str) -> PathBuf {
        self.sinks.join(format!("{language}.wasm"))
    }

    /// Runs the tests on what was collected; where there is nothing, there is nothing to test.
    pub(super) fn test(&self, workspace: &Workspace) -> anyhow::Result<()> {
        let any = |folder: &Path| folder.read_dir().map(|mut each| each.next().is_some());
        if any(&self.rules)? {
            say("rules: memory, and odd configurations:");
            run("languages::", "ANDON_LANGUAGES", &self.rules, workspace)?;
        }
        if any(&self.sinks)? {
            say("sinks: memory, and what servers answer:");
            run(
                "language_sinks::",
                "ANDON_LANGUAGE_SINKS",
                &self.sinks,
                workspace,
            )?;
        }
        Ok(())
    }
}

fn run(tests: &str, name: &str, folder: &Path, workspace: &Workspace) -> anyhow::Result<()> {
    process::run(
        cargo()
            .args(["test", "--quiet", "--workspace", "--test", "sandbox", "--"])
            .args(["--ignored", tests])
            .env(name, folder)
            .env("ANDON_GUESTS", workspace.guests()),
    )
}
