//! What the courier has yet to do, in memory: pure, `now` is an argument.
//!
//! Every delivery that it knows is in one place:
//!
//! ```text
//! put ─▶ later ─(due)─▶ ready ─(slot free)─▶ in flight ─(outcome told)─▶ unsettled ─(put)─▶ …
//!                         └─ blocked, while the delivery that it comes after is here
//! ```
//! *Unsettled* means that an outcome was told and the row that it makes was not put back yet. It
//! keeps a "resolved" from overtaking its alert between two tries, and it lets a row that is older
//! than the outcome be known as such.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use andon_model::{Delivery, DeliveryId, DeliveryState, OccurrenceId, Priority, Timestamp};

/// Order on the wire: priority, age, occurrence, and the id so that it is total.
type Rank = (Reverse<Priority>, Timestamp, OccurrenceId, DeliveryId);

fn rank(row: &Delivery) -> Rank {
    (
        Reverse(row.priority),
        row.created_at,
        row.occurrence,
        row.id.clone(),
    )
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Later,
    Ready,
    Blocked(DeliveryId),
    InFlight,
    Unsettled,
}

#[derive(Debug)]
struct Entry {
    row: Delivery,
    place: Place,
}

#[derive(Debug, Default)]
struct Lane {
    ready: BTreeSet<Rank>,
    later: BTreeSet<(Timestamp, DeliveryId)>,
    busy: usize,
}

/// What became of a row that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    Taken,
    /// Known already, or older than what the courier knows.
    Stale,
    /// The bound is reached.
    Full,
}

/// All deliveries that the courier knows, by place.
#[derive(Debug)]
pub(super) struct Queue {
    rows_max: usize,
    entries: BTreeMap<DeliveryId, Entry>,
    lanes: BTreeMap<String, Lane>,
    /// Queued rows by the moment from which they are noise.
    expiry: BTreeSet<(Timestamp, DeliveryId)>,
    /// Who waits for a delivery.
    blocked: BTreeMap<DeliveryId, BTreeSet<DeliveryId>>,
}

impl Queue {
    pub(super) fn new(rows_max: usize) -> Self {
        Self {
            rows_max,
            entries: BTreeMap::new(),
            lanes: BTreeMap::new(),
            expiry: BTreeSet::new(),
            blocked: BTreeMap::new(),
        }
    }

    /// How many rows are known.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes a committed row in place of the one with its id. A row that is no longer owed only
    /// takes the old one away.
    pub(super) fn put(&mut self, row: &Delivery) -> Put {
        match self.entries.get(&row.id) {
            Some(entry) if entry.is_newer_than(row) => return Put::Stale,
            Some(_) => self.unlink(&row.id),
            None if !row.state.is_owed() => return Put::Taken,
            None if self.entries.len() >= self.rows_max => return Put::Full,
            None => {}
        }
        if row.state.is_owed() {
            self.link(row.clone());
        } else {
            self.entries.remove(&row.id);
            self.release(&row.id);
        }
        Put::Taken
    }

    /// Queued rows that are noise by now; they count as in flight until their outcome is told.
    pub(super) fn take_expired(&mut self, now: Timestamp) -> Vec<Delivery> {
        let mut taken = Vec::new();
        while let Some((at, id)) = self.expiry.first().cloned() {
            if at > now {
                break;
            }
            self.expiry.pop_first();
            taken.extend(self.take(&id));
        }
        taken
    }

    /// Up to `count` due rows of a sink, most urgent first; they are in flight from now on.
    pub(super) fn take_due(&mut self, sink: &str, now: Timestamp, count: usize) -> Vec<Delivery> {
        self.promote(sink, now);
        let mut taken = Vec::new();
        while taken.len() < count {
            let Some((_, _, _, id)) = self
                .lanes
                .get_mut(sink)
                .and_then(|lane| lane.ready.pop_first())
            else {
                break;
            };
            match self.blocker(&id) {
                Some(blocker) => self.block(id, blocker),
                None => taken.extend(self.take(&id)),
            }
        }
        taken
    }

    /// The names of sinks with anything to do or under way.
    pub(super) fn sinks(&self) -> Vec<String> {
        self.lanes.keys().cloned().collect()
    }

    /// Sends under way by a sink.
    pub(super) fn busy(&self, sink: &str) -> usize {
        self.lanes.get(sink).map_or(0, |lane| lane.busy)
    }

