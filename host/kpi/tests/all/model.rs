//! Windows, floods and the split of answers against a model that looks at everything again.

use andon_kpi::{Flood, FloodWatch};
use proptest::prelude::*;

use crate::diary::{DAY, Diary, at};

const WINDOW: i64 = 600;

/// How many of the times count at a moment: each does for ten minutes.
fn count(times: &[i64], now: i64) -> usize {
    times
        .iter()
        .filter(|time| **time <= now && now < **time + WINDOW)
        .count()
}

/// Floods second by second, the slow way: a flood begins at an annunciation that makes more than
/// ten and ends in the first second in which fewer than five are left.
fn slow_floods(times: &[i64], until: i64) -> Vec<(i64, i64)> {
    let mut floods = Vec::new();
    let mut begun: Option<i64> = None;
    let mut seen = 0;
    for now in times.first().copied().unwrap_or(0)..=until {
        // Those of the same second come one after another, so count as they come.
        if begun.is_some_and(|_| count(&times[..seen], now) < 5) {
            floods.push((begun.take().unwrap(), now));
        }
        while seen < times.len() && times[seen] == now {
            seen += 1;
            if begun.is_none() && count(&times[..seen], now) > 10 {
                begun = Some(now);
            }
        }
    }
    if let Some(from) = begun {
        floods.push((from, until));
    }
    floods
}

