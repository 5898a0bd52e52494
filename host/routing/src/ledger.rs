//! The ledger: deliveries that are not over, and those by which a later step knows who was told.
//!
//! Rows are found by id, by occurrence, by provider's id, and by the row that they wait for.
//! A *case* is all rows of one occurrence. It is forgotten 48 h after the occurrence is over, and
//! never while a row of it is owed.

use std::collections::{BTreeSet, HashMap};

use andon_model::{Delivery, DeliveryId, DeliveryKind, DeliveryState, OccurrenceId, Timestamp};

use crate::desk::is_quiet;
use crate::limits::{LOOK_AGAIN, REMEMBER, ROWS_MAX};

/// All rows that matter still.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rows: HashMap<DeliveryId, Delivery>,
    cases: HashMap<OccurrenceId, Case>,
    by_provider: HashMap<String, HashMap<String, DeliveryId>>,
    waiting: HashMap<DeliveryId, Vec<DeliveryId>>,
    forget: BTreeSet<(Timestamp, OccurrenceId)>,
    /// Rows that wait for quiet hours, by when to look at them.
    quiet: BTreeSet<(Timestamp, DeliveryId)>,
    owed: usize,
}

/// The rows of one occurrence.
#[derive(Debug, Default)]
struct Case {
    rows: Vec<DeliveryId>,
    /// Sink and provider's id of everything that was sent.
    provider_ids: Vec<(String, String)>,
    standing: bool,
    /// The alarm says that this contact cannot be reached.
    about: Option<String>,
    forget_at: Option<Timestamp>,
}

impl Ledger {
    /// Opens a case for an alarm that stands; a case that is there stays and stands.
    pub(crate) fn open(&mut self, occurrence: OccurrenceId, about: Option<&str>) {
        let case = self.cases.entry(occurrence).or_default();
        case.standing = true;
        case.about = about.map(str::to_owned);
        if let Some(at) = case.forget_at.take() {
            self.forget.remove(&(at, occurrence));
        }
    }

    /// The occurrence is over; its rows are remembered for a while.
    pub(crate) fn close(&mut self, occurrence: OccurrenceId, now: Timestamp) {
        if let Some(case) = self.cases.get_mut(&occurrence) {
            case.standing = false;
            if case.forget_at.is_none() {
                let at = now.plus(REMEMBER);
                case.forget_at = Some(at);
                self.forget.insert((at, occurrence));
            }
        }
    }

    /// Adds a row or replaces the one of its id.
    pub(crate) fn put(&mut self, row: Delivery, now: Timestamp) {
        let occurrence = row.occurrence;
        if let Some(old) = self.rows.get(&row.id) {
            self.owed -= usize::from(old.state.is_owed());
            if is_quiet(old) {
                // Its time may have been brought forward, so it is looked for by id too.
                let (at, id) = (old.next_at, old.id.clone());
                if !self.quiet.remove(&(at, id)) {
                    self.quiet.remove(&(Timestamp::EPOCH, old.id.clone()));
                }
            }
            if let Some(after) = old.after.clone().filter(|_| old.after != row.after) {
                self.stop_waiting(&after, &row.id);
            }
        } else {
            let case = self.cases.entry(occurrence).or_default();
            case.rows.push(row.id.clone());
        }
        self.owed += usize::from(row.state.is_owed());
        if let DeliveryState::Sent { provider_ids } = &row.state {
            let sink = &row.channel.sink;
            let ids = self.by_provider.entry(sink.clone()).or_default();
            let case = self.cases.entry(occurrence).or_default();
            for provider_id in provider_ids {
                if ids.insert(provider_id.clone(), row.id.clone()).is_none() {
                    case.provider_ids.push((sink.clone(), provider_id.clone()));
                }
            }
        }
        if let Some(after) = &row.after {
            let waiting = self.waiting.entry(after.clone()).or_default();
            if !waiting.contains(&row.id) {
                waiting.push(row.id.clone());
            }
        }
        if is_quiet(&row) {
            self.quiet.insert((row.next_at, row.id.clone()));
        }
        self.rows.insert(row.id.clone(), row);
        if self
            .cases
            .get(&occurrence)
            .is_some_and(|case| !case.standing)
        {
            self.close(occurrence, now);
        }
    }

    fn stop_waiting(&mut self, after: &DeliveryId, id: &DeliveryId) {
        if let Some(waiting) = self.waiting.get_mut(after) {
            waiting.retain(|other| other != id);
            if waiting.is_empty() {
                self.waiting.remove(after);
            }
        }
    }

    /// The row of this id.
    pub(crate) fn get(&self, id: &DeliveryId) -> Option<&Delivery> {
        self.rows.get(id)
    }

    /// How many rows are owed.
    pub(crate) const fn owed(&self) -> usize {
        self.owed
    }

