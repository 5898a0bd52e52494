//! What failing instances cost, and what people are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use andon_model::{CallErrorKind, Reason, Timestamp};
use andon_plugins::{IncidentKind, Round, RunState};
use proptest::prelude::*;

use crate::doubles::{Bench, Fake, failure, function_plan, raise, rule_plan, secs, words};

/// A rule that fails while a switch is on, and the switch.
fn faulty(kind: CallErrorKind) -> (Fake, Arc<AtomicBool>) {
    let broken = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&broken);
    let fake = Fake::rule(move |scene| {
        let count = scene.number("count") + 1.0;
        scene.remember("count", count);
        if switch.load(Ordering::SeqCst) {
            return Err(failure(kind));
        }
        Ok(Vec::new())
    });
    (fake, broken)
}

fn millis(at: i64) -> Timestamp {
    Timestamp::from_nanos(at * 1_000_000)
}

fn told(rounds: &[(Timestamp, Round)]) -> Vec<(Timestamp, &'static str)> {
    rounds
        .iter()
        .flat_map(|(at, round)| words(round).into_iter().map(|word| (*at, word)))
        .collect()
}

/// All wake-ups until a second.
fn wakes(bench: &mut Bench, until: i64) -> Vec<(Timestamp, Round)> {
    std::iter::from_fn(|| bench.wake(until)).collect()
}

#[test]
fn three_strikes_quarantine_and_the_back_off_doubles() {
    let mut bench = Bench::new();
    let (fake, broken) = faulty(CallErrorKind::Trap);
    bench.add(0, rule_plan("r", &[1]), fake);
    bench.run(0, &[(1, 1.0)]);
    broken.store(true, Ordering::SeqCst);
    let mut rounds = vec![(secs(10), bench.run(10, &[(1, 2.0)]))];
    rounds.extend(wakes(&mut bench, 300));
    assert_eq!(
        told(&rounds),
        [
            (secs(10), "strike"),
            (millis(10_100), "strike"),
            (millis(11_100), "down"),
            (millis(41_100), "still down"),
            (millis(101_100), "still down"),
            (millis(221_100), "still down"),
        ]
    );
    let down = &rounds[2].1.incidents[0];
    assert_eq!(down.why.reason, Reason::PluginQuarantined);
    assert_eq!(down.down_key(), "plugin.r.down");
    assert_eq!(down.journal_entry().event, "down");
    let status = &bench.scheduler.status(secs(300))[0];
    assert_eq!(status.state, RunState::Quarantined(millis(461_100)));
    assert_eq!(status.down_since, Some(millis(11_100)));
    assert_eq!(status.failures, 6);
    assert!(status.held_by.as_ref().unwrap().contains("made to fail"));
}

#[test]
fn the_back_off_ends_at_an_hour() {
    let mut bench = Bench::new();
    let (fake, broken) = faulty(CallErrorKind::TimeOut);
    broken.store(true, Ordering::SeqCst);
    bench.add(0, rule_plan("r", &[1]), fake);
    let rounds = wakes(&mut bench, 86_400);
    let at: Vec<Timestamp> = rounds.iter().map(|(at, _)| *at).collect();
    let pauses: Vec<u64> = at.windows(2).map(|w| w[1].since(w[0]).as_secs()).collect();
    assert_eq!(pauses[2..10], [30, 60, 120, 240, 480, 960, 1920, 3600]);
    assert!(pauses[10..].iter().all(|pause| *pause == 3600));
}

#[test]
fn back_is_told_with_the_time_between_and_the_current_samples() {
    let mut bench = Bench::new();
    let (fake, broken) = faulty(CallErrorKind::OutOfBounds);
    let fake = bench.add(0, rule_plan("r", &[1, 2]), fake);
    bench.run(0, &[(1, 1.0), (2, 1.0)]);
    broken.store(true, Ordering::SeqCst);
    bench.run(10, &[(1, 2.0)]);
    wakes(&mut bench, 12);
    broken.store(false, Ordering::SeqCst);
    for at in 13..20 {
        let round = bench.run(at, &[(2, at as f64)]);
        assert!(round.calls.is_empty(), "it is in quarantine");
    }
    let (at, round) = bench.wake(100).unwrap();
    assert_eq!(at, millis(41_100));
    let back = &round.incidents[0];
    let down_since = millis(11_100);
    assert_eq!(back.kind, IncidentKind::Back { down_since });
    let entry = back.journal_entry();
    assert_eq!(entry.data["down_from"], down_since.to_string());
    assert_eq!(entry.data["down_to"], at.to_string());
    assert_eq!(fake.seen().last().unwrap(), &[(0, 2.0), (1, 19.0)]);
}

