//! `andon plugin test`: scenario files against components, with a virtual clock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use andon_model::{Component, Limits};
use andon_plugins::scenario::{Report, Scenario, play};
use andon_toolchain::Project;
use andon_wasm::WasmEngine;
use anyhow::Context as _;

use super::scenario_report::{self, Played};
use super::{engine, load, small_runtime};

/// Plays scenario files, those in folders, and those of projects.
pub(super) fn test(
    scenarios: &[PathBuf],
    plugins: Option<&Path>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let engine = engine()?;
    let runtime = small_runtime()?;
    let mut loaded = Loaded::default();
    let mut played = Vec::new();
    for file in scenario_files(scenarios)? {
        let report = runtime.block_on(play_file(&engine, &mut loaded, &file, plugins));
        let (report, error) = match report {
            Ok(report) => (Some(report), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        played.push(Played {
            file,
            report,
            error,
        });
    }
    scenario_report::tell(&played, as_json)
}

/// The components of this run by their files: a large one takes seconds to compile, and many
/// scenarios share it.
#[derive(Default)]
struct Loaded(BTreeMap<PathBuf, Arc<dyn Component>>);

impl Loaded {
    async fn get(
        &mut self,
        engine: &WasmEngine,
        file: PathBuf,
    ) -> anyhow::Result<Arc<dyn Component>> {
        if let Some(component) = self.0.get(&file) {
            return Ok(Arc::clone(component));
        }
        let component = load(engine, &file).await?;
        self.0.insert(file, Arc::clone(&component));
        Ok(component)
    }
}

async fn play_file(
    engine: &WasmEngine,
    loaded: &mut Loaded,
    file: &Path,
    plugins: Option<&Path>,
) -> anyhow::Result<Report> {
    let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    let above = file.parent().and_then(Path::parent);
    let project = above.filter(|folder| Project::is_at(folder) && plugins.is_none());
    let project = project.map(Project::open).transpose()?;
    let name = |path: Option<&Path>| {
        path.and_then(|path| path.file_name())
            .and_then(|name| name.to_str())
            .unwrap_or("")
            .to_owned()
    };
    let file_stem = file
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or("");
    // A project says its name; else …/limits/scenarios/deadband.toml speaks of `limits`.
    let plugin = match &project {
        Some(project) => project.manifest.name().to_owned(),
        None => name(above),
    };
    let scenario = Scenario::parse(&text, file_stem, &plugin)?;
    let component = match project.filter(|project| project.manifest.name() == scenario.component) {
        Some(project) => built(&project)?,
        None => component_file(&scenario, file, plugins)?,
    };
    let component = loaded.get(engine, component).await?;
    Ok(play(&scenario, component, &Limits::default()).await?)
}

/// The component of a project, which must have been built.
fn built(project: &Project) -> anyhow::Result<PathBuf> {
    let file = project.component();
    anyhow::ensure!(
        file.is_file(),
        "{} is not there: run `andon plugin build {}` first",
        file.display(),
        project.folder.display()
    );
    Ok(file)
}

fn component_file(
    scenario: &Scenario,
    file: &Path,
    plugins: Option<&Path>,
) -> anyhow::Result<PathBuf> {
    let wasm = format!("{}.wasm", scenario.component);
    let beside = file.parent().and_then(Path::parent).map(Path::to_owned);
    let folders: Vec<PathBuf> = match plugins {
        Some(folder) => vec![folder.to_owned()],
        None => beside
            .into_iter()
            .chain([PathBuf::from("plugins"), PathBuf::from(".")])
            .collect(),
    };
    let found = folders
        .iter()
        .map(|folder| folder.join(&wasm))
        .find(|path| path.is_file());
    found.with_context(|| {
        format!(
            "{wasm} is in none of {}: name its folder with --plugins",
            folders
                .iter()
                .map(|folder| folder.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        )
    })
}

fn scenario_files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let folder = if Project::is_at(path) {
            path.join("scenarios")
        } else {
            path.clone()
        };
        if folder.is_dir() {
            let mut found: Vec<PathBuf> = folder
                .read_dir()?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<_, _>>()?;
            found.retain(|file| file.extension().is_some_and(|kind| kind == "toml"));
            found.sort();
            anyhow::ensure!(
                !found.is_empty(),
                "{} holds no scenario (*.toml)",
                folder.display()
            );
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}
