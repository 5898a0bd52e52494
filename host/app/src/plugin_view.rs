//! Plugins as the doors show them: what runs, what runs beside it, and what is refused and why.

use andon_plugins::{InstanceStatus, LastError, RunState, ShadowStatus};
use andon_web::{PluginView, ShadowView};

use crate::workshop::{SinkComponentView, WorkshopView};

/// Instances, sinks that are components, and files that gave none.
pub(crate) fn plugins(instances: &[InstanceStatus], workshop: &WorkshopView) -> Vec<PluginView> {
    let mut views: Vec<PluginView> = instances.iter().map(|one| running(one, workshop)).collect();
    let covered = |file: &str| {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        instances
            .iter()
            .any(|one| one.component == file || one.name == stem)
            || workshop.sink_components.iter().any(|one| one.file == file)
    };
    let sinks = workshop.sink_components.iter();
    views.extend(sinks.map(|one| sink_component(one, workshop)));
    for (file, problems) in workshop.problems.iter().filter(|(file, _)| !covered(file)) {
        views.push(refused(file, "refused", problems.join("; ")));
    }
    for (file, reference) in workshop.pulling.iter().filter(|(file, _)| !covered(file)) {
        let says = format!("its component {reference} is being fetched");
        views.push(refused(file, "pulling", says));
    }
    for file in &workshop.waiting {
        let stem = file
            .rsplit_once('.')
            .map_or(file.as_str(), |(stem, _)| stem);
        views.push(refused(
            file,
            "waiting",
            format!(
                "no settings name it: make {stem}.toml beside it, with its inputs and parameters"
            ),
        ));
    }
    for file in &workshop.unnamed_sinks {
        let says =
            "it is a sink: name it in a [[sinks]] table of the settings, with kind = \"component\"";
        views.push(refused(file, "waiting", says.to_owned()));
    }
    views
}

fn sink_component(one: &SinkComponentView, workshop: &WorkshopView) -> PluginView {
    let troubles = workshop.problems.get(&one.file).into_iter().flatten();
    let trouble = troubles.cloned().collect::<Vec<_>>().join("; ");
    let state = match (one.hash.is_empty(), trouble.is_empty()) {
        (true, _) => "refused",
        (false, true) => "running",
        (false, false) => "running, newer file refused",
    };
    let earlier = workshop.earlier.get(&one.file).into_iter().flatten();
    PluginView {
        instance: one.sink.clone(),
        kind: "sink".to_owned(),
        version: one.version.clone(),
        up: state == "running",
        memory_bytes: one.memory_bytes,
        hash: short(&one.hash),
        trust: workshop.trusted.get(&one.hash).cloned().unwrap_or_default(),
        earlier: earlier.map(|hash| short(hash)).collect(),
        ..refused(&one.file, state, trouble)
    }
}

fn running(one: &InstanceStatus, workshop: &WorkshopView) -> PluginView {
    let (up, mut state) = in_words(one.state);
    let stem_file = format!("{}.toml", one.name);
    let refusals: Vec<String> = [&one.component, &stem_file]
        .into_iter()
        .filter_map(|file| workshop.problems.get(file))
        .flatten()
        .cloned()
        .collect();
    if !refusals.is_empty() {
        state.push_str(", newer file refused");
    }
    let failed = one.last_error.as_ref().map(failure);
    PluginView {
        instance: one.name.clone(),
        component: one.component.clone(),
        kind: one.kind.to_string(),
        version: one.version.clone(),
        state,
        up: up && refusals.is_empty(),
        calls: one.calls,
        failures: one.failures,
        memory_bytes: one.memory_bytes,
        latest_call_us: mean_us(one),
        trouble: refusals
            .into_iter()
            .chain(failed)
            .collect::<Vec<_>>()
            .join("; "),
        trust: workshop.trusted.get(&one.hash).cloned().unwrap_or_default(),
        hash: short(&one.hash),
        earlier: workshop
            .earlier
            .get(&one.component)
            .into_iter()
            .flatten()
            .map(|hash| short(hash))
            .collect(),
        shadow: one.shadow.as_ref().map(shadow),
        refused_shadow: one.shadow_refused.as_ref().map(|refused| ShadowView {
            state: refused.says.clone(),
            ..shadow(&refused.report)
        }),
    }
}

fn shadow(one: &ShadowStatus) -> ShadowView {
    let counts = &one.counts;
    let differences = one.differences.iter();
    ShadowView {
        version: one.version.clone(),
        hash: short(&one.hash),
        state: in_words(one.state).1,
        by_hand: one.by_hand,
        since: one.begun_at,
        until: one.ends_at,
        end: one.end.to_string(),
        calls: counts.calls,
        failures: counts.failures(),
        compared: counts.compared,
        same: counts.same,
        different: counts.differences(),
        only_running: counts.only_running,
        only_shadow: counts.only_shadow,
        changed: counts.changed,
        shifted: counts.shifted,
        memory_bytes: one.memory_bytes,
        trouble: one.last_error.as_ref().map(failure).unwrap_or_default(),
        differences: differences
            .map(|difference| format!("{}: {}", difference.at, difference.says))
            .collect(),
    }
}

/// Whether it is called, and what people read of it.
fn in_words(state: RunState) -> (bool, String) {
    match state {
        RunState::Running => (true, "running".to_owned()),
        RunState::Struck(until) => (true, format!("struck, tried again at {until}")),
        RunState::Quarantined(until) => (false, format!("quarantined until {until}")),
    }
}

fn failure(error: &LastError) -> String {
    format!("{}: {}", error.at, error.message)
}

fn refused(file: &str, state: &str, trouble: String) -> PluginView {
    PluginView {
        instance: String::new(),
        component: file.to_owned(),
        kind: String::new(),
        version: String::new(),
        state: state.to_owned(),
        up: false,
        calls: 0,
        failures: 0,
        memory_bytes: 0,
        latest_call_us: 0,
        trouble,
        hash: String::new(),
        trust: String::new(),
        earlier: Vec::new(),
        shadow: None,
        refused_shadow: None,
    }
}

/// Mean of all calls so far, microseconds.
fn mean_us(one: &InstanceStatus) -> u64 {
    let good = u128::from(one.calls.saturating_sub(one.failures)).max(1);
    u64::try_from(one.busy.as_micros() / good).unwrap_or(u64::MAX)
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}
