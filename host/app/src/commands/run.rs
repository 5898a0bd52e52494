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
use andon_web::{Access, Books, Metrics, Speech};
use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::end_signals::EndSignals;
use super::{compile, print, socket_in};
use crate::arguments::Place;
use crate::books::Readers;
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
    let doors = take_addresses(host.listen, &plan).await?;
    let access = Access::new(plan.api.clone(), &frame.data, Arc::clone(&frame.clock));
    let access = Arc::new(access);
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
        access: Arc::clone(&access),
    };
    let (orders, view) = start_workshop(&frame, &door, file, plan, bench)?;
    let view_of_host = HostView {
        started_at: frame.clock.now(),
        clock: Arc::clone(&frame.clock),
        door: door.clone(),
        orders,
        workshop: view.clone(),
        store_status: store.status(),
        store: store.clone(),
        readers: Readers::of(&store),
        access: Arc::clone(&access),
        statistics,
        metrics: Arc::clone(&frame.metrics),
        broken: frame.tasks.broken.clone(),
        recorder: recorder.door,
    };
    let addresses = open_doors(&frame, doors, Arc::new(view_of_host), &access)?;
    for says in unreadable {
        tell_unreadable(&door, &says).await;
    }
    door.concern(match access.trouble() {
        Some(trouble) => Concern::raise("api.tokens", Priority::Medium, trouble),
        None => Concern::clear("api.tokens"),
    })
    .await;
    stay(end, view, addresses, &frame.tasks.broken).await;
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
    access: Arc<Access>,
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
        access: bench.access,
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

/// The public addresses, taken and not yet served.
struct Doors {
    page: (TcpListener, Speech),
    api: Option<(TcpListener, Speech)>,
}

/// Where people find the page and the API, as they write it into a browser.
#[derive(Debug, Clone)]
struct Addresses {
    page: String,
    api: Option<String>,
}

async fn take_addresses(host: SocketAddr, plan: &Plan) -> anyhow::Result<Doors> {
    let speech = match plan.api.tls {
        Some(_) => Speech::Tls,
        None => Speech::Plain,
    };
    Ok(match plan.api.listen {
        Some(address) => Doors {
            page: (listen(host).await?, Speech::Plain),
            api: Some((listen(address).await?, speech)),
        },
        None => Doors {
            page: (listen(host).await?, speech),
            api: None,
        },
    })
}

/// Opens all doors; answers where the public ones are.
fn open_doors(
    frame: &Frame,
    doors: Doors,
    host: Arc<dyn Books>,
    access: &Arc<Access>,
) -> anyhow::Result<Addresses> {
    let addresses = Addresses {
        page: address_of(&doors.page)?,
        api: doors.api.as_ref().map(address_of).transpose()?,
    };
    for (name, door) in [("public door", Some(doors.page)), ("api door", doors.api)] {
        let Some((listener, speech)) = door else {
            continue;
        };
        let (host, access) = (Arc::clone(&host), Arc::clone(access));
        let stop = frame.stops.doors.clone();
        let serving = andon_web::serve_public(listener, speech, host, access, stop);
        frame.tasks.spawn(name, Weight::Vital, async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, door = name, "a public door broke");
            }
        });
    }
    let (socket, stop) = (socket_in(&frame.data), frame.stops.doors.clone());
    frame.tasks.spawn("control door", Weight::Vital, async move {
        if let Err(error) = andon_web::serve_control(&socket, host, stop).await {
            tracing::error!(%error, socket = %socket.display(), "the control socket cannot be made or broke; `andon ack` and the like will not work");
        }
    });
    Ok(addresses)
}

fn address_of((listener, speech): &(TcpListener, Speech)) -> anyhow::Result<String> {
    let scheme = match speech {
        Speech::Plain => "http",
        Speech::Tls => "https",
    };
    Ok(format!("{scheme}://{}/", listener.local_addr()?))
}

/// The one line that says that the host does its job, once the first set of plugins is in place.
async fn tell_when_ready(mut view: watch::Receiver<WorkshopView>, addresses: Addresses) {
    let ready = async {
        view.wait_for(|view| view.in_place)
            .await
            .map(|view| (view.rules, view.functions, view.sinks.len()))
    };
    if let Ok((rules, functions, sinks)) = ready.await {
        let version = env!("CARGO_PKG_VERSION");
        let api = addresses.api.map(|api| format!("its API is {api}, "));
        print(format!(
            "andon {version} is ready with {rules} rules, {functions} functions and {sinks} sinks; {}its page is {}",
            api.unwrap_or_default(),
            addresses.page
        ));
    }
}

/// Tells people when the host is ready, and waits until it shall end or a part of it broke.
async fn stay(
    mut end: EndSignals,
    view: watch::Receiver<WorkshopView>,
    addresses: Addresses,
    broken: &CancellationToken,
) {
    let ready = async {
        tell_when_ready(view, addresses).await;
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
