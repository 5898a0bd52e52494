//! Alarm figures from the database, for the command line and for the doors of a running host.

use std::sync::Arc;

use andon_kpi::{Counting, KpiPlan, Line, Period, PeriodError, Report, moment};
use andon_model::{JournalKind, Timestamp};
use andon_store::{Reader, StoreError};

/// What is asked for, in the words of a person.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// Begin; thirty days before the end.
    pub(crate) from: Option<String>,
    /// End; now.
    pub(crate) to: Option<String>,
    /// Only this operator group.
    pub(crate) group: Option<String>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// The period.
    #[error(transparent)]
    Period(#[from] PeriodError),
    /// The group.
    #[error("there is no group `{group}` in this period: there are {known}")]
    NoGroup {
        /// What was asked for.
        group: String,
        /// Those that there are.
        known: String,
    },
    /// The database.
    #[error("the journal cannot be read: {0}")]
    Store(#[from] StoreError),
}

/// Goes through the journal once. It blocks while it reads.
pub(crate) fn make(
    reader: &Reader,
    plan: Arc<KpiPlan>,
    asked: &Asked,
    now: Timestamp,
) -> Result<Report, ReportError> {
    let period = period(&plan, asked, now)?;
    let since = period.read_from();
    let mut counting = Counting::new(plan, period);
    reader.each_line(
        since,
        &[JournalKind::Alarm, JournalKind::Operator],
        |line| {
            counting.line(&Line {
                at: line.at,
                kind: line.kind,
                occurrence: line.occurrence,
                subject: line.subject,
                event: line.event,
                data: line.data,
            });
        },
    )?;
    for record in reader.standing()? {
        counting.standing(&record);
    }
    let report = counting.report(now, reader.journal_begins()?);
    match &asked.group {
        None => Ok(report),
        Some(group) => report.only(group).map_err(|known| ReportError::NoGroup {
            group: group.clone(),
            known: known.join(", "),
        }),
    }
}

fn period(plan: &KpiPlan, asked: &Asked, now: Timestamp) -> Result<Period, PeriodError> {
    let read = |text: &String| moment(text, now, plan.zone());
    let to = asked.to.as_ref().map(read).transpose()?.unwrap_or(now);
    match &asked.from {
        Some(from) => Period::new(read(from)?, to, plan.zone().clone()),
        None => Period::latest(to, plan.zone().clone()),
    }
}
