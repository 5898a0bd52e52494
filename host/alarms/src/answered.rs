//! What a person is answered who asks something of an alarm.

use andon_model::{AlarmEvent, AlarmRecord};

/// What came of a person's wish for one alarm; an answer, never an error.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// It is so now.
    Done(Box<AlarmEvent>),
    /// It was so before, for instance since somebody was faster; the record says by whom. Nothing
    /// changed.
    Already(Box<AlarmRecord>),
    /// The occurrence is over, or was a message that needs no answer. Nothing changed.
    Over {
        /// As it ended.
        record: Box<AlarmRecord>,
        /// The same condition stands again under a newer occurrence.
        again: Option<Box<AlarmRecord>>,
    },
    /// Nothing of that name stands or ended lately.
    Unknown,
}