#[test]
fn a_struck_instance_finds_its_samples_again() {
    let mut bench = Bench::new();
    let (fake, broken) = faulty(CallErrorKind::TimeOut);
    let fake = bench.add(0, rule_plan("r", &[1, 2]), fake);
    bench.run(0, &[(1, 0.0), (2, 7.0)]);
    broken.store(true, Ordering::SeqCst);
    let round = bench.run(10, &[(1, 1.0)]);
    assert!(round.states.is_empty(), "a failed call writes nothing");
    broken.store(false, Ordering::SeqCst);
    bench.run(10, &[(1, 0.0)]);
    let (_, round) = bench.wake(11).unwrap();
    assert_eq!(
        fake.seen().last().unwrap(),
        &[(1, 7.0), (0, 1.0), (0, 0.0)],
        "the pulse is not lost, and the new guest sees its other input"
    );
    assert_eq!(fake.started(), 2);
    assert_eq!(round.states[0].value.as_deref(), Some(&b"2"[..]));
    assert!(words(&round).is_empty(), "one strike is not down");
}

#[test]
fn what_waits_for_a_struck_instance_is_bounded() {
    let mut bench = Bench::new();
    let (fake, broken) = faulty(CallErrorKind::Trap);
    let mut plan = rule_plan("r", &[1]);
    plan.limits.strikes_max = 5;
    let fake = bench.add(0, plan, fake);
    bench.run(0, &[(1, 0.0)]);
    broken.store(true, Ordering::SeqCst);
    bench.run(10, &[(1, 1.0)]);
    broken.store(false, Ordering::SeqCst);
    let flood = vec![(1, 2.0); 10_001];
    let round = bench.run(10, &flood);
    assert_eq!(
        round.incidents[0].kind,
        IncidentKind::SamplesDropped { rows: 10_002 }
    );
    bench.wake(11).unwrap();
    assert_eq!(fake.seen().last().unwrap(), &[(0, 2.0)]);
}

#[test]
fn a_timer_outlives_a_failed_call() {
    let mut bench = Bench::new();
    let broken = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&broken);
    let fake = Fake::rule(move |scene| {
        if !scene.samples.is_empty() && scene.now == secs(0) {
            scene.wake_at = Some(secs(10));
            return Ok(Vec::new());
        }
        if switch.swap(false, Ordering::SeqCst) {
            return Err(failure(CallErrorKind::Declined));
        }
        Ok(vec![raise("k", "late")])
    });
    bench.add(0, rule_plan("r", &[1]), fake);
    bench.run(0, &[(1, 1.0)]);
    let (at, round) = bench.wake(100).unwrap();
    assert_eq!((at, words(&round)), (secs(10), vec!["declined"]));
    assert!(round.timers.is_empty());
    assert_eq!(bench.scheduler.next_wake(), Some(secs(11)), "not at once");
    let (_, round) = bench.wake(100).unwrap();
    assert_eq!(round.fired.len(), 1);
    assert_eq!(round.timers[0].wake_at, None);
}

#[test]
fn a_decline_is_no_strike_but_nothing_else_for_long_is_down() {
    let mut bench = Bench::new();
    let (fake, broken) = faulty(CallErrorKind::Declined);
    let fake = bench.add(0, rule_plan("r", &[1]), fake);
    bench.run(0, &[(1, 0.0)]);
    broken.store(true, Ordering::SeqCst);
    let mut rounds = vec![(secs(10), bench.run(10, &[(1, 1.0)]))];
    rounds.extend(wakes(&mut bench, 300));
    assert_eq!(told(&rounds), [(secs(10), "declined"), (secs(73), "down")]);
    assert_eq!(fake.started(), 1, "its guest lives");
    let status = &bench.scheduler.status(secs(300))[0];
    assert_eq!((status.strikes, status.state), (0, RunState::Running));
    assert!(status.held_by.as_ref().unwrap().starts_with("declines"));
    assert!(status.declines >= 8);
    broken.store(false, Ordering::SeqCst);
    let round = bench.run(301, &[(1, 2.0)]);
    assert_eq!(words(&round), ["back"]);
    assert_eq!(fake.seen().last().unwrap(), &[(0, 2.0)]);
}

