//! The tools of the languages, installed below the target folder as the projects themselves say.
//!
//! What comes from PyPI goes into a folder of Python's, what comes from npm into one of Node's; both
//! go to the head of PATH. Any other tool is on the machine or it is not.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{exists, run, say};
use crate::workspace::Workspace;

/// The tools that could be installed.
pub(crate) struct Toolbox {
    path: Vec<PathBuf>,
}

impl Toolbox {
    /// Installs what the templates of these languages ask for and the machine can get.
    pub(crate) fn install(folder: &Path, workspace: &Workspace, languages: &[String]) -> Self {
        let mut python = Vec::new();
        let mut node = Vec::new();
        for language in languages {
            let manifest = workspace
                .root()
                .join("sdk")
                .join(language)
                .join("template/andon-plugin.toml");
            let text = std::fs::read_to_string(manifest).unwrap_or_default();
            for install in text
                .lines()
                .filter_map(|line| line.strip_prefix("install = "))
            {
                let install = install.trim_matches('"');
                python.extend(packages(install, "pip install"));
                node.extend(packages(install, "npm install"));
            }
        }
        let mut path = Vec::new();
        if !python.is_empty() {
            path.extend(from_pypi(&folder.join("python"), &mut python));
        }
        if !node.is_empty() {
            path.extend(from_npm(&folder.join("node"), &mut node));
        }
        Self { path }
    }

    /// Puts the tools, and `andon` itself, on the PATH of a command.
    pub(crate) fn equip<'a>(
        &self,
        command: &'a mut Command,
        workspace: &Workspace,
    ) -> &'a mut Command {
        let before = std::env::var_os("PATH").unwrap_or_default();
        let program = workspace.program("andon");
        let ours = program.parent().map(Path::to_owned);
        let all = ours
            .into_iter()
            .chain(self.path.iter().cloned())
            .chain(std::env::split_paths(&before));
        // A folder whose name cannot stand in PATH would be one of ours: then its tools are missing.
        let path: OsString = std::env::join_paths(all).unwrap_or(before);
        command.env("PATH", path).stdin(Stdio::null())
    }
}

/// The packages of an instruction as `python3 -m pip install a==1 b`.
fn packages(install: &str, verb: &str) -> Vec<String> {
    let Some((_, rest)) = install.split_once(verb) else {
        return Vec::new();
    };
    rest.split_whitespace()
        .take_while(|word| !word.starts_with('&'))
        .filter(|word| !word.starts_with('-'))
        .map(str::to_owned)
        .collect()
}

fn from_pypi(folder: &Path, packages: &mut Vec<String>) -> Option<PathBuf> {
    if !exists("python3") {
        say("no python3 here: tools from PyPI will be missing");
        return None;
    }
    let programs = folder.join("bin");
    let installed = once(folder, packages, |packages| {
        let python = programs.join("python3");
        if !python.exists() {
            run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        }
        run(Command::new(python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(packages))
    });
    installed.then_some(programs)
}

fn from_npm(folder: &Path, packages: &mut Vec<String>) -> Option<PathBuf> {
    if !exists("node") || !exists("npm") {
        say("no node and npm here: tools from npm will be missing");
        return None;
    }
    let installed = once(folder, packages, |packages| {
        run(Command::new("npm")
            .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
            .arg(folder)
            .args(packages))
    });
    installed.then_some(folder.join("node_modules/.bin"))
}

/// Installs packages unless the same ones were installed by an earlier run.
fn once(
    folder: &Path,
    packages: &mut Vec<String>,
    install: impl FnOnce(&[String]) -> anyhow::Result<()>,
) -> bool {
    packages.sort();
    packages.dedup();
    let list = folder.join("andon-installed.txt");
    let wanted = packages.join("\n");
    let there = std::fs::read_to_string(&list).unwrap_or_default();
    if packages
        .iter()
        .all(|package| there.lines().any(|line| line == package))
    {
        return true;
    }
    say(format!("installing {}", packages.join(", ")));
    let made = std::fs::create_dir_all(folder)
        .map_err(Into::into)
        .and_then(|()| install(packages))
        .and_then(|()| Ok(std::fs::write(&list, format!("{there}\n{wanted}"))?));
    match made {
        Ok(()) => true,
        Err(why) => {
            say(format!(
                "could not be installed ({why:#}): their languages will be skipped"
            ));
            // What an earlier run installed may do.
            !there.is_empty()
        }
    }
}
