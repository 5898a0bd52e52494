//! What `andon check` tells of the coming weeks: times with nobody on call, and with too many
//! or too few.

use std::cmp::Ordering;
use std::time::Duration;

use andon_model::{Finding, Timestamp};

use super::schedule::{Schedule, Stretch};
use super::settings::Gaps;

/// How far it looks.
const AHEAD: Duration = Duration::from_secs(60 * 86_400);
/// Most times that are told of one schedule, of each kind.
const TOLD_MAX: usize = 5;

/// What somebody should look at in the 60 days from `now` on. `path` is the schedule's pointer.
pub(crate) fn ahead(schedule: &Schedule, path: &str, now: Timestamp) -> Vec<Finding> {
    let end = now.plus(AHEAD);
    let stretches = schedule.stretches(now, end);
    let mut findings = Vec::new();
    if schedule.gaps == Gaps::Told {
        let gaps: Vec<&Stretch> = stretches.iter().filter(|one| one.is_gap()).collect();
        let says = |gap: &Stretch| {
            format!(
                "nobody is on call by schedule `{}` {}",
                schedule.name(),
                time_of(schedule, gap, now, end)
            )
        };
        let hint = "fill it with a rotation or an override, or set gaps = \"allowed\"";
        tell(&gaps, path, says, hint, &mut findings);
    }
    if let Some(wanted) = schedule.people {
        let staffed = |one: &&Stretch| !one.is_gap();
        let (mut more, mut fewer) = (Vec::new(), Vec::new());
        for one in stretches.iter().filter(staffed) {
            match one.on_duty.len().cmp(&wanted) {
                Ordering::Greater => more.push(one),
                Ordering::Less => fewer.push(one),
                Ordering::Equal => {}
            }
        }
        let says = |how: &str, one: &Stretch| {
            let names: Vec<&str> = one.on_duty.iter().map(|duty| &*duty.contact).collect();
            format!(
                "by schedule `{}` {how} {} {} on call {}, and people = {wanted}",
                schedule.name(),
                names.join(", "),
                if names.len() == 1 { "is" } else { "are" },
                time_of(schedule, one, now, end)
            )
        };
        let hint = "put one source into a higher layer, or raise people";
        tell(&more, path, |one| says("all of", one), hint, &mut findings);
        let hint = "add a rotation to the same layer, or lower people";
        tell(&fewer, path, |one| says("only", one), hint, &mut findings);
    }
    findings
}

fn tell(
    stretches: &[&Stretch],
    path: &str,
    says: impl Fn(&Stretch) -> String,
    hint: &str,
    findings: &mut Vec<Finding>,
) {
    for one in stretches.iter().take(TOLD_MAX) {
        findings.push(Finding::warning(path, says(one)).hint(hint));
    }
    if let (Some(first), Some(more)) = (stretches.first(), stretches.len().checked_sub(TOLD_MAX))
        && more > 0
    {
        let says = format!("{}, and {more} times more within 60 days", says(first));
        findings.push(Finding::warning(path, says).hint(hint));
    }
}

/// `from Mon 2026-01-05 08:00 to Tue 2026-01-06 08:00`, by the schedule's own clock.
fn time_of(schedule: &Schedule, one: &Stretch, now: Timestamp, end: Timestamp) -> String {
    let from = if one.from == now {
        "from now".to_owned()
    } else {
        format!("from {}", schedule.local(one.from))
    };
    if one.to == end {
        format!("{from} on, for the rest of 60 days")
    } else {
        format!("{from} to {}", schedule.local(one.to))
    }
}
