//! Quiet hours: when a person is not to be woken, in local time.
//!
//! A window begins on a day of the calendar at a time of the wall clock and ends at another, on the
//! same day or the next. A time that daylight saving skips is as much later as the clocks are put
//! on; of one that comes twice the first counts. Windows that touch or overlap count as one.

use andon_model::{Priority, Timestamp};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

/// Most windows one after another that are followed; hours that would need more leave no gap and
/// are refused by the check.
const CHAIN_MAX: usize = 256;
/// Most windows of a person, so that the bound above spans more than a week.
pub(crate) const WINDOWS_MAX: usize = 20;

/// All quiet hours of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuietHours {
    windows: Vec<Window>,
}

/// One stretch of quiet, as it comes again each week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Time,
    pub(crate) to: Time,
    /// Days on which it begins.
    pub(crate) days: Vec<Weekday>,
    pub(crate) zone: TimeZone,
    /// The lowest priority that is told all the same.
    pub(crate) through: Priority,
}

impl QuietHours {
    pub(crate) const fn new(windows: Vec<Window>) -> Self {
        Self { windows }
    }

    /// Until when a message of this priority waits, or `None` if it may go out now.
    #[must_use]
    pub fn until(&self, priority: Priority, now: Timestamp) -> Option<Timestamp> {
        let mut end = None;
        let mut at = now;
        for _ in 0..CHAIN_MAX {
            let later = self
                .windows
                .iter()
                .filter(|window| priority < window.through)
                .filter_map(|window| window.until(at))
                .max();
            let Some(later) = later else { break };
            end = Some(later);
            at = later;
        }
        end
    }

    /// Whether some priority would wait for ever: the windows leave no gap within a week.
    pub(crate) fn covers_all(&self, from: Timestamp) -> bool {
        const WEEK: std::time::Duration = std::time::Duration::from_secs(8 * 86_400);
        self.until(Priority::Low, from)
            .is_some_and(|end| end > from.plus(WEEK))
    }
}

impl Window {
    /// The end of this window if `at` is within it.
    fn until(&self, at: Timestamp) -> Option<Timestamp> {
        let moment = jiff::Timestamp::from_nanosecond(i128::from(at.nanos())).ok()?;
        let today = moment.to_zoned_datetime(self.zone.clone()).date();
        // A window over midnight began yesterday.
        let days = [today.yesterday().ok(), Some(today)];
        days.into_iter().flatten().find_map(|day| {
            let (begin, end) = self.on(day)?;
            (begin <= at && at < end).then_some(end)
        })
    }

    /// Begin and end of the window that begins on this day, if one does.
    fn on(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        if !self.days.contains(&day.weekday()) {
            return None;
        }
        let last = if self.to > self.from {
            day
        } else {
            day.tomorrow().ok()?
        };
        Some((self.moment(day, self.from)?, self.moment(last, self.to)?))
    }

