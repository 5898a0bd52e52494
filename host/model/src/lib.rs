//! The nouns that every stage of Andon shares, and the glossary of its words.
//!
//! One word stands for one thing everywhere: settings key, type, log field, WIT.
//! Everything here is plain data and the few traits by which stages meet.
//! No I/O, no clock, no runtime: `now` is always an argument.
//!
//! Glossary, in the order of the path of a sample:
//!
//! | word | meaning |
//! |---|---|
//! | tag | a named value of the plant, read from a device or computed by a function |
//! | sample | one value of one tag with its OPC quality and time |
//! | batch | the samples that one read changed; it goes through all stages at once |
//! | component | a compiled `.wasm` file |
//! | instance | a component bound to inputs and parameters; a *rule* or a *function* |
//! | shadow | a changed instance that runs beside the old one: compared, never sent |
//! | action | what a rule asks for: raise, clear, notify |
//! | alarm | a condition that needs a person, with its ISA-18.2 state |
//! | silenced | shelved, suppressed by design or out of service (E, F, G): watched, not told |
//! | occurrence | one stay of an alarm away from normal; has a number and a short code |
//! | contact | a person, with ordered channels |
//! | route | which contacts are told of which alarms |
//! | delivery | one message owed to one contact by one channel: a row of the outbox |
//! | sink | a configured way out (an SMSC, a Twilio account, a *sink component*); a channel names a sink and an address |
//! | notification | what a sink component sees of a delivery: one address and its text |
//! | why | the reason that travels with each decision |

mod action;
mod alarm;
mod batch;
mod clock;
mod columns;
mod commit;
mod delivery;
mod duration;
mod finding;
mod labels;
mod people;
mod plugin;
mod priority;
mod quality;
mod secret;
mod shadow;
mod silence;
mod sink;
mod sink_component;
mod tag;
mod time;
mod why;

pub use action::{Action, AlarmRequest};
pub use alarm::{
    Acknowledgement, AlarmEvent, AlarmId, AlarmRecord, AlarmState, OccurrenceId, ShortCode,
    Transition,
};
pub use batch::{Origin, SampleBatch};
pub use clock::{Clock, ManualClock};
pub use columns::Columns;
pub use commit::{Commit, JournalEntry, JournalKind, Stage, StageRow, StateChange, TimerChange};
pub use delivery::{Delivery, DeliveryId, DeliveryKind, DeliveryState};
pub use duration::DurationText;
pub use finding::{Finding, Severity};
pub use labels::Labels;
pub use people::{Channel, PhoneNumber, PhoneNumberError};
pub use plugin::{
    BoundInput, BoundOutput, CallError, CallErrorKind, Component, Description, Guest, History,
    InputPort, InstancePlan, Limits, LoadError, LoadErrorKind, Loader, OnDown, Output, OutputPort,
    PluginKind, PortType, Reply, Setup, Started, StateMap,
};
pub use priority::{Priority, UnknownPriority};
pub use quality::Quality;
pub use secret::Secret;
pub use shadow::{ShadowEnd, ShadowTerms};
pub use silence::{AlarmFlags, Mark, OutOfService, Shelving, ShelvingKind, Suppression, Taken};
pub use sink::{Incoming, Outcome, Receipt, ReceiptStatus, SinkEvent};
pub use sink_component::{
    Delivered, HttpClient, HttpError, HttpRequest, HttpResponse, Notification, Setback, SinkGuest,
    SinkSetup,
};
pub use tag::{Tag, TagId, TagTable, ValueType};
pub use time::Timestamp;
pub use why::{Reason, Why};
