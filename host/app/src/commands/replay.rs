//! `andon replay`: what rules would have raised, and who would have been told.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use andon_config::Plan;
use andon_model::{Clock, Loader};
use andon_recording::{Recording, compare};
use andon_wasm::{EngineSettings, WasmEngine};

use super::{print, small_runtime};
use crate::arguments::Replay;
use crate::clock::SystemClock;
use crate::replay::{Ground, Report, Version, VersionReport, Workbench, play, tags_of};
use crate::surroundings::folder_of;
use crate::workshop::{SettingsFile, puller_beside};

/// Ends with 1 if rows of the recording could not be read: what is told then is not all.
pub(super) fn replay(options: &Replay) -> anyhow::Result<ExitCode> {
    let plan = match SettingsFile::at(&options.place.config).read() {
        Ok(plan) => plan,
        Err(problems) => {
            for problem in &problems {
                eprintln!("{problem}");
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let (report, speed) = small_runtime()?.block_on(report(options, &plan, &clock))?;
    if options.place.json {
        print(serde_json::to_string(&report)?);
    } else {
        print(report.text()?.trim_end());
        eprintln!("{speed}");
    }
    Ok(if report.notes.unreadable == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The report, and a line about how fast it came about, which differs from run to run.
async fn report(
    options: &Replay,
    plan: &Plan,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(Report, String)> {
    let folder = folder_of(&options.place.config);
    let mut recording = Recording::open(&options.recording)?;
    let versions = versions(options, plan, &folder, clock).await?;
    let ground = Ground {
        routing: Arc::new(plan.routing.clone()),
        conditioning: plan.conditioning.clone(),
        window_samples: plan.settings.host.window_samples,
    };
    let begun = clock.now();
    let played = play(&mut recording, &versions, &ground).await?;
    let seconds = clock.now().since(begun).as_secs_f64();
    let outcomes: Vec<VersionReport> = versions
        .iter()
        .zip(played)
        .map(|(version, played)| VersionReport::new(version, played))
        .collect();
    let comparison = match outcomes.as_slice() {
        [first, second] => Some(compare(
            first.outcome(),
            second.outcome(),
            options.tolerance.0,
        )),
        _ => None,
    };
    let notes = recording.notes().clone();
    let rate = notes.samples as f64 / seconds.max(1e-9);
    let speed = format!(
        "{} samples in {seconds:.2} s, {rate:.0} a second",
        notes.samples
    );
    let report = Report {
        recording: options.recording.display().to_string(),
        tags: tags_of(&recording, &versions),
        notes,
        versions: outcomes,
        comparison,
    };
    Ok((report, speed))
}

async fn versions(
    options: &Replay,
    plan: &Plan,
    folder: &Path,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Vec<Version>> {
    let data = folder.join(&plan.settings.host.data);
    let settings = EngineSettings {
        // The cache of a host that runs on the same data is used, never another one made.
        cache_folder: data.is_dir().then_some(data),
        ..EngineSettings::default()
    };
    let loader: Arc<dyn Loader> = Arc::new(WasmEngine::new(settings, Arc::clone(clock))?);
    let workbench = Workbench {
        plan,
        loader,
        puller: puller_beside(plan, folder),
    };
    let plugins: PathBuf = match &options.plugins {
        Some(plugins) => plugins.clone(),
        None => folder.join(&plan.settings.host.plugins),
    };
    let (first, shelf) = workbench.of_folder(&plugins).await?;
    let second = match &options.compare {
        Some(by) => Some(workbench.replaced(&first, shelf, by).await?),
        None => None,
    };
    Ok([Some(first), second].into_iter().flatten().collect())
}
