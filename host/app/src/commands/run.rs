//! `andon run`: the wiring of the host, and its life from start to stop.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use andon_config::{LogForm, Plan};
use andon_model::{Clock, Loader, Priority};
use andon_store::{Health, Loaded, Retention, Store, StoreOptions, StoreStatus};
use andon_tags::{ReadPlan, Statistics, Surroundings};
use andon_wasm::{EngineSettings, WasmEngine};
use andon_web::{Host, Metrics};
use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::end_signals::EndSignals;
use super::{compile, print, socket_in};
use crate::arguments::Place;
use crate::clock::SystemClock;
use crate::engine::{self, Concern, EngineDoor, Meter, Parts};
use crate::host_view::HostView;
use crate::plugin_folder::{FolderSettings, PluginFolder, Versions};
use crate::recorder::{self, RecorderDoor, Tap};
use crate::surroundings::folder_of;
use crate::tasks::{Tasks, Weight};
use crate::workshop::{
    Order, Pulling, SettingsFile, Shelving, SinkRack, Workshop, WorkshopView, awaited, fetch_wanted,
};

/// Changes of the plugins folder that may wait; the watch waits with the next.
const CHANGES_MAX: usize = 16;
/// Fetched components that may wait; each may have 64 MiB, and who fetches waits with the next.
const ARRIVALS_MAX: usize = 2;
/// Orders of people that may wait.
const ORDERS_MAX: usize = 16;

/// Ends the parts of the host in their order.
#[derive(Default)]
struct Stops {
    /// Nothing new comes in: readers, folder, settings.
    intake: CancellationToken,
    courier: CancellationToken,
    sinks: CancellationToken,
    engine: CancellationToken,
    doors: CancellationToken,
}

