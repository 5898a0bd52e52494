//! A configured sink, for the component's exports and for tests alike.

use crate::configuration::Configuration;
use crate::{Failure, Notification, Receipt, Sink, Undelivered, Web};

/// A configured sink.
pub struct SinkInstance<S>(S);

impl<S: Sink> SinkInstance<S> {
    /// Answers `configure`.
    ///
    /// # Errors
    /// The parameters do not fit.
    pub fn start(json: &str) -> Result<Self, Failure> {
        let configuration = Configuration::read(json, &S::about())?;
        S::configure(configuration.parameters).map(Self)
    }

    /// Answers `deliver`.
    ///
    /// # Errors
    /// It was not delivered.
    pub fn deliver(
        &mut self,
        notification: &Notification,
        web: &dyn Web,
    ) -> Result<Receipt, Undelivered> {
        self.0.deliver(notification, web)
    }
}

/// Answers `describe` of a sink.
#[must_use]
pub fn describe_sink<S: Sink>() -> String {
    S::about().describe::<S::Parameters>()
}
