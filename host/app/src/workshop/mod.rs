//! The workshop: prepares what shall run, off the hot path, and hands it over whole.
//!
//! It watches the settings and the plugins folder. A change is read, checked, compiled, bound and
//! started here; only then does the engine put it in place between two batches. What fails
//! changes nothing that runs, and is told: in the log, on the page, in `andon plugin list`, and as
//! an alarm of the host.

mod assembly;
mod loading;
mod pulling;
mod pulls;
mod rack;
mod settings_file;
mod shadows;
mod sink_components;
mod telling;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use andon_config::{Plan, Problem};
use andon_model::{Clock, Priority};
use andon_provenance::Policy;
use andon_sinks::Sink;
use andon_tags::ReadPlan;
use andon_web::{Access, ContactView, Metrics, Refusal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

pub(crate) use assembly::{Assembly, Shelf, assemble};
pub(crate) use loading::{Shelving, chain, named_references, stem};
pub(crate) use pulling::{Pulling, puller_beside};
pub(crate) use pulls::{Arrival, fetch_wanted};
pub(crate) use rack::{SinkRack, awaited};
pub(crate) use settings_file::SettingsFile;
pub(crate) use shadows::{HandCandidate, ShadowOrder};
pub(crate) use sink_components::{SinkComponentView, offer};
pub(crate) use view::WorkshopView;

use crate::engine::{Concern, EngineDoor, NewConditions, NewPeople, NewSet, Plot, Ready, Wanted};
use crate::plugin_folder::FolderChange;
use crate::recorder::{RecorderDoor, StandingOrder};

/// How often the settings are looked at.
const SETTINGS_LOOK: Duration = Duration::from_secs(1);

/// What a person orders.
pub(crate) enum Order {
    /// Read the settings again now.
    Reload(oneshot::Sender<Result<(), Vec<Problem>>>),
    /// Go back to the good version before.
    RollBack {
        /// File name or stem of the component.
        component: String,
        /// The hash that runs now.
        reply: oneshot::Sender<Result<String, String>>,
    },
    /// Begin, promote or refuse a shadow.
    Shadow(
        ShadowOrder,
        oneshot::Sender<Result<serde_json::Value, Refusal>>,
    ),
}

/// Watches, prepares, hands over.
pub(crate) struct Workshop {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) door: EngineDoor,
    pub(crate) file: SettingsFile,
    pub(crate) plan: Plan,
    pub(crate) shelving: Shelving,
    pub(crate) pulling: Pulling,
    pub(crate) rack: SinkRack,
    pub(crate) reads: watch::Sender<Arc<ReadPlan>>,
    pub(crate) recorder: RecorderDoor,
    /// The data folder.
    pub(crate) data: PathBuf,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) view: Arc<watch::Sender<WorkshopView>>,
    pub(crate) current: Arc<Assembly>,
    /// The settings were refused because of what runs: another file may mend that.
    pub(crate) refused_for_trust: bool,
    /// Files whose trouble is an alarm now.
    pub(crate) troubled: BTreeSet<String>,
    /// Components that people let run as shadows, by instance.
    pub(crate) by_hand: BTreeMap<String, HandCandidate>,
    /// Who may use the API.
    pub(crate) access: Arc<Access>,
    /// What is wrong with components of sinks, by their file.
    pub(crate) sink_problems: Vec<(String, Problem)>,
}

