//! What a settled try means: told, tried again, next channel, or out of channels.
//!
//! ```text
//! channel 0 fails ─▶ channel 1 ─▶ … ─▶ last channel fails
//!                                        │ some failed only for the time being: that row is
//!                                        │ opened again after `retry_round`, or when its provider
//!                                        │ wants it, the soonest first, until it expires
//!                                        ▼ all are dead, or it would expire first
//!                          channels exhausted: the host's alarm "contact not reached"
//! ```
//! One channel of a debt is under way at a time, so a contact is not told twice while a provider
//! still tries.

use andon_model::{
    Action, Delivery, DeliveryId, DeliveryKind, DeliveryState, Reason, Timestamp, Why,
};

use crate::desk::{Decision, Desk, NewDelivery, holding_digest, new_delivery};
use crate::journal;
use crate::ledger::{is_final, may_have_left};
use crate::unreached::Reached;

/// What follows after a channel was given up.
enum Next {
    /// Another row of the debt is under way or has left: nothing to do.
    UnderWay,
    /// A channel that was not tried yet, by its place in the list.
    Fresh(u32),
    /// A channel that failed for the time being, and when it is tried again.
    Again(DeliveryId, Timestamp),
    /// None is left.
    Exhausted(String),
}

impl Desk {
    /// A row after the courier settled a try, or marked it as going out. Called for each such step
    /// before it is committed; the row itself is part of the decision.
    ///
    /// `failover` says that the courier gives this channel up; a row that it left queued then
    /// counts as failed for the time being. A step backwards (a late answer about a row that is
    /// settled already) is journalled and changes nothing, except that a message which a provider
    /// took after all counts as sent.
    pub fn on_settled(&mut self, row: Delivery, failover: bool, now: Timestamp) -> Decision {
        let mut out = self.begin(now);
        let known = self.ledger.get(&row.id).map(|known| known.state.clone());
        let gave_up = matches!(known, Some(DeliveryState::Failed | DeliveryState::Expired));
        if gave_up && matches!(row.state, DeliveryState::Sent { .. }) {
            self.taken_after_all(row, now, &mut out);
            return out;
        }
        if known.is_some_and(|known| is_final(&known) || rank(&row.state) < rank(&known)) {
            let why = row.why.clone();
            out.journal
                .push(journal::of_delivery(&row, "late result ignored", why, now));
            return out;
        }
        match row.state {
            DeliveryState::Queued | DeliveryState::Failed if failover => {
                self.give_up(row, now, &mut out);
            }
            DeliveryState::Queued => {
                let why = row.why.clone();
                out.journal
                    .push(journal::of_delivery(&row, "retry", why, now));
                self.keep(row, now, &mut out);
            }
            DeliveryState::Sending => self.keep(row, now, &mut out),
            DeliveryState::Sent { .. } => self.left(row, now, &mut out),
            DeliveryState::Delivered => self.arrived(row, now, &mut out),
            DeliveryState::Failed | DeliveryState::Expired => {
                let detail = row.why.to_string();
                self.end_unreached(row, &detail, now, &mut out);
            }
        }
        out
    }

    /// A provider took a message whose channel was given up meanwhile: what was to go out in its
    /// place and has not yet is ended, and an end that was withheld is owed after all.
    fn taken_after_all(&mut self, row: Delivery, now: Timestamp, out: &mut Decision) {
        let untried = |other: &Delivery| {
            other.state == DeliveryState::Queued && !other.repeat && other.id != row.id
        };
        let replaced: Vec<Delivery> = self
            .ledger
            .siblings(&row)
            .filter(|other| untried(other))
            .cloned()
            .collect();
        let withheld: Vec<Delivery> = self
            .ledger
            .of(row.occurrence)
            .filter(|other| row.kind == DeliveryKind::Alert && other.contact == row.contact)
            .filter(|other| is_follow_up(other.kind) && other.why.reason == Reason::NeverTold)
            .cloned()
            .collect();
        let channel = row.channel.to_string();
        self.left(row, now, out);
        for mut other in replaced {
            other.state = DeliveryState::Failed;
            other.why = Why::new(Reason::WasTold, format!("{channel} took it after all"));
            out.journal.push(journal::of_delivery(
                &other,
                "failed",
                other.why.clone(),
                now,
            ));
            let id = other.id.clone();
            self.keep(other, now, out);
            self.recheck_waiting(&id, now, out);
        }
        for mut other in withheld {
            other.state = DeliveryState::Queued;
            other.next_at = now;
            other.why = Why::new(
                Reason::WasTold,
                format!("{channel} took the alert after all, so its end is told"),
            );
            self.keep(other, now, out);
        }
    }

