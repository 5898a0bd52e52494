//! A compiled, checked component, and how an instance of it starts.

use std::sync::Arc;

use andon_model::{
    CallError, CallErrorKind, Columns, Component, Description, History, Limits, LoadErrorKind,
    PluginKind, Setup, SinkGuest, SinkSetup, Started, StateMap, TagId, Timestamp,
};
use async_trait::async_trait;
use wasmtime::Store;

use crate::abi::{Exports, Prepared};
use crate::deadline;
use crate::engine::Shared;
use crate::failure::{Failed, Stage, size};
use crate::guest::WasmGuest;
use crate::host::{Host, HostSetup};
use crate::imports::{Refusal, Verdict};
use crate::limits::{DESCRIPTION_BYTES_MAX, ENGINE_HANDLES_MAX, crossing_bytes};
use crate::outgoing::Outgoing;
use crate::sink_guest::WasmSinkGuest;

/// A component of the plugins folder.
pub(crate) struct WasmComponent {
    shared: Arc<Shared>,
    prepared: Prepared,
    verdict: Verdict,
    hash: String,
    imports: Vec<String>,
    description: Description,
}

impl WasmComponent {
    /// A component that has not described itself yet.
    pub(crate) fn new(
        shared: Arc<Shared>,
        prepared: Prepared,
        verdict: Verdict,
        hash: String,
        imports: Vec<String>,
    ) -> Self {
        Self {
            shared,
            prepared,
            verdict,
            hash,
            imports,
            description: Description {
                name: String::new(),
                version: String::new(),
                summary: String::new(),
                inputs: Vec::new(),
                outputs: Vec::new(),
                parameters: serde_json::Value::Null,
            },
        }
    }

    pub(crate) fn plugin_kind(&self) -> PluginKind {
        self.verdict.kind
    }

    pub(crate) fn with_description(self, description: Description) -> Self {
        Self {
            description,
            ..self
        }
    }

    /// Asks an instance, made for this alone, for its JSON. It runs at the epoch and without
    /// inputs or state, so that a component always describes itself the same way.
    pub(crate) async fn describe(&self) -> Result<String, Refusal> {
        let limits = Limits::default();
        let host = Host::new(HostSetup {
            instance: "describe".to_owned(),
            limits: limits.clone(),
            inputs: Vec::new(),
            state: StateMap::new(),
            history: Arc::new(NoHistory),
            now: Timestamp::EPOCH,
            outgoing: Outgoing::default(),
        });
        let mut store = self.store(host, &limits);
        let time = limits.start_time;
        deadline::start(&mut store, time);
        let mut stage = Stage::Making;
        let answer = deadline::within(time, async {
            let instance = self.prepared.instantiate(&mut store).await?;
            stage = Stage::Checking;
            let exports = self.prepared.exports(&mut store, &instance)?;
            stage = Stage::Calling("describe");
            exports.describe(&mut store).await
        })
        .await;
        let failed = failed(stage, &mut store, &limits);
        let json = match answer {
            Err(_) => return Err(refusal(stage, failed.out_of_time())),
            Ok(Err(error)) => return Err(refusal(stage, failed.explain(&error))),
            Ok(Ok(json)) => json,
        };
        if json.len() > DESCRIPTION_BYTES_MAX {
            let message = format!(
                "`describe` answered {} of JSON, and at most {} are taken: describe less",
                size(json.len()),
                size(DESCRIPTION_BYTES_MAX)
            );
            return Err(Refusal::new(LoadErrorKind::BadDescription, message));
        }
        Ok(json)
    }

    /// Makes an instance and hands it its configuration.
    async fn configured(
        &self,
        host: Host,
        limits: &Limits,
        configuration: &str,
    ) -> Result<(Store<Host>, Exports), CallError> {
        let mut store = self.store(host, limits);
        deadline::start(&mut store, limits.start_time);
        let mut stage = Stage::Making;
        let answer = deadline::within(limits.start_time, async {
            let instance = self.prepared.instantiate(&mut store).await?;
            stage = Stage::Checking;
            let exports = self.prepared.exports(&mut store, &instance)?;
            stage = Stage::Calling("configure");
            let configured = exports.configure(&mut store, configuration).await?;
            Ok::<_, wasmtime::Error>((exports, configured))
        })
        .await;
        let (exports, configured) = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(failed(stage, &mut store, limits).explain(&error)),
            Err(_) => return Err(failed(stage, &mut store, limits).out_of_time()),
        };
        if let Err(declined) = configured {
            store.data_mut().forget();
            return Err(declined.into_error("configure", limits.message_chars));
        }
        Ok((store, exports))
    }

    fn store(&self, host: Host, limits: &Limits) -> Store<Host> {
        let mut store = Store::new(&self.shared.engine, host);
        store.limiter(|host| &mut host.holdings);
        store.set_hostcall_fuel(crossing_bytes(limits));
        store.set_max_component_handles(ENGINE_HANDLES_MAX);
        deadline::watch(&mut store);
        store
    }
}

