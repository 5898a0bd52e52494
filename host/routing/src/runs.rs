//! Escalations: where each stands, when the next step is due, and who acknowledged.
//!
//! A *run* belongs to one occurrence. It stays until the alarm is over or silenced; once somebody
//! answered, nothing in it is due any more, and it only says who would be next. It holds a *track* for each route with an escalation that the
//! alarm takes, and numbers the tellings of the occurrence, so that nobody is told twice for one
//! of them. It is a durable row, stage `escalation`, keyed by the occurrence:
//!
//! ```text
//! { tracks: [{ route, escalation, next: [cursor, due], reached }], need, acknowledgements, began,
//!   telling, unanswered }
//! ```
//! There are at most as many runs as alarms may stand.

use std::collections::{BTreeMap, BTreeSet};

use andon_model::{Acknowledgement, AlarmRecord, OccurrenceId, Stage, StageRow, Timestamp};
use serde::{Deserialize, Serialize};

use crate::plan::Cursor;

/// All runs, by occurrence and by when they are due.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    runs: BTreeMap<OccurrenceId, Run>,
    due: BTreeSet<(Timestamp, OccurrenceId)>,
}

/// An escalation of one occurrence.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// The alarm as it is now; the store keeps it elsewhere.
    pub(crate) record: AlarmRecord,
    pub(crate) kept: Kept,
}

/// What of a run survives a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) tracks: Vec<Track>,
    /// How many different people have to acknowledge.
    pub(crate) need: u32,
    /// Those who did, while more are needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) acknowledgements: Vec<Acknowledgement>,
    /// Since when an answer is awaited.
    pub(crate) began: Timestamp,
    /// Number of the next telling.
    pub(crate) telling: u32,
    /// The host's alarm that nobody answered stands.
    #[serde(default)]
    pub(crate) unanswered: bool,
}

/// One escalation of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Track {
    /// Name of the route that led to it.
    pub(crate) route: String,
    /// Name of the escalation.
    pub(crate) escalation: String,
    /// What comes next and when; nothing once all was told, or somebody answered.
    pub(crate) next: Option<(Cursor, Timestamp)>,
    /// The last step that was told, from 0.
    #[serde(default)]
    pub(crate) reached: Option<u32>,
}

impl Run {
    /// When the next telling is due.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let tracks = self.kept.tracks.iter();
        tracks.filter_map(|track| Some(track.next?.1)).min()
    }

    /// Whether this contact acknowledged while more people are needed.
    pub(crate) fn has_acknowledged(&self, contact: &str) -> bool {
        self.kept
            .acknowledgements
            .iter()
            .any(|one| one.by == contact)
    }

    /// The row that keeps it.
    pub(crate) fn row(&self) -> StageRow {
        StageRow {
            record: serde_json::to_value(&self.kept).ok(),
            ..gone(self.record.occurrence)
        }
    }
}

/// The row that deletes the run of an occurrence.
pub(crate) fn gone(occurrence: OccurrenceId) -> StageRow {
    StageRow {
        stage: Stage::Escalation,
        key: occurrence.to_string(),
        record: None,
    }
}

impl Runs {
    /// The run of an occurrence.
    pub(crate) fn get(&self, occurrence: OccurrenceId) -> Option<&Run> {
        self.runs.get(&occurrence)
    }

    /// Keeps a run in the place of the one of its occurrence.
    pub(crate) fn put(&mut self, run: Run) {
        let occurrence = run.record.occurrence;
        self.remove(occurrence);
        self.due.extend(run.due().map(|at| (at, occurrence)));
        self.runs.insert(occurrence, run);
    }

    /// Takes a run out.
    pub(crate) fn remove(&mut self, occurrence: OccurrenceId) -> Option<Run> {
        let run = self.runs.remove(&occurrence)?;
        if let Some(at) = run.due() {
            self.due.remove(&(at, occurrence));
        }
        Some(run)
    }

    /// The alarm of a run changed in what does not concern its steps.
    pub(crate) fn renew(&mut self, record: &AlarmRecord) {
        if let Some(run) = self.runs.get_mut(&record.occurrence) {
            run.record = record.clone();
        }
    }

    /// When the next telling of all is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The occurrences with a telling that is due.
    pub(crate) fn due(&self, now: Timestamp) -> Vec<OccurrenceId> {
        let due = self.due.iter().take_while(|(at, _)| *at <= now);
        due.map(|(_, occurrence)| *occurrence).collect()
    }

    /// How many have a telling that is due some time.
    pub(crate) fn under_way(&self) -> usize {
        self.due.len()
    }
}
