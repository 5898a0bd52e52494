//! Write Andon rules, functions and sinks in Rust.
//!
//! A rule is a struct with typed parameters. It gets samples in its `evaluate`, and answers by
//! [`raise`](Call::raise), [`clear`](Call::clear) and [`notify`](Call::notify). A function gets
//! samples in its `compute`, and answers with the values of its outputs. Columns, JSON and the
//! component's exports stay hidden behind [`export_rule!`] and [`export_function!`]. A [`Sink`] reaches
//! people in a way that the host lacks; [`export_sink!`] exports it.
//!
//! ```
//! use andon_plugin::prelude::*;
//!
//! /// Parameters of the rule.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Parameters {
//!     /// Highest level that is still in order, in the unit of the tag.
//!     high: f64,
//! }
//!
//! struct TankLevel {
//!     parameters: Parameters,
//! }
//!
//! impl Rule for TankLevel {
//!     type Parameters = Parameters;
//!
//!     fn about() -> About {
//!         About::new("tank-level", "1.0.0", "Tells when a tank is too full.")
//!             .input(InputPort::number("level").many().default_tags("*.level"))
//!     }
//!
//!     fn configure(parameters: Parameters, _start: &Start<'_>) -> Result<Self, Failure> {
//!         Ok(Self { parameters })
//!     }
//!
//!     fn evaluate(&mut self, call: &mut Call<'_>) -> Result<(), Failure> {
//!         for sample in call.samples() {
//!             let key = format!("{}.high", sample.tag());
//!             if sample.value > self.parameters.high {
//!                 let message = format!("{} is at {}", sample.tag(), sample.reading());
//!                 call.raise(key, Priority::High, message);
//!             } else {
//!                 call.clear(key);
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! export_rule!(TankLevel);
//!
//! // The same rule, run natively by a test:
//! let mut bench = RuleBench::<TankLevel>::new(json!({ "high": 80.0 }))
//!     .input("level", "tank1.level")
//!     .start()
//!     .unwrap();
//! bench.set("tank1.level", 81.0);
//! assert_eq!(bench.lines(), ["raise tank1.level.high high: tank1.level is at 81"]);
//! ```

mod about;
mod action;
#[cfg(not(target_family = "wasm"))]
mod bench;
mod call;
mod condition;
mod conditions;
mod configuration;
mod duration;
mod export;
mod failure;
mod function;
pub mod guest;
mod http;
mod http_date;
mod message;
mod reading;
mod rule;
mod samples;
mod sink;
#[cfg(not(target_family = "wasm"))]
mod sink_bench;
mod time;

pub use about::{About, InputPort, OutputPort, PortType};
pub use action::{Action, Alarm, Priority};
#[cfg(not(target_family = "wasm"))]
pub use bench::{FunctionBench, OutputSample, RuleBench};
pub use call::{Actions, Call, FunctionCall, Host, LogLevel, Output, Outputs, Start, State};
pub use condition::{Condition, Delays, Edge, Edges, Verdict};
pub use conditions::Conditions;
pub use duration::DurationText;
pub use failure::Failure;
pub use function::Function;
pub use http::{HttpError, Request, Response, Web};
pub use message::MessageTemplate;
pub use reading::Reading;
pub use rule::Rule;
pub use samples::{Columns, Input, Inputs, KeptSample, Quality, Sample, Samples, ValueType};
pub use sink::{Notification, Occasion, Receipt, Setback, Sink, Undelivered};
#[cfg(not(target_family = "wasm"))]
pub use sink_bench::SinkBench;
pub use time::Timestamp;

/// What a plugin's source needs, in one line.
pub mod prelude {
    pub use crate::{
        About, Action, Alarm, Call, Condition, Conditions, Delays, DurationText, Edge, Failure,
        Function, FunctionCall, HttpError, Input, InputPort, Inputs, LogLevel, MessageTemplate,
        Notification, Occasion, Output, OutputPort, PortType, Priority, Quality, Reading, Receipt,
        Request, Response, Rule, Sample, Samples, Setback, Sink, Start, State, Timestamp,
        Undelivered, ValueType, Verdict, Web, export_function, export_rule, export_sink,
    };
    #[cfg(not(target_family = "wasm"))]
    pub use crate::{FunctionBench, OutputSample, RuleBench, SinkBench};
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
    pub use serde_json::json;
    pub use std::time::Duration;
}

/// The example of the README is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
