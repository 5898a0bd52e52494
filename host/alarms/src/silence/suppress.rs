//! Suppression by design: the settings silence an alarm that stands, and let it speak again.
//!
//! What holds for a raise is decided at the raise; this is for alarms that stand already.

use andon_model::{AlarmEvent, AlarmId, Reason, Suppression, Timestamp, Transition, Why};

use crate::book::AlarmBook;
use crate::silence::re_entered;

impl AlarmBook {
    /// Suppresses the alarm of a condition, or no longer. The end recomputes the state: if the
    /// condition holds and nothing else silences it, the event carries a record in B that calls
    /// for people.
    ///
    /// Answers nothing if no alarm of the condition stands or it is just so already.
    pub fn set_suppressed(
        &mut self,
        now: Timestamp,
        id: &AlarmId,
        suppression: Option<Suppression>,
    ) -> Option<AlarmEvent> {
        let occurrence = self.standing.find(id)?;
        let record = self.standing.get_mut(occurrence)?;
        if record.flags.suppressed == suppression {
            return None;
        }
        let was_silenced = record.is_silenced();
        let before = std::mem::replace(&mut record.flags.suppressed, suppression);
        let (transition, why) = match (&record.flags.suppressed, before) {
            (Some(suppression), _) => (
                Transition::Suppressed,
                Why::new(
                    Reason::Suppressed,
                    format!("suppressed by {}: {}", suppression.by, suppression.reason),
                ),
            ),
            (None, before) => {
                let by = before.map_or_else(String::new, |before| format!(" {}", before.by));
                (
                    Transition::Unsuppressed,
                    Why::new(
                        Reason::SuppressionOver,
                        format!("what suppressed it{by} no longer holds"),
                    ),
                )
            }
        };
        let event = re_entered(record, was_silenced, now, transition, why);
        self.time_re_alarm(occurrence);
        Some(event)
    }
}
