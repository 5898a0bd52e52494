//! People who take turns, handed over by the wall clock.
//!
//! Turn `n` begins when the clock shows the local time of the first turn plus `n` periods. A turn
//! of twelve hours over a change of the clock therefore lasts eleven or thirteen, and a turn of a
//! week always ends at the same time of the day.

use std::sync::Arc;

use andon_model::Timestamp;
use jiff::civil::DateTime;
use jiff::{SignedDuration, Span};

use super::holidays::Holidays;
use super::hours::Hours;
use super::wall::Wall;

/// Seconds of an hour.
const HOUR: i64 = 3_600;

/// How long a turn lasts by the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Every {
    /// Hours; days and weeks are so many times 24 of them, because the clock of the wall counts.
    Hours(i64),
    /// Months of the calendar.
    Months(i64),
}

impl Every {
    /// Longest turn: 53 weeks, or 12 months.
    const HOURS_MAX: i64 = 53 * 7 * 24;

    /// Reads `12h`, `day`, `3 days`, `week`, `2 weeks`, `month`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(digits);
        let count = if number.is_empty() {
            1
        } else {
            number.parse::<i64>().ok()?
        };
        let hours = match unit.trim() {
            "h" | "hour" | "hours" => 1,
            "d" | "day" | "days" => 24,
            "w" | "week" | "weeks" => 7 * 24,
            "month" | "months" => {
                return (1..=12).contains(&count).then_some(Self::Months(count));
            }
            _ => return None,
        };
        let hours = count.checked_mul(hours)?;
        (1..=Self::HOURS_MAX)
            .contains(&hours)
            .then_some(Self::Hours(hours))
    }

    /// The local time of the `n`th handover.
    fn nth(self, first: DateTime, n: i64) -> DateTime {
        match self {
            Self::Hours(hours) => {
                let seconds = hours.saturating_mul(HOUR).saturating_mul(n);
                moved(first, SignedDuration::from_secs(seconds))
            }
            Self::Months(months) => {
                let span = Span::new().try_months(months.saturating_mul(n));
                match span.map(|span| first.checked_add(span)) {
                    Ok(Ok(local)) => local,
                    Ok(Err(_)) | Err(_) if n < 0 => DateTime::MIN,
                    Ok(Err(_)) | Err(_) => DateTime::MAX,
                }
            }
        }
    }

    /// About how many handovers lie between two local times; off by one at most, and by the hours
    /// by which clocks are put forward or back.
    fn about(self, first: DateTime, local: DateTime) -> i64 {
        match self {
            Self::Hours(hours) => local
                .duration_since(first)
                .as_secs()
                .div_euclid(hours.saturating_mul(HOUR)),
            Self::Months(months) => {
                let of = |local: DateTime| i64::from(local.year()) * 12 + i64::from(local.month());
                (of(local) - of(first)).div_euclid(months)
            }
        }
    }
}

/// A local time moved; stays at the end of what can be said.
fn moved(local: DateTime, by: SignedDuration) -> DateTime {
    match local.checked_add(by) {
        Ok(local) => local,
        Err(_) if by.is_negative() => DateTime::MIN,
        Err(_) => DateTime::MAX,
    }
}

/// A turn, or the part of it that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// Whose turn it is, an index into [`Rotation::people`].
    pub(crate) place: usize,
}

/// A checked rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// What people call it.
    pub(crate) name: String,
    pub(crate) layer: u8,
    /// Who takes each turn; never empty, and no turn is.
    pub(crate) people: Vec<Arc<[Arc<str>]>>,
    pub(crate) every: Every,
    /// Local time of the first handover.
    pub(crate) starts: DateTime,
    /// Local time of the end.
    pub(crate) ends: Option<DateTime>,
    pub(crate) hours: Hours,
}

impl Rotation {
    /// The turns that touch a stretch of time, cut to the hours that count, in order.
    pub(crate) fn turns(
        &self,
        wall: &Wall,
        holidays: &Holidays,
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<Turn> {
        let turns = self.whole_turns(wall, from, to);
        if self.hours.is_always() || turns.is_empty() {
            return turns;
        }
        let windows = self.hours.windows(wall, holidays, from, to);
        let mut windows = windows.into_iter().peekable();
        let mut cut = Vec::new();
        for turn in turns {
            while let Some(&(opens, closes)) = windows.peek() {
                if opens >= turn.end {
                    break;
                }
                let part = Turn {
                    start: opens.max(turn.start),
                    end: closes.min(turn.end),
                    ..turn
                };
                if part.start < part.end {
                    cut.push(part);
                }
                if closes > turn.end {
                    break;
                }
                windows.next();
            }
        }
        cut
    }

    fn whole_turns(&self, wall: &Wall, from: Timestamp, to: Timestamp) -> Vec<Turn> {
        let over = self.ends.map_or(Timestamp::MAX, |ends| wall.moment(ends));
        let to = to.min(over);
        let mut turns = Vec::new();
        let mut n = self.turn_at(wall, from).max(0);
        let mut start = self.handover(wall, n);
        while start < to {
            let next = self.handover(wall, n + 1);
            let turn = Turn {
                start,
                end: next.min(over),
                place: self.place(n),
            };
            if turn.start < turn.end && turn.end > from {
                turns.push(turn);
            }
            if next == Timestamp::MAX {
                break;
            }
            start = next;
            n += 1;
        }
        turns
    }

    fn place(&self, n: i64) -> usize {
        let count = i64::try_from(self.people.len()).unwrap_or(1).max(1);
        usize::try_from(n.rem_euclid(count)).unwrap_or(0)
    }

    fn handover(&self, wall: &Wall, n: i64) -> Timestamp {
        wall.moment(self.every.nth(self.starts, n))
    }

    /// Number of the turn that holds at a moment; negative before the first.
    fn turn_at(&self, wall: &Wall, at: Timestamp) -> i64 {
        /// A clock is never moved by more than a day, and a turn is never shorter than an hour.
        const STEPS_MAX: usize = 32;
        let mut n = self.every.about(self.starts, wall.local(at));
        for _ in 0..STEPS_MAX {
            if self.handover(wall, n) <= at {
                break;
            }
            n -= 1;
        }
        for _ in 0..STEPS_MAX {
            if self.handover(wall, n + 1) > at {
                break;
            }
            n += 1;
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_as_people_write_them() {
        let cases = [
            ("12h", Some(Every::Hours(12))),
            ("day", Some(Every::Hours(24))),
            ("3 days", Some(Every::Hours(72))),
            ("week", Some(Every::Hours(168))),
            ("2 weeks", Some(Every::Hours(336))),
            ("Month", Some(Every::Months(1))),
            ("0h", None),
            ("13 months", None),
            ("90 m", None),
            ("", None),
            ("7", None),
            ("99999999999999999999h", None),
        ];
        for (text, every) in cases {
            assert_eq!(Every::parse(text), every, "{text}");
        }
    }

    #[test]
    fn a_month_that_is_too_short_hands_over_on_its_last_day() {
        let first: DateTime = "2026-01-31T08:00".parse().expect("a local time");
        let handovers: Vec<String> = (0..4)
            .map(|n| Every::Months(1).nth(first, n).date().to_string())
            .collect();
        assert_eq!(
            handovers,
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]
        );
    }
}
