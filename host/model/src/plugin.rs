//! How the stage `plugins` and the engine behind it meet: what a component says of itself, what
//! an instance is given, and what a call answers. Only `wasm` implements these traits for real.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Action, Columns, Labels, SinkGuest, SinkSetup, StateChange, TagId, Timestamp, ValueType,
};

/// What a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginKind {
    /// Gives actions.
    Rule,
    /// Gives derived tags.
    Function,
    /// Reaches people.
    Sink,
}

impl fmt::Display for PluginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rule => "rule",
            Self::Function => "function",
            Self::Sink => "sink",
        })
    }
}

/// The type that a port takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum PortType {
    /// Any integer or float.
    #[default]
    Number,
    /// 0 or 1.
    Bool,
    /// Characters.
    Text,
    /// Whatever there is.
    Any,
}

impl PortType {
    /// Whether a tag of this type may be bound to the port; a boolean is also a number.
    #[must_use]
    pub const fn takes(self, tag: ValueType) -> bool {
        match self {
            Self::Number => !matches!(tag, ValueType::Text),
            Self::Bool => matches!(tag, ValueType::Bool),
            Self::Text => matches!(tag, ValueType::Text),
            Self::Any => true,
        }
    }
}

impl fmt::Display for PortType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "number",
            Self::Bool => "bool",
            Self::Text => "text",
            Self::Any => "any",
        })
    }
}

/// What a component says of itself: the JSON of `describe`. Unknown fields are let pass, so that
/// the JSON can grow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Name of the component: `limits`.
    pub name: String,
    /// Its version: `1.2.0`.
    #[serde(default)]
    pub version: String,
    /// One sentence for people.
    #[serde(default)]
    pub summary: String,
    /// What it reads.
    #[serde(default)]
    pub inputs: Vec<InputPort>,
    /// What it computes; functions only.
    #[serde(default)]
    pub outputs: Vec<OutputPort>,
    /// JSON Schema of its parameters; null where it has none.
    #[serde(default)]
    pub parameters: serde_json::Value,
}

/// An input that a component reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputPort {
    /// Name of the port: `level`.
    pub name: String,
    /// What it takes.
    #[serde(default, rename = "type")]
    pub port_type: PortType,
    /// Tag name or pattern that is bound when the settings name none.
    #[serde(default)]
    pub default: Option<String>,
    /// Whether more than one tag may be bound.
    #[serde(default)]
    pub many: bool,
    /// Whether it may stay unbound.
    #[serde(default)]
    pub optional: bool,
    /// For people.
    #[serde(default)]
    pub summary: String,
}

/// A value that a function computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputPort {
    /// Name of the port; the tag is `INSTANCE.NAME` unless settings name it.
    pub name: String,
    /// Type of the tag; text is not possible.
    #[serde(default, rename = "type")]
    pub port_type: PortType,
    /// Engineering unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// For people.
    #[serde(default)]
    pub summary: String,
}

/// An input of an instance: its index in the plan is the `input` of the columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoundInput {
    /// Name of the port.
    pub port: String,
    /// Which tag.
    pub tag: TagId,
    /// Its name.
    pub tag_name: Arc<str>,
    /// Its unit.
    pub unit: Option<Arc<str>>,
    /// Its type.
    pub value_type: ValueType,
}

/// An output of a function instance, in the order in which `describe` lists them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoundOutput {
    /// Name of the port.
    pub port: String,
    /// The derived tag.
    pub tag: TagId,
    /// Its name.
    pub tag_name: Arc<str>,
}

/// What happens to the alarms of a rule that is down or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum OnDown {
    /// They stay as they are.
    #[default]
    Keep,
    /// They stay, and the rule-down alarm is raised with the highest priority that they have.
    Raise,
    /// They are cleared.
    Clear,
}

