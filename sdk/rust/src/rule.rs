//! A rule: samples in, actions out.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{About, Call, Failure, Start};

/// Decides from samples what is wrong. Export it with [`crate::export_rule!`].
pub trait Rule: Sized + 'static {
    /// What the settings can set. Derive `Deserialize` and `JsonSchema`, refuse unknown fields with
    /// `#[serde(deny_unknown_fields)]`, and write a doc comment on each field: people who configure
    /// the rule read it. Use `()` for a rule without parameters.
    type Parameters: DeserializeOwned + JsonSchema;

    /// Who the rule is. The host asks once, when it loads the file.
    fn about() -> About;

    /// Makes the rule from its parameters. Called once per instance: at start, after a change of its
    /// settings or of the file, and after a trap. What must survive those lives in
    /// [`Start::state`].
    ///
    /// # Errors
    /// Why the parameters or the inputs do not fit; the host shows it to the person who wrote them.
    fn configure(parameters: Self::Parameters, start: &Start<'_>) -> Result<Self, Failure>;

    /// Judges new samples. Called for each batch in which an input changed, and without samples at
    /// a wake-up that was asked for. Bounded in time: the host ends a call that takes too long.
    ///
    /// # Errors
    /// A failure counts as a strike against the instance; its state writes are discarded. A value
    /// that is merely bad is no failure.
    fn evaluate(&mut self, call: &mut Call<'_>) -> Result<(), Failure>;
}
