//! The glue between the component's exports and an author's [`Rule`] or [`Function`]. The export
//! macros use it; authors need nothing of it.

use crate::configuration::Configuration;
use crate::{
    About, Action, Call, Columns, Failure, Function, Host, Inputs, Outputs, Rule, Start, Timestamp,
};

/// A configured plugin with its inputs.
pub struct Instance<T> {
    plugin: T,
    inputs: Inputs,
}

impl<R: Rule> Instance<R> {
    /// Answers `configure` of a rule.
    ///
    /// # Errors
    /// The parameters or the inputs do not fit.
    pub fn rule(json: &str, host: &dyn Host) -> Result<Self, Failure> {
        start(json, &R::about(), host, R::configure)
    }

    /// Answers `evaluate`.
    ///
    /// # Errors
    /// The rule declines.
    pub fn evaluate(
        &mut self,
        now: Timestamp,
        columns: Columns<'_>,
        host: &dyn Host,
    ) -> Result<Vec<Action>, Failure> {
        let mut call = Call::new(now, columns, &self.inputs, host);
        self.plugin.evaluate(&mut call)?;
        Ok(call.finish().into_list())
    }
}

impl<F: Function> Instance<F> {
    /// Answers `configure` of a function.
    ///
    /// # Errors
    /// The parameters or the inputs do not fit.
    pub fn function(json: &str, host: &dyn Host) -> Result<Self, Failure> {
        start(json, &F::about(), host, F::configure)
    }

    /// Answers `compute`.
    ///
    /// # Errors
    /// The function declines.
    pub fn compute(
        &mut self,
        now: Timestamp,
        columns: Columns<'_>,
        host: &dyn Host,
    ) -> Result<Outputs, Failure> {
        let mut call = Call::new(now, columns, &self.inputs, host);
        self.plugin.compute(&mut call)?;
        Ok(call.finish())
    }
}

fn start<T, P: serde::de::DeserializeOwned + schemars::JsonSchema>(
    json: &str,
    about: &About,
    host: &dyn Host,
    configure: impl FnOnce(P, &Start<'_>) -> Result<T, Failure>,
) -> Result<Instance<T>, Failure> {
    let Configuration {
        instance,
        parameters,
        inputs,
    } = Configuration::read(json, about)?;
    let start = Start {
        instance: &instance,
        inputs: &inputs,
        host,
    };
    let plugin = configure(parameters, &start)?;
    Ok(Instance { plugin, inputs })
}

/// Answers `describe` of a rule.
#[must_use]
pub fn describe_rule<R: Rule>() -> String {
    R::about().describe::<R::Parameters>()
}

/// Answers `describe` of a function.
#[must_use]
pub fn describe_function<F: Function>() -> String {
    F::about().describe::<F::Parameters>()
}

mod sink;
pub use sink::{SinkInstance, describe_sink};

#[cfg(target_family = "wasm")]
mod component;
#[cfg(target_family = "wasm")]
pub use component::{
    Slot, WitAction, WitFailure, WitSamples, function_world, plugin_world, rule_world,
};
#[cfg(target_family = "wasm")]
mod sink_component;
#[cfg(target_family = "wasm")]
pub use sink_component::{SinkSlot, WitNotification, WitReceipt, WitUndelivered, sink_world};