/// Bounds of one instance. Exceeding one ends the call, discards its state writes, and counts as
/// a strike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Linear memory of all memories together, bytes.
    pub memory_bytes: usize,
    /// Wall time of one call, host calls included.
    pub call_time: Duration,
    /// Wall time of `describe` and `configure`.
    pub start_time: Duration,
    /// Elements of all tables together.
    pub table_elements: usize,
    /// Actions or samples in one answer.
    pub answer_rows: usize,
    /// Characters of a message, key, attribute: longer ones are cut at a character, marked with `…`.
    pub message_chars: usize,
    /// Lines of log a minute; further ones are counted and dropped.
    pub log_lines_per_minute: u32,
    /// Keys and values of the state together, bytes.
    pub state_bytes: usize,
    /// Strikes within ten minutes before the instance is quarantined.
    pub strikes_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            call_time: Duration::from_millis(50),
            start_time: Duration::from_secs(2),
            table_elements: 20_000,
            answer_rows: 10_000,
            message_chars: 1_000,
            log_lines_per_minute: 60,
            state_bytes: 256 << 10,
            strikes_max: 3,
        }
    }
}

/// A checked instance: a component, what it is bound to, and its bounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InstancePlan {
    /// Unique name; the stem of its settings file or of the component.
    pub name: String,
    /// File name of the component in the plugins folder.
    pub component: String,
    /// Rule or function.
    pub kind: PluginKind,
    /// Bound inputs, in the order of their index.
    pub inputs: Vec<BoundInput>,
    /// Bound outputs; empty for a rule.
    pub outputs: Vec<BoundOutput>,
    /// Parameters, valid against the component's schema.
    pub parameters: serde_json::Value,
    /// Labels of all its alarms; they win over the rule's attributes.
    pub labels: Labels,
    /// Bounds.
    pub limits: Limits,
    /// What happens to its alarms when it is down.
    pub on_down: OnDown,
    /// Whether its alarms need an acknowledgement (B to D on clear), or clear B to A at once.
    pub needs_acknowledgement: bool,
    /// Whether its alarms latch: after their return to normal a person must reset them.
    pub latching: bool,
}

impl InstancePlan {
    /// The JSON that `configure` is given: parameters, and the bound inputs in the order of their
    /// index.
    #[must_use]
    pub fn configuration(&self) -> String {
        let inputs: Vec<serde_json::Value> = self
            .inputs
            .iter()
            .map(|input| {
                serde_json::json!({
                    "port": input.port,
                    "tag": input.tag_name,
                    "unit": input.unit,
                    "type": input.value_type,
                })
            })
            .collect();
        serde_json::json!({
            "instance": self.name,
            "parameters": self.parameters,
            "inputs": inputs,
        })
        .to_string()
    }
}

/// What an instance remembers, by key.
pub type StateMap = BTreeMap<String, Arc<[u8]>>;

/// Recent samples and texts, shared by all instances; they read it while they run.
pub trait History: Send + Sync {
    /// Latest text of a text tag.
    fn text(&self, tag: TagId) -> Option<Arc<str>>;

    /// Kept samples of one tag from `since` on, oldest first; `input` of each row is `input`.
    fn window(&self, tag: TagId, since: Timestamp, input: u32) -> Columns;
}

/// What a new guest is given.
#[derive(Clone)]
pub struct Setup {
    /// Name of the instance, for its log.
    pub instance: String,
    /// Bounds.
    pub limits: Limits,
    /// The JSON for `configure`.
    pub configuration: String,
    /// Tags of the inputs, in the order of their index.
    pub inputs: Vec<TagId>,
    /// What the instance remembers.
    pub state: StateMap,
    /// Recent samples.
    pub history: Arc<dyn History>,
    /// Now.
    pub now: Timestamp,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

/// A configured guest, and what `configure` already wrote.
pub struct Started {
    /// The guest.
    pub guest: Box<dyn Guest>,
    /// State that `configure` wrote.
    pub state: Vec<StateChange>,
    /// The earliest wake-up that `configure` asked for.
    pub wake_at: Option<Timestamp>,
}

/// What the result of a call is.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Of a rule.
    Actions(Vec<Action>),
    /// Of a function; `input` is the index of the output.
    Samples(Columns),
}

