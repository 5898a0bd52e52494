//! `andon plugin new` and `andon plugin build`: from nothing to a component that the host takes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use andon_model::Loader as _;
use andon_toolchain::{Built, Progress, Project, ProjectKind, World, componentize, new_project};
use anyhow::Context as _;

use super::inspect::{headline, size};
use super::{engine, print, small_runtime};
use crate::arguments::Build;

/// Writes a new project and says what comes next.
pub(super) fn new(
    language: &str,
    kind: ProjectKind,
    name: &str,
    folder: Option<PathBuf>,
) -> anyhow::Result<ExitCode> {
    let folder = folder.unwrap_or_else(|| PathBuf::from(name));
    let files = new_project(language, kind, name, &folder)?;
    let shown = folder.display();
    print(format!(
        "{shown}: a {kind} in {language}, {} files",
        files.len()
    ));
    let project = Project::open(&folder)?;
    for (tool, about) in project.manifest.tools() {
        let version = about
            .version
            .as_ref()
            .map_or_else(String::new, |version| format!(" {version}"));
        print(format!("needs {tool}{version}: {}", about.install));
    }
    print(format!("next: andon plugin build {shown}"));
    Ok(ExitCode::SUCCESS)
}

/// Builds a project, or makes a component of a core module alone.
pub(super) fn build(arguments: &Build) -> anyhow::Result<ExitCode> {
    let built = match &arguments.module {
        Some(module) => from_module(module, arguments)?,
        None => andon_toolchain::build(&arguments.folder, &mut |step| match step {
            Progress::Runs(command) => print(format!("$ {command}")),
            Progress::Printed(text) => print(text),
        })?,
    };
    let shown = shorter(&built.file);
    let bytes = built.component.len();
    let component = small_runtime()?
        .block_on(engine()?.load(&shown.display().to_string(), built.component.clone().into()))?;
    write_whole(&shown, &built.component)?;
    print(format!(
        "{}: {}, {}",
        shown.display(),
        headline(component.as_ref()),
        size(u64::try_from(bytes)?)
    ));
    Ok(ExitCode::SUCCESS)
}

fn from_module(module: &Path, arguments: &Build) -> anyhow::Result<Built> {
    let bytes = std::fs::read(module).with_context(|| format!("read {}", module.display()))?;
    let world: Option<World> = arguments.world.map(Into::into);
    let component = componentize(&bytes, world).with_context(|| module.display().to_string())?;
    let file = match &arguments.output {
        Some(file) => file.clone(),
        None => module.with_extension("component.wasm"),
    };
    Ok(Built { component, file })
}

/// Relative to where the command was called, if it lies below that.
fn shorter(file: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    here.ok()
        .and_then(|here| file.strip_prefix(here).ok())
        .unwrap_or(file)
        .to_owned()
}

/// Writes a file in one step: the folder may be one that a host watches.
fn write_whole(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let part = file.with_extension("wasm.part");
    std::fs::write(&part, bytes)
        .and_then(|()| std::fs::rename(&part, file))
        .with_context(|| format!("write {}", file.display()))
}
