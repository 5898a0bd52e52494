//! Sink components: from the shelf to the sinks whose settings name them.
//!
//! A sink component is no instance: no file beside it makes one, and the scheduler never sees it.
//! It is loaded from the plugins folder like any other, and handed to each sink that names it; a
//! sink that does not take a new one goes on with the old.

use std::collections::BTreeSet;
use std::sync::Arc;

use andon_config::{Problem, check_parameters};
use andon_model::{Component, PluginKind};
use andon_sinks::{ComponentSink, Sink};

use super::assembly::Shelf;

/// A sink component that runs, as people see it.
#[derive(Debug, Clone)]
pub(crate) struct SinkComponentView {
    /// Name of the sink.
    pub(crate) sink: String,
    /// Its file.
    pub(crate) file: String,
    /// Version that it says of itself; empty where none runs.
    pub(crate) version: String,
    /// SHA-256, hexadecimal; empty where none runs.
    pub(crate) hash: String,
    /// Memory of instances that wait for work, bytes.
    pub(crate) memory_bytes: usize,
}

/// Those of the sinks that run a component.
pub(crate) fn with_components(sinks: &[Arc<dyn Sink>]) -> Vec<Arc<ComponentSink>> {
    let sinks = sinks.iter();
    sinks
        .filter_map(|sink| Arc::clone(sink).runs_component())
        .collect()
}

/// Hands each sink what lies on the shelf under the name that it gives. Answers what is wrong, by
/// file of the plugins folder.
pub(crate) async fn offer(sinks: &[Arc<dyn Sink>], shelf: &Shelf) -> Vec<(String, Problem)> {
    let mut problems = Vec::new();
    for sink in with_components(sinks) {
        let (name, file) = (&sink.settings().name, &sink.settings().component);
        let Err((says, hint)) = offer_one(&sink, shelf).await else {
            continue;
        };
        let says = match sink.hash() {
            Some(_) => format!("sink `{name}` goes on with the old version: {says}"),
            None => {
                let says = format!("sink `{name}` has no component: {says}");
                sink.go_without(&says);
                says
            }
        };
        let mut problem = Problem::of_file(file, says);
        problem.hint = hint;
        problems.push((file.clone(), problem));
    }
    problems
}

/// What is wrong, and what to do.
type Trouble = (String, Option<String>);

async fn offer_one(sink: &ComponentSink, shelf: &Shelf) -> Result<(), Trouble> {
    let settings = sink.settings();
    let file = &settings.component;
    let Some(component) = shelf.components.get(file) else {
        let why = match shelf.refusals.get(file) {
            Some(why) => format!("{file} is refused: {why}"),
            None => format!("{file} is not in the plugins folder"),
        };
        sink.go_without(&why);
        let hint = "put the component there, or name the right file with `component`";
        return Err((why, Some(hint.to_owned())));
    };
    if sink.hash().as_deref() == Some(component.hash()) {
        return Ok(());
    }
    if component.kind() == PluginKind::Sink {
        check(settings, component)?;
    }
    let adopted = sink.adopt(Arc::clone(component)).await;
    adopted.map_err(|says| (says, None))
}

/// The parameters, by the component's own schema.
fn check(
    settings: &andon_sinks::component::ComponentSettings,
    component: &Arc<dyn Component>,
) -> Result<(), Trouble> {
    let schema = &component.description().parameters;
    match check_parameters(&settings.parameters, schema)
        .into_iter()
        .next()
    {
        None => Ok(()),
        Some(finding) => {
            let key = finding.path.trim_start_matches('/').replace('/', ".");
            let says = if key.is_empty() {
                finding.says
            } else {
                format!("{key}: {}", finding.says)
            };
            Err((says, finding.hint))
        }
    }
}

/// The components that run, each with the sink that runs it.
pub(crate) fn views(sinks: &[Arc<dyn Sink>]) -> Vec<SinkComponentView> {
    let sinks = with_components(sinks).into_iter();
    sinks
        .map(|sink| SinkComponentView {
            sink: sink.settings().name.clone(),
            file: sink.settings().component.clone(),
            version: sink.version().unwrap_or_default(),
            hash: sink.hash().unwrap_or_default(),
            memory_bytes: sink.memory_bytes(),
        })
        .collect()
}

/// Sink components on the shelf that no settings name.
pub(crate) fn unnamed(sinks: &[Arc<dyn Sink>], shelf: &Shelf) -> Vec<String> {
    let named: BTreeSet<String> = with_components(sinks)
        .iter()
        .map(|sink| sink.settings().component.clone())
        .collect();
    let components = shelf.components.iter();
    components
        .filter(|(file, one)| one.kind() == PluginKind::Sink && !named.contains(*file))
        .map(|(file, _)| file.clone())
        .collect()
}
