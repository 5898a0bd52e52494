//! What must hold, whatever happens; each look panics with the seed and what it saw.

use std::collections::{BTreeMap, BTreeSet};

use andon_alarms::AlarmBook;
use andon_model::{
    AlarmId, Commit, Delivery, DeliveryId, DeliveryKind, JournalEntry, JournalKind, OccurrenceId,
    Outcome, Timestamp,
};

use andon_routing::RoutingPlan;

use super::disk::Disk;
use super::named;
use super::plant::Plant;

/// One debt: what is owed to one contact for one step of one alarm, by whatever channel.
type Debt = (OccurrenceId, DeliveryKind, u32, String);

#[derive(Debug, Default)]
pub(super) struct Promises {
    seed: u64,
    /// Unmarked messages of a debt that may have arrived.
    unmarked: BTreeMap<Debt, usize>,
    /// Of which debt a provider's id is.
    sent_as: BTreeMap<String, Debt>,
    /// Alarms that were raised and are on the disk or on their way.
    raised: BTreeSet<OccurrenceId>,
    /// Debts that were seen.
    debts: BTreeSet<Debt>,
    /// How many of them were of people on call.
    on_call: usize,
    sent: usize,
    repeats: usize,
    /// How many lines of the journal were seen on the disk.
    lines: usize,
}

impl Promises {
    pub(super) const fn seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    pub(super) fn raised(&self) -> usize {
        self.raised.len()
    }

    pub(super) fn told(&self) -> String {
        format!(
            "{} alarms, {} debts to people on call, {} messages, {} of them marked as a repeat, {} lines of journal",
            self.raised.len(),
            self.on_call,
            self.sent,
            self.repeats,
            self.lines
        )
    }

    fn holds(&self, holds: bool, says: impl FnOnce() -> String) {
        assert!(holds, "seed {}: {}", self.seed, says());
    }

    /// In the same commit as a raise stands who is told, or why nobody is.
    pub(super) fn after_step(&mut self, commit: &Commit, book: &AlarmBook, now: Timestamp) {
        for line in raises(&commit.journal) {
            let Some(occurrence) = line.occurrence else {
                continue;
            };
            self.raised.insert(occurrence);
            let owed = commit
                .deliveries
                .iter()
                .any(|row| row.occurrence == occurrence && row.kind == DeliveryKind::Alert);
            let reason = commit
                .journal
                .iter()
                .filter(|other| other.occurrence == Some(occurrence))
                .any(|other| ["not told", "held for digest"].contains(&other.event.as_str()));
            self.holds(owed || reason, || {
                format!(
                    "{} was raised at {now} and neither told nor its silence explained",
                    named(occurrence)
                )
            });
        }
        for record in &commit.alarms {
            let stands = book.by_occurrence(record.occurrence);
            self.holds(
                commit.last_occurrence.is_some() || stands.is_some() || !record.state.is_active(),
                || {
                    format!(
                        "{} is committed and does not stand",
                        named(record.occurrence)
                    )
                },
            );
        }
    }

    /// Who is named by a schedule alone hears of an alarm first only while on call.
    pub(super) fn only_those_on_call(
        &mut self,
        commit: &Commit,
        plan: &RoutingPlan,
        now: Timestamp,
    ) {
        let Some(shift) = plan.schedule("shift") else {
            return;
        };
        for row in &commit.deliveries {
            let by_schedule = shift.people().iter().any(|name| ***name == *row.contact);
            let first = row.kind == DeliveryKind::Alert && self.debts.insert(debt(row));
            if by_schedule && first {
                self.on_call += 1;
                let on_call = shift.on_call(now);
                self.holds(
                    on_call.iter().any(|duty| *duty.contact == *row.contact),
                    || format!("{} is told at {now} and not on call", row.contact),
                );
            }
        }
    }

    /// An alarm stands just while its rule says so.
    pub(super) fn as_the_rule_says(&self, book: &AlarmBook, plant: &Plant, tag: usize) {
        if let Some((id, raised)) = plant.condition(tag) {
            self.agrees(book, &id, raised);
        }
    }

    fn agrees(&self, book: &AlarmBook, id: &AlarmId, raised: bool) {
        let active = book.get(id).is_some_and(|record| record.state.is_active());
        self.holds(active == raised, || {
            format!("the rule of {id} says {raised}, the book {active}")
        });
    }

