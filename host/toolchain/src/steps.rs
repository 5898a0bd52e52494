//! `andon plugin build`: the steps from a project's source to its component.
//!
//! The commands come from the project's own manifest and run with the rights of whoever builds it, as
//! any build tool does; nothing here is meant for projects that one does not trust. They run without a
//! time limit: their person watches.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::component::{ComponentError, componentize};
use crate::imports;
use crate::project::{ManifestError, Project};
use crate::tool::{self, ToolError};

/// Largest module that is read; the host takes smaller ones yet.
const MODULE_BYTES_MAX: u64 = 256 << 20;

/// What a build came to.
#[derive(Debug, Clone)]
pub struct Built {
    /// The component, not yet on disk.
    pub component: Vec<u8>,
    /// Where it belongs: `NAME.wasm` in the project's folder.
    pub file: PathBuf,
}

/// What happens during a build, for people who watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A command starts.
    Runs(&'a str),
    /// What a command printed, shortened.
    Printed(&'a str),
}

/// Why a project was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The folder is no project.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A tool is missing.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A command could not be started, or its output not be read.
    #[error("cannot run `{command}`")]
    Start {
        /// The command.
        command: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A command failed.
    #[error("{output}\n`{command}` failed ({status})")]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it printed, shortened.
        output: String,
    },
    /// A folder or file could not be made or read.
    #[error("cannot {what} {}", file.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The commands did not make what the manifest says.
    #[error(
        "the commands ended well, but {} is not there: name what they make with `module` below \
         [build]", .0.display()
    )]
    NoModule(PathBuf),
    /// The module is larger than anything that the host takes.
    #[error("{} has {bytes} bytes, and a module may have {MODULE_BYTES_MAX}: build it without debug information", file.display())]
    TooLarge {
        /// The module.
        file: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// No component came of the module.
    #[error("{}: {source}", file.display())]
    Component {
        /// The module.
        file: PathBuf,
        /// Why.
        source: ComponentError,
    },
}

/// Runs the commands of a project and makes a component of their result. It is not written, so that
/// the caller can judge it first.
///
/// # Errors
/// The folder is no project, a tool is missing, a command fails, or its result is no plugin.
pub fn build(folder: &Path, watch: &mut dyn FnMut(Progress<'_>)) -> Result<Built, BuildError> {
    let project = Project::open(folder)?;
    let made = project.folder.join("build");
    std::fs::create_dir_all(&made).map_err(|source| BuildError::File {
        what: "make the folder",
        file: made,
        source,
    })?;
    // All tools are looked for first: who must install two of them wants to know before the first runs.
    let mut commands = Vec::new();
    for words in &project.manifest.build.commands {
        if let Some((tool, arguments)) = words.split_first() {
            let mut found = tool::find(tool, &project)?;
            found.extend(arguments.iter().map(OsString::from));
            commands.push((words.join(" "), found));
        }
    }
    for (shown, words) in commands {
        watch(Progress::Runs(&shown));
        let printed = run(shown, &words, &project)?;
        if !printed.is_empty() {
            watch(Progress::Printed(&printed));
        }
    }
    let file = project.folder.join(&project.manifest.build.module);
    let module = read_module(&file)?;
    let build = &project.manifest.build;
    let component = componentize(&module, build.world)
        .and_then(|component| Ok(imports::rename(&component, &build.namespaces)?))
        .map_err(|source| BuildError::Component { file, source })?;
    Ok(Built {
        component,
        file: project.component(),
    })
}

/// Runs a command to its end and gives what it printed.
fn run(command: String, words: &[OsString], project: &Project) -> Result<String, BuildError> {
    let ran = || -> std::io::Result<(ExitStatus, String)> {
        let (reader, writer) = std::io::pipe()?;
        let (program, arguments) = words
            .split_first()
            .ok_or(std::io::ErrorKind::InvalidInput)?;
        // The command holds the ends to write into; with them gone the output ends with the child.
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(&project.folder)
            .envs(&project.manifest.build.env)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()?;
        let output = crate::output::read(reader);
        let status = child.wait()?;
        Ok((status, output?))
    };
    match ran() {
        Ok((status, output)) if status.success() => Ok(output),
        Ok((status, output)) => Err(BuildError::Failed {
            command,
            status,
            output,
        }),
        Err(source) => Err(BuildError::Start { command, source }),
    }
}

fn read_module(file: &Path) -> Result<Vec<u8>, BuildError> {
    let about = file
        .metadata()
        .map_err(|_| BuildError::NoModule(file.to_owned()))?;
    if about.len() > MODULE_BYTES_MAX {
        return Err(BuildError::TooLarge {
            file: file.to_owned(),
            bytes: about.len(),
        });
    }
    std::fs::read(file).map_err(|source| BuildError::File {
        what: "read",
        file: file.to_owned(),
        source,
    })
}
