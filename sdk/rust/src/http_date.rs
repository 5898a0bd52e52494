//! Dates as HTTP writes them (RFC 9110, 5.6.7), in the form of today and the two of old, which a
//! recipient must still read.
//!
//! ```text
//! Sun, 06 Nov 1994 08:49:37 GMT      today
//! Sunday, 06-Nov-94 08:49:37 GMT     RFC 850
//! Sun Nov  6 08:49:37 1994           asctime
//! ```

/// Three letters each.
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Seconds since the Unix epoch; `None` for what is no date. The name of the day is not compared.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text
        .trim()
        .split([' ', '-', ','])
        .filter(|part| !part.is_empty())
        .collect();
    match parts.as_slice() {
        [_, day, month, year, time, "GMT"] => date(year, month, day, time),
        [_, month, day, time, year] => date(year, month, day, time),
        _ => None,
    }
}

fn date(year: &str, month: &str, day: &str, time: &str) -> Option<i64> {
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let day = number(day, 31).filter(|day| *day > 0)?;
    let year = match year.len() {
        4 => number(year, 9_999)?,
        // Two digits were of their time: HTTP is younger than 1970.
        2 => match number(year, 99)? {
            late @ 70.. => 1_900 + late,
            early => 2_000 + early,
        },
        _ => return None,
    };
    let mut parts = time.split(':');
    let mut part = |max| number(parts.next()?, max);
    // The sixtieth second is one that was put in.
    let (hour, minute, second) = (part(23)?, part(59)?, part(60)?);
    let days = days(year, i64::try_from(month).ok()?, day);
    let is_over = parts.next().is_none();
    is_over.then_some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn number(digits: &str, max: i64) -> Option<i64> {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| is_plain)?;
    (number <= max).then_some(number)
}

/// Days from 1970-01-01, in a calendar whose years begin in March, so that the day of leap years is
/// their last.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let of_years = year * 365 + year / 4 - year / 100 + year / 400;
    let of_months = (153 * month + 2) / 5;
    of_years + of_months + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_one_moment() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(seconds(text), Some(784_111_777), "{text}");
        }
    }

    #[test]
    fn days_are_counted_through_leap_years() {
        for (text, wanted) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Sun, 31 Dec 2023 23:59:59 GMT", 1_704_067_199),
            ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
            ("Fri, 31 Dec 9999 23:59:60 GMT", 253_402_300_800),
        ] {
            assert_eq!(seconds(text), Some(wanted), "{text}");
        }
        assert_eq!(seconds("Fri, 01-Jan-70 00:00:00 GMT"), Some(0));
        assert_eq!(seconds("Thu, 01-Jan-26 00:00:00 GMT"), Some(1_767_225_600));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "120",
            "soon",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 994 08:49:37 GMT",
            "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
