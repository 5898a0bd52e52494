//! Messages that wait for the end of quiet hours.
//!
//! Such a row is owed and held: its `after` names the quiet hours of the contact, and `next_at` is
//! their end. At that moment one message goes out as it is; several go out as one digest, and each
//! of them ends as the digest does. An alert whose alarm was answered meanwhile is not sent at all.
//! Nothing of this needs a row beside the deliveries themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_model::{
    Delivery, DeliveryId, DeliveryKind, DeliveryState, Priority, Reason, Timestamp, Why,
};

use super::{Decision, Desk, NewDelivery, Owed, new_delivery};
use crate::failover::is_follow_up;
use crate::journal;
use crate::ledger::may_have_left;
use crate::text;

/// What a row waits for while its contact has quiet hours.
fn quiet_hours(contact: &str) -> DeliveryId {
    DeliveryId::waits_for(&format!("quiet/{contact}"))
}

/// What a row waits for that goes out as part of this digest.
fn digest(id: &DeliveryId) -> DeliveryId {
    DeliveryId::waits_for(&format!("digest/{id}"))
}

/// The digest that a row waits for, where it waits for one.
pub(crate) fn holding_digest(wait: &DeliveryId) -> Option<DeliveryId> {
    let id = wait.as_str().strip_prefix("waits/digest/")?;
    Some(DeliveryId::from_stored(id))
}

/// Whether a row waits for quiet hours to end.
pub(crate) fn is_quiet(row: &Delivery) -> bool {
    row.is_held() && row.after.as_ref() == Some(&quiet_hours(&row.contact))
}

impl Desk {
    /// Until when a message of this priority to this contact has to wait.
    pub(crate) fn quiet_until(
        &self,
        contact: &str,
        priority: Priority,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.plan.person(contact)?.quiet.until(priority, now)
    }

    /// Makes a new row wait if its contact has quiet hours; answers why it does.
    pub(crate) fn hold(&self, row: &mut Delivery, now: Timestamp) -> Option<Why> {
        match row.kind {
            DeliveryKind::Answer | DeliveryKind::Test => return None,
            DeliveryKind::Alert
            | DeliveryKind::Resolved
            | DeliveryKind::Digest
            | DeliveryKind::Reminder
            | DeliveryKind::Notice => {}
        }
        let end = self.quiet_until(&row.contact, row.priority, now)?;
        let contact = &row.contact;
        let why = Why::new(
            Reason::QuietHours,
            format!("{contact} has quiet hours until {end}, so this waits"),
        );
        row.after = Some(quiet_hours(contact));
        row.next_at = end;
        row.expires_at = end.plus(self.plan.expire_after.of(row.priority));
        row.why = why.clone();
        Some(why)
    }

    /// Sends what waited for quiet hours that are over.
    pub(crate) fn release_quiet(&mut self, now: Timestamp, out: &mut Decision) {
        let mut ready: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
        for id in self.ledger.quiet_until(now) {
            let Some(row) = self.ledger.get(&id).cloned() else {
                continue;
            };
            match self.quiet_until(&row.contact, row.priority, now) {
                Some(next_at) => self.keep(Delivery { next_at, ..row }, now, out),
                None => ready.entry(row.contact.clone()).or_default().push(row),
            }
        }
        for (contact, mut rows) in ready {
            rows.sort_by_key(|row| (row.created_at, row.id.clone()));
            let (ready, early): (Vec<Delivery>, Vec<Delivery>) = rows
                .into_iter()
                .partition(|row| !is_follow_up(row.kind) || self.was_told(row));
            for row in early {
                self.release_behind_its_alert(row, now, out);
            }
            match ready.len() {
                0 => {}
                1 => self.release(ready, now, out),
                _ => self.release_as_one(&contact, ready, now, out),
            }
        }
    }

    /// What follows an alert that has not left yet goes on waiting, for that.
    fn release_behind_its_alert(&mut self, mut row: Delivery, now: Timestamp, out: &mut Decision) {
        let alert = self.ledger.of(row.occurrence).find(|other| {
            other.kind == DeliveryKind::Alert
                && other.contact == row.contact
                && other.state.is_owed()
        });
        match alert.map(|alert| alert.id.clone()) {
            Some(id) => {
                row.after = Some(id);
                row.next_at = now;
                self.keep(row, now, out);
            }
            None => self.withhold(row, now, out),
        }
    }

    /// Whether the contact of this row was told of its occurrence, or may have been.
    pub(crate) fn was_told(&self, row: &Delivery) -> bool {
        self.ledger.of(row.occurrence).any(|other| {
            other.kind == DeliveryKind::Alert
                && other.contact == row.contact
                && may_have_left(other)
        })
    }

    fn release(&mut self, rows: Vec<Delivery>, now: Timestamp, out: &mut Decision) {
        for mut row in rows {
            row.after = None;
            row.next_at = now;
            let detail = format!("the quiet hours of {} are over", row.contact);
            row.why = Why::new(Reason::QuietHours, detail);
            out.journal
                .push(journal::of_delivery(&row, "queued", row.why.clone(), now));
            self.keep(row, now, out);
        }
    }

