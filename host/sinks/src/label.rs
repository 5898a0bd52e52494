//! The name of a sink or account in front of a reason, so that people see whose reason it is.

use andon_model::{Outcome, Why};

/// The reason with the name in front.
pub(crate) fn labelled(label: &str, why: Why) -> Why {
    Why::new(why.reason, format!("{label}: {}", why.detail))
}

/// What came of a message, with the name in front of its reason.
pub(crate) fn labelled_outcome(label: &str, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Retry { after, why } => Outcome::Retry {
            after,
            why: labelled(label, why),
        },
        Outcome::Dead { why } => Outcome::Dead {
            why: labelled(label, why),
        },
        Outcome::SinkFailed { why } => Outcome::SinkFailed {
            why: labelled(label, why),
        },
        Outcome::Unknown { why } => Outcome::Unknown {
            why: labelled(label, why),
        },
        Outcome::Sent { .. } | Outcome::Expired { .. } => outcome,
    }
}