#[async_trait]
impl Component for WasmComponent {
    fn kind(&self) -> PluginKind {
        self.verdict.kind
    }

    fn description(&self) -> &Description {
        &self.description
    }

    fn hash(&self) -> &str {
        &self.hash
    }

    fn contract_version(&self) -> &str {
        &self.verdict.version
    }

    fn imports(&self) -> &[String] {
        &self.imports
    }

    async fn start(&self, setup: Setup) -> Result<Started, CallError> {
        let Setup {
            instance,
            limits,
            configuration,
            inputs,
            state,
            history,
            now,
        } = setup;
        let host = Host::new(HostSetup {
            instance,
            limits: limits.clone(),
            inputs,
            state,
            history,
            now,
            outgoing: Outgoing::default(),
        });
        if self.verdict.kind == PluginKind::Sink {
            return Err(CallError::new(
                CallErrorKind::Engine,
                "it is a sink, not a rule or a function",
            ));
        }
        let (mut store, exports) = self.configured(host, &limits, &configuration).await?;
        let (state, wake_at) = store.data_mut().keep();
        let outputs = self.description.outputs.len();
        let shared = Arc::clone(&self.shared);
        let guest = WasmGuest::new(store, exports, limits, outputs, shared);
        Ok(Started {
            guest: Box::new(guest),
            state,
            wake_at,
        })
    }

    async fn open_sink(&self, setup: SinkSetup) -> Result<Box<dyn SinkGuest>, CallError> {
        if self.verdict.kind != PluginKind::Sink {
            return Err(CallError::new(
                CallErrorKind::Engine,
                format!("it is a {}, not a sink", self.verdict.kind),
            ));
        }
        let limits = setup.limits;
        let host = Host::new(HostSetup {
            instance: setup.instance,
            limits: limits.clone(),
            inputs: Vec::new(),
            state: StateMap::new(),
            history: Arc::new(NoHistory),
            now: setup.now,
            outgoing: Outgoing::by(setup.http),
        });
        let (mut store, exports) = self.configured(host, &limits, &setup.configuration).await?;
        store.data_mut().keep();
        let shared = Arc::clone(&self.shared);
        let guest = WasmSinkGuest::new(store, exports, limits, setup.compute_time, shared);
        Ok(Box::new(guest))
    }
}

/// What fails before `describe` runs is no fault of the description.
fn refusal(stage: Stage, error: CallError) -> Refusal {
    let kind = match stage {
        Stage::Checking => LoadErrorKind::WrongContract,
        Stage::Making | Stage::Calling(_) | Stage::Delivering { .. } => {
            LoadErrorKind::BadDescription
        }
    };
    Refusal::new(kind, error.message)
}

/// What is known of a start that failed; throws away what it wrote.
fn failed<'a>(stage: Stage, store: &mut Store<Host>, limits: &'a Limits) -> Failed<'a> {
    let said = store.data_mut().forget();
    Failed {
        stage,
        time: limits.start_time,
        limits,
        refused: store.data().holdings.refused,
        said,
    }
}

/// What a component sees that only describes itself.
struct NoHistory;

impl History for NoHistory {
    fn text(&self, _tag: TagId) -> Option<Arc<str>> {
        None
    }

    fn window(&self, _tag: TagId, _since: Timestamp, _input: u32) -> Columns {
        Columns::default()
    }
}

/// Why a guest declined, as it said it.
#[derive(Debug)]
pub(crate) struct Declined {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Declined {
    /// The error for people, cleaned.
    pub(crate) fn into_error(self, function: &str, chars_max: usize) -> CallError {
        let code = crate::text::clean(self.code, chars_max);
        let message = crate::text::clean(self.message, chars_max);
        CallError::new(
            CallErrorKind::Declined,
            format!("`{function}` declined: {message} ({code})"),
        )
    }
}