impl Workshop {
    /// Works until `stop`.
    pub(crate) async fn run(
        mut self,
        mut changes: mpsc::Receiver<FolderChange>,
        mut orders: mpsc::Receiver<Order>,
        mut arrivals: mpsc::Receiver<Arrival>,
        stop: CancellationToken,
    ) {
        let mut look = tokio::time::interval(SETTINGS_LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        // People are in place before the first plugin can raise anything.
        self.install_people().await;
        let ended = Arc::clone(&self.door.shadows_ended);
        self.record().await;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = ended.notified() => self.renew_plugins(None).await,
                Some(change) = changes.recv() => {
                    let more = change.more;
                    self.settle_by_hand().await;
                    self.shelving.take(change).await;
                    if !more {
                        self.want().await;
                        self.renew_plugins(None).await;
                        self.reload_if_trusted_now().await;
                    }
                }
                Some(arrival) = arrivals.recv() => self.arrived(arrival).await,
                Some(order) = orders.recv() => self.obey(order).await,
                _ = look.tick() => {
                    if self.file.has_changed() {
                        // The result is told by log, page and alarm.
                        self.reload().await.unwrap_or_default();
                    }
                }
            }
        }
    }

    async fn obey(&mut self, order: Order) {
        self.settle_by_hand().await;
        match order {
            Order::Reload(reply) => drop(reply.send(self.reload().await)),
            Order::RollBack { component, reply } => {
                let file = if component.ends_with(".wasm") {
                    component
                } else {
                    format!("{component}.wasm")
                };
                let result = self.shelving.roll_back(&file).await;
                if let Ok(hash) = &result {
                    tracing::warn!(file, hash, "rolled back to an earlier version");
                    self.renew_plugins(Some(&file)).await;
                }
                drop(reply.send(result));
            }
            Order::Shadow(order, reply) => drop(reply.send(self.shadow(order).await)),
        }
    }

    async fn install_people(&mut self) {
        let people = match self.rack.prepare(&self.plan.settings.sinks) {
            Ok(next) => next,
            Err(why) => {
                tracing::error!(why, "the sinks cannot be built; nobody can be told");
                self.door
                    .concern(Concern::raise("sinks.build", Priority::Critical, why))
                    .await;
                return;
            }
        };
        let set = NewSet {
            tags: Arc::new(self.current.tags.clone()),
            instances: Vec::new(),
            conditions: None,
            people: Some(self.people(&people)),
            alarms: Some(self.plan.alarms.clone()),
        };
        match self.door.replace(set).await {
            Ok(()) => self.install(people),
            Err(why) => tracing::error!(why, "people could not be put in place"),
        }
    }

    /// Tells the recorder what the settings ask for.
    async fn record(&self) {
        let recording = &self.plan.settings.recording;
        let order = recording.enabled.then(|| StandingOrder {
            folder: self.data.join(&recording.folder),
            bytes_max: recording.bytes_max,
            keep: recording.keep.0,
        });
        self.recorder.stand(order).await;
    }

    fn install(&mut self, next: rack::NextRack) {
        self.rack.install(next);
        let sinks = self
            .plan
            .settings
            .sinks
            .iter()
            .map(|sink| (sink.name().to_owned(), sink.kind().to_owned()))
            .collect();
        let contacts = self.plan.routing.people().map(|person| ContactView {
            name: person.name.to_string(),
            display_name: person.display_name.to_string(),
            channels: person
                .channels
                .iter()
                .map(|channel| channel.sink.clone())
                .collect(),
        });
        let contacts = contacts.collect();
        self.view.send_modify(|view| {
            view.sinks = sinks;
            view.contacts = contacts;
            view.kpi = Arc::clone(&self.plan.kpi);
        });
    }

    fn people(&self, next: &rack::NextRack) -> NewPeople {
        NewPeople {
            routing: Arc::new(self.plan.routing.clone()),
            sinks: next.sinks(),
            courier: self.plan.settings.courier.clone(),
            kpi: Arc::clone(&self.plan.kpi),
        }
    }

    /// What stands between these instances and the people.
    fn conditions(&self, next: &Assembly) -> NewConditions {
        let plan = &self.plan.conditioning;
        for problem in next.unknown_tags(plan, &self.file.name()) {
            tracing::warn!(%problem, "settings");
        }
        NewConditions {
            plan: plan.clone().with_instances(next.delays()),
            reach: next.reach(),
        }
    }

    /// After a change in the plugins folder: what can run runs, what cannot is told. `at_once` is a
    /// component whose instances change without a shadow: a person decided.
    async fn renew_plugins(&mut self, at_once: Option<&str>) {
        self.settle_by_hand().await;
        self.sink_problems = offer(&self.rack.sinks(), &self.shelving.shelf).await;
        if let Some(shelf) = self.held_back().await {
            let first = self.assembled(&shelf);
            if first.is_ordered() {
                match self.put_in_place(first, None, at_once).await {
                    Ok(()) => self.settle().await,
                    Err(why) => tracing::error!(why, "the versions that ran last were not taken"),
                }
            }
        }
        let next = self.assembled(&self.shelving.shelf);
        if !next.is_ordered() {
            self.publish(&next, false).await;
            return;
        }
        match self.put_in_place(next, None, at_once).await {
            Ok(()) => self.settle().await,
            Err(why) => tracing::error!(
                why,
                "the change in the plugins folder was not taken; what ran goes on"
            ),
        }
    }

    /// What would run with these components and files.
    fn assembled(&self, shelf: &Shelf) -> Assembly {
        let plan = &self.plan;
        assemble(&plan.tags, &plan.instances, shelf, &self.current)
    }

    /// Reads the settings again: whole, or not at all.
    async fn reload(&mut self) -> Result<(), Vec<Problem>> {
        let result = self.try_reload().await;
        let (word, problems) = match &result {
            Ok(()) => ("taken", Vec::new()),
            Err(problems) => ("refused", problems.clone()),
        };
        let label = Metrics::label("result", word);
        self.metrics.reloads.get_or_create(&label).inc();
        tracing::info!(result = word, "settings were read again");
        for problem in &problems {
            tracing::error!(%problem, "settings");
        }
        let concern = match problems
            .iter()
            .find(|problem| problem.is_error())
            .or(problems.first())
        {
            Some(first) => Concern::raise(
                "settings.refused",
                Priority::Medium,
                format!(
                    "New settings were refused, the old ones go on; the first of {} problems: {first}",
                    problems.len()
                ),
            ),
            None => Concern::clear("settings.refused"),
        };
        self.door.concern(concern).await;
        self.view.send_modify(|view| {
            view.settings_problems = problems.iter().map(ToString::to_string).collect()
        });
        result
    }

    async fn try_reload(&mut self) -> Result<(), Vec<Problem>> {
        self.settle_by_hand().await;
        let plan = self.file.read()?;
        let refuse = |says: String| vec![Problem::of_file(self.file.name(), says)];
        if plan.settings.host != self.plan.settings.host {
            tracing::warn!("[host] changed: those keys count from the next start on");
        }
        let (new, old) = (&plan.api, &self.plan.api);
        if new.listen != old.listen || new.tls.is_some() != old.tls.is_some() {
            tracing::warn!(
                "`listen` of [api] changed, or whether there is [api.tls]: that counts from the next start on"
            );
        }
        let people = self.rack.prepare(&plan.settings.sinks).map_err(refuse)?;
        let mut distrusted = self.distrusted_by(&plan, &people.sinks());
        distrusted.extend(self.disallowed_by(&plan));
        self.refused_for_trust = !distrusted.is_empty();
        if self.refused_for_trust {
            return Err(distrusted);
        }
        let trust = plan.trust.clone();
        let new_sinks = self.rack.new_among(&people);
        let of_sinks = offer(&new_sinks, &self.shelving.shelf).await;
        // Their components may be what only the new rules of trust take; those count further below.
        if !of_sinks.is_empty() && trust == *self.shelving.policy() {
            return Err(of_sinks.into_iter().map(|(_, problem)| problem).collect());
        }
        let next = assemble(
            &plan.tags,
            &plan.instances,
            &self.shelving.shelf,
            &self.current,
        );
        let problems = next.new_problems(&self.current);
        if !problems.is_empty() || !next.is_ordered() {
            return Err(problems);
        }
        let old = std::mem::replace(&mut self.plan, plan);
        let new_people = self.people(&people);
        match self.put_in_place(next, Some(new_people), None).await {
            Ok(()) => {
                self.install(people);
                self.access.apply(self.plan.api.clone());
                self.after_new_settings(trust).await;
                self.record().await;
                Ok(())
            }
            Err(why) => {
                self.plan = old;
                Err(vec![Problem::of_file(self.file.name(), why)])
            }
        }
    }

    /// What follows from settings that are in place. Only rules of trust and registries can bring
    /// other components onto the shelf; where they do not, what shall run was put in place already.
    async fn after_new_settings(&mut self, trust: Policy) {
        let before = self.shelving.shelf.clone();
        self.shelving.follow(trust).await;
        self.want_again().await;
        // A sink that is gone leaves no trouble behind.
        self.sink_problems = offer(&self.rack.sinks(), &self.shelving.shelf).await;
        self.settle().await;
        if !self.shelving.shelf.is_like(&before) {
            self.renew_plugins(None).await;
        }
    }

    /// What runs and would not be trusted by new settings: those are refused whole, for a change of
    /// the settings must not silence a rule or a sink by the way. `sinks` are those that stay.
    fn distrusted_by(&self, plan: &Plan, sinks: &[Arc<dyn Sink>]) -> Vec<Problem> {
        if plan.trust == *self.shelving.policy() {
            return Vec::new();
        }
        let refuses = |component: &str, hash: &str| {
            let judged = self.shelving.judge_by(&plan.trust, component, hash);
            judged.err()
        };
        let tell = |what: String, file: &str| {
            let hint = format!("or take {file} out of the plugins folder first");
            Problem::of_file(self.file.name(), what).hint(hint)
        };
        let instances = self.current.instances.iter();
        let of_instances = instances.filter_map(|(name, one)| {
            let component = &one.plan.component;
            let refusal = refuses(component, one.component.hash())?;
            let says = format!("the instance `{name}` runs {component}, and {refusal}");
            Some(tell(says, &one.file))
        });
        let sinks = sink_components::views(sinks).into_iter();
        let of_sinks = sinks.filter(|one| !one.hash.is_empty()).filter_map(|one| {
            let (name, component) = (&one.sink, &one.file);
            let refusal = refuses(component, &one.hash)?;
            let says = format!("the sink `{name}` runs {component}, and {refusal}");
            Some(tell(says, component))
        });
        of_instances.chain(of_sinks).collect()
    }

    /// Settings that were refused because of what ran are read again once the folder changed.
    async fn reload_if_trusted_now(&mut self) {
        if self.refused_for_trust {
            // The result is told by log, page and alarm.
            self.reload().await.unwrap_or_default();
        }
    }

    /// Starts what is new and hands the whole set to the engine. [`Self::settle`] comes next, once
    /// all of the change is in place.
    async fn put_in_place(
        &mut self,
        mut next: Assembly,
        people: Option<NewPeople>,
        at_once: Option<&str>,
    ) -> Result<(), String> {
        let wanted = next.instances.values().map(|one| Wanted {
            plan: one.plan.clone(),
            component: Arc::clone(&one.component),
            shadow: one
                .shadow_beside(self.current.instances.get(&one.plan.name))
                .filter(|_| at_once != Some(&one.plan.component)),
        });
        let wanted: Vec<Wanted> = wanted.collect();
        let names: Vec<String> = wanted.iter().map(|one| one.plan.name.clone()).collect();
        let plots = self
            .door
            .prepare(wanted)
            .await
            .map_err(|stopping| stopping.to_string())?;
        let mut instances = Vec::with_capacity(plots.len());
        for (name, plot) in names.into_iter().zip(plots) {
            instances.push(self.ready(&mut next, name, plot).await);
        }
        let set = NewSet {
            tags: Arc::new(next.tags.clone()),
            instances,
            alarms: people.is_some().then(|| self.plan.alarms.clone()),
            conditions: Some(self.conditions(&next)),
            people,
        };
        self.door.replace(set).await?;
        self.reads.send_if_modified(|reads| {
            let changed = **reads != next.reads;
            *reads = Arc::new(next.reads.clone());
            changed
        });
        self.current = Arc::new(next);
        Ok(())
    }

    /// After a set was put in place: records what runs, so that a start or a roll back finds it, and
    /// tells it.
    async fn settle(&mut self) {
        let current = Arc::clone(&self.current);
        let of_sinks = sink_components::views(&self.rack.sinks()).into_iter();
        let of_sinks = of_sinks.map(|one| (one.file, one.hash));
        let running: Vec<(String, String)> = current
            .instances
            .values()
            .map(|one| (one.plan.component.clone(), one.component.hash().to_owned()))
            .chain(of_sinks)
            .collect();
        self.shelving.record_running(&running, self.clock.now());
        for one in current.instances.values() {
            let text = one.text.as_deref().filter(|_| one.shadow.is_some());
            self.shelving.record_settings(&one.file, text);
        }
        self.shelving.forget_settings_of_gone();
        self.publish(&current, true).await;
    }

    /// Starts one instance. What runs under its name goes on if the new one does not start, or is
    /// not to take its place yet; `next` then says so.
    async fn ready(&self, next: &mut Assembly, name: String, plot: Plot) -> Ready {
        let old = self.current.instances.get(&name).cloned();
        let mut stays = |why: Option<String>| {
            let plan = old.as_ref().map(|old| old.plan.clone());
            if let Some(old) = old.clone() {
                if let Some(why) = why {
                    let problem = Problem::of_file(&old.file, why);
                    let problems = next.problems.entry(old.file.clone()).or_default();
                    problems.push(problem);
                }
                next.instances.insert(name.clone(), old);
            }
            plan
        };
        let unstarted =
            |error| format!("the new version does not start, the old one goes on: {error}");
        match plot {
            Plot::Keep(plan) => Ready::Keep(plan),
            Plot::Stay {
                name,
                terms,
                refused,
            } => {
                stays(refused.map(|why| {
                    format!("the changed version {why}; the old one goes on until the file changes, or `shadow` is taken out of it")
                }));
                Ready::Stay { name, terms }
            }
            Plot::Shadow(preparation, terms) => match preparation.start().await {
                Ok(prepared) => {
                    stays(None);
                    Ready::Shadow(prepared, terms)
                }
                Err(error) => {
                    stays(Some(unstarted(error)));
                    Ready::Stay { name, terms: None }
                }
            },
            Plot::Start(preparation) if self.current.instances.contains_key(&name) => {
                match preparation.start().await {
                    Ok(prepared) => Ready::New(prepared),
                    Err(error) => match stays(Some(unstarted(error))) {
                        Some(plan) => Ready::Keep(plan),
                        None => Ready::Stay { name, terms: None },
                    },
                }
            }
            Plot::Start(preparation) => Ready::New(preparation.start_or_down().await),
        }
    }
}
