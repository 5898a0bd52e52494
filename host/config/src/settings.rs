//! Everything that `andon.toml` may say. Each stage owns the types of its own part.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use andon_alarms::{
    AlarmGroupSettings, ChatteringSettings, ConditionSettings, ConditioningSettings,
    FleetingSettings, FloodSettings, PerPriority, PrioritySettings, ShelvingSettings,
    StaleSettings, SuppressionSettings,
};
use andon_kpi::KpiSettings;
use andon_model::DurationText;
use andon_provenance::PluginsSettings;
use andon_routing::{
    ContactSettings, EscalationSettings, GroupSettings, PeopleSettings, RouteSettings,
    RoutingSettings, ScheduleSettings,
};
use andon_sinks::{SinkSettings, courier::CourierSettings};
use andon_tags::{DeviceSettings, PollClassSettings, TagSettings};
use andon_web::ApiSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use crate::LimitSettings;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The program itself: folders, addresses, log.
    pub host: HostSettings,
    /// How often tags are read, by name of the class.
    pub poll: BTreeMap<String, PollClassSettings>,
    /// Devices that are read.
    pub devices: Vec<DeviceSettings>,
    /// Tags of the devices.
    pub tags: Vec<TagSettings>,
    /// CSV files with more tags; paths are taken from the folder of the settings.
    pub tag_files: Vec<String>,
    /// What holds for the alarms of all rules.
    pub alarms: AlarmSettings,
    /// Bounds of all plugin instances, unless their own file says otherwise.
    pub limits: LimitSettings,
    /// Where components may come from: what is trusted, and registries.
    pub plugins: PluginsSettings,
    /// Ways out: SMSCs, accounts.
    pub sinks: Vec<SinkSettings>,
    /// How sends are retried and failed over.
    pub courier: CourierSettings,
    /// People.
    pub contacts: Vec<ContactSettings>,
    /// Names for several people.
    pub groups: Vec<GroupSettings>,
    /// Who is on call when.
    pub schedules: Vec<ScheduleSettings>,
    /// Who is told of which alarms.
    pub routes: Vec<RouteSettings>,
    /// Whom to tell, and whom next while nobody answers.
    pub escalations: Vec<EscalationSettings>,
    /// What holds for all routes.
    pub routing: RoutingSettings,
    /// Who may use the API and where it is served.
    pub api: ApiSettings,
    /// How long the journal is kept.
    pub journal: JournalSettings,
    /// How alarm figures are counted, for `andon report` and metrics.
    pub kpi: KpiSettings,
    /// Whether samples are recorded, for `andon replay`.
    pub recording: RecordingSettings,
}

impl Settings {
    /// The part that is about people.
    #[must_use]
    pub fn people(&self) -> PeopleSettings {
        PeopleSettings {
            contacts: self.contacts.clone(),
            groups: self.groups.clone(),
            schedules: self.schedules.clone(),
            routes: self.routes.clone(),
            escalations: self.escalations.clone(),
            routing: self.routing.clone(),
        }
    }
}

/// The program itself. A change of these needs a restart; all else is reloaded live.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HostSettings {
    /// Folder of the database, the compile cache and the earlier versions of plugins. Relative
    /// paths are taken from the folder of the settings.
    pub data: String,
    /// Folder of the plugins.
    pub plugins: String,
    /// Where the API, the status page, health and metrics are served. Anything but a loopback
    /// address asks for a password or token for all but health, and needs `[api.tls]`, or
    /// `plain_http` of `[api]`.
    #[serde(deserialize_with = "listen_address")]
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// How the log is written.
    pub log: LogForm,
    /// What is logged: a level, or levels by module.
    pub log_level: String,
    /// For how long samples of bound tags are kept for plugins that ask for a window: rows a tag.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub window_samples: usize,
}

impl Default for HostSettings {
    fn default() -> Self {
        Self {
            data: "data".into(),
            plugins: "plugins".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            log: LogForm::Text,
            log_level: "info".into(),
            window_samples: 1_000,
        }
    }
}

