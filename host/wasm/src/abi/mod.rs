//! The versions of the contract that this host speaks, one folder each.
//!
//! A new version is added beside `v0_1`: its bindings, its host functions, its conversion into the
//! nouns of the model, and one more case in each `match` here. Nothing outside this module knows
//! which version a guest was built for.

mod v0_1;

use andon_model::{Columns, Delivered, Limits, Notification, Output, PluginKind, Timestamp};
use wasmtime::Store;
use wasmtime::component::{Component, Instance, Linker};

use crate::component::Declined;
use crate::host::Host;

/// The versions, for people.
pub(crate) const SPOKEN: &str = "0.1";

/// Interfaces that the host provides, of any version.
pub(crate) const HOST_INTERFACES: [&str; 5] = ["types", "tags", "state", "timer", "log"];

/// Those of them that a sink may have.
pub(crate) const SINK_INTERFACES: [&str; 2] = ["types", "log"];

/// A version of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contract {
    V0_1,
}

/// The contract that serves a version, if there is one: `0.1.x` are all one contract.
pub(crate) fn spoken(version: &str) -> Option<Contract> {
    let mut parts = version.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("0"), Some("1"), Some(_)) => Some(Contract::V0_1),
        _ => None,
    }
}

/// Links the host interfaces of all versions.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    v0_1::add_to_linker(linker)
}

/// Links the host interfaces that a sink may have, of all versions.
pub(crate) fn add_sink_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    v0_1::add_sink_to_linker(linker)
}

/// A component that is linked and whose exports are found.
pub(crate) enum Prepared {
    V0_1(v0_1::Prepared),
}

impl Prepared {
    /// Links the component and looks up the exports of its kind.
    pub(crate) fn new(
        linker: &Linker<Host>,
        component: &Component,
        contract: Contract,
        kind: PluginKind,
    ) -> wasmtime::Result<Self> {
        match contract {
            Contract::V0_1 => v0_1::Prepared::new(linker, component, kind).map(Self::V0_1),
        }
    }

    /// Makes an instance in the store; its start functions run.
    pub(crate) async fn instantiate(&self, store: &mut Store<Host>) -> wasmtime::Result<Instance> {
        match self {
            Self::V0_1(prepared) => prepared.instantiate(store).await,
        }
    }

    /// Finds the exports of an instance and checks their types.
    pub(crate) fn exports(
        &self,
        store: &mut Store<Host>,
        instance: &Instance,
    ) -> wasmtime::Result<Exports> {
        match self {
            Self::V0_1(prepared) => prepared.exports(store, instance).map(Exports::V0_1),
        }
    }
}

/// What a guest exports.
pub(crate) enum Exports {
    V0_1(v0_1::Exports),
}

/// What a call came to.
#[derive(Debug)]
pub(crate) enum Answer {
    /// An answer within the bounds.
    Output(Output),
    /// The guest declined.
    Declined(Declined),
    /// An answer that makes no sense; the rest of the sentence after the function's name.
    Nonsense(String),
}

/// What a message came to.
#[derive(Debug)]
pub(crate) enum SinkAnswer {
    /// The sink answered.
    Delivered(Delivered),
    /// The component is a rule or a function.
    NotASink,
}

impl Exports {
    /// The function that samples are handed to, as the contract names it.
    pub(crate) fn function(&self) -> &'static str {
        match self {
            Self::V0_1(exports) => exports.function(),
        }
    }

    /// Asks for the JSON that describes the component.
    pub(crate) async fn describe(&self, store: &mut Store<Host>) -> wasmtime::Result<String> {
        match self {
            Self::V0_1(exports) => exports.describe(store).await,
        }
    }

    /// Hands over the configuration.
    pub(crate) async fn configure(
        &self,
        store: &mut Store<Host>,
        configuration: &str,
    ) -> wasmtime::Result<Result<(), Declined>> {
        match self {
            Self::V0_1(exports) => exports.configure(store, configuration).await,
        }
    }

    /// Hands over samples and checks the answer. A function may name that many `outputs`.
    pub(crate) async fn call(
        &self,
        store: &mut Store<Host>,
        now: Timestamp,
        samples: &Columns,
        limits: &Limits,
        outputs: usize,
    ) -> wasmtime::Result<Answer> {
        match self {
            Self::V0_1(exports) => exports.call(store, now, samples, limits, outputs).await,
        }
    }

    /// Hands a message over.
    pub(crate) async fn deliver(
        &self,
        store: &mut Store<Host>,
        now: Timestamp,
        notification: &Notification,
        limits: &Limits,
    ) -> wasmtime::Result<SinkAnswer> {
        match self {
            Self::V0_1(exports) => exports.deliver(store, now, notification, limits).await,
        }
    }
}
