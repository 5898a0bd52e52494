//! `andon check`: settings, tag lists and plugins, as the host would take them, without running
//! anything of it but `describe` and `configure`.

use std::process::ExitCode;
use std::sync::Arc;

use andon_config::{Plan, Problem};
use andon_model::{Clock, Loader};
use andon_plugins::{SampleHistory, Scheduler};
use andon_wasm::{EngineSettings, WasmEngine};
use serde_json::json;

use super::{print, small_runtime};
use crate::arguments::Check;
use crate::clock::SystemClock;
use crate::plugin_folder::{FolderSettings, Versions, snapshot};
use crate::surroundings::folder_of;
use crate::workshop::{Assembly, SettingsFile, Shelving, assemble, chain, offer, puller_beside};

pub(super) fn check(arguments: &Check) -> anyhow::Result<ExitCode> {
    if arguments.reference {
        print(andon_config::reference_page().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let place = &arguments.place;
    let (problems, assembly) = match SettingsFile::at(&place.config).read() {
        Err(problems) => (problems, Assembly::default()),
        Ok(plan) => small_runtime()?.block_on(check_plugins(&plan, &folder_of(&place.config)))?,
    };
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    if place.json {
        let tags: Vec<&str> = assembly.tags.iter().map(|(_, tag)| &*tag.name).collect();
        print(json!({ "problems": problems, "tags": tags, "instances": assembly.instances.keys().collect::<Vec<_>>() }).to_string());
    } else {
        problems
            .iter()
            .for_each(|problem| print(problem.to_string()));
        if arguments.tags {
            for (_, tag) in assembly.tags.iter() {
                print(format!(
                    "{:<32} {:<5} {:<6} {}",
                    tag.name,
                    tag.value_type,
                    tag.unit.as_deref().unwrap_or(""),
                    tag.source
                ));
            }
        }
        for file in &assembly.waiting {
            print(format!(
                "{file}: waits for a .toml beside it that binds its inputs"
            ));
        }
        let (tags, instances) = (assembly.tags.iter().count(), assembly.instances.len());
        match errors {
            0 => print(format!(
                "fine: {tags} tags, {instances} plugin instances, {} warnings",
                problems.len()
            )),
            _ => print(format!(
                "{errors} errors, {} warnings",
                problems.len() - errors
            )),
        }
    }
    Ok(if errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Loads, binds and configures every instance once.
async fn check_plugins(
    plan: &Plan,
    folder: &std::path::Path,
) -> anyhow::Result<(Vec<Problem>, Assembly)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let host = &plan.settings.host;
    let data = folder.join(&host.data);
    // The cache of a host that runs on the same data is used, never another one made.
    let cache_folder = data.is_dir().then(|| data.clone());
    let loader: Arc<dyn Loader> = Arc::new(WasmEngine::new(
        EngineSettings {
            cache_folder,
            ..EngineSettings::default()
        },
        Arc::clone(&clock),
    )?);
    let plugins = folder.join(&host.plugins);
    let mut shelving = Shelving::new(
        loader,
        Versions::new(data.join("versions"), Versions::KEEP),
        plugins.clone(),
        plan.trust.clone(),
    );
    if plugins.is_dir() {
        let change =
            tokio::task::spawn_blocking(move || snapshot(&plugins, &FolderSettings::default()))
                .await?;
        shelving.take(change).await;
    }
    shelving.pull_all(&puller_beside(plan, folder)).await;
    let assembly = assemble(
        &plan.tags,
        &plan.instances,
        &shelving.shelf,
        &Assembly::default(),
    );
    let mut problems = plan.warnings.clone();
    problems.extend(assembly.problems.values().flatten().cloned());
    problems.extend(shelving.refusals().map(|(_, problem)| problem));
    problems.extend(
        shelving
            .folder_problems
            .iter()
            .map(|says| Problem::of_file(&host.plugins, says)),
    );
    problems.extend(check_sinks(plan, &shelving, &clock).await);
    problems.extend(assembly.unknown_tags(&plan.conditioning, "andon.toml"));
    let scheduler = Scheduler::new(Arc::new(SampleHistory::new(host.window_samples)));
    for one in assembly.instances.values() {
        let preparation =
            scheduler.preparation(clock.now(), one.plan.clone(), Arc::clone(&one.component));
        if let Err(error) = preparation.start().await {
            problems.push(Problem::of_file(
                &one.file,
                format!("the component declines: {error}"),
            ));
        }
    }
    problems.sort();
    problems.dedup();
    Ok((problems, assembly))
}

/// Builds every sink once, and starts its component where it has one.
async fn check_sinks(plan: &Plan, shelving: &Shelving, clock: &Arc<dyn Clock>) -> Vec<Problem> {
    let (mut sinks, mut problems) = (Vec::new(), Vec::new());
    for sink in &plan.settings.sinks {
        match andon_sinks::build(sink, Arc::clone(clock)) {
            Ok(sink) => sinks.push(sink),
            Err(error) => problems.push(Problem::of_file("andon.toml", chain(&error))),
        }
    }
    let of_sinks = offer(&sinks, &shelving.shelf).await;
    problems.extend(of_sinks.into_iter().map(|(_, problem)| problem));
    problems
}