    fn left(&mut self, row: Delivery, now: Timestamp, out: &mut Decision) {
        let mut line = journal::of_delivery(&row, "sent", row.why.clone(), now);
        let mut early = Vec::new();
        if let DeliveryState::Sent { provider_ids } = &row.state {
            if let Some(data) = line.data.as_object_mut() {
                data.insert("provider_ids".to_owned(), provider_ids.as_slice().into());
            }
            early = self.early.take(&row.channel.sink, provider_ids);
            if provider_ids.is_empty() {
                // No receipt will come; that is as far as anybody knows of this one.
                self.delivered(&row, now, out);
            }
        }
        out.journal.push(line);
        let id = row.id.clone();
        self.reached(&row, Reached::Taken, out);
        self.keep(row, now, out);
        self.recheck_waiting(&id, now, out);
        for (sink, receipt) in early {
            self.apply_receipt(&sink, &receipt, now, out);
        }
    }

    /// The provider says that it arrived.
    pub(crate) fn arrived(&mut self, row: Delivery, now: Timestamp, out: &mut Decision) {
        out.journal.push(journal::of_delivery(
            &row,
            "delivered",
            row.why.clone(),
            now,
        ));
        let id = row.id.clone();
        self.reached(&row, Reached::Arrived, out);
        self.delivered(&row, now, out);
        self.keep(row, now, out);
        self.recheck_waiting(&id, now, out);
    }

    fn reached(&mut self, row: &Delivery, how: Reached, out: &mut Decision) {
        if self.unreached.reached(&row.contact, how) {
            let key = crate::unreached::key(&row.contact);
            out.host.push(Action::Clear(key));
        }
    }

    /// Ends a row whose channel is given up and finds what follows.
    pub(crate) fn give_up(&mut self, mut row: Delivery, now: Timestamp, out: &mut Decision) {
        row.state = DeliveryState::Failed;
        if row.why.reason == Reason::SinkRemoved {
            self.learn_channels(&mut row);
        }
        let next = match self.next_channel(&row, now) {
            Next::Exhausted(detail) => return self.end_unreached(row, &detail, now, out),
            next @ (Next::UnderWay | Next::Fresh(_) | Next::Again(..)) => next,
        };
        out.journal
            .push(journal::of_delivery(&row, "failed", row.why.clone(), now));
        self.keep(row.clone(), now, out);
        match next {
            Next::Fresh(index) => self.open_fresh(&row, index, now, out),
            Next::Again(id, at) => self.open_again(&row, &id, at, now, out),
            Next::UnderWay | Next::Exhausted(_) => {}
        }
        // Only now: what waits for this row waits for the one that took its place.
        self.recheck_waiting(&row.id, now, out);
    }

    /// The settings that took a sink away may have given the person another way, which the row
    /// cannot know of: it is older.
    fn learn_channels(&self, row: &mut Delivery) {
        let person = self.plan.person(&row.contact);
        for channel in person.iter().flat_map(|person| &person.channels) {
            if !row.channels.contains(channel) {
                row.channels.push(channel.clone());
            }
        }
    }

