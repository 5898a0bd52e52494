//! Local times, times of the day and days of the week as people write them in settings.

use jiff::civil::{Date, DateTime};

use super::hours::DAY_MINUTES;

/// Reads `2026-01-05 08:00`, also with a `T` or with seconds. A bare date is refused: it leaves
/// open whether its day belongs to the time or not.
pub(crate) fn local_time(text: &str) -> Option<DateTime> {
    let (day, time) = text.trim().split_once([' ', 'T', 't'])?;
    let plain = time.contains(':') && time.bytes().all(|b| b.is_ascii_digit() || b == b':');
    let joined = format!("{day}T{}", time.trim());
    plain.then(|| joined.parse().ok()).flatten()
}

/// Reads a date, `2026-05-01`.
pub(crate) fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    plain.then(|| text.parse().ok()).flatten()
}

/// Reads a day of each year, `12-25`: month and day.
pub(crate) fn day_of_year(text: &str) -> Option<(i8, i8)> {
    // A leap year, so that 29 February is one.
    let day = date(&format!("2024-{}", text.trim()))?;
    Some((day.month(), day.day()))
}

/// Reads a time of the day in minutes, `06:00` to `24:00`.
pub(crate) fn minute_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let plain =
        |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(hour) || !plain(minute) || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= DAY_MINUTES).then_some(minutes)
}

/// Reads days of the week: `mon`, `Monday`, `mon..fri`, `fri..mon`; Monday first.
pub(crate) fn days_of_week(text: &str) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    let (first, last) = match text.split_once("..") {
        Some((first, last)) => (day_of_week(first)?, day_of_week(last)?),
        None => (day_of_week(text)?, day_of_week(text)?),
    };
    let mut day = first;
    for _ in 0..7 {
        if let Some(chosen) = days.get_mut(day) {
            *chosen = true;
        }
        if day == last {
            break;
        }
        day = (day + 1) % 7;
    }
    Some(days)
}

fn day_of_week(text: &str) -> Option<usize> {
    const NAMES: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let text = text.trim().to_ascii_lowercase();
    let known = |name: &&str| text.len() >= 3 && name.starts_with(text.as_str());
    NAMES.iter().position(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_times_are_read_and_nonsense_is_not() {
        for good in [
            "2026-01-05 08:00",
            "2026-01-05T08:00:00",
            " 2026-01-05 08:00 ",
        ] {
            let local = local_time(good).map(|local| local.to_string());
            assert_eq!(local.as_deref(), Some("2026-01-05T08:00:00"), "{good}");
        }
        for bad in [
            "2026-01-05",
            "2026-02-30 08:00",
            "2026-01-05 24:01",
            "2026-01-05T08:00Z",
            "2026-01-05T08:00+01:00",
            "tomorrow 08:00",
            "",
        ] {
            assert_eq!(local_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_of_the_day_are_read_and_nonsense_is_not() {
        assert_eq!(minute_of_day("6:30"), Some(390));
        assert_eq!(minute_of_day("24:00"), Some(1_440));
        for bad in ["24:01", "06", "06:5", "06:60", "-1:00", "noon"] {
            assert_eq!(minute_of_day(bad), None, "{bad}");
        }
    }

    #[test]
    fn days_of_the_week_may_be_a_range_over_sunday() {
        let days = |text| days_of_week(text).map(|days| days.map(u8::from));
        assert_eq!(days("mon..fri"), Some([1, 1, 1, 1, 1, 0, 0]));
        assert_eq!(days("Fri..Mon"), Some([1, 0, 0, 0, 1, 1, 1]));
        assert_eq!(days("sunday"), Some([0, 0, 0, 0, 0, 0, 1]));
        assert_eq!(days("mo"), None);
        assert_eq!(days("mon...fri"), None);
    }

    #[test]
    fn days_of_each_year_are_read() {
        assert_eq!(day_of_year("12-25"), Some((12, 25)));
        assert_eq!(day_of_year("02-29"), Some((2, 29)));
        assert_eq!(day_of_year("13-01"), None);
    }
}
