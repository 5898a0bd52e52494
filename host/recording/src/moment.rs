//! Moments as text: RFC 3339 with all nine digits of the nanoseconds, because a replay has to be
//! exact, and in UTC. Reading is on the hot path of a replay, so it takes bytes and allocates
//! nothing; it takes fewer digits and other offsets too, as other programs write them.

use andon_model::Timestamp;

const NANOS: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// Days from 1 March of year 0 to the Unix epoch. Years that begin in March put the leap day last.
const EPOCH_DAYS: i64 = 719_468;
/// Days of 400 years.
const ERA_DAYS: i64 = 146_097;

/// A moment as it is written: `2026-11-23T02:14:05.120456789Z`.
#[must_use]
pub fn show_moment(at: Timestamp) -> String {
    let (secs, nanos) = (at.nanos().div_euclid(NANOS), at.nanos().rem_euclid(NANOS));
    let (days, second) = (secs.div_euclid(DAY), secs.rem_euclid(DAY));
    let (year, month, day) = date_of(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{nanos:09}Z",
        second / 3_600,
        second % 3_600 / 60,
        second % 60
    )
}

/// Reads a moment: date, `T` or a space, time, at most nine digits behind the point, `Z` or an
/// offset. `None` for anything else, and for moments outside the years 1678 to 2261.
#[must_use]
pub fn read_moment(text: &[u8]) -> Option<Timestamp> {
    let number = |from: usize, to: usize| digits(text.get(from..to)?);
    let is = |place: usize, sign: u8| (*text.get(place)? == sign).then_some(());
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    is(4, b'-')?;
    is(7, b'-')?;
    is(10, b'T').or(is(10, b' '))?;
    is(13, b':')?;
    is(16, b':')?;
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, zone) = fraction(text.get(19..)?)?;
    let secs = days_of(year, month, day) * DAY + hour * 3_600 + minute * 60 + second;
    let whole = (secs - offset(zone)?).checked_mul(NANOS)?;
    Some(Timestamp::from_nanos(whole.checked_add(nanos)?))
}

/// Nanoseconds behind the point, and what follows them.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let count = rest.iter().take_while(|sign| sign.is_ascii_digit()).count();
    if count == 0 || count > 9 {
        return None;
    }
    let (shown, zone) = rest.split_at_checked(count)?;
    let scale = 10_i64.pow(u32::try_from(9 - count).ok()?);
    Some((digits(shown)? * scale, zone))
}

/// Seconds that the clock of the text is ahead of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, minutes) = (digits(rest.get(..2)?)?, digits(rest.get(3..)?)?);
            if *rest.get(2)? != b':' || rest.len() != 5 || hours > 23 || minutes > 59 {
                return None;
            }
            let secs = hours * 3_600 + minutes * 60;
            Some(if *sign == b'-' { -secs } else { secs })
        }
        _ => None,
    }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0_i64, |number, sign| {
        sign.is_ascii_digit()
            .then(|| number * 10 + i64::from(sign - b'0'))
    })
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the Unix epoch.
const fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAYS
}

/// Year, month and day of a number of days since the Unix epoch.
const fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS;
    let (era, of_era) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    if month < 10 {
        (era * 400 + year, month + 3, day)
    } else {
        (era * 400 + year + 1, month - 9, day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_the_rest_of_the_host_shows_and_more_digits() {
        for nanos in [
            0,
            -1,
            951_782_400_000_000_000,
            1_709_164_799_999_999_999,
            1_767_225_600_123_456_789,
            4_102_444_800_000_000_001,
            -9_000_000_000_000_000_000,
        ] {
            let at = Timestamp::from_nanos(nanos);
            let shown = show_moment(at);
            let rough = format!("{}Z", shown.get(..23).unwrap_or_default());
            // Milliseconds are rounded by others, and cut here.
            if nanos % 1_000_000 < 500_000 && nanos >= 0 {
                assert_eq!(rough, at.to_string(), "{nanos}");
            }
            assert_eq!(read_moment(shown.as_bytes()), Some(at), "{shown}");
        }
    }

    #[test]
    fn every_day_of_eight_hundred_years_is_read_as_it_is_shown() {
        for day in -100_000..100_000_i64 {
            let at = Timestamp::from_secs(day * DAY + 3_661);
            assert_eq!(read_moment(show_moment(at).as_bytes()), Some(at));
        }
    }

    #[test]
    fn reads_what_other_programs_write_and_refuses_what_is_no_moment() {
        let at = Some(Timestamp::from_nanos(1_767_225_600_500_000_000));
        for fine in [
            "2026-01-01T00:00:00.5Z",
            "2026-01-01 00:00:00.500z",
            "2026-01-01T02:00:00.5+02:00",
            "2025-12-31T18:30:00.5-05:30",
        ] {
            assert_eq!(read_moment(fine.as_bytes()), at, "{fine}");
        }
        for wrong in [
            "",
            "yesterday",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.0123456789Z",
            "2026-01-01T00:00:00+2:00",
            "9999-01-01T00:00:00Z",
            "46022.5",
        ] {
            assert_eq!(read_moment(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