#[test]
fn a_rule_that_declines_every_other_call_does_not_fill_the_journal() {
    let mut bench = Bench::new();
    let (fake, broken) = faulty(CallErrorKind::Declined);
    bench.add(0, rule_plan("r", &[1]), fake);
    let mut told = 0;
    for at in 0..600 {
        broken.store(at % 2 == 0, Ordering::SeqCst);
        told += words(&bench.run(at, &[(1, at as f64)])).len();
    }
    assert_eq!(told, 10, "once a minute");
    assert_eq!(bench.scheduler.status(secs(600))[0].declines, 300);
}

#[test]
fn doing_well_for_a_while_resets_the_back_off() {
    for (well_until, expected) in [(300, 60), (5_000, 30)] {
        let mut bench = Bench::new();
        let (fake, broken) = faulty(CallErrorKind::Trap);
        bench.add(0, rule_plan("r", &[1]), fake);
        broken.store(true, Ordering::SeqCst);
        wakes(&mut bench, 2);
        broken.store(false, Ordering::SeqCst);
        wakes(&mut bench, well_until);
        broken.store(true, Ordering::SeqCst);
        bench.run(well_until, &[(1, 1.0)]);
        let rounds = wakes(&mut bench, well_until + 2);
        let (at, down) = rounds.last().unwrap();
        let IncidentKind::Down { retry_at } = down.incidents[0].kind else {
            panic!("{:?}", down.incidents);
        };
        assert_eq!(retry_at.since(*at).as_secs(), expected);
    }
}

#[test]
fn strikes_are_forgotten_after_ten_minutes() {
    let mut bench = Bench::new();
    let (fake, broken) = faulty(CallErrorKind::Trap);
    bench.add(0, rule_plan("r", &[1]), fake);
    bench.run(0, &[(1, 1.0)]);
    for hour in 1..10 {
        broken.store(true, Ordering::SeqCst);
        let round = bench.run(hour * 601, &[(1, 1.0)]);
        assert!(matches!(
            round.incidents[0].kind,
            IncidentKind::Strike { count: 1, .. }
        ));
        broken.store(false, Ordering::SeqCst);
        wakes(&mut bench, hour * 601 + 5);
    }
}

#[test]
fn a_guest_that_cannot_be_made_again_is_a_strike_too() {
    let mut bench = Bench::new();
    let broken = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&broken);
    let fake = Fake::rule(|scene| match scene.samples.value.last() {
        Some(value) if *value < 0.0 => Err(failure(CallErrorKind::Trap)),
        _ => Ok(Vec::new()),
    })
    .gate(move |_| {
        if switch.load(Ordering::SeqCst) {
            return Err(failure(CallErrorKind::Engine));
        }
        Ok(None)
    });
    let fake = bench.add(0, rule_plan("r", &[1]), fake);
    bench.run(0, &[(1, 1.0)]);
    broken.store(true, Ordering::SeqCst);
    bench.run(1, &[(1, -1.0)]);
    let rounds = wakes(&mut bench, 10);
    let words: Vec<&str> = told(&rounds).into_iter().map(|(_, word)| word).collect();
    assert_eq!(words, ["strike", "down"]);
    assert_eq!(fake.started(), 3, "attempts are bounded");
}

#[test]
fn one_bad_plugin_costs_the_others_nothing() {
    let mut bench = Bench::new();
    bench.add(
        0,
        rule_plan("a-bad", &[1]),
        Fake::rule(|_| Err(failure(CallErrorKind::Trap))),
    );
    let bad_function = Fake::function(|_| Err(failure(CallErrorKind::TimeOut)));
    bench.add(0, function_plan("bad", &[1], 11), bad_function);
    let good = Fake::rule(|scene| Ok(vec![raise("k", &format!("{:?}", scene.samples.value))]));
    bench.add(0, rule_plan("good", &[1]), good);
    for at in 1..100 {
        let round = bench.run(at, &[(1, at as f64)]);
        assert_eq!(round.fired.len(), 1);
        assert_eq!(round.fired[0].plan.name, "good");
    }
}

#[test]
fn an_instance_that_was_down_when_the_host_stopped_is_back_with_its_first_success() {
    let mut bench = Bench::new();
    bench
        .scheduler
        .restore("r", Default::default(), None, Some(secs(-500)));
    let (fake, _) = faulty(CallErrorKind::Trap);
    bench.add(0, rule_plan("r", &[1]), fake);
    let round = bench.run(1, &[]);
    let down_since = secs(-500);
    assert_eq!(round.incidents[0].kind, IncidentKind::Back { down_since });
}

