//! The one wasmtime engine of the program, and what all guests share: settings, linkers, ticker.
//!
//! Choices, with the numbers that led to them:
//! - Instances are allocated on demand, not from a pool. A pool halves the time to make one (11
//!   instead of 20 µs), which happens at reload only, but fixes at start how many there may be.
//! - Each linear memory reserves 4 GiB of address space and a guard of 32 MiB, so that generated
//!   code needs no bounds checks. Only touched pages cost memory. 47 bits of address space hold
//!   some 30,000 such memories. No second guard lies before a memory: it would only double the
//!   guards.
//! - A guest has 512 KiB of stack, and host functions have as much again on the same stack. The
//!   stack of a call is mapped once per guest and reused.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Clock, PluginKind};
use tokio::sync::Semaphore;
use wasmtime::component::Linker;
use wasmtime::{Config, Engine};

use crate::abi;
use crate::cache::{self, CacheCounts};
use crate::compile::Compiler;
use crate::host::Host;
use crate::ticker::Ticker;
use crate::wasi;

/// Stack that the code of a guest may use, bytes.
pub(crate) const GUEST_STACK_BYTES: usize = 512 << 10;

/// Stack of a call: that of the guest, and as much again for host functions, bytes.
const CALL_STACK_BYTES: usize = 2 * GUEST_STACK_BYTES;

/// Components that are compiled at the same time. Another load waits, within its compile time;
/// so a file that takes too long cannot pile up threads.
const COMPILES_AT_ONCE: usize = 2;

/// Loads components; the app makes one for the whole program.
#[derive(Clone)]
pub struct WasmEngine {
    pub(crate) shared: Arc<Shared>,
}

/// What all components and guests of an engine share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) linkers: Linkers,
    pub(crate) settings: EngineSettings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) compiles: Arc<Semaphore>,
    cache: Option<wasmtime::Cache>,
    /// Ends its thread when the last component and guest are gone.
    _ticker: Ticker,
}

/// Settings of the engine.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// Folder for compiled code; a private folder `compiled` is made in it. `None` compiles at
    /// every load.
    pub cache_folder: Option<PathBuf>,
    /// Size that the cache may have; the least recently used files go when it is larger. It is
    /// looked at after a write, at most once a minute, so it can be exceeded for that long.
    pub cache_bytes_max: u64,
    /// Largest file that is taken.
    pub component_bytes_max: usize,
    /// Wall time that the compiling of one component may take, waiting for others included.
    pub compile_time: Duration,
    /// Who compiles into the cache; without one, or without a cache, the engine does.
    pub compiler: Option<Compiler>,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            cache_folder: None,
            cache_bytes_max: 256 << 20,
            component_bytes_max: 64 << 20,
            compile_time: Duration::from_secs(300),
            compiler: None,
        }
    }
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine refuses its settings or this machine.
    #[error("the WebAssembly engine cannot start on this machine")]
    Engine(#[source] wasmtime::Error),
    /// The thread that keeps the time of guests could not be started.
    #[error("the thread that keeps the time of plugins cannot start")]
    Ticker(#[source] std::io::Error),
}

impl WasmEngine {
    /// An engine, with its ticker thread and its cache. A cache folder that cannot be used safely
    /// is named in the log as a warning, and the engine works without it: a slow start is better
    /// than no alerts.
    ///
    /// # Errors
    /// The machine lacks what the engine needs.
    pub fn new(settings: EngineSettings, clock: Arc<dyn Clock>) -> Result<Self, EngineError> {
        let cache = settings
            .cache_folder
            .as_deref()
            .and_then(|folder| cache::open(folder, settings.cache_bytes_max));
        let engine = engine(cache.clone()).map_err(EngineError::Engine)?;
        let linkers = Linkers::new(&engine).map_err(EngineError::Engine)?;
        let ticker = Ticker::start(&engine).map_err(EngineError::Ticker)?;
        Ok(Self {
            shared: Arc::new(Shared {
                engine,
                linkers,
                settings,
                clock,
                compiles: Arc::new(Semaphore::new(COMPILES_AT_ONCE)),
                cache,
                _ticker: ticker,
            }),
        })
    }

    /// How often the cache had the code, and how often not; zeroes without a cache.
    #[must_use]
    pub fn cache_counts(&self) -> CacheCounts {
        self.shared
            .cache
            .as_ref()
            .map_or_else(CacheCounts::default, CacheCounts::of)
    }
}

impl Shared {
    /// Whether compiled code is kept.
    pub(crate) const fn has_cache(&self) -> bool {
        self.cache.is_some()
    }
}

/// An engine with the settings of all: code that one has compiled, another can run.
pub(crate) fn engine(cache: Option<wasmtime::Cache>) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .max_wasm_stack(GUEST_STACK_BYTES)
        .async_stack_size(CALL_STACK_BYTES)
        .memory_reservation(4 << 30)
        .memory_guard_size(32 << 20)
        .guard_before_linear_memory(false)
        // Frames of a stripped guest are bare offsets: they help nobody and slow each trap.
        .wasm_backtrace_max_frames(None)
        // No plugin needs the first, and the second makes machines agree.
        .wasm_memory64(false)
        .relaxed_simd_deterministic(true)
        .cache(cache);
    Engine::new(&config)
}

/// What components are linked to, by what they are: a rule cannot reach HTTP and a sink cannot reach
/// tags even if the check of their imports failed.
pub(crate) struct Linkers {
    logic: Linker<Host>,
    sink: Linker<Host>,
}

impl Linkers {
    fn new(engine: &Engine) -> wasmtime::Result<Self> {
        let mut logic = Linker::new(engine);
        wasi::add_to_linker(&mut logic)?;
        abi::add_to_linker(&mut logic)?;
        let mut sink = Linker::new(engine);
        wasi::add_to_linker(&mut sink)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut sink)?;
        abi::add_sink_to_linker(&mut sink)?;
        Ok(Self { logic, sink })
    }

    /// The linker for components of this kind.
    pub(crate) const fn of(&self, kind: PluginKind) -> &Linker<Host> {
        match kind {
            PluginKind::Rule | PluginKind::Function => &self.logic,
            PluginKind::Sink => &self.sink,
        }
    }
}
