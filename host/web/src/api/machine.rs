//! What the API answers about the host itself: its state, its plugins, devices and sinks.

use andon_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{DeviceView, Overview, PluginView, ShadowView, SinkView};

/// The host at this moment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Status {
    /// Version of the host.
    pub(super) version: String,
    /// When the process started.
    #[schema(format = DateTime)]
    pub(super) started_at: String,
    /// When this was told.
    #[schema(format = DateTime)]
    pub(super) now: String,
    /// What is wrong with the host itself, in sentences.
    pub(super) troubles: Vec<String>,
    /// How many alarms stand.
    pub(super) alarms: usize,
    /// How many messages are owed and have not left yet.
    pub(super) owed: usize,
    /// How many tags there are.
    pub(super) tags: usize,
    /// Devices.
    pub(super) devices: Vec<Device>,
    /// Sinks.
    pub(super) sinks: Vec<Sink>,
}

impl From<Overview> for Status {
    fn from(overview: Overview) -> Self {
        Self {
            version: overview.version,
            started_at: overview.started_at.to_string(),
            now: overview.now.to_string(),
            troubles: overview.troubles,
            alarms: overview.alarms.len(),
            owed: overview.owed,
            tags: overview.tag_count,
            devices: overview.devices.into_iter().map(Device::from).collect(),
            sinks: overview.sinks.into_iter().map(Sink::from).collect(),
        }
    }
}

/// A device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Device {
    /// Name in the settings.
    pub(super) name: String,
    /// Whether all of it answers.
    pub(super) up: bool,
    /// Whether it answers, unit by unit.
    pub(super) state: String,
    /// Statistics in one line.
    pub(super) detail: String,
}

impl From<DeviceView> for Device {
    fn from(view: DeviceView) -> Self {
        Self {
            name: view.name,
            up: view.up,
            state: view.state,
            detail: view.detail,
        }
    }
}

/// A way out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sink {
    /// Name in the settings.
    pub(super) name: String,
    /// `smpp`, `twilio`, `component`.
    pub(super) kind: String,
    /// Whether it can send.
    pub(super) up: bool,
    /// Why.
    pub(super) why: String,
}

impl From<SinkView> for Sink {
    fn from(view: SinkView) -> Self {
        Self {
            name: view.name,
            kind: view.kind,
            up: view.up,
            why: view.why,
        }
    }
}

/// All plugins.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Plugins {
    /// Instances in the order in which they run, then files that gave none.
    pub(super) plugins: Vec<Plugin>,
}

/// A plugin instance, or a file that gave none.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Plugin {
    /// Name of the instance; empty for a file that gave none.
    pub(super) instance: String,
    /// File name of the component.
    pub(super) component: String,
    /// `rule`, `function` or `sink`; empty where unknown.
    pub(super) kind: String,
    /// Version that the component says of itself.
    pub(super) version: String,
    /// `running`, `quarantined until …`, `refused`.
    pub(super) state: String,
    /// Whether it runs.
    pub(super) up: bool,
    /// Calls so far.
    pub(super) calls: u64,
    /// Failed calls so far.
    pub(super) failures: u64,
    /// Linear memory, bytes.
    pub(super) memory_bytes: usize,
    /// What is wrong, or failed last; empty if nothing did.
    pub(super) trouble: String,
    /// SHA-256 of the running file, shortened.
    pub(super) hash: String,
    /// By what it is trusted; empty where no rule asks for trust.
    pub(super) trust: String,
    /// Earlier good versions that can be gone back to, shortened hashes, newest first.
    pub(super) earlier: Vec<String>,
    /// A changed version that runs beside it.
    pub(super) shadow: Option<Shadow>,
    /// The changed version that was refused last, as it was at its end.
    pub(super) refused_shadow: Option<Shadow>,
}

impl From<PluginView> for Plugin {
    fn from(view: PluginView) -> Self {
        Self {
            instance: view.instance,
            component: view.component,
            kind: view.kind,
            version: view.version,
            state: view.state,
            up: view.up,
            calls: view.calls,
            failures: view.failures,
            memory_bytes: view.memory_bytes,
            trouble: view.trouble,
            hash: view.hash,
            trust: view.trust,
            earlier: view.earlier,
            shadow: view.shadow.map(Shadow::from),
            refused_shadow: view.refused_shadow.map(Shadow::from),
        }
    }
}

/// A changed version beside an instance: compared, not heard.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Shadow {
    /// Version that the component says of itself.
    pub(super) version: String,
    /// SHA-256 of its file, shortened.
    pub(super) hash: String,
    /// `running`, `struck …`, `was refused: …`.
    pub(super) state: String,
    /// Since when it is compared.
    #[schema(format = DateTime)]
    pub(super) since: String,
    /// When its time is over; nothing until somebody decides.
    #[schema(format = DateTime)]
    pub(super) until: Option<String>,
    /// What becomes of it then: `promote-if-same`, `promote-if-sound`, `wait`.
    pub(super) end: String,
    /// Calls.
    pub(super) calls: u64,
    /// Calls that failed and that the running version did not fail at as well.
    pub(super) failures: u64,
    /// Actions or outputs that were the same.
    pub(super) same: u64,
    /// All that was not.
    pub(super) different: u64,
    /// The last differences, newest first, at most a hundred.
    pub(super) differences: Vec<String>,
}

impl From<ShadowView> for Shadow {
    fn from(view: ShadowView) -> Self {
        let moment = |at: Timestamp| at.to_string();
        Self {
            version: view.version,
            hash: view.hash,
            state: view.state,
            since: moment(view.since),
            until: view.until.map(moment),
            end: view.end,
            calls: view.calls,
            failures: view.failures,
            same: view.same,
            different: view.different,
            differences: view.differences,
        }
    }
}