pub(super) fn run(place: &Place) -> anyhow::Result<ExitCode> {
    let mut file = SettingsFile::at(&place.config);
    let plan = match file.read() {
        Ok(plan) => plan,
        Err(problems) => {
            for problem in &problems {
                eprintln!("{problem}");
            }
            eprintln!(
                "{} problems in the settings; nothing was started",
                problems.len()
            );
            return Ok(ExitCode::FAILURE);
        }
    };
    start_log(&plan);
    for warning in &plan.warnings {
        tracing::warn!(%warning, "settings");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    runtime.block_on(live(&folder_of(&place.config), file, plan))
}

fn start_log(plan: &Plan) {
    let levels = tracing_subscriber::EnvFilter::try_new(&plan.settings.host.log_level)
        .unwrap_or_else(|error| {
            eprintln!("log_level is no filter ({error}); `info` counts");
            tracing_subscriber::EnvFilter::new("info")
        });
    let log = tracing_subscriber::fmt()
        .with_env_filter(levels)
        .with_writer(std::io::stderr);
    match plan.settings.host.log {
        LogForm::Text => log.with_ansi(false).init(),
        LogForm::Json => log.json().init(),
    }
}

/// What all parts of the host share.
struct Frame {
    clock: Arc<dyn Clock>,
    tasks: Tasks,
    stops: Stops,
    metrics: Arc<Metrics>,
    /// The data folder.
    data: PathBuf,
}

/// The wiring, on one screen: store, engine, readers, workshop, doors.
async fn live(folder: &Path, file: SettingsFile, plan: Plan) -> anyhow::Result<ExitCode> {
    let end = EndSignals::listen()?;
    let host = plan.settings.host.clone();
    let frame = Frame {
        clock: Arc::new(SystemClock::start()),
        tasks: Tasks::new(),
        stops: Stops::default(),
        metrics: Arc::default(),
        data: folder.join(&host.data),
    };
    let recorder = recorder::start().context("start the recorder")?;
    std::fs::create_dir_all(&frame.data).with_context(|| {
        format!(
            "make the data folder {}; may this user write there?",
            frame.data.display()
        )
    })?;
    // Before anything is read or sent: a taken port is the commonest mistake.
    let listener = listen(host.listen).await?;
    let (store, loaded) = open_store(&frame.data, &plan, &frame.clock).await?;
    let unreadable = loaded.unreadable.clone();
    let awaited = awaited(&loaded.open_deliveries);
    let watching = recorder::watch_end(recorder.ended, frame.stops.engine.clone());
    frame.tasks.spawn("recorder", Weight::Helper, watching);
    let door = start_engine(&frame, &plan, store.clone(), loaded, recorder.tap).await?;
    let (reads, statistics) = start_readers(&frame, &door);
    let plugins = folder.join(&host.plugins);
    let bench = Bench {
        folder: folder.to_owned(),
        plugins,
        awaited,
        reads,
        recorder: recorder.door.clone(),
    };
    let (orders, view) = start_workshop(&frame, &door, file, plan, bench)?;
    let doors = HostView {
        started_at: frame.clock.now(),
        clock: Arc::clone(&frame.clock),
        door: door.clone(),
        orders,
        workshop: view.clone(),
        store_status: store.status(),
        store: store.clone(),
        statistics,
        metrics: Arc::clone(&frame.metrics),
        broken: frame.tasks.broken.clone(),
        recorder: recorder.door,
    };
    let address = open_doors(&frame, listener, Arc::new(doors))?;
    for says in unreadable {
        tell_unreadable(&door, &says).await;
    }
    stay(end, view, address, &frame.tasks.broken).await;
    Ok(stop(frame.tasks, frame.stops, &store).await)
}

/// Starts what takes every input and what sends: engine, landing, courier, and the watch of the
/// store.
async fn start_engine(
    frame: &Frame,
    plan: &Plan,
    store: Store,
    loaded: Loaded,
    tap: Tap,
) -> anyhow::Result<EngineDoor> {
    let Frame { tasks, stops, .. } = frame;
    let status = store.status();
    let meter = Meter::restore(
        Arc::clone(&plan.kpi),
        &loaded.alarms,
        &store.reader()?,
        Arc::clone(&frame.metrics),
        frame.clock.now(),
    )?;
    let parts = Parts {
        clock: Arc::clone(&frame.clock),
        store,
        loaded,
        routing: Arc::new(plan.routing.clone()),
        alarms: plan.alarms.clone(),
        courier: plan.settings.courier.clone(),
        window_samples: plan.settings.host.window_samples,
        metrics: Arc::clone(&frame.metrics),
        tap,
        meter,
    };
    let started = engine::start(parts).await.context("read the database")?;
    let running = started.engine.run(started.ports, stops.engine.clone());
    tasks.spawn("engine", Weight::Vital, running);
    tasks.spawn("landing", Weight::Vital, started.landing);
    let carrying = started.courier.run(stops.courier.clone());
    tasks.spawn("courier", Weight::Vital, carrying);
    let watching = watch_store(status, started.door.clone(), stops.intake.clone());
    tasks.spawn("store watch", Weight::Helper, watching);
    for says in started.unreadable {
        tell_unreadable(&started.door, &says).await;
    }
    Ok(started.door)
}

async fn tell_unreadable(door: &EngineDoor, says: &str) {
    door.concern(Concern::raise(
        "store.unreadable",
        Priority::High,
        format!("A row of the database cannot be understood and is left alone: {says}"),
    ))
    .await;
}

/// Starts the readers without anything to read; what to read goes in by the sender.
fn start_readers(
    frame: &Frame,
    door: &EngineDoor,
) -> (watch::Sender<Arc<ReadPlan>>, Arc<Statistics>) {
    let (reads, reads_out) = watch::channel(Arc::new(ReadPlan::default()));
    let statistics = Arc::new(Statistics::default());
    let surroundings = Surroundings {
        batches: door.batches.clone(),
        events: door.device_events.clone(),
        statistics: Arc::clone(&statistics),
        clock: Arc::clone(&frame.clock),
        dial: Arc::new(andon_tags::modbus::TcpDial),
    };
    let reading = andon_tags::run(reads_out, surroundings, frame.stops.intake.clone());
    frame.tasks.spawn("readers", Weight::Vital, reading);
    (reads, statistics)
}

/// What only the workshop needs.
struct Bench {
    /// Where relative paths of the settings start.
    folder: PathBuf,
    /// The plugins folder.
    plugins: PathBuf,
    /// See [`SinkRack::new`].
    awaited: BTreeMap<String, Vec<String>>,
    reads: watch::Sender<Arc<ReadPlan>>,
    recorder: RecorderDoor,
}

/// Starts the watch of the plugins folder and the workshop; people order by the sender and see by
/// the receiver.
fn start_workshop(
    frame: &Frame,
    door: &EngineDoor,
    file: SettingsFile,
    plan: Plan,
    bench: Bench,
) -> anyhow::Result<(mpsc::Sender<Order>, watch::Receiver<WorkshopView>)> {
    let Frame {
        clock,
        tasks,
        stops,
        data,
        ..
    } = frame;
    let (changes, changes_out) = mpsc::channel(CHANGES_MAX);
    let folder = PluginFolder::open(
        bench.plugins.clone(),
        FolderSettings::default(),
        Arc::clone(clock),
    )?;
    let watching = folder.run(changes, stops.intake.clone());
    tasks.spawn("plugins folder", Weight::Vital, watching);
    let wasm = EngineSettings {
        cache_folder: Some(data.clone()),
        compiler: compile::this_program(),
        ..EngineSettings::default()
    };
    let loader: Arc<dyn Loader> = Arc::new(WasmEngine::new(wasm, Arc::clone(clock))?);
    let versions = Versions::new(data.join("versions"), Versions::KEEP);
    let shelving = Shelving::new(loader, versions, bench.plugins, plan.trust.clone());
    let (pulling, wanted) = Pulling::new(&plan, bench.folder, data);
    let (arrivals, arrivals_out) = mpsc::channel(ARRIVALS_MAX);
    let fetching = fetch_wanted(wanted, arrivals, stops.intake.clone());
    tasks.spawn("pulls", Weight::Helper, fetching);
    let (orders, orders_out) = mpsc::channel(ORDERS_MAX);
    let (view, view_out) = watch::channel(WorkshopView::default());
    let workshop = Workshop {
        clock: Arc::clone(clock),
        door: door.clone(),
        file,
        plan,
        shelving,
        pulling,
        rack: SinkRack::new(
            bench.awaited,
            tasks.clone(),
            door.sink_events.clone(),
            Arc::clone(clock),
            stops.sinks.clone(),
        ),
        reads: bench.reads,
        recorder: bench.recorder,
        data: data.clone(),
        metrics: Arc::clone(&frame.metrics),
        view: Arc::new(view),
        current: Arc::default(),
        refused_for_trust: false,
        troubled: Default::default(),
        by_hand: Default::default(),
        sink_problems: Vec::new(),
    };
    let working = workshop.run(changes_out, orders_out, arrivals_out, stops.intake.clone());
    tasks.spawn("workshop", Weight::Vital, working);
    Ok((orders, view_out))
}

async fn open_store(
    data: &Path,
    plan: &Plan,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(Store, Loaded)> {
    let retention = Retention {
        keep_for: plan.settings.journal.keep.0,
        ..Retention::default()
    };
    let options = StoreOptions {
        retention,
        ..StoreOptions::default()
    };
    let (path, clock) = (data.join("andon.db"), Arc::clone(clock));
    Ok(tokio::task::spawn_blocking(move || Store::open(&path, options, clock)).await??)
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("listen on {address}: is another host running, or the port taken?")
    })
}

