//! Settings: from text to a checked plan, with every problem at once.
//!
//! Three steps, three functions. *Parse* keeps where each value stands ([`Document`]). *Check*
//! compares the tree with the JSON Schema of the settings types, resolves secrets, and lets each
//! stage check its own part; all problems come back together, each with file, line and hint.
//! *Build* belongs to the stages; nothing after the check validates again.
//!
//! This crate knows the settings types of the stages and nothing of what they do with them.

mod document;
mod foreign_schema;
mod instance;
mod load;
mod nearest;
mod problem;
mod reference;
mod salvage;
mod schema;
mod secrets;
mod settings;

pub use document::Document;
pub use instance::{
    InstanceDefaults, InstanceFile, InstanceSettings, LimitSettings, TagChoice, check_parameters,
};
pub use load::{Plan, load};
pub use problem::Problem;
pub use reference::reference_page;
pub use schema::SchemaCheck;
pub use secrets::Surroundings;
pub use settings::{
    AlarmSettings, HostSettings, JournalSettings, LogForm, RecordingSettings, Settings,
};
