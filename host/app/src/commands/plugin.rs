//! `andon plugin list|inspect|test|rollback`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use andon_model::{Component, Limits, Loader};
use andon_plugins::scenario::{Report, Scenario, play};
use andon_wasm::{EngineSettings, WasmEngine};
use anyhow::Context as _;
use serde_json::json;

use super::{client, print, small_runtime};
use crate::arguments::Plugin;
use crate::clock::SystemClock;

pub(super) fn dispatch(command: Plugin) -> anyhow::Result<ExitCode> {
    match command {
        Plugin::List(place) => client::plugins(&place),
        Plugin::Rollback { component, place } => client::roll_back(&place, component),
        Plugin::Inspect { file, json } => inspect(&file, json),
        Plugin::Test {
            scenarios,
            plugins,
            json,
        } => test(&scenarios, plugins.as_deref(), json),
    }
}

fn engine() -> anyhow::Result<WasmEngine> {
    Ok(WasmEngine::new(
        EngineSettings::default(),
        Arc::new(SystemClock::start()),
    )?)
}

async fn load(engine: &WasmEngine, file: &Path) -> anyhow::Result<Arc<dyn Component>> {
    let bytes = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
    Ok(engine
        .load(&file.display().to_string(), bytes.into())
        .await?)
}

fn inspect(file: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let component = small_runtime()?.block_on(load(&engine()?, file))?;
    let about = component.description();
    if as_json {
        print(json!({
            "kind": component.kind(), "contract": component.contract_version(), "hash": component.hash(),
            "imports": component.imports(), "description": about,
        }).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    print(format!(
        "{} {} {}: {}",
        component.kind(),
        about.name,
        about.version,
        about.summary
    ));
    print(format!(
        "contract {}, SHA-256 {}",
        component.contract_version(),
        component.hash()
    ));
    for port in &about.inputs {
        let many = if port.many { ", any number" } else { "" };
        let optional = if port.optional { ", optional" } else { "" };
        let default = port
            .default
            .as_ref()
            .map_or_else(String::new, |pattern| format!(", default `{pattern}`"));
        print(format!(
            "input  {} ({}{many}{optional}{default}): {}",
            port.name, port.port_type, port.summary
        ));
    }
    for port in &about.outputs {
        print(format!(
            "output {} ({}): {}",
            port.name, port.port_type, port.summary
        ));
    }
    print(format!(
        "parameters: {}",
        serde_json::to_string_pretty(&about.parameters)?
    ));
    print(format!("imports: {}", component.imports().join(", ")));
    Ok(ExitCode::SUCCESS)
}

fn test(scenarios: &[PathBuf], plugins: Option<&Path>, as_json: bool) -> anyhow::Result<ExitCode> {
    let engine = engine()?;
    let runtime = small_runtime()?;
    let files = scenario_files(scenarios)?;
    let mut reports: Vec<Report> = Vec::new();
    let mut failed = 0;
    for file in &files {
        let report = runtime.block_on(play_file(&engine, file, plugins));
        match report {
            Ok(report) => {
                failed += usize::from(!report.passed());
                if !as_json {
                    print(format!(
                        "{} {}",
                        if report.passed() { "ok  " } else { "FAIL" },
                        file.display()
                    ));
                    if !report.passed() {
                        print(report.to_string());
                    }
                }
                reports.push(report);
            }
            Err(error) => {
                failed += 1;
                print(format!("FAIL {}: {error:#}", file.display()));
            }
        }
    }
    if as_json {
        print(serde_json::to_string(&reports)?);
    } else {
        print(format!("{} passed, {failed} failed", files.len() - failed));
    }
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn play_file(
    engine: &WasmEngine,
    file: &Path,
    plugins: Option<&Path>,
) -> anyhow::Result<Report> {
    let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
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
    // …/limits/scenarios/deadband.toml speaks of `limits` unless it says otherwise.
    let folder = name(file.parent().and_then(Path::parent));
    let scenario = Scenario::parse(&text, file_stem, &folder)?;
    let component = load(engine, &component_file(&scenario, file, plugins)?).await?;
    Ok(play(&scenario, component, &Limits::default()).await?)
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
        if path.is_dir() {
            let mut found: Vec<PathBuf> = path
                .read_dir()?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<_, _>>()?;
            found.retain(|file| file.extension().is_some_and(|kind| kind == "toml"));
            found.sort();
            anyhow::ensure!(
                !found.is_empty(),
                "{} holds no scenario (*.toml)",
                path.display()
            );
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}