    fn next_channel(&self, row: &Delivery, now: Timestamp) -> Next {
        let mut others = self.ledger.siblings(row).filter(|other| other.id != row.id);
        let under_way = others.any(|other| other.state.is_owed() || other.state.has_left());
        if under_way || self.end_was_told(row) {
            return Next::UnderWay;
        }
        if now >= row.expires_at {
            return Next::Exhausted(format!("{}; it is too old for another channel", row.why));
        }
        let mut soonest: Option<(Timestamp, &Delivery)> = None;
        let count = row.channels.len();
        let start = usize::try_from(row.channel_index).unwrap_or(0) + 1;
        for offset in 0..count {
            let index = (start + offset) % count;
            let Some(channel) = row.channels.get(index) else {
                continue;
            };
            let tried = self
                .ledger
                .siblings(row)
                .find(|other| other.channel == *channel)
                .map(|other| if other.id == row.id { row } else { other });
            let own = row.channel == *channel;
            match tried.or(own.then_some(row)) {
                None => return Next::Fresh(u32::try_from(index).unwrap_or(u32::MAX)),
                Some(other) if other.state == DeliveryState::Failed && !is_dead(other) => {
                    // A channel whose provider asked for a long pause keeps no other one waiting.
                    let at = other.next_at.max(now.plus(self.plan.retry_round));
                    if soonest.is_none_or(|(best, _)| at < best) {
                        soonest = Some((at, other));
                    }
                }
                Some(_) => {}
            }
        }
        match soonest {
            Some((at, other)) if at < row.expires_at => Next::Again(other.id.clone(), at),
            Some(_) => Next::Exhausted(format!("{}; it would be too old at the next try", row.why)),
            None => Next::Exhausted(row.why.to_string()),
        }
    }

    /// Whether the contact already heard that the alarm of this alert is over: then the alert
    /// itself would only confuse.
    fn end_was_told(&self, row: &Delivery) -> bool {
        row.kind == DeliveryKind::Alert
            && self.ledger.of(row.occurrence).any(|other| {
                other.kind == DeliveryKind::Resolved
                    && other.contact == row.contact
                    && may_have_left(other)
            })
    }

    fn open_fresh(&mut self, failed: &Delivery, index: u32, now: Timestamp, out: &mut Decision) {
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        let Some(channel) = failed.channels.get(place).cloned() else {
            return;
        };
        let detail = format!(
            "{} failed ({}), so by {channel}",
            failed.channel, failed.why
        );
        let row = Delivery {
            channel_index: index,
            code: failed.code.clone(),
            repeat: failed.repeat,
            test: failed.test,
            ..new_delivery(NewDelivery {
                occurrence: failed.occurrence,
                kind: failed.kind,
                step: failed.step,
                contact: &failed.contact,
                channel,
                channels: failed.channels.clone(),
                priority: failed.priority,
                text: failed.text.clone(),
                why: Why::new(Reason::Failover, detail),
                created_at: now,
                expires_at: failed.expires_at,
            })
        };
        self.under_way(failed, row, now, out);
    }

    fn open_again(
        &mut self,
        failed: &Delivery,
        id: &DeliveryId,
        at: Timestamp,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let Some(mut row) = self.ledger.get(id).cloned() else {
            return;
        };
        let detail = format!(
            "{} failed ({}), so {} is tried again",
            failed.channel, failed.why, row.channel
        );
        row.state = DeliveryState::Queued;
        row.next_at = at;
        row.repeat |= failed.repeat;
        row.why = Why::new(Reason::Failover, detail);
        self.under_way(failed, row, now, out);
    }

    fn under_way(&mut self, failed: &Delivery, row: Delivery, now: Timestamp, out: &mut Decision) {
        out.journal
            .push(journal::of_delivery(&row, "failover", row.why.clone(), now));
        let next = row.id.clone();
        self.keep(row, now, out);
        if failed.kind == DeliveryKind::Alert {
            self.hold_resolved(failed, &next, now, out);
        }
    }

    /// What follows an alert and has not left yet waits for the one that goes out in place of a
    /// failed one. What waits for quiet hours comes later anyway.
    fn hold_resolved(
        &mut self,
        failed: &Delivery,
        next: &DeliveryId,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let rows = self.ledger.of(failed.occurrence);
        let waiting: Vec<Delivery> = rows
            .filter(|row| {
                is_follow_up(row.kind)
                    && row.contact == failed.contact
                    && row.state == DeliveryState::Queued
                    && row.after.as_ref() != Some(next)
                    && !row.is_held()
            })
            .cloned()
            .collect();
        for mut row in waiting {
            row.after = Some(next.clone());
            self.keep(row, now, out);
        }
    }