fn times() -> impl Strategy<Value = Vec<i64>> {
    // Gaps that are mostly short, so that floods come and go.
    let gap = prop_oneof![6 => 0..60_i64, 3 => 60..200_i64, 1 => 200..900_i64];
    prop::collection::vec(gap, 0..120).prop_map(|gaps| {
        let mut now = 1_000;
        gaps.into_iter()
            .map(|gap| {
                now += gap;
                now
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn floods_are_those_of_the_slow_way(times in times()) {
        let until = times.last().copied().unwrap_or(0) + 2_000;
        let mut watch = FloodWatch::default();
        let mut floods: Vec<Flood> = times
            .iter()
            .filter_map(|time| watch.annunciated(at(*time)))
            .collect();
        floods.extend(watch.ended_by(at(until)));
        let found: Vec<_> = floods.iter().map(|flood| (flood.from, flood.to)).collect();
        let expected: Vec<_> = slow_floods(&times, until)
            .into_iter()
            .map(|(from, to)| (at(from), at(to)))
            .collect();
        prop_assert_eq!(found, expected);
        prop_assert!(watch.since().is_none());
    }

    #[test]
    fn intervals_are_those_of_the_slow_way(times in times()) {
        let mut diary = Diary::default();
        for (number, time) in times.iter().enumerate() {
            diary.raise(*time, &format!("tanks/{number}"));
        }
        let plant = diary.plant();
        let intervals: Vec<usize> = (0..1_440)
            .map(|number| {
                let interval = number * WINDOW..(number + 1) * WINDOW;
                times.iter().filter(|time| interval.contains(time)).count()
            })
            .collect();
        prop_assert_eq!(plant.per_10_minutes_peak, *intervals.iter().max().unwrap() as u64);
        let above = intervals.iter().filter(|count| **count > 10).count();
        prop_assert_eq!(plant.intervals_above_10, above as u64);
        let seconds: i64 = slow_floods(&times, 10 * DAY)
            .iter()
            .map(|(from, to)| to - from)
            .sum();
        prop_assert_eq!(plant.flood_seconds, seconds as u64);
    }

    /// One condition that comes and goes: what chatters and what is fleeting, looked at pair by pair.
    #[test]
    fn chatter_and_fleeting_stays_are_those_of_the_slow_way(
        steps in prop::collection::vec((1..90_i64, 1..20_i64), 0..60)
    ) {
        let mut stays: Vec<(i64, i64)> = Vec::new();
        let mut now = 0;
        let mut diary = Diary::default();
        for (gap, stay) in steps {
            let from = now + gap;
            now = from + stay;
            stays.push((from, now));
            diary.blip(from, now, "tanks/high");
        }
        let plant = diary.plant();
        let chatters = |place: usize| place >= 2 && stays[place].0 - stays[place - 2].0 < 60;
        let chattering = (0..stays.len()).filter(|place| chatters(*place)).count();
        let bouts = (0..stays.len())
            .filter(|place| chatters(*place) && (*place == 0 || !chatters(*place - 1)))
            .count();
        let alone = |place: usize| {
            let before = place == 0 || stays[place].0 - stays[place - 1].1 >= 60;
            let after = place + 1 == stays.len() || stays[place + 1].0 - stays[place].1 >= 60;
            before && after && stays[place].1 - stays[place].0 < 10
        };
        let fleeting = (0..stays.len()).filter(|place| alone(*place)).count();
        let one = plant.chattering.first();
        prop_assert_eq!(one.map_or(0, |one| one.activations), chattering as u64);
        prop_assert_eq!(one.map_or(0, |one| one.bouts), bouts as u64);
        prop_assert_eq!(plant.fleeting.first().map_or(0, |one| one.times), fleeting as u64);
    }

    /// Alarms that come, go, are acknowledged, shelved and freed in any order: the answers make up
    /// the annunciations, and the time in states makes up the time that they were not normal.
    #[test]
    fn nothing_is_counted_twice_or_lost(
        steps in prop::collection::vec((0..4_usize, 0..6_u8, 1..40_000_i64), 0..80)
    ) {
        let mut played = Played::default();
        for (alarm, step, gap) in steps {
            played.step(alarm, step, gap);
        }
        let plant = played.diary.plant();
        prop_assert_eq!(plant.activations, played.raised);
        prop_assert_eq!(plant.annunciations, played.told);
        let answers = &plant.acknowledgements;
        prop_assert_eq!(
            plant.annunciations,
            answers.acknowledged + answers.silenced + answers.never + answers.waiting
        );
        let states = &plant.time_in_state;
        let all = states.unacknowledged_seconds
            + states.acknowledged_seconds
            + states.returned_seconds
            + states.shelved_seconds;
        prop_assert_eq!(all, played.seconds_until(10 * DAY));
    }
}

/// Plays steps by the table of the alarm book, within the period.
#[derive(Default)]
struct Played {
    diary: Diary,
    now: i64,
    /// By alarm: the alarm, its letter, whether it is shelved, since when it is not normal.
    standing: [Option<(crate::diary::Alarm, char, bool, i64)>; 4],
    raised: u64,
    told: u64,
    seconds: i64,
}

impl Played {
    fn step(&mut self, number: usize, step: u8, gap: i64) {
        if self.now + gap >= 10 * DAY {
            return;
        }
        self.now += gap;
        let now = self.now;
        let flags = |shelved: bool| {
            if shelved {
                serde_json::json!({ "shelved": { "at": at(0) } })
            } else {
                serde_json::json!({})
            }
        };
        let known = self.standing[number].take();
        self.standing[number] = match (known, step) {
            (None, 0) => Some(self.raise(number, false)),
            (Some((_, 'D', shelved, since)), 0) => {
                self.seconds += now - since;
                Some(self.raise(number, shelved))
            }
            (Some((mut alarm, letter @ ('B' | 'C'), shelved, since)), 1) => {
                alarm.cleared = Some(now);
                let after = if letter == 'C' { 'A' } else { 'D' };
                self.diary
                    .step(now, &alarm, "cleared", after, flags(shelved));
                if letter == 'C' {
                    self.seconds += now - since;
                    None
                } else {
                    Some((alarm, 'D', shelved, since))
                }
            }
            (Some((mut alarm, letter @ ('B' | 'D'), shelved, since)), 2) => {
                alarm.acknowledged = Some(now);
                let after = if letter == 'D' { 'A' } else { 'C' };
                self.diary
                    .step(now, &alarm, "acknowledged", after, flags(shelved));
                if letter == 'D' {
                    self.seconds += now - since;
                    None
                } else {
                    Some((alarm, 'C', shelved, since))
                }
            }
            (Some((alarm, letter, false, since)), 3) => {
                self.diary.step(now, &alarm, "shelved", letter, flags(true));
                Some((alarm, letter, true, since))
            }
            (Some((alarm, letter, true, since)), 4) => {
                self.diary
                    .step(now, &alarm, "unshelved", letter, flags(false));
                self.told += u64::from(letter == 'B');
                Some((alarm, letter, false, since))
            }
            (Some((alarm, 'C', shelved, since)), 5) => {
                self.diary
                    .step(now, &alarm, "re-alarmed", 'B', flags(shelved));
                self.told += u64::from(!shelved);
                Some((alarm, 'B', shelved, since))
            }
            (known, _) => known,
        };
    }

    fn raise(&mut self, number: usize, shelved: bool) -> (crate::diary::Alarm, char, bool, i64) {
        let alarm = self.diary.raise(self.now, &format!("tanks/{number}"));
        if shelved {
            let flags = serde_json::json!({ "shelved": { "at": at(0) } });
            self.diary.edit(|data| data["flags"] = flags);
        }
        self.raised += 1;
        self.told += u64::from(!shelved);
        (alarm, 'B', shelved, self.now)
    }

    fn seconds_until(&self, end: i64) -> u64 {
        let standing = self.standing.iter().flatten();
        let still: i64 = standing.map(|(_, _, _, since)| end - since).sum();
        (self.seconds + still) as u64
    }
}