/// What a call answers, within the bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The result.
    pub output: Output,
    /// State that the call wrote.
    pub state: Vec<StateChange>,
    /// The earliest wake-up that the call asked for.
    pub wake_at: Option<Timestamp>,
    /// Wall time of the call.
    pub elapsed: Duration,
}

/// Turns the bytes of a file into a component. Called off the hot path.
#[async_trait]
pub trait Loader: Send + Sync {
    /// Compiles (or takes from the cache), checks imports, exports and contract version, and asks
    /// `describe`. `file` is for messages.
    ///
    /// # Errors
    /// A sentence that says why the file is refused and what to do.
    async fn load(&self, file: &str, bytes: Arc<[u8]>) -> Result<Arc<dyn Component>, LoadError>;
}

/// A compiled, checked component; instances of it share the code.
#[async_trait]
pub trait Component: Send + Sync {
    /// Rule, function or sink.
    fn kind(&self) -> PluginKind;
    /// What it says of itself.
    fn description(&self) -> &Description;
    /// SHA-256 of the file, hexadecimal.
    fn hash(&self) -> &str;
    /// Version of the contract that it was built for.
    fn contract_version(&self) -> &str;
    /// Imports as they are named in the file, sorted.
    fn imports(&self) -> &[String];

    /// Makes a guest and calls `configure`.
    ///
    /// # Errors
    /// The guest declined, trapped or left its bounds.
    async fn start(&self, setup: Setup) -> Result<Started, CallError>;

    /// Makes a guest of a sink and calls `configure`.
    ///
    /// # Errors
    /// The guest declined, trapped or left its bounds, or the component is no sink.
    async fn open_sink(&self, _setup: SinkSetup) -> Result<Box<dyn SinkGuest>, CallError> {
        Err(CallError::new(
            CallErrorKind::Engine,
            format!("it is a {}, not a sink", self.kind()),
        ))
    }
}

/// A running instance of a component.
#[async_trait]
pub trait Guest: Send {
    /// Hands a batch to the guest; an empty one is a wake-up. After an error for which
    /// [`CallError::guest_is_lost`] holds, the guest must be dropped.
    ///
    /// # Errors
    /// The guest declined, trapped or left its bounds; its state writes are discarded.
    async fn call(&mut self, now: Timestamp, samples: &Columns) -> Result<Reply, CallError>;

    /// Bytes of linear memory that the guest holds now.
    fn memory_bytes(&self) -> usize;
}

/// Why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {message}")]
pub struct LoadError {
    /// The file.
    pub file: String,
    /// What kind of refusal.
    pub kind: LoadErrorKind,
    /// What happened and what to do.
    pub message: String,
}

/// Kinds of refusal at load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadErrorKind {
    /// Could not be read.
    Unreadable,
    /// Larger than the host takes.
    TooLarge,
    /// Not WebAssembly, cut off or damaged.
    Malformed,
    /// A core module, not a component.
    NotAComponent,
    /// Imports something that plugins may not have.
    ForbiddenImport,
    /// Neither a rule nor a function nor a sink, or of a contract that this host does not speak.
    WrongContract,
    /// Took too long to compile.
    TooSlow,
    /// `describe` failed or gave nonsense.
    BadDescription,
}

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// What kind of failure.
    pub kind: CallErrorKind,
    /// What happened and what to do.
    pub message: String,
}

impl CallError {
    /// A failure with its sentence.
    #[must_use]
    pub fn new(kind: CallErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// Whether the guest may not be called again.
    #[must_use]
    pub const fn guest_is_lost(&self) -> bool {
        !matches!(self.kind, CallErrorKind::Declined)
    }
}

/// Kinds of failed calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallErrorKind {
    /// The guest answered with a failure; it lives on.
    Declined,
    /// Out of time, also while it waited in a host call.
    TimeOut,
    /// Out of memory, table or stack.
    OutOfBounds,
    /// A trap of its own.
    Trap,
    /// An answer that is too large or makes no sense.
    BadAnswer,
    /// The engine itself could not make the guest.
    Engine,
}