    fn release_as_one(
        &mut self,
        contact: &str,
        rows: Vec<Delivery>,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let plan = Arc::clone(&self.plan);
        let first = rows.iter().max_by_key(|row| {
            let age = std::cmp::Reverse((row.created_at, row.occurrence));
            (row.priority, age)
        });
        let Some(first) = first else { return };
        let detail = format!(
            "the quiet hours of {contact} are over, and {} messages waited",
            rows.len()
        );
        let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
        let row = new_delivery(NewDelivery {
            occurrence: first.occurrence,
            kind: DeliveryKind::Digest,
            step: self.next_digest(first),
            contact,
            channel: first.channel.clone(),
            channels: first.channels.clone(),
            priority: first.priority,
            text: text::digest(&texts, plan.text_chars_max),
            why: Why::new(Reason::QuietHours, detail),
            created_at: now,
            expires_at: now.plus(plan.expire_after.of(first.priority)),
        });
        let row = Delivery {
            channel_index: first.channel_index,
            test: rows.iter().all(|row| row.test),
            ..row
        };
        out.journal
            .push(journal::of_delivery(&row, "queued", row.why.clone(), now));
        let id = row.id.clone();
        for mut member in rows {
            member.after = Some(digest(&id));
            member.next_at = now;
            member.why = Why::new(Reason::InDigest, format!("goes out as part of digest {id}"));
            let why = member.why.clone();
            out.journal
                .push(journal::of_delivery(&member, "in digest", why, now));
            self.keep(member, now, out);
        }
        if self.owe(row, false, now, out) == Owed::Refused {
            self.settle_members(&id, now, out);
        }
    }

    /// Digests of one contact under one occurrence are numbered.
    fn next_digest(&self, first: &Delivery) -> u32 {
        let rows = self.ledger.of(first.occurrence);
        let digests = rows
            .filter(|row| row.kind == DeliveryKind::Digest && row.contact == first.contact)
            .map(|row| row.step.saturating_add(1));
        digests.max().unwrap_or(0)
    }

    /// Ends the messages of a digest as the digest itself ended; they wait on while another channel
    /// is tried.
    pub(crate) fn settle_members(&mut self, id: &DeliveryId, now: Timestamp, out: &mut Decision) {
        for held in self.ledger.waiting_for(&digest(id)) {
            let Some(mut row) = self.ledger.get(&held).cloned() else {
                continue;
            };
            let Some(whole) = self.ledger.get(id) else {
                // Nothing is known of the digest any more, so it goes out by itself.
                self.release(vec![row], now, out);
                continue;
            };
            let siblings = || self.ledger.siblings(whole);
            if siblings().any(may_have_left) {
                row.state = DeliveryState::Sent {
                    provider_ids: Vec::new(),
                };
                row.after = None;
                row.why = Why::new(Reason::InDigest, format!("told as part of digest {id}"));
            } else if let Some(next) = siblings().find(|other| other.state.is_owed()) {
                let after = digest(&next.id);
                if row.after.as_ref() == Some(&after) {
                    continue;
                }
                row.after = Some(after);
            } else {
                row.state = DeliveryState::Failed;
                row.after = None;
                let detail = format!("digest {id} did not reach {}", row.contact);
                row.why = Why::new(Reason::ChannelsExhausted, detail);
            }
            if !row.state.is_owed() {
                let why = row.why.clone();
                let line = journal::of_delivery(&row, row.state.word(), why, now);
                out.journal.push(line);
            }
            self.keep(row, now, out);
        }
    }

    /// Takes back alerts that still wait: somebody answered, or the alarm was silenced.
    pub(crate) fn withdraw(
        &mut self,
        occurrence: andon_model::OccurrenceId,
        why: &Why,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let rows = self.ledger.of(occurrence);
        let waiting: Vec<Delivery> = rows
            .filter(|row| row.kind == DeliveryKind::Alert && is_quiet(row))
            .cloned()
            .collect();
        for mut row in waiting {
            row.state = DeliveryState::Failed;
            row.after = None;
            let detail = format!("{why}, before the quiet hours of {} were over", row.contact);
            row.why = Why::new(why.reason, detail);
            let line = journal::of_delivery(&row, "withdrawn", row.why.clone(), now);
            out.journal.push(line);
            self.keep(row, now, out);
        }
    }

    /// Gives alerts that still wait other words, because the condition is over.
    pub(crate) fn reword(
        &mut self,
        occurrence: andon_model::OccurrenceId,
        text: &str,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let rows = self.ledger.of(occurrence);
        let waiting: Vec<Delivery> = rows
            .filter(|row| row.kind == DeliveryKind::Alert && is_quiet(row))
            .cloned()
            .collect();
        for row in waiting {
            let text = text.to_owned();
            self.keep(Delivery { text, ..row }, now, out);
        }
    }
}
