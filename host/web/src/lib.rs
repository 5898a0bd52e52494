//! HTTP around the host: the API, health, metrics and a status page for all who may, and a
//! control socket for the commands of the same machine.
//!
//! Two kinds of doors. The *public* ones (`[host] listen`, loopback unless settings say otherwise,
//! and `[api] listen`) serve the API below `/api/v1`; whoever uses it shows a password or a token
//! and has a role, and each change is journalled with who asked. The *control* one is a Unix
//! socket in the data folder that only the host's user may open; `andon ack`, `inject` and the
//! others speak through it without a password, and tokens are made there alone.
//!
//! This crate knows no stage: what it shows and asks goes through the traits [`Host`] and
//! [`Books`].

mod access;
mod api;
mod books;
mod check;
mod control;
mod door;
mod life;
mod metrics;
mod on_call;
mod page;
mod public;
mod settings;
mod tls;
mod view;

pub use access::{Access, HashError, TokenRecord, hash_password};
pub use books::{
    Books, ContactView, DeliveryQuestion, JournalLine, JournalQuestion, PAGE_MAX, Page, Story,
    TagQuestion,
};
pub use check::{ApiPlan, check};
pub use control::{
    AlarmWish, Blame, Command, ControlError, Refusal, TokenCommand, Wish, ask, serve_control,
};
pub use door::{Speech, serve_public};
pub use life::{LifeOrder, LifeRequest};
pub use metrics::Metrics;
pub use on_call::{ComingView, DutyView, OnCallView};
pub use settings::{ApiSettings, MetricsAccess, PlainHttp, Role, TlsSettings, UserSettings};
pub use view::{
    AlarmView, DeliveryView, DeviceView, Host, Overview, PluginView, ShadowView, SinkView, TagView,
};
