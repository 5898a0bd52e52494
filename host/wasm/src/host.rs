//! What a guest can reach while it runs: its inputs, its state, its timer and its log.
//!
//! One [`Host`] lives in the store of each guest. It is set to a call by [`Host::begin`]; what the
//! call wrote is taken by [`Host::keep`] or thrown away by [`Host::forget`].

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use andon_model::{Columns, History, Limits, StateChange, StateMap, TagId, Timestamp};
use sha2::{Digest, Sha256};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::limits::{HANDLES_MAX, Holdings};
use crate::log::{GuestLog, Level};
use crate::outgoing::Outgoing;
use crate::state::{State, StateFull};
use crate::wasi;

/// What is needed to make a host.
pub(crate) struct HostSetup {
    pub(crate) instance: String,
    pub(crate) limits: Limits,
    pub(crate) inputs: Vec<TagId>,
    pub(crate) state: StateMap,
    pub(crate) history: Arc<dyn History>,
    pub(crate) now: Timestamp,
    /// Of a sink alone.
    pub(crate) outgoing: Outgoing,
}

/// Everything that host functions work on, for one guest.
pub(crate) struct Host {
    pub(crate) instance: Arc<str>,
    pub(crate) holdings: Holdings,
    /// Ticks of the epoch that the call may still use.
    pub(crate) ticks_left: u64,
    around: Arc<Surroundings>,
    inputs: Vec<TagId>,
    history: Arc<dyn History>,
    state: State,
    wake_at: Option<Timestamp>,
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
}

impl Host {
    /// A host that stands at the `now` of its setup.
    pub(crate) fn new(setup: HostSetup) -> Self {
        let instance: Arc<str> = setup.instance.into();
        let around = Arc::new(Surroundings::new(&instance, &setup.limits));
        around.begin(setup.now);
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        Self {
            wasi: wasi::context(&around),
            instance,
            holdings: Holdings::new(&setup.limits),
            ticks_left: 0,
            around,
            inputs: setup.inputs,
            history: setup.history,
            state: State::new(setup.state, setup.limits.state_bytes),
            wake_at: None,
            table,
            http: WasiHttpCtx::new(),
            outgoing: setup.outgoing,
        }
    }

    /// Sets the host to a call.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        self.around.begin(now);
        self.holdings.refused = None;
    }

    /// Keeps what the call wrote, and takes its wake-up.
    pub(crate) fn keep(&mut self) -> (Vec<StateChange>, Option<Timestamp>) {
        self.end();
        (self.state.keep(&self.instance), self.wake_at.take())
    }

    /// Throws away what the call wrote. Answers what it printed last on stderr.
    pub(crate) fn forget(&mut self) -> String {
        self.end();
        self.state.forget();
        self.wake_at = None;
        self.around.log().take_last_words()
    }

    /// Latest text of an input.
    pub(crate) fn text(&self, input: u32) -> Option<Arc<str>> {
        self.history.text(self.tag(input)?)
    }

    /// Kept samples of an input; none for an index that is not bound.
    pub(crate) fn window(&self, input: u32, since: Timestamp) -> Columns {
        self.tag(input).map_or_else(Columns::default, |tag| {
            self.history.window(tag, since, input)
        })
    }

    /// The state as the call sees it.
    pub(crate) fn recall(&self, key: &str) -> Option<&Arc<[u8]>> {
        self.state.get(key)
    }

    /// Writes state.
    pub(crate) fn remember(&mut self, key: String, value: &[u8]) -> Result<(), StateFull> {
        self.state.set(key, value)
    }

    /// Deletes state.
    pub(crate) fn forget_key(&mut self, key: String) {
        self.state.delete(key);
    }

    /// Asks for a wake-up; the earliest wins.
    pub(crate) fn wake_at(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// Writes a line of log.
    pub(crate) fn write_log(&self, level: Level, text: String) {
        let now = self.around.now();
        self.around.log().write(now, level, text);
    }

    fn tag(&self, input: u32) -> Option<TagId> {
        self.inputs.get(usize::try_from(input).ok()?).copied()
    }

    fn end(&self) {
        let now = self.around.now();
        self.around.log().flush(now);
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outgoing,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// What the clocks, random numbers and streams of WASI share with the host.
pub(crate) struct Surroundings {
    /// From the name of the instance.
    pub(crate) seed: u64,
    now: AtomicI64,
    random: AtomicU64,
    log: Mutex<GuestLog>,
}

impl Surroundings {
    fn new(instance: &Arc<str>, limits: &Limits) -> Self {
        let digest: [u8; 32] = Sha256::digest(instance.as_bytes()).into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        Self {
            seed: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            now: AtomicI64::new(0),
            random: AtomicU64::new(0),
            log: Mutex::new(GuestLog::new(Arc::clone(instance), limits)),
        }
    }

    fn begin(&self, now: Timestamp) {
        self.now.store(now.nanos(), Ordering::Relaxed);
        let start = mix(self.seed ^ now.nanos().cast_unsigned());
        self.random.store(start, Ordering::Relaxed);
    }

    /// The `now` of the call.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.now.load(Ordering::Relaxed))
    }

    /// The log. A panic while it was held leaves nothing half done in it.
    pub(crate) fn log(&self) -> MutexGuard<'_, GuestLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next random number: SplitMix64, enough for hash seeds and jitter. Nothing in a plugin
    /// needs a secret.
    pub(crate) fn next_random(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        mix(self.random.fetch_add(STEP, Ordering::Relaxed))
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