/// With words of its own: the standard library's do not say what is wanted.
fn listen_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        de::Error::custom(format!(
            "`{text}` is not an IP address with a port: write it like 127.0.0.1:8080"
        ))
    })
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogForm {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What holds for the alarms of all rules.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AlarmSettings {
    /// Whether an alarm that is over stays until somebody acknowledges it (ISA-18.2 state D).
    pub needs_acknowledgement: bool,
    /// Whether an alarm that is over and acknowledged stays until somebody resets it.
    pub latching: bool,
    /// For how long people may shelve alarms.
    pub shelving: ShelvingSettings,
    /// What holds for diagnostic alarms.
    pub diagnostic: PrioritySettings,
    /// What holds for low alarms.
    pub low: PrioritySettings,
    /// What holds for medium alarms.
    pub medium: PrioritySettings,
    /// What holds for high alarms.
    pub high: PrioritySettings,
    /// What holds for critical alarms.
    pub critical: PrioritySettings,
    /// Delays of alarms at the host, whatever their rule does.
    pub conditions: Vec<ConditionSettings>,
    /// What silences alarms by design while something else holds.
    pub suppressions: Vec<SuppressionSettings>,
    /// Alarms of which the first one matters most.
    pub groups: Vec<AlarmGroupSettings>,
    /// Whether a device that does not answer silences the alarms that begin because of it: people
    /// hear of the device alone.
    pub comm_loss_inhibits: bool,
    /// When an alarm counts as chattering, and what is done then.
    pub chattering: ChatteringSettings,
    /// When an alarm counts as fleeting.
    pub fleeting: FleetingSettings,
    /// When an alarm counts as stale.
    pub stale: StaleSettings,
    /// When there are more alarms than people can act on, and what is done then.
    pub flood: FloodSettings,
}

impl AlarmSettings {
    /// What holds for the alarms of each priority.
    #[must_use]
    pub const fn priorities(&self) -> PerPriority<&PrioritySettings> {
        PerPriority {
            diagnostic: &self.diagnostic,
            low: &self.low,
            medium: &self.medium,
            high: &self.high,
            critical: &self.critical,
        }
    }

    /// The part that stands between rules and people.
    #[must_use]
    pub fn conditioning(&self) -> ConditioningSettings {
        ConditioningSettings {
            conditions: self.conditions.clone(),
            suppressions: self.suppressions.clone(),
            groups: self.groups.clone(),
            comm_loss_inhibits: self.comm_loss_inhibits,
            chattering: self.chattering.clone(),
            fleeting: self.fleeting.clone(),
            stale: self.stale.clone(),
            flood: self.flood.clone(),
        }
    }
}

impl Default for AlarmSettings {
    fn default() -> Self {
        Self {
            needs_acknowledgement: true,
            latching: false,
            shelving: ShelvingSettings::default(),
            diagnostic: PrioritySettings::default(),
            low: PrioritySettings::default(),
            medium: PrioritySettings::default(),
            high: PrioritySettings::default(),
            critical: PrioritySettings::default(),
            conditions: Vec::new(),
            suppressions: Vec::new(),
            groups: Vec::new(),
            comm_loss_inhibits: true,
            chattering: ChatteringSettings::default(),
            fleeting: FleetingSettings::default(),
            stale: StaleSettings::default(),
            flood: FloodSettings::default(),
        }
    }
}

/// How long the journal is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JournalSettings {
    /// Entries, and deliveries that ended, older than this are deleted. Standing alarms and what
    /// is owed never are.
    pub keep: DurationText,
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self {
            keep: DurationText::from_secs(400 * 86_400),
        }
    }
}

/// Whether samples are recorded, for `andon replay`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecordingSettings {
    /// Whether the host records all samples while it runs.
    pub enabled: bool,
    /// Folder of the files (CSV). A relative path is taken from the data folder.
    pub folder: String,
    /// All files together, bytes; the oldest are removed beyond it. A sample takes about 100.
    #[schemars(range(min = 1_000_000, max = 1_000_000_000_000_u64))]
    pub bytes_max: u64,
    /// Files that were begun longer ago are removed.
    pub keep: DurationText,
}

impl Default for RecordingSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            folder: "recordings".into(),
            bytes_max: 1_000_000_000,
            keep: DurationText::from_secs(7 * 86_400),
        }
    }
}