    /// Marks a slot of a sink as taken.
    pub(super) fn occupy(&mut self, sink: &str) {
        self.lanes.entry(sink.to_owned()).or_default().busy += 1;
    }

    /// Frees a slot of a sink.
    pub(super) fn vacate(&mut self, sink: &str) {
        if let Some(lane) = self.lanes.get_mut(sink) {
            lane.busy = lane.busy.saturating_sub(1);
            if lane.busy == 0 && lane.ready.is_empty() && lane.later.is_empty() {
                self.lanes.remove(sink);
            }
        }
    }

    /// A taken row was not sent after all (claim refused, or looked up): it waits again.
    pub(super) fn give_back(&mut self, row: Delivery) {
        if self
            .entries
            .get(&row.id)
            .is_some_and(|entry| entry.place == Place::InFlight)
        {
            self.link(row);
        }
    }

    /// The outcome of a taken row is about to be told; `attempts` is what the committed row says.
    pub(super) fn told(&mut self, id: &DeliveryId, attempts: u32) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.place = Place::Unsettled;
            entry.row.attempts = attempts;
        }
    }

    /// When something becomes due or noise by itself.
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.lanes
            .values()
            .filter_map(|lane| lane.later.first())
            .chain(self.expiry.first())
            .map(|(at, _)| *at)
            .min()
    }

    fn promote(&mut self, sink: &str, now: Timestamp) {
        let Some(lane) = self.lanes.get_mut(sink) else {
            return;
        };
        while let Some((at, id)) = lane.later.first().cloned() {
            if at > now {
                break;
            }
            lane.later.pop_first();
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.place = Place::Ready;
                lane.ready.insert(rank(&entry.row));
            }
        }
    }

    /// The delivery that this one has to wait for, if it is still here.
    fn blocker(&self, id: &DeliveryId) -> Option<DeliveryId> {
        let after = self.entries.get(id)?.row.after.as_ref()?;
        (after != id && self.entries.contains_key(after)).then(|| after.clone())
    }

    fn block(&mut self, id: DeliveryId, blocker: DeliveryId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.place = Place::Blocked(blocker.clone());
        }
        self.blocked.entry(blocker).or_default().insert(id);
    }

    /// Lets go those who waited for a delivery that is settled for good.
    fn release(&mut self, id: &DeliveryId) {
        for waiting in self.blocked.remove(id).unwrap_or_default() {
            if let Some(entry) = self.entries.remove(&waiting) {
                self.expiry.remove(&(entry.row.expires_at, waiting));
                self.link(entry.row);
            }
        }
    }

    fn take(&mut self, id: &DeliveryId) -> Option<Delivery> {
        self.unlink(id);
        let entry = self.entries.get_mut(id)?;
        entry.place = Place::InFlight;
        Some(entry.row.clone())
    }

    fn link(&mut self, row: Delivery) {
        let lane = self.lanes.entry(row.channel.sink.clone()).or_default();
        lane.later.insert((row.next_at, row.id.clone()));
        // A row in state `Sending` is looked up first, however old it is.
        if row.state == DeliveryState::Queued {
            self.expiry.insert((row.expires_at, row.id.clone()));
        }
        let place = Place::Later;
        self.entries.insert(row.id.clone(), Entry { row, place });
    }

    /// Takes a row out of every index; its entry stays.
    fn unlink(&mut self, id: &DeliveryId) {
        let Some(entry) = self.entries.get(id) else {
            return;
        };
        self.expiry.remove(&(entry.row.expires_at, id.clone()));
        if let Some(lane) = self.lanes.get_mut(&entry.row.channel.sink) {
            lane.later.remove(&(entry.row.next_at, id.clone()));
            lane.ready.remove(&rank(&entry.row));
        }
        if let Place::Blocked(blocker) = &entry.place
            && let Some(waiting) = self.blocked.get_mut(blocker)
        {
            waiting.remove(id);
        }
    }
}

impl Entry {
    /// Whether a row that is put says nothing new: the courier is at it, or has already told how
    /// that very try ended.
    fn is_newer_than(&self, row: &Delivery) -> bool {
        match self.place {
            Place::InFlight => true,
            Place::Unsettled => {
                row.attempts < self.row.attempts
                    || (row.state == DeliveryState::Sending && row.attempts == self.row.attempts)
            }
            Place::Later | Place::Ready | Place::Blocked(_) => false,
        }
    }
}
