//! Schedules: what the settings mean, on which day ever.

mod calendars;
mod checking;
mod clocks;
mod model;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_model::{Finding, Severity, Timestamp};
use andon_routing::{Outside, PeopleSettings, RoutingPlan, Schedule, check_with};

use crate::office::sinks;

/// Ada, Ben, Cyd and a crew of two.
pub(crate) const CONTACTS: &str = r#"
[[contacts]]
name = "ada"
display_name = "Ada Berg"
channels = [{ sink = "twilio", address = "+4790000001" }]
[[contacts]]
name = "ben"
channels = [{ sink = "twilio", address = "+4790000002" }]
[[contacts]]
name = "cyd"
channels = [{ sink = "twilio", address = "+4790000003" }]
[[groups]]
name = "crew"
members = ["ada", "ben"]
[routing]
fallback = ["cyd"]
"#;

/// Checks schedules beside the contacts, with these files and this present.
pub(crate) fn checked(
    schedules: &str,
    files: &[(&str, &str)],
    now: Option<Timestamp>,
) -> (Option<RoutingPlan>, Vec<Finding>) {
    let text = format!("{CONTACTS}\n{schedules}");
    let settings: PeopleSettings = toml::from_str(&text).expect("settings parse");
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    let read = |name: &str| {
        let text = files.get(name).map(|text| (*text).to_owned());
        text.ok_or_else(|| "no such file".to_owned())
    };
    let outside = Outside { read: &read, now };
    check_with(&settings, &sinks(), &outside)
}

/// The one schedule, which has no error.
pub(crate) fn schedule(schedules: &str, files: &[(&str, &str)]) -> Arc<Schedule> {
    let (plan, findings) = checked(schedules, files, None);
    let errors: Vec<&Finding> = findings
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let plan = plan.expect("a plan");
    let schedule = plan.schedules().next().expect("a schedule");
    Arc::clone(schedule)
}

/// A moment in UTC.
pub(crate) fn utc(text: &str) -> Timestamp {
    let moment: jiff::Timestamp = text.parse().expect("a moment");
    Timestamp::from_nanos(i64::try_from(moment.as_nanosecond()).expect("in range"))
}

/// Names of those on call.
pub(crate) fn names(schedule: &Schedule, at: Timestamp) -> Vec<String> {
    let on_call = schedule.on_call(at).into_iter();
    on_call.map(|one| one.contact.to_string()).collect()
}

/// `from..to people`, line by line, in UTC without seconds.
pub(crate) fn told(schedule: &Schedule, from: &str, to: &str) -> Vec<String> {
    let shown = |at: Timestamp| at.to_string().chars().take(16).collect::<String>();
    schedule
        .stretches(utc(from), utc(to))
        .into_iter()
        .map(|one| {
            let people: Vec<&str> = one.on_duty.iter().map(|duty| &*duty.contact).collect();
            let people = if people.is_empty() {
                "nobody".to_owned()
            } else {
                people.join("+")
            };
            format!("{}..{} {people}", shown(one.from), shown(one.to))
        })
        .collect()
}
