//! How long a changed plugin runs beside the old one before it may take its place.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a shadow was promised when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ShadowTerms {
    /// How long it is compared; `None` until somebody decides.
    pub run_for: Option<Duration>,
    /// What becomes of it after that time.
    pub end: ShadowEnd,
}

/// What becomes of a shadow when its time is over.
///
/// A shadow that is struck as often as its limits allow is refused at once, whatever is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ShadowEnd {
    /// It takes over if no call failed and nothing differed, not even in time; else it is refused.
    #[default]
    PromoteIfSame,
    /// It takes over if no call failed, whatever differed; else it is refused.
    PromoteIfSound,
    /// It goes on beside the old one until `andon plugin promote` or `andon plugin refuse`.
    Wait,
}

impl ShadowEnd {
    /// The word as settings write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::PromoteIfSame => "promote-if-same",
            Self::PromoteIfSound => "promote-if-sound",
            Self::Wait => "wait",
        }
    }
}

impl fmt::Display for ShadowEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
