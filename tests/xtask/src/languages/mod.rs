//! `cargo xtask languages`: the same rule in every language of `sdk/`, from an empty folder to an SMS.
//!
//! For each language: a new project of the name `tank-level` is built and must do what the scenarios in
//! `examples/rules/tank-level` say, to the letter; then the commands at the head of the language's page
//! are run in a folder in which a host runs, and the alarm must reach a phone. The function and the
//! sink of a language are built and tried likewise. At last all components are called so often that a
//! leak would show. No language is known here by name: the tools are
//! installed as the projects themselves say.

mod channel;
mod function;
mod page;
mod plant;
mod receiver;
mod sandbox;
mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};

use crate::process::{self, say};
use crate::workspace::Workspace;
use page::Lesson;
use plant::Plant;
use sandbox::Components;
use tools::Toolbox;

/// What a project keeps from one run of this task to the next: it only saves time.
const KEPT: [&str; 2] = ["target", "node_modules"];

/// What came of a language.
enum Outcome {
    /// All is well; one line about it.
    Works(String),
    /// A tool is missing.
    Skipped(String),
}

/// Tries the named languages, or all of them.
pub(crate) fn run(names: &[String]) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let languages = languages(&workspace, names)?;
    process::build_programs()?;
    let folder = workspace.target().join("languages");
    let toolbox = Toolbox::install(&folder, &workspace, &languages);
    let components = Components::empty(&folder)?;
    let (mut works, mut skipped, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for language in &languages {
        let trial = Trial::new(&workspace, &toolbox, &folder, language);
        match trial.and_then(|trial| trial.run(&components)) {
            Ok(Outcome::Works(line)) => works.push(line),
            Ok(Outcome::Skipped(why)) => skipped.push(why),
            Err(why) => {
                say(format!("{language}: FAILED: {why:#}"));
                failed.push(language.as_str());
            }
        }
    }
    let tested = components.test(&workspace);
    let or_none = |list: &[String]| match list {
        [] => "none".to_owned(),
        list => list.join("; "),
    };
    say(format!(
        "languages: {}. Skipped: {}",
        or_none(&works),
        or_none(&skipped)
    ));
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    tested
}

/// The folders of `sdk/` that have a template, or those of them that are named.
fn languages(workspace: &Workspace, names: &[String]) -> anyhow::Result<Vec<String>> {
    let sdk = workspace.root().join("sdk");
    let mut all: Vec<String> = Vec::new();
    for entry in sdk.read_dir().context("list sdk/")? {
        let entry = entry?;
        if entry.path().join("template").is_dir() {
            all.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    all.sort();
    if let Some(unknown) = names.iter().find(|name| !all.contains(name)) {
        bail!("sdk/{unknown} is no language; there are {}", all.join(", "));
    }
    if !names.is_empty() {
        all.retain(|name| names.contains(name));
    }
    Ok(all)
}

/// One language on trial.
struct Trial<'a> {
    workspace: &'a Workspace,
    toolbox: &'a Toolbox,
    language: &'a str,
    /// The folder in which all of it happens.
    folder: PathBuf,
}

impl<'a> Trial<'a> {
    fn new(
        workspace: &'a Workspace,
        toolbox: &'a Toolbox,
        below: &Path,
        language: &'a str,
    ) -> anyhow::Result<Self> {
        let folder = below.join("work").join(language);
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            workspace,
            toolbox,
            language,
            folder,
        })
    }

    /// Tries it all; what was built is copied for the tests of all components.
    fn run(&self, components: &Components) -> anyhow::Result<Outcome> {
        say(format!("{}:", self.language));
        let started = now();
        let project = self.folder.join("tank-level");
        self.clear(&project)?;
        self.keep(&self.folder.join("plant/my-rule"))?;
        let place = project.display().to_string();
        self.andon(&[
            "plugin",
            "new",
            self.language,
            "tank-level",
            "--folder",
            &place,
        ])?;
        self.furnish(&project)?;
        if let Err(why) = self.andon(&["plugin", "build", &place]) {
            let why = format!("{why:#}");
            // The words of andon-toolchain's ToolError.
            if let Some(line) = why
                .lines()
                .find(|line| line.contains("is needed and not on PATH"))
            {
                let line = line
                    .trim_start_matches("andon: ")
                    .trim_end_matches(": install it with");
                say(format!("  skipped: {line}"));
                return Ok(Outcome::Skipped(format!("{} ({line})", self.language)));
            }
            bail!("{why}");
        }
        let built = started.elapsed().as_secs();
        self.andon(&["plugin", "test", &place])?;
        let suite = self
            .workspace
            .root()
            .join("examples/rules/tank-level/scenarios");
        let suite = suite.display().to_string();
        let tested = self.andon(&["plugin", "test", &suite, "--plugins", &place])?;
        let last = tested.lines().last().unwrap_or_default();
        say(format!("  built in {built} s; the suite: {last}"));
        let component = components.rule(self.language);
        let size = std::fs::copy(project.join("tank-level.wasm"), component)? / 1000;
        self.function()?;
        self.first_rule()?;
        self.channel(&components.sink(self.language))?;
        Ok(Outcome::Works(format!("{} {size} KB", self.language)))
    }

    /// The commands at the head of the language's page, in the folder of a host that runs.
    fn first_rule(&self) -> anyhow::Result<()> {
        let mut plant = Plant::start(self.workspace, &self.folder.join("plant"))?;
        self.follow(Lesson::RULE, &plant, "tank-level")?;
        let sms = plant.alarm("tank1.level", 95.0, "tank1.level is at 95.0")?;
        say(format!("  phone: {sms}"));
        plant.stop()
    }

    /// Runs `andon` with the tools on its PATH; gives what it printed.
    fn andon(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(self.workspace.program("andon"));
        command.args(arguments).current_dir(&self.folder);
        process::output(self.toolbox.equip(&mut command, self.workspace))
    }

    /// Removes a project of an earlier run, but for what only saves time.
    fn clear(&self, project: &Path) -> anyhow::Result<()> {
        self.keep(project)?;
        if project.exists() {
            std::fs::remove_dir_all(project)?;
        }
        Ok(())
    }

    /// Puts aside what a project has that the next one can use.
    fn keep(&self, project: &Path) -> anyhow::Result<()> {
        for kept in KEPT {
            let (from, to) = (project.join(kept), self.folder.join(kept));
            if from.is_dir() && !to.exists() {
                std::fs::rename(from, to)?;
            }
        }
        Ok(())
    }

    /// Gives a new project what was kept, and the versions that the workspace is tested with.
    fn furnish(&self, project: &Path) -> anyhow::Result<()> {
        for kept in KEPT {
            let (from, to) = (self.folder.join(kept), project.join(kept));
            if from.is_dir() && !to.exists() {
                std::fs::rename(from, to)?;
            }
        }
        let lock = project.join("Cargo.lock");
        if project.join("Cargo.toml").is_file() && !lock.exists() {
            std::fs::copy(self.workspace.root().join("Cargo.lock"), lock)?;
        }
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a task says how long its builds took; nothing is decided by it"
)]
fn now() -> Instant {
    Instant::now()
}
