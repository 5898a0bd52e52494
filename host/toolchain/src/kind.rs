//! What a new project is: a rule, a function or a sink.

use std::fmt;

/// What a new project is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProjectKind {
    /// Says what is wrong.
    #[default]
    Rule,
    /// Computes values that are tags like any other.
    Function,
    /// Reaches people in a way that the host lacks.
    Sink,
}

impl ProjectKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Rule, Self::Function, Self::Sink];

    /// The folder of a language that holds such a project. Every language has the first one.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Rule => "template",
            Self::Function => "function",
            Self::Sink => "sink",
        }
    }
}

impl fmt::Display for ProjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rule => "rule",
            Self::Function => "function",
            Self::Sink => "sink",
        })
    }
}