    /// A message goes out. Unmarked, a debt is told once; again only if the first surely was lost.
    pub(super) fn on_the_wire(&mut self, row: &Delivery, outcome: &Outcome) {
        self.sent += 1;
        self.repeats += usize::from(row.repeat);
        let debt = debt(row);
        let seen = self.unmarked.get(&debt).copied().unwrap_or(0);
        self.holds(row.repeat || seen == 0, || {
            format!(
                "{} is told of {} twice without a mark ({:?})",
                row.contact,
                named(row.occurrence),
                row.kind
            )
        });
        let may_arrive = match outcome {
            Outcome::Sent { .. } | Outcome::Unknown { .. } => true,
            Outcome::Retry { .. }
            | Outcome::Dead { .. }
            | Outcome::SinkFailed { .. }
            | Outcome::Expired { .. } => false,
        };
        if let Outcome::Sent { provider_ids } = outcome {
            for id in provider_ids {
                self.sent_as.insert(id.clone(), debt.clone());
            }
        }
        if may_arrive && !row.repeat {
            *self.unmarked.entry(debt).or_default() += 1;
        }
    }

    /// The provider says that a message was lost, so it may go out once more as if new.
    pub(super) fn lost(&mut self, provider_id: &str) {
        if let Some(debt) = self.sent_as.get(provider_id) {
            self.unmarked.remove(debt);
        }
    }

    /// What the disk holds is whole.
    pub(super) fn after_landing(&mut self, disk: &Disk) {
        self.lines = disk.journal().len();
        for record in disk.alarms().values() {
            self.holds(
                self.raised.contains(&record.occurrence) || is_hosts(&record.id),
                || format!("{} stands and was never raised", named(record.occurrence)),
            );
        }
    }

    /// Raises that were not on the disk are gone with the host; their rules raise them again.
    pub(super) fn crashed(&mut self, underway: &[(Commit, Vec<Delivery>)]) {
        for (commit, _) in underway {
            for line in raises(&commit.journal) {
                if let Some(occurrence) = line.occurrence {
                    self.raised.remove(&occurrence);
                }
            }
        }
    }

    /// After a restart alarms stand as rules remember it.
    pub(super) fn restarted(&self, book: &AlarmBook, plant: &Plant) {
        for (id, raised) in plant.conditions() {
            self.agrees(book, &id, raised);
        }
    }

    /// Every alarm that was raised was told to somebody, or others were told that it was not.
    pub(super) fn at_the_end(&self, book: &AlarmBook, disk: &Disk, plant: &Plant) {
        self.restarted(book, plant);
        let mut rows: BTreeMap<OccurrenceId, Vec<&Delivery>> = BTreeMap::new();
        for row in disk.deliveries().values() {
            rows.entry(row.occurrence).or_default().push(row);
        }
        let explained: BTreeSet<OccurrenceId> = disk
            .journal()
            .iter()
            .filter(|line| line.event == "not told")
            .filter_map(|line| line.occurrence)
            .collect();
        let unreached: BTreeSet<DeliveryId> = disk
            .journal()
            .iter()
            .filter(|line| line.kind == JournalKind::Delivery)
            .map(|line| DeliveryId::from_stored(line.subject.clone()))
            .collect();
        let digests: BTreeMap<OccurrenceId, OccurrenceId> = disk
            .journal()
            .iter()
            .filter(|line| line.event == "told in digest")
            .filter_map(|line| {
                let digest = line.data["digest"].as_u64()?;
                Some((line.occurrence?, OccurrenceId(digest)))
            })
            .collect();
        for occurrence in &self.raised {
            // Alarms of a flood are told by the rows of their digest.
            let (by, kind) = match digests.get(occurrence) {
                Some(digest) => (digest, DeliveryKind::Digest),
                None => (occurrence, DeliveryKind::Alert),
            };
            let of = rows.get(by).map_or(&[][..], Vec::as_slice);
            let alerts = || of.iter().filter(|row| row.kind == kind);
            let told = alerts().any(|row| row.state.has_left());
            let given_up = !of.is_empty() && alerts().all(|row| unreached.contains(&row.id));
            self.holds(told || given_up || explained.contains(occurrence), || {
                format!(
                    "{} was told to nobody and nobody knows why",
                    named(*occurrence)
                )
            });
        }
        for row in disk.deliveries().values() {
            self.holds(!row.state.is_owed(), || {
                format!("{} of {} is owed for ever", row.id, named(row.occurrence))
            });
        }
    }
}

fn debt(row: &Delivery) -> Debt {
    (row.occurrence, row.kind, row.step, row.contact.clone())
}

fn is_hosts(id: &AlarmId) -> bool {
    id.instance == AlarmId::HOST
}

fn raises(journal: &[JournalEntry]) -> impl Iterator<Item = &JournalEntry> {
    journal
        .iter()
        .filter(|line| line.kind == JournalKind::Alarm && line.event == "raised")
}
