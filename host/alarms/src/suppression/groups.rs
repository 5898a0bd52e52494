//! First-out: the first alarm of a group after all of it was normal (OPC UA `FirstInGroup`).
//!
//! A group is normal when none of its alarms stands, unacknowledged returns included; until then
//! its first stays the first. Followers are silenced only while the first is active and is not
//! silenced itself, and never those of a higher priority. All of it follows from the records that
//! stand, so nothing is kept beside them.

use std::collections::BTreeMap;

use andon_model::{AlarmId, AlarmRecord, AlarmState, Mark, OccurrenceId};

use super::Group;
use crate::book::AlarmBook;
use crate::selector::{Subject, any_matches};

/// The groups, in the order of the settings.
#[derive(Debug, Default)]
pub(super) struct Groups(Vec<GroupState>);

#[derive(Debug, Clone, Default)]
struct GroupState {
    standing: BTreeMap<AlarmId, OccurrenceId>,
    first: Option<OccurrenceId>,
}

impl Groups {
    /// Finds anew what stands in each group.
    pub(super) fn replace(&mut self, plan: &[Group], book: &AlarmBook) {
        self.0 = plan
            .iter()
            .map(|group| {
                let members: Vec<&AlarmRecord> = book
                    .standing()
                    .filter(|record| any_matches(&group.members, Subject::from(*record)))
                    .collect();
                let first = members
                    .iter()
                    .find(|record| record.flags.marks.contains(&Mark::FirstOut));
                GroupState {
                    first: first.map(|record| record.occurrence),
                    standing: members
                        .iter()
                        .map(|record| (record.id.clone(), record.occurrence))
                        .collect(),
                }
            })
            .collect();
    }

    /// Takes an alarm that was just raised into its groups; the name of a group of which it is the
    /// first.
    pub(super) fn enter(&mut self, plan: &[Group], record: &AlarmRecord) -> Option<String> {
        let mut first_of = None;
        for (group, state) in plan.iter().zip(&mut self.0) {
            if !any_matches(&group.members, Subject::from(record)) {
                continue;
            }
            state.standing.insert(record.id.clone(), record.occurrence);
            if state.standing.len() == 1 {
                state.first = Some(record.occurrence);
                first_of.get_or_insert_with(|| group.name.clone());
            }
        }
        first_of
    }

    /// An alarm changed; whether followers may be free now.
    pub(super) fn note(&mut self, plan: &[Group], record: &AlarmRecord) -> bool {
        let mut freed = false;
        for (group, state) in plan.iter().zip(&mut self.0) {
            if state.first == Some(record.occurrence) {
                freed |= group.suppress_followers;
            }
            let is_in = state.standing.get(&record.id) == Some(&record.occurrence);
            if is_in && record.state == AlarmState::Normal {
                state.standing.remove(&record.id);
                if state.standing.is_empty() {
                    state.first = None;
                }
            }
        }
        freed
    }

    /// The first alarm that silences this one, and the name of their group.
    pub(super) fn leader<'a>(
        &self,
        plan: &'a [Group],
        book: &'a AlarmBook,
        record: &AlarmRecord,
    ) -> Option<(&'a str, &'a AlarmRecord)> {
        plan.iter().zip(&self.0).find_map(|(group, state)| {
            let leader = book.by_occurrence(state.first?)?;
            let leads = group.suppress_followers
                && leader.occurrence != record.occurrence
                && leader.state.is_active()
                && !leader.is_silenced()
                && leader.priority >= record.priority
                && state.standing.get(&record.id) == Some(&record.occurrence);
            leads.then_some((group.name.as_str(), leader))
        })
    }
}
