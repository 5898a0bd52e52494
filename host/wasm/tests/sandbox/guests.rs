//! How tests get guests: components that `cargo xtask guests` builds, and some in text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use andon_model::{
    Action, AlarmRequest, CallError, Columns, Component, Guest, History, Limits, LoadError, Loader,
    ManualClock, Output, Reply, Setup, Started, StateMap, TagId, Timestamp,
};
use andon_wasm::{EngineSettings, WasmEngine};

/// The `now` of tests: 2023-11-14T22:13:20Z.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

/// The bytes of a guest of `tests/guests`.
pub(crate) fn bytes(name: &str) -> Arc<[u8]> {
    let folder = folder();
    let file = folder.join(format!("{name}.wasm"));
    let bytes = std::fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask guests`", file.display()));
    bytes.into()
}

/// `ANDON_GUESTS`, or `guests` in the target folder above the test program.
fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("ANDON_GUESTS") {
        return folder.into();
    }
    let program = std::env::current_exe().expect("the test program has a path");
    program
        .ancestors()
        .map(|folder| folder.join("guests"))
        .find(|folder| folder.is_dir())
        .expect("no folder `guests` above the test program: run `cargo xtask guests`")
}

/// An engine that compiles hostile guests once for all test runs: its cache lies beside them.
pub(crate) fn engine() -> WasmEngine {
    let settings = EngineSettings {
        cache_folder: Some(folder().join("cache")),
        ..EngineSettings::default()
    };
    engine_with(settings)
}

pub(crate) fn engine_with(settings: EngineSettings) -> WasmEngine {
    WasmEngine::new(settings, Arc::new(ManualClock::at(NOW))).expect("the engine starts")
}

/// An engine that caches in the folder.
pub(crate) fn engine_caching_in(folder: &Path) -> WasmEngine {
    engine_with(EngineSettings {
        cache_folder: Some(folder.to_owned()),
        ..EngineSettings::default()
    })
}

pub(crate) async fn load(name: &str) -> Arc<dyn Component> {
    engine().load(name, bytes(name)).await.expect("it loads")
}

/// Loads a component that is given as text.
pub(crate) async fn load_text(text: &str) -> Result<Arc<dyn Component>, LoadError> {
    let bytes = wat::parse_str(text).expect("the text is right");
    engine().load("text.wasm", bytes.into()).await
}

/// A setup whose parameters are the mode and the amount.
pub(crate) fn setup(mode: &str, amount: u64) -> Setup {
    let parameters = serde_json::json!({"mode": mode, "amount": amount});
    Setup {
        instance: "pump".to_owned(),
        limits: Limits::default(),
        configuration: serde_json::json!({"parameters": parameters, "inputs": []}).to_string(),
        inputs: vec![TagId(7), TagId(8)],
        state: StateMap::new(),
        history: Arc::new(Kept),
        now: NOW,
    }
}

pub(crate) async fn try_start(setup: Setup) -> Result<Started, CallError> {
    load("hostile-rule").await.start(setup).await
}

pub(crate) async fn start(setup: Setup) -> Box<dyn Guest> {
    try_start(setup).await.expect("it starts").guest
}

/// Starts the hostile rule in this mode and calls it once with nothing.
pub(crate) async fn call_once(mode: &str, amount: u64) -> Result<Reply, CallError> {
    call_once_with(setup(mode, amount)).await
}

pub(crate) async fn call_once_with(setup: Setup) -> Result<Reply, CallError> {
    start(setup).await.call(NOW, &Columns::default()).await
}

/// The actions of a reply.
pub(crate) fn actions(reply: Reply) -> Vec<Action> {
    match reply.output {
        Output::Actions(actions) => actions,
        Output::Samples(_) => panic!("a rule gives actions"),
    }
}

/// The one notice of a reply.
pub(crate) fn notice(reply: Reply) -> AlarmRequest {
    match actions(reply).as_slice() {
        [Action::Notify(request)] => request.clone(),
        other => panic!("expected one notice, got {other:?}"),
    }
}

/// Columns of good samples of input 0 at the given values.
pub(crate) fn values(values: &[f64]) -> Columns {
    let mut columns = Columns::default();
    for value in values {
        columns.push(0, *value, 192, NOW);
    }
    columns
}

pub(crate) fn state(entries: &[(&str, &[u8])]) -> StateMap {
    let entries = entries.iter();
    entries
        .map(|(key, value)| ((*key).to_owned(), Arc::from(*value)))
        .collect::<BTreeMap<_, _>>()
}

/// A history in which tag 7 is a text, and has two samples.
struct Kept;

impl History for Kept {
    fn text(&self, tag: TagId) -> Option<Arc<str>> {
        (tag == TagId(7)).then(|| "running".into())
    }

    fn window(&self, tag: TagId, since: Timestamp, input: u32) -> Columns {
        let mut columns = Columns::default();
        for (offset, value) in [(20, 1.0), (5, 2.0)] {
            let time = Timestamp::from_nanos(NOW.nanos() - offset);
            if tag == TagId(7) && time >= since {
                columns.push(input, value, 192, time);
            }
        }
        columns
    }
}
