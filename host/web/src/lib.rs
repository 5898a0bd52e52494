//! HTTP around the host: health, metrics and a status page for all who may reach the port, and a
//! control socket for the commands of the same machine.
//!
//! Two doors. The *public* one (`[host] listen`, loopback unless settings say otherwise) only
//! shows; nothing can be changed through it. The *control* one is a Unix socket in the data
//! folder that only the host's user may open; `andon ack`, `inject` and the others speak through
//! it. So no password is needed and none can leak.
//!
//! This crate knows no stage: what it shows and asks goes through the trait [`Host`].

mod control;
mod life;
mod metrics;
mod page;
mod public;
mod view;

pub use control::{Command, ControlError, Refusal, ask, serve_control};
pub use life::LifeOrder;
pub use metrics::Metrics;
pub use public::serve_public;
pub use view::{
    AlarmView, DeliveryView, DeviceView, Host, Overview, PluginView, ShadowView, SinkView, TagView,
};