    /// How many rows are remembered.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows of an occurrence in the order in which they came.
    pub(crate) fn of(&self, occurrence: OccurrenceId) -> impl Iterator<Item = &Delivery> {
        self.cases
            .get(&occurrence)
            .into_iter()
            .flat_map(|case| &case.rows)
            .filter_map(|id| self.rows.get(id))
    }

    /// The rows of the same debt by other channels, and the row itself.
    pub(crate) fn siblings<'a>(&'a self, row: &'a Delivery) -> impl Iterator<Item = &'a Delivery> {
        self.of(row.occurrence).filter(|other| {
            other.kind == row.kind && other.step == row.step && other.contact == row.contact
        })
    }

    /// Whom the alarm of this occurrence calls unreachable.
    pub(crate) fn about(&self, occurrence: OccurrenceId) -> Option<&str> {
        self.cases.get(&occurrence)?.about.as_deref()
    }

    /// The row that a provider's id belongs to.
    pub(crate) fn by_provider_id(&self, sink: &str, provider_id: &str) -> Option<&Delivery> {
        self.rows.get(self.by_provider.get(sink)?.get(provider_id)?)
    }

    /// The rows that wait for this one.
    pub(crate) fn waiting_for(&self, id: &DeliveryId) -> Vec<DeliveryId> {
        self.waiting.get(id).cloned().unwrap_or_default()
    }

    /// Rows that wait for quiet hours and are to be looked at by now.
    pub(crate) fn quiet_until(&self, now: Timestamp) -> Vec<DeliveryId> {
        let due = self.quiet.iter().take_while(|(at, _)| *at <= now);
        due.map(|(_, id)| id.clone()).collect()
    }

    /// When such a row is to be looked at next.
    pub(crate) fn next_quiet(&self) -> Option<Timestamp> {
        self.quiet.first().map(|(at, _)| *at)
    }

    /// All such rows are to be looked at as soon as possible.
    pub(crate) fn look_at_quiet_again(&mut self) {
        let all = std::mem::take(&mut self.quiet);
        let soon = all.into_iter().map(|(_, id)| (Timestamp::EPOCH, id));
        self.quiet = soon.collect();
    }

    /// All rows that wait for another, in the order of their ids.
    pub(crate) fn held(&self) -> Vec<DeliveryId> {
        let mut held: Vec<DeliveryId> = self.waiting.values().flatten().cloned().collect();
        held.sort_unstable();
        held
    }

    /// The newest alert with a code that went, or may have gone, to this address.
    pub(crate) fn newest_alert_to(&self, contact: &str, address: &str) -> Option<&Delivery> {
        self.rows
            .values()
            .filter(|row| row.kind == DeliveryKind::Alert && row.code.is_some())
            .filter(|row| row.contact == contact && row.channel.address == address)
            .filter(|row| may_have_left(row))
            .max_by_key(|row| (row.created_at, row.occurrence, &row.id))
    }

    /// Forgets cases that have been over for long enough.
    pub(crate) fn tidy(&mut self, now: Timestamp) {
        while let Some((at, occurrence)) = self.forget.first().copied() {
            if at > now && self.rows.len() <= ROWS_MAX {
                break;
            }
            self.forget.pop_first();
            let owed = self.of(occurrence).any(|row| row.state.is_owed());
            let Some(case) = self.cases.get_mut(&occurrence) else {
                continue;
            };
            if owed {
                let again = at.max(now).plus(LOOK_AGAIN);
                case.forget_at = Some(again);
                self.forget.insert((again, occurrence));
                if at > now {
                    // Too many rows, but this one is owed; the bound on owed rows holds then.
                    break;
                }
            } else {
                self.drop_case(occurrence);
            }
        }
    }

    fn drop_case(&mut self, occurrence: OccurrenceId) {
        let Some(case) = self.cases.remove(&occurrence) else {
            return;
        };
        for id in case.rows {
            self.waiting.remove(&id);
            let wait = self.rows.get(&id).and_then(|row| row.after.clone());
            if let Some(wait) = wait.filter(DeliveryId::is_wait) {
                self.stop_waiting(&wait, &id);
            }
            self.rows.remove(&id);
        }
        for (sink, provider_id) in case.provider_ids {
            if let Some(ids) = self.by_provider.get_mut(&sink) {
                ids.remove(&provider_id);
            }
        }
    }
}

/// Whether the contact was told by this row, or may have been: its result is unknown.
pub(crate) const fn may_have_left(row: &Delivery) -> bool {
    row.state.has_left() || row.repeat || matches!(row.state, DeliveryState::Sending)
}

/// Whether nothing about the row can change any more.
pub(crate) const fn is_final(state: &DeliveryState) -> bool {
    matches!(
        state,
        DeliveryState::Delivered | DeliveryState::Failed | DeliveryState::Expired
    )
}
