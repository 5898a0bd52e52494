//! Who answered an alarm: the count of acknowledgements where several are needed, and what an
//! answer ends.

use andon_model::{Acknowledgement, AlarmRecord, AlarmState, DeliveryKind, Reason, Timestamp, Why};
use serde_json::json;

use super::running::Ending;
use super::{Decision, Desk};
use crate::journal;
use crate::text;

/// Whether an acknowledgement is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tally {
    /// The alarm book is to acknowledge the alarm now.
    Enough,
    /// It counts, and more people are needed; the alarm stays as it is.
    Counted {
        /// How many different people acknowledged by now.
        have: u32,
        /// How many have to.
        need: u32,
    },
    /// This person acknowledged before; others are needed.
    Repeated {
        /// How many different people acknowledged by now.
        have: u32,
        /// How many have to.
        need: u32,
    },
}

impl Desk {
    /// Counts an acknowledgement of an alarm that awaits one, before the alarm book is asked.
    pub fn count_acknowledgement(
        &mut self,
        record: &AlarmRecord,
        by: &Acknowledgement,
        now: Timestamp,
    ) -> (Tally, Decision) {
        let mut out = self.begin(now);
        let Some(mut run) = self.runs.get(record.occurrence).cloned() else {
            return (Tally::Enough, out);
        };
        let need = run.kept.need;
        if need <= 1 {
            return (Tally::Enough, out);
        }
        let repeated = run.has_acknowledged(&by.by);
        if !repeated {
            run.kept.acknowledgements.push(by.clone());
        }
        let have = u32::try_from(run.kept.acknowledgements.len()).unwrap_or(u32::MAX);
        let detail = if repeated {
            format!(
                "{} acknowledged before; {have} of {need} people have",
                by.by
            )
        } else {
            format!(
                "{} acknowledged ({}), {have} of {need} people",
                by.by, by.how
            )
        };
        let why = Why::new(Reason::OperatorAcknowledged, detail);
        let data = json!({ "by": by, "have": have, "need": need });
        let line = journal::of_alarm(record, "acknowledgement counted", why, data, now);
        out.journal.push(line);
        // The last one is kept too: the notice to the others names all of them.
        self.keep_run(run, &mut out);
        let tally = match (repeated, have >= need) {
            (true, _) => Tally::Repeated { have, need },
            (false, true) => Tally::Enough,
            (false, false) => Tally::Counted { have, need },
        };
        (tally, out)
    }

    /// The alarm is acknowledged.
    pub(crate) fn acknowledged(
        &mut self,
        record: &AlarmRecord,
        why: &Why,
        now: Timestamp,
        out: &mut Decision,
    ) {
        self.withdraw(record.occurrence, why, now, out);
        self.journal_still_owed(record, why, now, out);
        let run = self.runs.get(record.occurrence);
        let escalated = run.is_some();
        let counted = run.into_iter().flat_map(|run| &run.kept.acknowledgements);
        let mut by: Vec<String> = counted.map(|one| one.by.clone()).collect();
        if let Some(last) = &record.acknowledged
            && !by.contains(&last.by)
        {
            by.push(last.by.clone());
        }
        self.end_run(record, Ending::Acknowledged, why, now, out);
        // Who took it has told the others so, and that says more.
        let took = record.flags.taken.as_ref().map(|taken| &taken.by);
        if by.len() != 1 || by.first() != took {
            self.tell_answered(
                record,
                &by,
                text::Answered::Acknowledged,
                escalated,
                now,
                out,
            );
        }
        if record.state == AlarmState::Normal {
            self.ledger.close(record.occurrence, now);
        }
    }

    /// Somebody works on it.
    pub(crate) fn taken(
        &mut self,
        record: &AlarmRecord,
        why: &Why,
        now: Timestamp,
        out: &mut Decision,
    ) {
        self.withdraw(record.occurrence, why, now, out);
        let escalated = self.runs.get(record.occurrence).is_some();
        self.end_run(record, Ending::Taken, why, now, out);
        let by: Vec<String> = record
            .flags
            .taken
            .iter()
            .map(|one| one.by.clone())
            .collect();
        self.tell_answered(record, &by, text::Answered::Taken, escalated, now, out);
    }

    fn journal_still_owed(
        &self,
        record: &AlarmRecord,
        why: &Why,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let rows = self.ledger.of(record.occurrence);
        let owed = rows
            .filter(|row| row.kind == DeliveryKind::Alert && row.state.is_owed())
            .count();
        if owed > 0 {
            let why = Why::new(
                why.reason,
                format!("acknowledged while {owed} messages are owed; they still go out"),
            );
            let data = json!({ "owed": owed });
            out.journal
                .push(journal::of_alarm(record, "still owed", why, data, now));
        }
    }
}
