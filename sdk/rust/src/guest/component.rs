//! The component's side of the contract: bindings, and the conversions between them and the SDK's
//! own types. Built for WebAssembly only.

use std::cell::RefCell;
use std::sync::Once;

use super::Instance;
use crate::{
    Action, Alarm, Columns, Failure, Function, Host, KeptSample, LogLevel, Outputs, Priority,
    Quality, Rule, Timestamp,
};

use plugin_world::andon::plugin::{log, state, tags, timer, types};

// The contract's two worlds share the export `plugin`, and two sets of bindings in one crate may not:
// the names of their macros would be the same. So each export has a world of its own here, and the
// linker joins those that a component uses into the contract's world.

#[allow(
    missing_docs,
    reason = "generated; the contract's own file documents it"
)]
#[allow(unreachable_pub, unused_qualifications, reason = "generated")]
#[allow(clippy::all, reason = "generated")]
/// Bindings of all imports and of the export `plugin`.
pub mod plugin_world {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package andon:sdk-plugin;
            world plugin-part {
                import andon:plugin/tags@0.1.0;
                import andon:plugin/state@0.1.0;
                import andon:plugin/timer@0.1.0;
                import andon:plugin/log@0.1.0;
                export andon:plugin/plugin@0.1.0;
            }
        ",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_plugin_part",
    });
}

#[allow(
    missing_docs,
    reason = "generated; the contract's own file documents it"
)]
#[allow(unreachable_pub, unused_qualifications, reason = "generated")]
#[allow(clippy::all, reason = "generated")]
/// Bindings of the export `rule`.
pub mod rule_world {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package andon:sdk-rule;
            world rule-part {
                export andon:plugin/rule@0.1.0;
            }
        ",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_rule_part",
        with: {
            "andon:plugin/types@0.1.0": crate::guest::component::plugin_world::andon::plugin::types,
        },
    });
}

#[allow(
    missing_docs,
    reason = "generated; the contract's own file documents it"
)]
#[allow(unreachable_pub, unused_qualifications, reason = "generated")]
#[allow(clippy::all, reason = "generated")]
/// Bindings of the export `function`.
pub mod function_world {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package andon:sdk-function;
            world function-part {
                export andon:plugin/function@0.1.0;
            }
        ",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_function_part",
        with: {
            "andon:plugin/types@0.1.0": crate::guest::component::plugin_world::andon::plugin::types,
        },
    });
}

/// An action as the bindings carry it.
pub type WitAction = types::Action;
/// Samples as the bindings carry them.
pub type WitSamples = types::Samples;
/// A failure as the bindings carry it.
pub type WitFailure = types::Failure;

/// The place of the configured plugin. A component runs one call at a time.
pub struct Slot<T>(RefCell<Option<Instance<T>>>);

impl<T> Slot<T> {
    /// A place with nothing in it.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }

    fn with<A>(
        &self,
        work: impl FnOnce(&mut Instance<T>) -> Result<A, Failure>,
    ) -> Result<A, WitFailure> {
        match self.0.borrow_mut().as_mut() {
            Some(instance) => work(instance).map_err(WitFailure::from),
            None => Err(Failure::new(
                "not-configured",
                "the plugin was called before it was configured",
            )
            .into()),
        }
    }
}

impl<R: Rule> Slot<R> {
    /// Answers `configure`.
    ///
    /// # Errors
    /// The rule declines.
    pub fn configure_rule(&self, json: &str) -> Result<(), WitFailure> {
        report_panics();
        let instance = Instance::rule(json, &Imports)?;
        *self.0.borrow_mut() = Some(instance);
        Ok(())
    }

    /// Answers `evaluate`.
    ///
    /// # Errors
    /// The rule declines.
    pub fn evaluate(
        &self,
        now: i64,
        samples: &WitSamples,
    ) -> Result<Vec<types::Action>, WitFailure> {
        let now = Timestamp::from_nanos(now);
        let actions = self.with(|rule| rule.evaluate(now, columns(samples), &Imports))?;
        Ok(actions.into_iter().map(types::Action::from).collect())
    }
}

impl<F: Function> Slot<F> {
    /// Answers `configure`.
    ///
    /// # Errors
    /// The function declines.
    pub fn configure_function(&self, json: &str) -> Result<(), WitFailure> {
        report_panics();
        let instance = Instance::function(json, &Imports)?;
        *self.0.borrow_mut() = Some(instance);
        Ok(())
    }

    /// Answers `compute`.
    ///
    /// # Errors
    /// The function declines.
    pub fn compute(&self, now: i64, samples: &WitSamples) -> Result<WitSamples, WitFailure> {
        let now = Timestamp::from_nanos(now);
        let Outputs {
            output,
            value,
            quality,
            time,
        } = self.with(|function| function.compute(now, columns(samples), &Imports))?;
        Ok(WitSamples {
            input: output,
            value,
            quality,
            time,
        })
    }
}

/// A panic ends in a trap without words: its message goes to the log before.
pub(super) fn report_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            log::write(log::Level::Error, &info.to_string());
        }));
    });
}

fn columns(samples: &WitSamples) -> Columns<'_> {
    Columns {
        input: &samples.input,
        value: &samples.value,
        quality: &samples.quality,
        time: &samples.time,
    }
}

/// The host, by the component's imports.
struct Imports;

impl Host for Imports {
    fn text(&self, input: u32) -> Option<String> {
        tags::text(input)
    }

    fn window(&self, input: u32, since: Timestamp) -> Vec<KeptSample> {
        let kept = tags::window(input, since.nanos());
        kept.value
            .into_iter()
            .zip(kept.quality)
            .zip(kept.time)
            .map(|((value, quality), time)| KeptSample {
                value,
                quality: Quality(quality),
                time: Timestamp::from_nanos(time),
            })
            .collect()
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        state::get(key)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Failure> {
        state::set(key, value).map_err(|refused| Failure {
            code: refused.code,
            message: refused.message,
            attributes: refused.attributes,
        })
    }

    fn delete(&self, key: &str) {
        state::delete(key);
    }

    fn wake_at(&self, time: Timestamp) {
        timer::wake_at(time.nanos());
    }

    fn log(&self, level: LogLevel, message: &str) {
        let level = match level {
            LogLevel::Debug => log::Level::Debug,
            LogLevel::Info => log::Level::Info,
            LogLevel::Warn => log::Level::Warn,
            LogLevel::Error => log::Level::Error,
        };
        log::write(level, message);
    }
}

impl From<Failure> for WitFailure {
    fn from(failure: Failure) -> Self {
        Self {
            code: failure.code,
            message: failure.message,
            attributes: failure.attributes,
        }
    }
}

impl From<Action> for types::Action {
    fn from(action: Action) -> Self {
        match action {
            Action::Raise(alarm) => Self::Raise(alarm.into()),
            Action::Clear(key) => Self::Clear(key),
            Action::Notify(alarm) => Self::Notify(alarm.into()),
        }
    }
}

impl From<Alarm> for types::Alarm {
    fn from(alarm: Alarm) -> Self {
        Self {
            key: alarm.key,
            priority: match alarm.priority {
                Priority::Diagnostic => types::Priority::Diagnostic,
                Priority::Low => types::Priority::Low,
                Priority::Medium => types::Priority::Medium,
                Priority::High => types::Priority::High,
                Priority::Critical => types::Priority::Critical,
            },
            message: alarm.message,
            attributes: alarm.attributes,
        }
    }
}
