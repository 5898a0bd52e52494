//! Version 0.1 of the contract.

mod bindings;
mod convert;
mod deliver;
mod imports;

use andon_model::{Columns, Limits, Notification, Output, PluginKind, Timestamp};
use wasmtime::Store;
use wasmtime::component::{Component, HasSelf, Instance, InstancePre, Linker};

use crate::component::Declined;
use crate::host::Host;

use super::{Answer, SinkAnswer};
use bindings::exports::andon::plugin::{function, plugin, rule, sink};

/// Links the four host interfaces.
pub(super) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    bindings::EveryPlugin::add_to_linker::<Host, HasSelf<Host>>(linker, |host| host)
}

/// Links what a sink may have.
pub(super) fn add_sink_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    bindings::andon::plugin::types::add_to_linker::<_, HasSelf<Host>>(linker, |host| host)?;
    bindings::andon::plugin::log::add_to_linker::<_, HasSelf<Host>>(linker, |host| host)
}

/// A linked component with the places of its exports.
pub(crate) struct Prepared {
    component: InstancePre<Host>,
    plugin: plugin::GuestIndices,
    logic: LogicIndices,
}

enum LogicIndices {
    Rule(rule::GuestIndices),
    Function(function::GuestIndices),
    Sink(sink::GuestIndices),
}

impl Prepared {
    pub(super) fn new(
        linker: &Linker<Host>,
        component: &Component,
        kind: PluginKind,
    ) -> wasmtime::Result<Self> {
        let component = linker.instantiate_pre(component)?;
        Ok(Self {
            plugin: plugin::GuestIndices::new(&component)?,
            logic: match kind {
                PluginKind::Rule => LogicIndices::Rule(rule::GuestIndices::new(&component)?),
                PluginKind::Function => {
                    LogicIndices::Function(function::GuestIndices::new(&component)?)
                }
                PluginKind::Sink => LogicIndices::Sink(sink::GuestIndices::new(&component)?),
            },
            component,
        })
    }

    pub(super) async fn instantiate(&self, store: &mut Store<Host>) -> wasmtime::Result<Instance> {
        self.component.instantiate_async(store).await
    }

    pub(super) fn exports(
        &self,
        store: &mut Store<Host>,
        instance: &Instance,
    ) -> wasmtime::Result<Exports> {
        Ok(Exports {
            plugin: self.plugin.load(&mut *store, instance)?,
            logic: match &self.logic {
                LogicIndices::Rule(indices) => Logic::Rule(indices.load(store, instance)?),
                LogicIndices::Function(indices) => Logic::Function(indices.load(store, instance)?),
                LogicIndices::Sink(indices) => Logic::Sink(indices.load(store, instance)?),
            },
        })
    }
}

/// The exports of one instance.
pub(crate) struct Exports {
    plugin: plugin::Guest,
    logic: Logic,
}

enum Logic {
    Rule(rule::Guest),
    Function(function::Guest),
    Sink(sink::Guest),
}

impl Exports {
    pub(super) fn function(&self) -> &'static str {
        match self.logic {
            Logic::Rule(_) => "evaluate",
            Logic::Function(_) => "compute",
            Logic::Sink(_) => "deliver",
        }
    }

    pub(super) async fn describe(&self, store: &mut Store<Host>) -> wasmtime::Result<String> {
        self.plugin.call_describe(store).await
    }

    pub(super) async fn configure(
        &self,
        store: &mut Store<Host>,
        configuration: &str,
    ) -> wasmtime::Result<Result<(), Declined>> {
        let answer = self.plugin.call_configure(store, configuration).await?;
        Ok(answer.map_err(convert::declined))
    }

    pub(super) async fn call(
        &self,
        store: &mut Store<Host>,
        now: Timestamp,
        samples: &Columns,
        limits: &Limits,
        outputs: usize,
    ) -> wasmtime::Result<Answer> {
        let samples = convert::lend(samples);
        match &self.logic {
            Logic::Rule(rule) => {
                let answer = rule.call_evaluate(store, now.nanos(), samples).await?;
                Ok(settle(answer, |actions| {
                    convert::actions(actions, limits).map(Output::Actions)
                }))
            }
            Logic::Function(function) => {
                let answer = function.call_compute(store, now.nanos(), samples).await?;
                Ok(settle(answer, |samples| {
                    convert::samples(samples, now, limits, outputs).map(Output::Samples)
                }))
            }
            Logic::Sink(_) => Ok(Answer::Nonsense("takes no samples".to_owned())),
        }
    }

    pub(super) async fn deliver(
        &self,
        store: &mut Store<Host>,
        now: Timestamp,
        notification: &Notification,
        limits: &Limits,
    ) -> wasmtime::Result<SinkAnswer> {
        let Logic::Sink(sink) = &self.logic else {
            return Ok(SinkAnswer::NotASink);
        };
        let notification = deliver::lend(notification);
        let answer = sink.call_deliver(store, now.nanos(), notification).await?;
        Ok(SinkAnswer::Delivered(deliver::delivered(answer, limits)))
    }
}

fn settle<T>(
    answer: Result<T, bindings::andon::plugin::types::Failure>,
    convert: impl FnOnce(T) -> Result<Output, String>,
) -> Answer {
    match answer.map(convert) {
        Ok(Ok(output)) => Answer::Output(output),
        Ok(Err(nonsense)) => Answer::Nonsense(nonsense),
        Err(failure) => Answer::Declined(convert::declined(failure)),
    }
}
