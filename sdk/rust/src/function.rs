//! A function: samples in, derived values out.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{About, Failure, FunctionCall, Start};

/// Computes tags from tags. Export it with [`crate::export_function!`].
pub trait Function: Sized + 'static {
    /// What the settings can set; see [`crate::Rule::Parameters`].
    type Parameters: DeserializeOwned + JsonSchema;

    /// Who the function is, with the outputs that it gives.
    fn about() -> About;

    /// Makes the function from its parameters; see [`crate::Rule::configure`].
    ///
    /// # Errors
    /// Why the parameters or the inputs do not fit; the host shows it to the person who wrote them.
    fn configure(parameters: Self::Parameters, start: &Start<'_>) -> Result<Self, Failure>;

    /// Computes from new samples, or at a wake-up without any. The outputs are tags like any other:
    /// set the ones that changed, and say their quality when the inputs are not good.
    ///
    /// # Errors
    /// A failure counts as a strike against the instance; its state writes are discarded.
    fn compute(&mut self, call: &mut FunctionCall<'_>) -> Result<(), Failure>;
}
