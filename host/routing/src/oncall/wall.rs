//! The clock on the wall of one place: from local times to moments and back.
//!
//! Shifts are agreed by that clock, so all arithmetic is done in local time and turned into a
//! moment at its end. Where a local time does not exist, because the clock was put forward, the
//! moment of that change stands for it. Where it exists twice, because the clock was put back, the
//! first one does. A later local time therefore never gives an earlier moment.

use andon_model::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// The clock of one time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wall(TimeZone);

impl Wall {
    /// The clock of a zone of the IANA database: that of the machine, or where it has none the
    /// one that the program carries.
    pub(crate) fn named(zone: &str) -> Option<Self> {
        // `get` also takes `UTC` and the like; a name with a blank or a `\0` is never one.
        TimeZone::get(zone).ok().map(Self)
    }

    /// The clock of a rule such as `CET-1CEST,M3.5.0,M10.5.0/3`.
    pub(crate) fn posix(rule: &str) -> Option<Self> {
        TimeZone::posix(rule).ok().map(Self)
    }

    /// Coordinated universal time.
    pub(crate) const fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The moment at which the clock first shows this, or would.
    pub(crate) fn moment(&self, local: DateTime) -> Timestamp {
        let ambiguous = self.0.to_ambiguous_timestamp(local);
        let in_gap = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        // In a gap this is the moment as if the clock had not been put forward: after the change.
        let Ok(found) = ambiguous.compatible() else {
            return if local.year() < 2000 {
                Timestamp::from_nanos(i64::MIN)
            } else {
                Timestamp::MAX
            };
        };
        if !in_gap {
            return model(found);
        }
        let just_after = found.saturating_add(jiff::SignedDuration::from_nanos(1));
        let change = just_after
            .ok()
            .and_then(|after| self.0.preceding(after).next());
        change.map_or_else(|| model(found), |change| model(change.timestamp()))
    }

    /// What the clock shows at a moment.
    pub(crate) fn local(&self, at: Timestamp) -> DateTime {
        jiff::Timestamp::from_nanosecond(i128::from(at.nanos()))
            .map_or(DateTime::MAX, |moment| self.0.to_datetime(moment))
    }
}

fn model(moment: jiff::Timestamp) -> Timestamp {
    let nanos = moment.as_nanosecond();
    let bounded = nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    Timestamp::from_nanos(i64::try_from(bounded).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(zone: &str) -> Wall {
        Wall::named(zone).expect("a zone")
    }

    fn moment(zone: &str, local: &str) -> String {
        wall(zone)
            .moment(local.parse().expect("a local time"))
            .to_string()
    }

    #[test]
    fn a_time_that_the_clock_skips_is_the_moment_of_the_change() {
        for local in [
            "2026-03-29T02:00",
            "2026-03-29T02:30",
            "2026-03-29T02:59:59",
        ] {
            assert_eq!(moment("Europe/Berlin", local), "2026-03-29T01:00:00.000Z");
        }
        assert_eq!(
            moment("Australia/Lord_Howe", "2026-10-04T02:15"),
            "2026-10-03T15:30:00.000Z"
        );
    }

    #[test]
    fn a_time_that_the_clock_shows_twice_is_the_first() {
        assert_eq!(
            moment("Europe/Berlin", "2026-10-25T02:30"),
            "2026-10-25T00:30:00.000Z"
        );
        assert_eq!(
            moment("America/New_York", "2026-11-01T01:59"),
            "2026-11-01T05:59:00.000Z"
        );
    }

    #[test]
    fn a_day_that_a_place_left_out_is_the_moment_after_it() {
        // Samoa had no 30 December 2011.
        assert_eq!(
            moment("Pacific/Apia", "2011-12-30T12:00"),
            "2011-12-30T10:00:00.000Z"
        );
    }

    #[test]
    fn later_local_times_never_give_earlier_moments() {
        for zone in ["Europe/Berlin", "Australia/Lord_Howe", "America/New_York"] {
            let wall = wall(zone);
            let mut local: DateTime = "2026-01-01T00:00".parse().expect("a local time");
            let mut last = wall.moment(local);
            for _ in 0..366 * 96 {
                local += jiff::SignedDuration::from_mins(15);
                let next = wall.moment(local);
                assert!(next >= last, "{zone} {local}");
                last = next;
            }
        }
    }
}
