//! What a rule asks of the host.

use crate::Priority;

/// One thing that a rule asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// The condition holds. Raising a raised key updates it and alerts nobody again.
    Raise(AlarmRequest),
    /// The condition with this key no longer holds.
    Clear(String),
    /// Tell people once; nothing stays active.
    Notify(AlarmRequest),
}

/// The condition that a rule names.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmRequest {
    /// Names the condition within the rule's instance: `tank1.level.high`.
    pub key: String,
    /// How soon somebody must act.
    pub priority: Priority,
    /// What a person reads, complete in itself: what, where, how much.
    pub message: String,
    /// Become labels of the alarm; the labels in the instance's settings win.
    pub attributes: Vec<(String, String)>,
}
