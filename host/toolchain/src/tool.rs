//! Finds the programs that a build needs.
//!
//! A tool is looked for among the project's own packages (`node_modules/.bin`, `.venv/bin`), then on
//! PATH, then in the other ways that the manifest knows. A way of several words, as `python3 -m
//! ziglang`, is tried by asking for its version or help, because `python3` alone says nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::project::{Project, Tool};

/// Folders of a project in which package installers put programs.
const OWN: [&str; 2] = ["node_modules/.bin", ".venv/bin"];

/// A tool is missing.
#[derive(Debug, thiserror::Error)]
pub struct ToolError {
    /// The first word of the command.
    pub tool: String,
    /// How to get it, where the manifest says.
    pub install: Option<String>,
    /// The version that the project was tried with, where the manifest says.
    pub version: Option<String>,
}

impl std::fmt::Display for ToolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is needed and not on PATH", self.tool)?;
        if let Some(version) = &self.version {
            write!(f, " (tried with version {version})")?;
        }
        match &self.install {
            Some(install) => write!(f, ": install it with\n    {install}"),
            None => write!(
                f,
                ": install it, or say how below [tools.{}] of the manifest",
                self.tool
            ),
        }
    }
}

/// The words that start a tool: a program, and its first arguments.
pub(crate) fn find(tool: &str, project: &Project) -> Result<Vec<OsString>, ToolError> {
    if tool.contains('/') {
        // A program of the project itself: the system says if it is not there.
        return Ok(vec![project.folder.join(tool).into_os_string()]);
    }
    if let Some(program) = program(tool, &project.folder) {
        return Ok(vec![program.into_os_string()]);
    }
    let known = project.manifest.tools.get(tool);
    let ways = known.map(|known| known.or.as_slice()).unwrap_or_default();
    ways.iter()
        .find_map(|way| by_way(way, &project.folder))
        .ok_or_else(|| ToolError {
            tool: tool.to_owned(),
            install: known.map(|known: &Tool| known.install.clone()),
            version: known.and_then(|known| known.version.clone()),
        })
}

fn program(name: &str, folder: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    OWN.iter()
        .map(|own| folder.join(own))
        .chain(std::env::split_paths(&path))
        .map(|place| place.join(name))
        .find(|file| is_program(file))
}

fn by_way(way: &[String], folder: &Path) -> Option<Vec<OsString>> {
    let (first, rest) = way.split_first()?;
    let mut words = vec![program(first, folder)?.into_os_string()];
    words.extend(rest.iter().map(OsString::from));
    (rest.is_empty() || answers(&words)).then_some(words)
}

/// Whether a way of several words leads to a program at all. Tools do not agree on how they are
/// asked for their version, and some do not know it.
fn answers(words: &[OsString]) -> bool {
    ["--version", "version", "--help"].iter().any(|question| {
        let Some((program, arguments)) = words.split_first() else {
            return false;
        };
        Command::new(program)
            .args(arguments)
            .arg(question)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata()
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}