#[test]
fn a_new_version_that_fails_like_the_old_one_is_told_again() {
    let mut bench = Bench::new();
    let (fake, broken) = faulty(CallErrorKind::Trap);
    broken.store(true, Ordering::SeqCst);
    bench.add(0, rule_plan("r", &[1]), fake);
    wakes(&mut bench, 10);
    let (newer, broken) = faulty(CallErrorKind::Trap);
    broken.store(true, Ordering::SeqCst);
    bench.add(11, rule_plan("r", &[1]), newer);
    let words: Vec<&str> = told(&wakes(&mut bench, 50))
        .into_iter()
        .map(|(_, w)| w)
        .collect();
    assert_eq!(words, ["strike", "strike", "down", "still down"]);
    let down_since = bench.scheduler.status(secs(50))[0].down_since.unwrap();
    assert_eq!(down_since, millis(1_100), "it never worked between");
    broken.store(false, Ordering::SeqCst);
    let (_, round) = bench.wake(1_000).unwrap();
    assert_eq!(round.incidents[0].kind, IncidentKind::Back { down_since });
}

/// What a naive reader of the module's doc expects of an instance that traps or not at each call.
#[derive(Default)]
struct Naive {
    strikes: Vec<i64>,
    level: u32,
    well_since: Option<i64>,
    blocked_until: Option<i64>,
    quarantined: bool,
    down: bool,
}

impl Naive {
    const TEN_MINUTES: i64 = 600_000;

    /// The word that is told for a call at this millisecond, if any.
    fn call(&mut self, at: i64, fails: bool) -> Option<&'static str> {
        if !fails {
            self.blocked_until = None;
            self.quarantined = false;
            if self.level > 0 && self.well_since.is_none() {
                self.well_since = Some(at);
            }
            return std::mem::take(&mut self.down).then_some("back");
        }
        if self
            .well_since
            .is_some_and(|since| at - since >= Self::TEN_MINUTES)
        {
            self.level = 0;
        }
        self.well_since = None;
        self.strikes
            .retain(|strike| at - strike < Self::TEN_MINUTES);
        self.strikes.push(at);
        if !self.quarantined && self.strikes.len() < 3 {
            let pause = if self.strikes.len() == 1 { 100 } else { 1_000 };
            self.blocked_until = Some(at + pause);
            return Some("strike");
        }
        self.strikes.clear();
        self.quarantined = true;
        let back_off = (30_000_i64 << self.level.min(10)).min(3_600_000);
        self.level += 1;
        self.blocked_until = Some(at + back_off);
        Some(if std::mem::replace(&mut self.down, true) {
            "still down"
        } else {
            "down"
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn strikes_follow_the_naive_reading(steps in prop::collection::vec((1_i64..900_000, prop::bool::weighted(0.6)), 1..60)) {
        let mut bench = Bench::new();
        let (fake, broken) = faulty(CallErrorKind::Trap);
        let fake = bench.add(0, rule_plan("r", &[1]), fake);
        bench.run(0, &[(1, 0.0)]);
        let mut naive = Naive::default();
        let (mut at, mut calls) = (0, 1);
        for (gap, fails) in steps {
            at += gap;
            broken.store(fails, Ordering::SeqCst);
            let mut batch = crate::doubles::batch(0, &[(1, at as f64)]);
            batch.time[0] = at * 1_000_000;
            let round = futures::executor::block_on(bench.scheduler.run(millis(at), &batch));
            let blocked = naive.blocked_until.is_some_and(|until| at < until);
            let expected: Vec<&str> = if blocked { None } else { naive.call(at, fails) }.into_iter().collect();
            prop_assert_eq!(words(&round), expected);
            calls += usize::from(!blocked);
            prop_assert_eq!(fake.seen().len(), calls);
            if !blocked {
                // Whatever it missed, it sees the latest.
                let seen = fake.seen();
                let last = seen.last().unwrap().last();
                prop_assert_eq!(last, Some(&(0, at as f64)));
            }
            prop_assert_eq!(bench.scheduler.next_wake(), naive.blocked_until.map(millis));
        }
        let down = bench.scheduler.status(millis(at).plus(Duration::ZERO))[0].down_since.is_some();
        prop_assert_eq!(down, naive.down);
    }
}
