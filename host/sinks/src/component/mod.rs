//! A channel that Andon lacks, spoken by a sink component of the plugins folder.
//!
//! The component gets one message at a time, with its address and text, and says what became of it.
//! It knows no contact, no roster and no secret: it reaches the hosts of its settings alone, and the
//! host puts in the headers that carry secrets.
//!
//! ```text
//! settings  what it may do, checked          classify  what its answer means (pure)
//! hosts     which host is meant (pure)       strikes   when it is left alone (pure)
//! outlet    requests, checked and completed  crew      instances that wait for work
//! ```
//!
//! A sink lives longer than its component: it is built from the settings, and the component is
//! handed in by [`ComponentSink::adopt`] once it is loaded, and again when its file changed. A new
//! one that does not start changes nothing.
//!
//! Limits: [`ComponentSettings::window`] instances; 16 requests a delivery, bodies of at most 1 MiB
//! both ways; `call_time` in all, `compute_time` of computing. A call that traps or leaves its
//! bounds costs the instance and is a strike; whether its message was taken is unknown only if a
//! request may have left.

mod classify;
mod crew;
mod hosts;
mod outlet;
mod settings;
mod strikes;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use andon_model::{
    Clock, Component, Delivery, Limits, Notification, Outcome, PluginKind, Reason, SinkEvent,
    SinkSetup, Timestamp, Why,
};
use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::crew::{Crew, Hand};
use self::outlet::{Gate, Outlet};
pub use self::settings::{Addresses, ComponentSettings, HeaderSettings, PlainHttp, check};
use self::strikes::Strikes;
use crate::health::Health;
use crate::label::{labelled, labelled_outcome};
use crate::{BuildError, EventSender, LookUp, Sink};

/// How long a send waits for a component that is still being loaded at the start of the host.
const LOADING_TIME_MAX: Duration = Duration::from_secs(20);

