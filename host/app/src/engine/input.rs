//! What comes into the engine beside samples, and how it is answered.

use std::sync::Arc;

use andon_alarms::{AlarmPolicy, ConditioningPlan, Reach};
use andon_kpi::KpiPlan;
use andon_model::{Component, Delivery, InstancePlan, JournalEntry, ShadowTerms, TagTable};
use andon_plugins::{Preparation, Prepared};
use andon_routing::RoutingPlan;
use andon_sinks::Sink;
use andon_sinks::courier::{ClaimError, Claimed, CourierSettings};
use andon_web::{LifeRequest, Page, Refusal, TagQuestion, TagView, Wish};
use serde_json::Value;
use tokio::sync::oneshot;

use super::shadows::ShadowRequest;
use super::view::Snapshot;

/// One thing that somebody wants of the engine. It is done between two batches.
pub(crate) enum Input {
    /// The courier is about to touch the wire.
    Claim {
        /// Rows in state `Sending`.
        rows: Vec<Delivery>,
        /// Answered once they are on disk.
        reply: oneshot::Sender<Result<Claimed, ClaimError>>,
    },
    /// A person at the command line.
    Ask {
        /// What.
        request: Request,
        /// Answered once what it changed is on disk.
        reply: oneshot::Sender<Result<Value, Refusal>>,
    },
    /// What the page and `readyz` show.
    Look {
        /// Answered at once.
        reply: oneshot::Sender<Snapshot>,
    },
    /// Tags by name, with their latest values.
    Tags {
        /// Which.
        question: TagQuestion,
        /// Answered at once.
        reply: oneshot::Sender<Page<TagView>>,
    },
    /// Instances are to be started off the hot path.
    Prepare {
        /// All instances that shall run.
        instances: Vec<Wanted>,
        /// What to start, and what stays.
        reply: oneshot::Sender<Vec<Plot>>,
    },
    /// A whole new set of everything takes the place of the old.
    Replace {
        /// The set.
        set: Box<NewSet>,
        /// Why it was refused; then nothing changed.
        reply: oneshot::Sender<Result<(), String>>,
    },
    /// A person wants something of a shadow.
    Shadow(ShadowRequest),
    /// The host itself found something, or it is over.
    Concern(Concern),
}

/// An instance that shall run.
pub(crate) struct Wanted {
    /// What it is bound to.
    pub(crate) plan: InstancePlan,
    /// Its component.
    pub(crate) component: Arc<dyn Component>,
    /// How it runs beside the one of its name first, if it does.
    pub(crate) shadow: Option<ShadowTerms>,
}

/// How an instance of the new set comes about.
pub(crate) enum Plot {
    /// It runs already, just so.
    Keep(InstancePlan),
    /// It is to be started.
    Start(Preparation),
    /// It is to be started and runs beside the one of its name.
    Shadow(Preparation, ShadowTerms),
    /// The one of its name stays as it is.
    Stay {
        /// Name of the instance.
        name: String,
        /// What is wanted runs beside it, on these terms.
        terms: Option<ShadowTerms>,
        /// Why what is wanted does not run.
        refused: Option<String>,
    },
}

/// An instance of a set that is ready to take its place.
pub(crate) enum Ready {
    /// It runs already.
    Keep(InstancePlan),
    /// It was started.
    New(Prepared),
    /// It was started and runs beside the one of its name.
    Shadow(Prepared, ShadowTerms),
    /// The one of its name stays as it is, and so does its shadow, where it has terms.
    Stay {
        /// Name of the instance.
        name: String,
        /// Of its shadow.
        terms: Option<ShadowTerms>,
    },
}

/// Everything that a reload changes, taken at once.
pub(crate) struct NewSet {
    /// All tags.
    pub(crate) tags: Arc<TagTable>,
    /// All instances.
    pub(crate) instances: Vec<Ready>,
    /// What stands between rules and people; `None` before there are instances.
    pub(crate) conditions: Option<NewConditions>,
    /// People and routes; `None` where only plugins changed.
    pub(crate) people: Option<NewPeople>,
    /// What holds for the life of all alarms; `None` where only plugins changed.
    pub(crate) alarms: Option<AlarmPolicy>,
}

/// Delays, suppressions and floods.
pub(crate) struct NewConditions {
    /// What the settings and the files of instances say.
    pub(crate) plan: ConditioningPlan,
    /// Where the inputs of the instances lie.
    pub(crate) reach: Reach,
}

/// Ways out and who uses them.
pub(crate) struct NewPeople {
    /// Routes.
    pub(crate) routing: Arc<RoutingPlan>,
    /// Sinks; unchanged ones are the same `Arc`.
    pub(crate) sinks: Vec<Arc<dyn Sink>>,
    /// How sends are retried.
    pub(crate) courier: CourierSettings,
    /// How alarm figures are counted.
    pub(crate) kpi: Arc<KpiPlan>,
}

/// What a person asks.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    /// Acknowledge by code or number.
    Acknowledge {
        /// Code or number.
        alarm: String,
        /// Who.
        by: String,
    },
    /// Shelve, reset, take out of service.
    Life(LifeRequest),
    /// Something that a person wants of an alarm.
    Wish(Wish),
    /// A line for the journal; its time is set when it is taken in.
    Note(Box<JournalEntry>),
    /// Push values through the real path.
    Inject(Vec<(String, String)>),
    /// Send a test message.
    SendTest {
        /// Name of the contact.
        contact: String,
        /// All channels, or the first as an alarm would.
        every_channel: bool,
    },
}

/// Something about the host itself that people must know, or that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Concern {
    /// Key of the alarm under the instance `andon`.
    pub(crate) key: String,
    /// The alarm, or `None` where it is over.
    pub(crate) trouble: Option<Trouble>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// How soon somebody must act.
    pub(crate) priority: andon_model::Priority,
    /// What a person reads.
    pub(crate) message: String,
    /// Labels of the alarm.
    pub(crate) labels: Vec<(String, String)>,
}

impl Concern {
    /// Something is wrong.
    pub(crate) fn raise(
        key: impl Into<String>,
        priority: andon_model::Priority,
        message: impl Into<String>,
    ) -> Self {
        let trouble = Trouble {
            priority,
            message: message.into(),
            labels: Vec::new(),
        };
        Self {
            key: key.into(),
            trouble: Some(trouble),
        }
    }

    /// The same with a label.
    pub(crate) fn label(mut self, name: &str, value: &str) -> Self {
        if let Some(trouble) = &mut self.trouble {
            trouble.labels.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// It is over.
    pub(crate) fn clear(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            trouble: None,
        }
    }
}
