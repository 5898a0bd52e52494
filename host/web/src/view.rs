//! What the host shows of itself, as plain data.

use andon_model::{AlarmRecord, Timestamp};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Command, OnCallView, Refusal};

/// What the doors need of the host. The app implements it.
#[async_trait]
pub trait Host: Send + Sync + 'static {
    /// Why the process should be restarted; empty while it works. Asked by `/healthz`.
    fn sickness(&self) -> Vec<String>;
    /// Why it cannot do its job yet or now; empty when it can. Asked by `/readyz`.
    fn unreadiness(&self) -> Vec<String>;
    /// The metrics in the OpenMetrics text format.
    fn metrics_text(&self) -> String;
    /// What the status page shows.
    async fn overview(&self) -> Overview;
    /// Does what a command asks.
    ///
    /// # Errors
    /// A sentence that says why not and what to do.
    async fn command(&self, command: Command) -> Result<Value, Refusal>;
}

/// Everything on the status page.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Overview {
    /// Version of the host.
    pub version: String,
    /// When the process started.
    pub started_at: Timestamp,
    /// When this was told.
    pub now: Timestamp,
    /// What is wrong with the host itself, in sentences.
    pub troubles: Vec<String>,
    /// Standing alarms, most urgent first.
    pub alarms: Vec<AlarmView>,
    /// Who is on call by each schedule, and the next handover.
    #[serde(default)]
    pub on_call: Vec<OnCallView>,
    /// Devices.
    pub devices: Vec<DeviceView>,
    /// Plugin instances, and files that were refused.
    pub plugins: Vec<PluginView>,
    /// Sinks.
    pub sinks: Vec<SinkView>,
    /// Messages that are owed and have not left yet.
    pub owed: usize,
    /// Latest deliveries, newest first, bounded.
    pub deliveries: Vec<DeliveryView>,
    /// Tags, by name, bounded.
    pub tags: Vec<TagView>,
    /// How many tags there are in all.
    pub tag_count: usize,
}

/// A standing alarm.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlarmView {
    /// The whole record.
    #[serde(flatten)]
    pub record: AlarmRecord,
    /// Contacts who were told or are owed.
    pub told: Vec<String>,
}

/// A device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeviceView {
    /// Name in the settings.
    pub name: String,
    /// Whether it answers, unit by unit: `1 up`.
    pub state: String,
    /// Statistics in one line.
    pub detail: String,
    /// Whether all of it answers.
    pub up: bool,
}

/// A plugin instance, or a file that gave none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PluginView {
    /// Name of the instance; empty for a refused file.
    pub instance: String,
    /// File name of the component.
    pub component: String,
    /// `rule` or `function`; empty where unknown.
    pub kind: String,
    /// Version that the component says of itself.
    pub version: String,
    /// `running`, `quarantined until …`, `refused`.
    pub state: String,
    /// Whether it runs.
    pub up: bool,
    /// Calls so far.
    pub calls: u64,
    /// Failed calls so far.
    pub failures: u64,
    /// Linear memory, bytes.
    pub memory_bytes: usize,
    /// Microseconds of the latest call.
    pub latest_call_us: u64,
    /// Why the newest file does not run, or what failed last; empty if nothing did.
    pub trouble: String,
    /// SHA-256 of the running file, shortened.
    pub hash: String,
    /// By what it is trusted, in words; empty where no rule asks for trust.
    #[serde(default)]
    pub trust: String,
    /// Earlier good versions that `rollback` can go back to, shortened hashes, newest first.
    pub earlier: Vec<String>,
    /// A changed version that runs beside it.
    #[serde(default)]
    pub shadow: Option<ShadowView>,
    /// The changed version that was refused last, as it was at its end.
    #[serde(default)]
    pub refused_shadow: Option<ShadowView>,
}

/// A changed version that runs beside an instance: compared, not heard.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShadowView {
    /// Version that the component says of itself.
    pub version: String,
    /// SHA-256 of its file, shortened.
    pub hash: String,
    /// `running`, `struck, tried again at …`; `was refused: …` for one that was.
    pub state: String,
    /// Whether a person put it there, not a changed file.
    pub by_hand: bool,
    /// Since when it is compared.
    pub since: Timestamp,
    /// When its time is over; `None` until somebody decides.
    pub until: Option<Timestamp>,
    /// What becomes of it then: `promote-if-same`, `promote-if-sound`, `wait`.
    pub end: String,
    /// Calls.
    pub calls: u64,
    /// Calls that failed and that the running version did not fail at as well.
    pub failures: u64,
    /// Rounds that were compared.
    pub compared: u64,
    /// Actions or outputs that were the same.
    pub same: u64,
    /// All that was not.
    pub different: u64,
    /// Actions of the running version alone.
    pub only_running: u64,
    /// Actions of the shadow alone.
    pub only_shadow: u64,
    /// Actions or outputs of another content.
    pub changed: u64,
    /// The same actions at another time.
    pub shifted: u64,
    /// Linear memory, bytes.
    pub memory_bytes: usize,
    /// What failed last; empty if nothing did.
    pub trouble: String,
    /// The last differences, newest first, at most a hundred.
    pub differences: Vec<String>,
}

/// A sink.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SinkView {
    /// Name in the settings.
    pub name: String,
    /// `smpp`, `twilio`.
    pub kind: String,
    /// Whether it can send.
    pub up: bool,
    /// Why.
    pub why: String,
}

/// A delivery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeliveryView {
    /// Key.
    pub id: String,
    /// When it became owed.
    pub created_at: Timestamp,
    /// Name of the contact.
    pub contact: String,
    /// Name of the sink.
    pub sink: String,
    /// `alert`, `resolved`, `answer`, `test`.
    pub kind: String,
    /// `queued`, `sent`, …
    pub state: String,
    /// The text.
    pub text: String,
    /// Why it is in its state.
    pub why: String,
}

/// A tag with its latest sample.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TagView {
    /// Name.
    pub name: String,
    /// Value as a person reads it; empty before the first sample.
    pub value: String,
    /// Unit.
    pub unit: String,
    /// Quality in words.
    pub quality: String,
    /// When it was read.
    pub time: Option<Timestamp>,
    /// Where it comes from.
    pub source: String,
}
