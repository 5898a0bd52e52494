//! `andon send-test`: a message through a contact's real channels.

use andon_model::{
    Channel, Delivery, DeliveryKind, OccurrenceId, Priority, Reason, Timestamp, Why,
};

use crate::check::nearest;
use crate::desk::{Decision, Desk, NewDelivery, new_delivery};
use crate::journal;
use crate::limits::ANSWER_EXPIRY;

/// Which channels of the contact are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestScope {
    /// As an alarm would go: the first channel, the next one when it fails.
    AsAlarm,
    /// One message by each channel, without failover.
    EachChannel,
}

/// Why no test message was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TestError {
    /// Nobody has this name.
    #[error("there is no contact named `{name}`{}", hint.as_ref().map(|h| format!(" ({h})")).unwrap_or_default())]
    UnknownContact {
        /// The name that was asked for.
        name: String,
        /// The nearest known name, where one is near.
        hint: Option<String>,
    },
}

impl Desk {
    /// Owes a test message to a contact. `fresh` is an occurrence number that nothing else has, so
    /// that `andon explain` can tell what became of it.
    ///
    /// # Errors
    /// Nobody has this name; the error names the nearest known one.
    pub fn test_message(
        &mut self,
        contact: &str,
        scope: TestScope,
        fresh: OccurrenceId,
        now: Timestamp,
    ) -> Result<Decision, TestError> {
        let mut out = self.begin(now);
        let plan = std::sync::Arc::clone(&self.plan);
        let Some(person) = plan.person(contact) else {
            return Err(TestError::UnknownContact {
                name: contact.to_owned(),
                hint: nearest(contact, plan.people().map(|person| &*person.name)),
            });
        };
        let lists: Vec<Vec<Channel>> = match scope {
            TestScope::AsAlarm => vec![person.channels.clone()],
            TestScope::EachChannel => person.channels.iter().map(|c| vec![c.clone()]).collect(),
        };
        for channels in lists {
            let Some(channel) = channels.first().cloned() else {
                continue;
            };
            let text = format!(
                "TEST Andon can reach {} by {}. Nothing to do",
                person.display_name, channel.sink
            );
            let detail = format!("somebody asked for a test message to {contact} by {channel}");
            let row = Delivery {
                test: true,
                ..new_delivery(NewDelivery {
                    occurrence: fresh,
                    kind: DeliveryKind::Test,
                    step: 0,
                    contact,
                    channel,
                    channels,
                    priority: Priority::High,
                    text,
                    why: Why::new(Reason::Test, detail),
                    created_at: now,
                    expires_at: now.plus(ANSWER_EXPIRY),
                })
            };
            out.journal
                .push(journal::of_delivery(&row, "queued", row.why.clone(), now));
            self.owe(row, false, now, &mut out);
        }
        Ok(out)
    }
}
