//! `andon plugin list|new|build|inspect|test|bench|pull|rollback|shadow|promote|refuse`.

mod bench;
mod inspect;
mod origin;
mod project;
mod pull;
mod scenario_report;
mod scenarios;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use andon_model::{Component, Loader};
use andon_wasm::{EngineSettings, WasmEngine};
use anyhow::Context as _;

use super::{client, print, small_runtime};
use crate::arguments::Plugin;
use crate::clock::SystemClock;

pub(super) fn dispatch(command: Plugin) -> anyhow::Result<ExitCode> {
    match command {
        Plugin::List(place) => client::plugins(&place),
        Plugin::Rollback { component, place } => client::roll_back(&place, component),
        Plugin::Pull { reference, place } => pull::pull(&reference, &place),
        Plugin::Shadow {
            instance,
            component,
            run_for,
            end,
            place,
        } => client::shadow(&place, instance, &component, run_for, end),
        Plugin::Promote { instance, place } => client::promote(&place, instance),
        Plugin::Refuse { instance, place } => client::refuse(&place, instance),
        Plugin::New {
            language,
            name,
            kind,
            folder,
        } => project::new(&language, kind.into(), &name, folder),
        Plugin::Build(build) => project::build(&build),
        Plugin::Inspect { file, key, json } => inspect::inspect(&file, key.as_deref(), json),
        Plugin::Bench(options) => bench::bench(&options),
        Plugin::Test {
            scenarios,
            plugins,
            json,
        } => scenarios::test(&scenarios, plugins.as_deref(), json),
    }
}

fn engine() -> anyhow::Result<WasmEngine> {
    let settings = EngineSettings {
        cache_folder: cache_folder(),
        ..EngineSettings::default()
    };
    Ok(WasmEngine::new(settings, Arc::new(SystemClock::start()))?)
}

/// The user's cache (`$XDG_CACHE_HOME/andon`, else `~/.cache/andon`): what is built is loaded to be
/// judged, then to be tested, again and again. The engine bounds it, and it may be deleted at any time.
/// None if there is no place for it, and then everything is only slower.
fn cache_folder() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let usual = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let absolute = |folder: &PathBuf| folder.is_absolute();
    let caches = named.filter(absolute).or(usual.filter(absolute))?;
    let folder = caches.join("andon");
    std::fs::create_dir_all(&folder).ok().map(|()| folder)
}

async fn load(engine: &WasmEngine, file: &Path) -> anyhow::Result<Arc<dyn Component>> {
    let bytes = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
    Ok(engine
        .load(&file.display().to_string(), bytes.into())
        .await?)
}