    fn moment(&self, day: Date, time: Time) -> Option<Timestamp> {
        let zoned = self.zone.to_zoned_datetime(day.to_datetime(time)).ok()?;
        let nanos = zoned.timestamp().as_nanosecond();
        i64::try_from(nanos).ok().map(Timestamp::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().expect("a moment");
        Timestamp::from_nanos(i64::try_from(moment.as_nanosecond()).expect("in range"))
    }

    fn window(from: &str, to: &str, days: &[Weekday]) -> Window {
        Window {
            from: from.parse().expect("a time"),
            to: to.parse().expect("a time"),
            days: days.to_vec(),
            zone: TimeZone::get("Europe/Berlin").expect("a zone"),
            through: Priority::Critical,
        }
    }

    fn every_day() -> Vec<Weekday> {
        Weekday::Monday.cycle_forward().take(7).collect()
    }

    fn until(hours: &QuietHours, at: &str) -> Option<String> {
        hours
            .until(Priority::High, moment(at))
            .map(|end| end.to_string())
    }

    #[test]
    fn a_window_over_midnight_ends_the_next_morning_and_critical_breaks_through() {
        let hours = QuietHours::new(vec![window("22:00", "06:00", &every_day())]);
        assert_eq!(until(&hours, "2026-01-10T20:59:59Z"), None);
        let end = Some("2026-01-11T05:00:00.000Z".to_owned());
        assert_eq!(until(&hours, "2026-01-10T21:00:00Z"), end);
        assert_eq!(until(&hours, "2026-01-11T04:59:59Z"), end);
        assert_eq!(until(&hours, "2026-01-11T05:00:00Z"), None);
        let now = moment("2026-01-11T01:00:00Z");
        assert_eq!(hours.until(Priority::Critical, now), None);
    }

    #[test]
    fn days_count_where_the_window_begins() {
        // 2026-01-10 is a Saturday.
        let hours = QuietHours::new(vec![window("22:00", "06:00", &[Weekday::Saturday])]);
        assert!(until(&hours, "2026-01-11T02:00:00Z").is_some());
        assert_eq!(until(&hours, "2026-01-10T02:00:00Z"), None);
        assert_eq!(until(&hours, "2026-01-12T02:00:00Z"), None);
    }

    #[test]
    fn windows_that_touch_count_as_one() {
        let days = every_day();
        let hours = QuietHours::new(vec![
            window("22:00", "06:00", &days),
            window("06:00", "07:30", &days),
        ]);
        let end = Some("2026-01-11T06:30:00.000Z".to_owned());
        assert_eq!(until(&hours, "2026-01-10T23:00:00Z"), end);
    }

    #[test]
    fn nights_with_a_change_of_the_clock_end_by_the_clock() {
        // On 2026-03-29 clocks go from 02:00 to 03:00 in Berlin, at 01:00 UTC.
        let hours = QuietHours::new(vec![window("22:00", "02:30", &every_day())]);
        let end = Some("2026-03-29T01:30:00.000Z".to_owned());
        assert_eq!(until(&hours, "2026-03-28T22:00:00Z"), end);
        let long = QuietHours::new(vec![window("22:00", "06:00", &every_day())]);
        let end = Some("2026-03-29T04:00:00.000Z".to_owned());
        assert_eq!(until(&long, "2026-03-28T22:00:00Z"), end, "seven hours");
        let end = Some("2026-10-25T05:00:00.000Z".to_owned());
        assert_eq!(until(&long, "2026-10-24T21:00:00Z"), end, "nine hours");
    }

    #[test]
    fn hours_without_a_gap_are_known_as_such() {
        let days = every_day();
        let now = moment("2026-01-10T12:00:00Z");
        let all = QuietHours::new(vec![window("00:00", "00:00", &days)]);
        assert!(all.covers_all(now));
        let most = QuietHours::new(vec![window("00:00", "23:59", &days)]);
        assert!(!most.covers_all(now));
        assert!(!QuietHours::default().covers_all(now));
    }

    /// Minute by minute over two years with both changes of the clock.
    #[test]
    fn quiet_agrees_with_the_wall_clock_minute_by_minute() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let hours = QuietHours::new(vec![window(
            "22:00",
            "06:00",
            &[Weekday::Friday, Weekday::Saturday],
        )]);
        let begin = moment("2026-03-01T00:00:00Z");
        for minute in 0..(365 * 24 * 60_u64) {
            let at = begin.plus(std::time::Duration::from_secs(minute * 60));
            let moment = jiff::Timestamp::from_nanosecond(i128::from(at.nanos())).expect("fits");
            let local = moment.to_zoned_datetime(zone.clone());
            let (day, hour) = (local.date().weekday(), local.time().hour());
            let evening = matches!(day, Weekday::Friday | Weekday::Saturday) && hour >= 22;
            let morning = matches!(day, Weekday::Saturday | Weekday::Sunday) && hour < 6;
            let quiet = hours.until(Priority::Low, at).is_some();
            assert_eq!(quiet, evening || morning, "{local}");
        }
    }
}
