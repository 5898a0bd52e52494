//! Why a plugin declines.

use std::fmt;

/// Why a plugin declines; shown to the person who configured it, so the message says what is
/// wrong, with what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A stable word for machines: `bad-parameter`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// More, for machines.
    pub attributes: Vec<(String, String)>,
}

impl Failure {
    /// A failure with its code and its sentence.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            attributes: Vec::new(),
        }
    }

    /// A parameter that reads well but makes no sense:
    /// ``parameter `deadband` is -1: it must be zero or more``.
    #[must_use]
    pub fn parameter(name: &str, value: impl fmt::Display, must: &str) -> Self {
        let mut failure = Self::new(
            "bad-parameter",
            format!("parameter `{name}` is {value}: it must be {must}"),
        );
        failure
            .attributes
            .push(("parameter".into(), name.to_owned()));
        failure
    }

    /// The inputs that the settings bind are not those that the plugin can work with.
    #[must_use]
    pub fn inputs(message: impl Into<String>) -> Self {
        Self::new("bad-inputs", message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for Failure {}
