//! Ways out: one folder a channel, all with the same files, and the courier that hands them
//! deliveries.
//!
//! A sink turns one [`andon_model::Delivery`] into one [`andon_model::Outcome`]; it never decides
//! about retries, failover or people. Decisions about an outcome are pure and live in the courier.

mod build;
pub mod component;
pub mod courier;
mod health;
mod label;
mod request;
mod sink;
pub mod smpp;
pub mod text;
mod tls;
pub mod twilio;

pub use build::{BuildError, SINKS_MAX, SinkSettings, build, check};
pub use component::ComponentSink;
pub use sink::{EventSender, LookUp, Sink};
