//! Bounds of the desk that are not settings, and how messages share the outbox.

use std::time::Duration;

use andon_model::Priority;

/// How long finished rows of an occurrence that is over are remembered, so that late receipts and
/// late replies are understood. Providers hold a message for ten hours at most in practice.
pub(crate) const REMEMBER: Duration = Duration::from_secs(48 * 60 * 60);
/// How long to wait before looking again at an occurrence that still has owed rows.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(60 * 60);
/// Beyond so many rows the oldest occurrences that are over are forgotten early.
pub(crate) const ROWS_MAX: usize = 400_000;

/// Receipts that came before the result of their send; beyond it the oldest is given up.
pub(crate) const EARLY_RECEIPTS_MAX: usize = 1_000;
/// How long such a receipt is kept.
pub(crate) const EARLY_RECEIPT_AGE: Duration = Duration::from_secs(10 * 60);

/// The window over which answers and strangers are counted.
pub(crate) const REPLY_WINDOW: Duration = Duration::from_secs(10 * 60);
/// Answers to one number in a window; beyond it replies still count and are not answered.
pub(crate) const ANSWERS_MAX: usize = 10;
/// Of these, answers to what was not understood: two machines that answer each other end here.
pub(crate) const PUZZLED_ANSWERS_MAX: usize = 2;
/// Journal lines about strangers in a window; one more line says that there are more.
pub(crate) const STRANGER_LINES_MAX: usize = 60;
/// How long an answer or a test message is worth sending.
pub(crate) const ANSWER_EXPIRY: Duration = Duration::from_secs(10 * 60);

/// Room beyond the bound for the host's own alarms, which say that the outbox is full.
const HOST_ROOM: usize = 1_000;

/// How many messages may be owed for a new one of this priority to be taken: the less it matters,
/// the earlier it is refused, so that a flood of low alarms never keeps a critical one out.
pub(crate) const fn owed_ceiling(owed_max: usize, priority: Priority, by_host: bool) -> usize {
    if by_host {
        return owed_max + HOST_ROOM;
    }
    let percent = match priority {
        Priority::Diagnostic | Priority::Low => 80,
        Priority::Medium => 90,
        Priority::High => 95,
        Priority::Critical => 100,
    };
    owed_max * percent / 100
}

/// The alarm about a full outbox ends below so many owed messages.
pub(crate) const fn owed_relief(owed_max: usize) -> usize {
    owed_max * 70 / 100
}
