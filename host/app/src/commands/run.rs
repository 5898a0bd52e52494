//! `andon run`: the wiring of the host, and its life from start to stop.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use andon_config::{LogForm, Plan};
use andon_model::{Clock, Loader, Priority};
use andon_store::{Health, Retention, Store, StoreOptions, StoreStatus};
use andon_tags::{ReadPlan, Statistics, Surroundings};
use andon_wasm::{EngineSettings, WasmEngine};
use andon_web::{Host, Metrics};
use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{print, socket_in};
use crate::arguments::Place;
use crate::clock::SystemClock;
use crate::engine::{self, Concern, EngineDoor, Parts};
use crate::host_view::HostView;
use crate::plugin_folder::{FolderSettings, PluginFolder, Versions};
use crate::surroundings::folder_of;
use crate::tasks::{Tasks, Weight};
use crate::workshop::{Assembly, SettingsFile, Shelving, SinkRack, Workshop, WorkshopView};

/// Changes of the plugins folder that may wait; the watch waits with the next.
const CHANGES_MAX: usize = 16;
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

/// The wiring, on one screen: store, engine, workshop, readers, courier, doors.
async fn live(folder: &Path, file: SettingsFile, plan: Plan) -> anyhow::Result<ExitCode> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let host = plan.settings.host.clone();
    let (data, plugins) = (folder.join(&host.data), folder.join(&host.plugins));
    std::fs::create_dir_all(&data).with_context(|| {
        format!(
            "make the data folder {}; may this user write there?",
            data.display()
        )
    })?;
    let (tasks, stops, metrics) = (Tasks::new(), Stops::default(), Arc::new(Metrics::default()));

    let (store, loaded) = open_store(&data, &plan, &clock).await?;
    let unreadable = loaded.unreadable.clone();
    let routing = Arc::new(plan.routing.clone());
    let parts = Parts {
        clock: Arc::clone(&clock),
        store: store.clone(),
        loaded,
        routing,
        courier: plan.settings.courier.clone(),
        window_samples: host.window_samples,
        metrics: Arc::clone(&metrics),
    };
    let started = engine::start(parts).await.context("read the database")?;
    let door = started.door;
    tasks.spawn(
        "engine",
        Weight::Vital,
        started.engine.run(started.ports, stops.engine.clone()),
    );
    tasks.spawn("landing", Weight::Vital, started.landing);
    tasks.spawn(
        "courier",
        Weight::Vital,
        started.courier.run(stops.courier.clone()),
    );
    tasks.spawn(
        "store watch",
        Weight::Helper,
        watch_store(store.status(), door.clone(), stops.intake.clone()),
    );

    let (reads, reads_out) = watch::channel(Arc::new(ReadPlan::default()));
    let statistics = Arc::new(Statistics::default());
    let surroundings = Surroundings {
        batches: door.batches.clone(),
        events: door.device_events.clone(),
        statistics: Arc::clone(&statistics),
        clock: Arc::clone(&clock),
        dial: Arc::new(andon_tags::modbus::TcpDial),
    };
    tasks.spawn(
        "readers",
        Weight::Vital,
        andon_tags::run(reads_out, surroundings, stops.intake.clone()),
    );

    let (changes, changes_out) = mpsc::channel(CHANGES_MAX);
    let watched = PluginFolder::open(plugins, FolderSettings::default(), Arc::clone(&clock))?;
    tasks.spawn(
        "plugins folder",
        Weight::Vital,
        watched.run(changes, stops.intake.clone()),
    );
    let wasm = EngineSettings {
        cache_folder: Some(data.clone()),
        ..EngineSettings::default()
    };
    let loader: Arc<dyn Loader> = Arc::new(WasmEngine::new(wasm, Arc::clone(&clock))?);
    let (orders, orders_out) = mpsc::channel(ORDERS_MAX);
    let (view, view_out) = watch::channel(WorkshopView::default());
    let rack = SinkRack::new(
        tasks.clone(),
        door.sink_events.clone(),
        Arc::clone(&clock),
        stops.sinks.clone(),
    );
    let shelving = Shelving::new(loader, Versions::new(data.join("versions"), Versions::KEEP));
    let workshop = Workshop {
        clock: Arc::clone(&clock),
        door: door.clone(),
        file,
        plan,
        shelving,
        rack,
        reads,
        view: Arc::new(view),
        current: Assembly::default(),
        troubled: Default::default(),
    };
    tasks.spawn(
        "workshop",
        Weight::Vital,
        workshop.run(changes_out, orders_out, stops.intake.clone()),
    );

    let started_at = clock.now();
    let doors: Arc<dyn Host> = Arc::new(HostView {
        clock,
        started_at,
        door: door.clone(),
        orders,
        workshop: view_out.clone(),
        store_status: store.status(),
        store: store.clone(),
        statistics,
        metrics,
        broken: tasks.broken.clone(),
    });
    let listener = TcpListener::bind(host.listen).await.with_context(|| {
        format!(
            "listen on {}: is another host running, or the port taken?",
            host.listen
        )
    })?;
    let address = listener.local_addr()?;
    open_doors(&tasks, listener, &data, doors, &stops.doors);
    for says in unreadable {
        door.concern(Concern::raise(
            "store.unreadable",
            Priority::High,
            format!("A row of the database cannot be understood and is left alone: {says}"),
        ))
        .await;
    }
    tell_when_ready(view_out, address, &tasks).await;
    wait_for_end(&tasks.broken).await?;
    Ok(stop(tasks, stops, &store).await)
}

async fn open_store(
    data: &Path,
    plan: &Plan,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(Store, andon_store::Loaded)> {
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

fn open_doors(
    tasks: &Tasks,
    listener: TcpListener,
    data: &Path,
    host: Arc<dyn Host>,
    stop: &CancellationToken,
) {
    let (public, control) = (Arc::clone(&host), host);
    let (socket, public_stop, control_stop) = (socket_in(data), stop.clone(), stop.clone());
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
}

/// The one line that says that the host does its job, once the first set of plugins is in place.
async fn tell_when_ready(
    mut view: watch::Receiver<WorkshopView>,
    address: std::net::SocketAddr,
    tasks: &Tasks,
) {
    let ready = async {
        view.wait_for(|view| view.in_place)
            .await
            .map(|view| (view.rules, view.functions, view.sinks.len()))
    };
    tokio::select! {
        ready = ready => {
            if let Ok((rules, functions, sinks)) = ready {
                let version = env!("CARGO_PKG_VERSION");
                print(format!("andon {version} is ready with {rules} rules, {functions} functions and {sinks} sinks; its page is http://{address}/"));
            }
        }
        () = tasks.broken.cancelled() => {}
        _ = tokio::signal::ctrl_c() => tasks.broken.cancel(),
    }
}

async fn wait_for_end(broken: &CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        _ = tokio::signal::ctrl_c() => tracing::info!("Ctrl-C: draining"),
        () = broken.cancelled() => {}
    }
    Ok(())
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
    tasks.only_left(&["engine", "landing"]).await;
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
        let concern = match now.health {
            Health::Good => Concern::clear("store"),
            Health::OnReserve => Concern::raise(
                "store",
                Priority::High,
                format!("The disk of the host is full and its reserve is in use: {why}"),
            ),
            Health::Deferring => Concern::raise(
                "store",
                Priority::Critical,
                format!("The host cannot write: {why}"),
            ),
        };
        door.concern(concern).await;
        tokio::select! {
            () = stop.cancelled() => return,
            changed = status.changed() => if changed.is_err() { return },
        }
    }
}