/// Builds the sink, without its component.
///
/// # Errors
/// [`BuildError`], if certificate authorities cannot be read or the settings were not checked.
pub fn build(
    settings: &ComponentSettings,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Sink>, BuildError> {
    Ok(Arc::new(ComponentSink::new(settings, clock)?))
}

/// A way out that a component speaks.
pub struct ComponentSink {
    settings: ComponentSettings,
    limits: Limits,
    gate: Arc<Gate>,
    clock: Arc<dyn Clock>,
    post: watch::Sender<Post>,
    crew: Mutex<Crew>,
    strikes: Mutex<Strikes>,
    health: Health,
    /// Components that were tried so far.
    generations: AtomicU64,
}

/// What the sink runs.
enum Post {
    /// Nobody said yet: the plugins folder is still being read.
    Vacant,
    /// There is none, and why.
    Missing(String),
    /// This one.
    Held(Holder),
}

/// A component that started, and its number.
#[derive(Clone)]
struct Holder {
    component: Arc<dyn Component>,
    generation: u64,
}

impl ComponentSink {
    fn new(settings: &ComponentSettings, clock: Arc<dyn Clock>) -> Result<Self, BuildError> {
        let bytes = usize::try_from(settings.memory_mib).unwrap_or(usize::MAX);
        let limits = Limits {
            memory_bytes: bytes.saturating_mul(1 << 20),
            call_time: settings.call_time.0,
            ..Limits::default()
        };
        Ok(Self {
            gate: Arc::new(Gate::new(settings)?),
            crew: Mutex::new(Crew::new(settings.window)),
            strikes: Mutex::new(Strikes::new(limits.strikes_max)),
            health: Health::new("its component is loaded and answers"),
            settings: settings.clone(),
            limits,
            clock,
            post: watch::Sender::new(Post::Vacant),
            generations: AtomicU64::new(0),
        })
    }

    /// What the settings say.
    #[must_use]
    pub const fn settings(&self) -> &ComponentSettings {
        &self.settings
    }

    /// SHA-256 of the component that runs, hexadecimal.
    #[must_use]
    pub fn hash(&self) -> Option<String> {
        self.holder()
            .map(|holder| holder.component.hash().to_owned())
    }

    /// Version that the component that runs says of itself.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        self.holder()
            .map(|holder| holder.component.description().version.clone())
    }

    /// Memory of the instances that wait for work, bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        locked(&self.crew).memory_bytes()
    }

    /// Runs this component from now on, once an instance of it has started with the parameters of
    /// the settings. Messages under way end with the old one. Called by the app when the component
    /// is loaded, and when its file changed; the component that runs already is let pass.
    ///
    /// # Errors
    /// Why it does not start; what ran before goes on.
    pub async fn adopt(&self, component: Arc<dyn Component>) -> Result<(), String> {
        if self.hash().as_deref() == Some(component.hash()) {
            return Ok(());
        }
        if component.kind() != PluginKind::Sink {
            return Err(format!(
                "it is a {}, not a sink: name a sink component in `component`",
                component.kind()
            ));
        }
        let holder = Holder {
            generation: self.generations.fetch_add(1, Ordering::Relaxed),
            component,
        };
        let hand = self.hire(&holder).await.map_err(|error| error.message)?;
        tracing::info!(
            sink = self.settings.name,
            component = self.settings.component,
            hash = holder.component.hash(),
            "sink component in place"
        );
        locked(&self.crew).replace(holder.generation, hand);
        locked(&self.strikes).forgive();
        self.post.send_replace(Post::Held(holder));
        self.health.works();
        Ok(())
    }

    /// There is no component to run: its file is gone, or was never good.
    pub fn go_without(&self, why: &str) {
        locked(&self.crew).dismiss();
        self.post.send_replace(Post::Missing(why.to_owned()));
        self.health
            .refused(&Why::new(Reason::SinkMisconfigured, why));
    }

    fn holder(&self) -> Option<Holder> {
        match &*self.post.borrow() {
            Post::Held(holder) => Some(holder.clone()),
            Post::Vacant | Post::Missing(_) => None,
        }
    }

    /// A new instance.
    async fn hire(&self, holder: &Holder) -> Result<Hand, andon_model::CallError> {
        let outlet = Arc::new(Outlet::new(Arc::clone(&self.gate)));
        let setup = SinkSetup {
            instance: self.settings.name.clone(),
            limits: self.limits.clone(),
            compute_time: self.settings.compute_time.0,
            configuration: self.settings.configuration(),
            http: Arc::clone(&outlet) as Arc<dyn andon_model::HttpClient>,
            now: self.clock.now(),
        };
        let guest = holder.component.open_sink(setup).await?;
        Ok(Hand {
            guest,
            outlet,
            generation: holder.generation,
        })
    }

    /// The component, or the outcome of a message that none can take.
    async fn wait_for_holder(&self) -> Result<Holder, Outcome> {
        let mut post = self.post.subscribe();
        let settled = post.wait_for(|post| !matches!(post, Post::Vacant));
        let loading = || Outcome::Retry {
            after: None,
            why: Why::new(Reason::RetryLater, "its component is still being loaded"),
        };
        match tokio::time::timeout(LOADING_TIME_MAX, settled).await {
            Ok(Ok(post)) => match &*post {
                Post::Held(holder) => Ok(holder.clone()),
                Post::Missing(why) => Err(Outcome::SinkFailed {
                    why: Why::new(Reason::SinkMisconfigured, why.clone()),
                }),
                Post::Vacant => Err(loading()),
            },
            Ok(Err(_)) | Err(_) => Err(loading()),
        }
    }

    async fn deliver(&self, delivery: &Delivery) -> Outcome {
        if let Some(until) = locked(&self.strikes).resting(self.clock.now()) {
            return Outcome::SinkFailed {
                why: resting(until),
            };
        }
        let holder = match self.wait_for_holder().await {
            Ok(holder) => holder,
            Err(outcome) => return outcome,
        };
        let waiting = locked(&self.crew).take(holder.generation);
        let mut hand = match waiting {
            Some(hand) => hand,
            None => match self.hire(&holder).await {
                Ok(hand) => hand,
                Err(error) => {
                    self.strike(&error.message);
                    return classify::of_start(&error);
                }
            },
        };
        hand.outlet.begin();
        let notification = notification(delivery);
        match hand.guest.deliver(self.clock.now(), &notification).await {
            Ok(answer) => {
                let outcome = classify::of_answer(answer, hand.outlet.denied().as_deref());
                locked(&self.strikes).forgive();
                locked(&self.crew).put(hand);
                self.health.note(&outcome);
                outcome
            }
            Err(error) => {
                self.strike(&error.message);
                classify::of_failure(&error, hand.outlet.left())
            }
        }
    }

    /// An instance was lost.
    fn strike(&self, says: &str) {
        let sink = &self.settings.name;
        tracing::warn!(sink, says, "an instance of the sink component is lost");
        let rest = locked(&self.strikes).strike(self.clock.now());
        match rest {
            Some(until) => self.health.refused(&resting(until)),
            None => self.health.unreachable(says),
        }
    }

    async fn tell_health(&self, events: &EventSender) {
        let mut judgements = self.health.follow();
        loop {
            let judgement = judgements.next().await;
            let why = labelled(&self.settings.name, judgement.why);
            if judgement.up {
                tracing::info!(sink = self.settings.name, "sink is up");
            } else {
                tracing::warn!(sink = self.settings.name, %why, "sink is down");
            }
            let event = SinkEvent::State {
                sink: self.settings.name.clone(),
                up: judgement.up,
                why,
                at: self.clock.now(),
            };
            if events.send(event).await.is_err() {
                tracing::warn!(sink = self.settings.name, "nobody takes events any more");
                return;
            }
        }
    }
}

#[async_trait]
impl Sink for ComponentSink {
    fn name(&self) -> &str {
        &self.settings.name
    }

    async fn run(self: Arc<Self>, events: EventSender, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.tell_health(&events) => {}
        }
    }

    async fn send(&self, delivery: &Delivery) -> Outcome {
        labelled_outcome(&self.settings.name, self.deliver(delivery).await)
    }

    /// The contract has no such question, so a message with an unknown result goes out again,
    /// marked.
    async fn look_up(&self, _delivery: &Delivery) -> LookUp {
        LookUp::CannotTell
    }

    fn window(&self) -> usize {
        self.settings.window
    }

    fn runs_component(self: Arc<Self>) -> Option<Arc<ComponentSink>> {
        Some(self)
    }
}

/// What the component sees of a delivery.
fn notification(delivery: &Delivery) -> Notification {
    Notification {
        id: delivery.id.to_string(),
        address: delivery.channel.address.clone(),
        text: delivery.wire_text(),
        kind: delivery.kind,
        priority: delivery.priority,
        attempt: delivery.attempts.max(1),
        created_at: delivery.created_at,
        expires_at: delivery.expires_at,
    }
}

fn resting(until: Timestamp) -> Why {
    Why::new(
        Reason::PluginQuarantined,
        format!("its component failed again and again; it is tried again at {until}"),
    )
}

fn locked<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code that holds one of these locks can panic half-way through a change.
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
