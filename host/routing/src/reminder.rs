//! Reminders: something that a contact left open comes to its end.

use andon_model::{Delivery, DeliveryKind, OccurrenceId, Priority, Reason, Timestamp, Why};

use crate::desk::{Decision, Desk, NewDelivery, new_delivery};
use crate::journal;
use crate::limits::ANSWER_EXPIRY;
use crate::text;

/// What a contact is to be reminded of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminding<'a> {
    /// Name of who left it open.
    pub contact: &'a str,
    /// The alarm, as journal lines name it.
    pub subject: &'a str,
    /// What a person reads.
    pub text: &'a str,
    /// How urgent it is.
    pub priority: Priority,
}

impl Desk {
    /// Owes a reminder to a contact. `fresh` gives an occurrence number that nothing else has; it
    /// is called once, and only if there is such a contact.
    ///
    /// Whoever works at the command line alone is no contact, so nobody is reminded; the caller
    /// has the line of the journal already.
    pub fn remind(
        &mut self,
        reminding: &Reminding<'_>,
        fresh: impl FnOnce() -> OccurrenceId,
        now: Timestamp,
    ) -> Decision {
        let mut out = self.begin(now);
        let plan = std::sync::Arc::clone(&self.plan);
        let Some(person) = plan.person(reminding.contact) else {
            return out;
        };
        let Some(channel) = person.channels.first().cloned() else {
            return out;
        };
        let detail = format!(
            "{} left {} open and is reminded, by {channel}",
            reminding.contact, reminding.subject
        );
        let row: Delivery = new_delivery(NewDelivery {
            occurrence: fresh(),
            kind: DeliveryKind::Reminder,
            step: 0,
            contact: reminding.contact,
            channel,
            channels: person.channels.clone(),
            priority: reminding.priority,
            text: text::framed("REMINDER ", reminding.text, "", plan.text_chars_max),
            why: Why::new(Reason::OperatorAsked, detail),
            created_at: now,
            expires_at: now.plus(ANSWER_EXPIRY),
        });
        out.journal
            .push(journal::of_delivery(&row, "queued", row.why.clone(), now));
        self.owe(row, false, now, &mut out);
        out
    }
}