/// Opens both doors; answers where the public one is.
fn open_doors(
    frame: &Frame,
    listener: TcpListener,
    host: Arc<dyn Host>,
) -> anyhow::Result<SocketAddr> {
    let address = listener.local_addr()?;
    let (public, control) = (Arc::clone(&host), host);
    let Frame { tasks, stops, .. } = frame;
    let (public_stop, control_stop) = (stops.doors.clone(), stops.doors.clone());
    let socket = socket_in(&frame.data);
    tasks.spawn("public door", Weight::Vital, async move {
        if let Err(error) = andon_web::serve_public(listener, public, public_stop).await {
            tracing::error!(%error, "the public door broke");
        }
    });
    tasks.spawn("control door", Weight::Vital, async move {
        if let Err(error) = andon_web::serve_control(&socket, control, control_stop).await {
            tracing::error!(%error, socket = %socket.display(), "the control socket cannot be made or broke; `andon ack` and the like will not work");
        }
    });
    Ok(address)
}

/// The one line that says that the host does its job, once the first set of plugins is in place.
async fn tell_when_ready(mut view: watch::Receiver<WorkshopView>, address: SocketAddr) {
    let ready = async {
        view.wait_for(|view| view.in_place)
            .await
            .map(|view| (view.rules, view.functions, view.sinks.len()))
    };
    if let Ok((rules, functions, sinks)) = ready.await {
        let version = env!("CARGO_PKG_VERSION");
        print(format!(
            "andon {version} is ready with {rules} rules, {functions} functions and {sinks} sinks; its page is http://{address}/"
        ));
    }
}

/// Tells people when the host is ready, and waits until it shall end or a part of it broke.
async fn stay(
    mut end: EndSignals,
    view: watch::Receiver<WorkshopView>,
    address: SocketAddr,
    broken: &CancellationToken,
) {
    let ready = async {
        tell_when_ready(view, address).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        signal = end.next() => tracing::info!("{signal}: draining"),
        () = broken.cancelled() => {}
        () = ready => {}
    }
}

/// Ends everything in order: nothing new comes in, what is under way goes out, all is written.
async fn stop(tasks: Tasks, stops: Stops, store: &Store) -> ExitCode {
    let broken = tasks.broken.is_cancelled();
    tasks.expect_ends();
    stops.intake.cancel();
    stops.courier.cancel();
    // The courier drains by itself within its own bound; sinks must live until it has.
    tasks.ended("courier").await;
    stops.sinks.cancel();
    stops.doors.cancel();
    tasks.only_left(&["engine", "landing", "recorder"]).await;
    stops.engine.cancel();
    tasks.all_ended().await;
    if let Err(error) = store.close().await {
        tracing::error!(%error, "what waited in memory is lost");
        return ExitCode::FAILURE;
    }
    tracing::info!("stopped; everything is written");
    if broken {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Tells people about the disk while the host goes on.
async fn watch_store(
    mut status: watch::Receiver<StoreStatus>,
    door: EngineDoor,
    stop: CancellationToken,
) {
    loop {
        let now = status.borrow_and_update().clone();
        let why = now.why.unwrap_or_default();
        // Two alarms: that nothing can be written any more is news to those who know that the
        // disk is full.
        let full = match now.health {
            Health::Good => Some(Concern::clear("store.full")),
            Health::OnReserve => Some(Concern::raise(
                "store.full",
                Priority::High,
                format!("The disk of the host is full and its reserve is in use: {why}"),
            )),
            Health::Deferring => None,
        };
        let write = match now.health {
            Health::Good | Health::OnReserve => Concern::clear("store.write"),
            Health::Deferring => Concern::raise(
                "store.write",
                Priority::Critical,
                format!("The host cannot write: {why}"),
            ),
        };
        for concern in full.into_iter().chain([write]) {
            door.concern(concern).await;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = status.changed() => if changed.is_err() { return },
        }
    }
}