    /// Ends a row after which nothing follows: the contact is not reached by this debt.
    fn end_unreached(
        &mut self,
        mut row: Delivery,
        detail: &str,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let reason = row.why.reason;
        let event = row.state.word();
        if row.state == DeliveryState::Failed {
            let detail = format!(
                "every channel of {} failed; last {}: {detail}",
                row.contact, row.channel
            );
            row.why = Why::new(Reason::ChannelsExhausted, detail);
        }
        out.journal
            .push(journal::of_delivery(&row, event, row.why.clone(), now));
        // An end that still waits says nothing about the contact; its alert does.
        let waited = row.after.take().is_some();
        let told = match row.kind {
            DeliveryKind::Alert
            | DeliveryKind::Resolved
            | DeliveryKind::Notice
            | DeliveryKind::Digest => !waited,
            DeliveryKind::Answer | DeliveryKind::Test | DeliveryKind::Reminder => false,
        };
        let elsewhere = self
            .ledger
            .siblings(&row)
            .any(|other| other.id != row.id && (other.state.is_owed() || other.state.has_left()));
        if told && !elsewhere && self.ledger.about(row.occurrence).is_none() {
            let why = Why::new(reason, row.why.to_string());
            let alarm = self.unreached.note(&row, &why);
            out.host.push(Action::Raise(alarm));
        }
        let id = row.id.clone();
        self.keep(row, now, out);
        self.recheck_waiting(&id, now, out);
    }

    fn recheck_waiting(&mut self, id: &DeliveryId, now: Timestamp, out: &mut Decision) {
        for held in self.ledger.waiting_for(id) {
            self.recheck_held(&held, now, out);
        }
        self.settle_members(id, now, out);
    }

    /// Looks whether a row still has to wait: for the debt that it follows, not for one channel of
    /// it. Released when that has left or may have, ended when it never will.
    pub(crate) fn recheck_held(&mut self, held: &DeliveryId, now: Timestamp, out: &mut Decision) {
        let Some(mut row) = self.ledger.get(held).cloned() else {
            return;
        };
        let Some(after) = row.after.clone() else {
            return;
        };
        if let Some(digest) = holding_digest(&after) {
            return self.settle_members(&digest, now, out);
        }
        if after.is_wait() {
            return;
        }
        let mut owed = None;
        let mut left = true;
        if let Some(first) = self.ledger.get(&after) {
            owed = self
                .ledger
                .siblings(first)
                .find(|other| other.state.is_owed())
                .map(|other| other.id.clone());
            // An earlier telling counts as well.
            left = self.was_told(&row);
        }
        match owed {
            Some(owed) if owed == after => {}
            Some(owed) => {
                row.after = Some(owed);
                self.keep(row, now, out);
            }
            None if left => {
                row.after = None;
                row.next_at = row.next_at.max(now);
                self.keep(row, now, out);
            }
            None => self.withhold(row, now, out),
        }
    }
}

/// Whether it is told only to those who were told before.
pub(crate) const fn is_follow_up(kind: DeliveryKind) -> bool {
    matches!(kind, DeliveryKind::Resolved | DeliveryKind::Notice)
}

/// Whether trying the same channel again is pointless.
const fn is_dead(row: &Delivery) -> bool {
    matches!(
        row.why.reason,
        Reason::MessageRefused
            | Reason::RecipientRefused
            | Reason::ReceiptFailed
            | Reason::SinkRemoved
            | Reason::ChannelsExhausted
            | Reason::LimitReached
            | Reason::NeverTold
            | Reason::Expired
    )
}

/// How far a row has come; owed rows go back and forth between queued and sending.
const fn rank(state: &DeliveryState) -> u8 {
    match state {
        DeliveryState::Queued | DeliveryState::Sending => 1,
        DeliveryState::Sent { .. } => 2,
        DeliveryState::Delivered | DeliveryState::Failed | DeliveryState::Expired => 3,
    }
}
