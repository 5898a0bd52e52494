//! A journal that a test writes: lines as the alarm book writes them.

use std::sync::Arc;

use andon_kpi::{Counting, GroupReport, KpiPlan, KpiSettings, Line, Period, Report, check};
use andon_model::{JournalKind, OccurrenceId, Timestamp};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// Ten full days of September 2026, in UTC.
pub(crate) const FROM: i64 = 1_788_220_800;
pub(crate) const DAY: i64 = 86_400;

/// A moment so many seconds after the begin of the period.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(FROM + seconds)
}

/// Lines in the order in which they are written.
#[derive(Debug, Default, Clone)]
pub(crate) struct Diary {
    lines: Vec<(Timestamp, Option<u64>, String, &'static str, Value)>,
    last: u64,
}

/// An alarm of a diary: what all of its lines say.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    occurrence: u64,
    name: String,
    priority: &'static str,
    labels: Value,
    raised: i64,
    pub(crate) cleared: Option<i64>,
    pub(crate) acknowledged: Option<i64>,
}

impl Diary {
    /// Raises an alarm: `tanks/high`.
    pub(crate) fn raise(&mut self, seconds: i64, name: &str) -> Alarm {
        self.raise_as(seconds, name, "low", json!({}))
    }

    pub(crate) fn raise_as(
        &mut self,
        seconds: i64,
        name: &str,
        priority: &'static str,
        labels: Value,
    ) -> Alarm {
        self.last += 1;
        let alarm = Alarm {
            occurrence: self.last,
            name: name.to_owned(),
            priority,
            labels,
            raised: seconds,
            cleared: None,
            acknowledged: None,
        };
        self.step(seconds, &alarm, "raised", 'B', json!({}));
        alarm
    }

    /// B to D.
    pub(crate) fn clear(&mut self, seconds: i64, alarm: &mut Alarm) {
        alarm.cleared = Some(seconds);
        let letter = if alarm.acknowledged.is_some() {
            'A'
        } else {
            'D'
        };
        self.step(seconds, alarm, "cleared", letter, json!({}));
    }

    /// B to C, or D to A.
    pub(crate) fn acknowledge(&mut self, seconds: i64, alarm: &mut Alarm) {
        alarm.acknowledged = Some(seconds);
        let letter = if alarm.cleared.is_some() { 'A' } else { 'C' };
        self.step(seconds, alarm, "acknowledged", letter, json!({}));
    }

    /// Raised and cleared by a rule whose alarms need no acknowledgement.
    pub(crate) fn blip(&mut self, from: i64, to: i64, name: &str) {
        let mut alarm = self.raise(from, name);
        alarm.cleared = Some(to);
        self.step(to, &alarm, "cleared", 'A', json!({}));
    }

    /// Any step with any flags.
    pub(crate) fn step(
        &mut self,
        seconds: i64,
        alarm: &Alarm,
        event: &'static str,
        letter: char,
        flags: Value,
    ) {
        let mut data = json!({
            "code": "K7",
            "state": letter,
            "priority": alarm.priority,
            "message": "words",
            "labels": alarm.labels,
            "raised_at": at(alarm.raised),
            "flags": flags,
        });
        if let Some(cleared) = alarm.cleared {
            data["cleared_at"] = json!(at(cleared));
        }
        if let Some(acknowledged) = alarm.acknowledged {
            data["acknowledged"] = json!({ "by": "anna", "at": at(acknowledged), "how": "sms" });
        }
        let line = (
            at(seconds),
            Some(alarm.occurrence),
            alarm.name.clone(),
            event,
            data,
        );
        self.lines.push(line);
    }

    /// A line about a condition of which no alarm stands.
    pub(crate) fn about(&mut self, name: &str, seconds: i64, event: &'static str, data: Value) {
        self.lines
            .push((at(seconds), None, name.to_owned(), event, data));
    }

    /// Changes the data of the last line.
    pub(crate) fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        change(&mut self.lines.last_mut().expect("a line").4);
    }

    /// Lines by time, those of one time in the order in which they were written.
    pub(crate) fn sorted(mut self) -> Self {
        self.lines.sort_by_key(|line| line.0);
        self
    }

    /// Hands out the lines.
    pub(crate) fn each(&self, mut take: impl FnMut(&Line<'_>)) {
        for (at, occurrence, subject, event, data) in &self.lines {
            let data = data.to_string();
            take(&Line {
                at: *at,
                kind: JournalKind::Alarm,
                occurrence: occurrence.map(OccurrenceId),
                subject,
                event,
                data: &data,
            });
        }
    }

    /// The report of so many days with these settings.
    pub(crate) fn report_of(&self, settings: &str, days: i64) -> Report {
        self.report_since(settings, days, None)
    }

    /// The same, where the first line of the journal bears this second.
    pub(crate) fn report_since(&self, settings: &str, days: i64, first: Option<i64>) -> Report {
        let period = Period::new(at(0), at(days * DAY), TimeZone::UTC).unwrap();
        let mut counting = Counting::new(plan(settings), period);
        self.each(|line| counting.line(line));
        counting.report(at(days * DAY), first.map(at))
    }

    /// The figures of the whole plant over ten days with the usual settings.
    pub(crate) fn plant(&self) -> GroupReport {
        self.report_of("", 10).groups.remove(0)
    }
}

/// A checked plan of settings text.
pub(crate) fn plan(settings: &str) -> Arc<KpiPlan> {
    let settings: KpiSettings = toml::from_str(settings).unwrap();
    let (plan, findings) = check(&settings);
    assert_eq!(findings, []);
    Arc::new(plan.unwrap())
}

/// What a figure of this key says: value and mark.
pub(crate) fn figure(group: &GroupReport, key: &str) -> (Option<f64>, &'static str) {
    let figure = group.figures.iter().find(|figure| figure.key == key);
    let figure = figure.unwrap_or_else(|| panic!("no figure `{key}`"));
    (figure.value, figure.mark.word())
}
