//! What one batch comes to.

use std::sync::Arc;

use andon_model::{
    Action, CallErrorKind, Columns, History, Origin, Quality, SampleBatch, TagId, Timestamp,
};
use andon_plugins::{SampleHistory, Scheduler, Trigger};
use futures::executor::block_on;
use proptest::prelude::*;

use crate::doubles::{
    Bench, Fake, batch, derived, failure, function_plan, raise, rule_plan, secs, words,
};

fn quiet() -> Fake {
    Fake::rule(|_| Ok(Vec::new()))
}

/// A function that gives the sum of the rows of its call.
fn sum() -> Fake {
    Fake::function(|scene| {
        let mut answer = Columns::default();
        if !scene.samples.is_empty() {
            let total = scene.samples.value.iter().sum();
            answer.push(0, total, 192, scene.now);
        }
        Ok(answer)
    })
}

#[test]
fn instances_get_the_samples_of_their_inputs_alone() {
    let mut bench = Bench::new();
    let a = bench.add(0, rule_plan("a", &[1, 2]), quiet());
    let b = bench.add(0, rule_plan("b", &[2, 2]), quiet());
    bench.run(1, &[(1, 10.0), (2, 20.0), (3, 30.0), (1, 11.0)]);
    bench.run(2, &[(3, 31.0)]);
    assert_eq!(a.seen(), [vec![(0, 10.0), (1, 20.0), (0, 11.0)]]);
    assert_eq!(b.seen(), [vec![(0, 20.0), (1, 20.0)]]);
}

#[test]
fn functions_feed_functions_and_rules_in_the_same_round() {
    let mut bench = Bench::new();
    let rule = bench.add(0, rule_plan("rule", &[12]), quiet());
    bench.add(0, function_plan("second", &[11], 12), sum());
    bench.add(0, function_plan("first", &[1, 2], 11), sum());
    let round = bench.run(1, &[(1, 3.0), (2, 4.0)]);
    assert_eq!(derived(&round), [(11, 7.0, "good"), (12, 7.0, "good")]);
    assert_eq!(rule.seen(), [vec![(0, 7.0)]]);
    let calls: Vec<&str> = round.calls.iter().map(|c| &*c.instance).collect();
    assert_eq!(calls, ["first", "second", "rule"]);
}

#[test]
fn an_output_that_did_not_change_is_not_passed_on() {
    let mut bench = Bench::new();
    bench.add(0, function_plan("sum", &[1, 2], 11), sum());
    let rule = bench.add(0, rule_plan("rule", &[11]), quiet());
    bench.run(1, &[(1, 3.0), (2, 4.0)]);
    let round = bench.run(2, &[(1, 2.0), (2, 5.0)]);
    assert!(round.derived.is_empty());
    bench.run(3, &[(1, 2.0), (2, 6.0)]);
    assert_eq!(rule.seen(), [vec![(0, 7.0)], vec![(0, 8.0)]]);
}

#[test]
fn a_failed_function_turns_its_outputs_bad_once() {
    let mut bench = Bench::new();
    let fake = Fake::function(|scene| {
        let value = scene.samples.value[0];
        if value < 0.0 {
            return Err(failure(CallErrorKind::Declined));
        }
        let mut answer = Columns::default();
        answer.push(0, value, 192, scene.now);
        Ok(answer)
    });
    bench.add(0, function_plan("f", &[1], 11), fake);
    bench.run(1, &[(1, 5.0)]);
    let round = bench.run(2, &[(1, -1.0)]);
    assert_eq!(derived(&round), [(11, 5.0, "bad: out of service")]);
    let round = bench.run(3, &[(1, -2.0)]);
    assert!(round.derived.is_empty());
    let round = bench.run(4, &[(1, 5.0)]);
    assert_eq!(derived(&round), [(11, 5.0, "good")]);
}

#[test]
fn what_is_not_a_number_is_never_good() {
    let mut bench = Bench::new();
    let fake = Fake::function(|scene| {
        let mut answer = Columns::default();
        answer.push(0, f64::INFINITY, 192, secs(9_999));
        answer.push(0, f64::NAN, 192, scene.now);
        answer.push(0, f64::NAN, 192, scene.now);
        Ok(answer)
    });
    bench.add(0, function_plan("f", &[1], 11), fake);
    let round = bench.run(1, &[(1, 5.0)]);
    assert_eq!(round.derived.quality, [0, 0]);
    assert_eq!(
        round.derived.time,
        [secs(1).nanos(); 2],
        "no time after now"
    );
}

#[test]
fn an_answer_that_makes_no_sense_is_a_strike() {
    let mut odd = Columns::default();
    odd.push(7, 1.0, 192, secs(1));
    let mut uneven = Columns::default();
    uneven.input.push(0);
    for (answer, says) in [(odd, "output 7"), (uneven, "differ in length")] {
        let mut bench = Bench::new();
        let fake = Fake::function(move |_| Ok(answer.clone()));
        bench.add(0, function_plan("f", &[1], 11), fake);
        let round = bench.run(1, &[(1, 5.0)]);
        assert_eq!(words(&round), ["strike"]);
        let why = round.incidents[0].why.to_string();
        assert!(why.contains(says), "{why}");
        assert_eq!(derived(&round)[0].2, "bad: out of service");
    }
}

#[test]
fn actions_carry_their_cause_and_their_plan() {
    let mut bench = Bench::new();
    let mut plan = rule_plan("high", &[1, 2]);
    plan.labels.insert("line".into(), "2".into());
    bench.add(0, plan, Fake::rule(|_| Ok(vec![raise("k", "high")])));
    let rows: Vec<(u32, f64)> = (0..40).map(|i| (1 + i % 2, f64::from(i))).collect();
    let round = bench.run(1, &rows);
    let fired = &round.fired[0];
    assert_eq!(fired.plan.labels["line"], "2");
    assert_eq!(fired.trigger, Trigger::Samples);
    assert_eq!(fired.cause.len(), 16);
    let last = fired.cause.last().unwrap();
    assert_eq!(
        (&*last.tag_name, last.value, last.time),
        ("t2", 39.0, secs(1))
    );
    assert!(!fired.test);
    assert!(matches!(&fired.actions[..], [Action::Raise(alarm)] if alarm.key == "k"));
}

#[test]
fn a_wake_up_is_due_once_and_the_earliest_wins() {
    let mut bench = Bench::new();
    let fake = Fake::rule(|scene| {
        if let Some(value) = scene.samples.value.last() {
            scene.wake_at = Some(
                scene
                    .now
                    .plus(std::time::Duration::from_secs(*value as u64)),
            );
            return Ok(Vec::new());
        }
        Ok(vec![raise("late", "time is over")])
    });
    bench.add(0, rule_plan("r", &[1]), fake);
    let round = bench.run(0, &[(1, 30.0)]);
    assert_eq!(round.timers[0].wake_at, Some(secs(30)));
    let round = bench.run(10, &[(1, 60.0)]);
    assert!(round.timers.is_empty(), "an earlier one stands");
    let round = bench.run(12, &[(1, 5.0)]);
    assert_eq!(round.timers[0].wake_at, Some(secs(17)));
    assert!(bench.wake(16).is_none());
    let (at, round) = bench.wake(100).unwrap();
    assert_eq!(at, secs(17));
    assert_eq!(round.fired[0].trigger, Trigger::WakeUp);
    assert_eq!(round.fired[0].cause[0].value, 5.0, "what there was to see");
    assert_eq!(round.timers[0].wake_at, None);
    assert!(bench.wake(i64::MAX / 1_000_000_000).is_none());
}

#[test]
fn a_guest_that_always_asks_for_now_does_not_keep_the_host_busy() {
    let mut bench = Bench::new();
    let fake = Fake::rule(|scene| {
        scene.wake_at = Some(Timestamp::from_nanos(i64::MIN));
        Ok(Vec::new())
    });
    bench.add(0, rule_plan("r", &[1]), fake);
    bench.run(0, &[]);
    let mut rounds = 0;
    while bench.wake(1).is_some() {
        rounds += 1;
    }
    assert_eq!(rounds, 100);
}

#[test]
fn a_new_rule_sees_what_already_holds() {
    let mut bench = Bench::new();
    bench.run(1, &[(1, 10.0), (2, 99.0), (3, 5.0)]);
    let rule = bench.add(5, rule_plan("late", &[1, 2, 4]), quiet());
    assert_eq!(bench.scheduler.next_wake(), Some(secs(5)));
    bench.run(6, &[(1, 11.0)]);
    assert_eq!(rule.seen(), [vec![(1, 99.0), (0, 11.0)]]);
    let stale = &rule.calls.lock().unwrap()[0];
    assert_eq!(
        stale.time[0],
        secs(1).nanos(),
        "with the time when it was read"
    );
}

#[test]
fn state_is_answered_and_given_back() {
    let mut bench = Bench::new();
    let fake = Fake::rule(|scene| {
        let count = scene.number("count") + 1.0;
        scene.remember("count", count);
        Ok(Vec::new())
    });
    bench.add(0, rule_plan("r", &[1]), fake);
    bench.run(1, &[(1, 1.0)]);
    let round = bench.run(2, &[(1, 2.0)]);
    assert_eq!(round.states[0].instance, "r");
    assert_eq!(round.states[0].value.as_deref(), Some(&b"2"[..]));
}

#[test]
fn an_alarm_of_a_value_that_a_person_put_there_is_a_test_even_later() {
    let mut bench = Bench::new();
    bench.add(0, function_plan("copy", &[1], 11), sum());
    let fake = Fake::rule(|scene| {
        if scene.samples.is_empty() {
            return Ok(vec![raise("k", "delayed")]);
        }
        scene.wake_at = Some(scene.now.plus(std::time::Duration::from_secs(5)));
        Ok(Vec::new())
    });
    bench.add(0, rule_plan("r", &[11]), fake);
    let mut injected = batch(1, &[(1, 7.0)]);
    injected.origin = Origin::Test;
    let round = block_on(bench.scheduler.run(secs(1), &injected));
    assert_eq!(round.derived.origin, Origin::Test);
    let (_, round) = bench.wake(10).unwrap();
    assert!(round.fired[0].test);
    bench.run(20, &[(1, 8.0)]);
    let (_, round) = bench.wake(30).unwrap();
    assert!(!round.fired[0].test, "the device's own value again");
}

#[test]
fn guests_see_the_past_of_their_inputs_and_texts() {
    let mut bench = Bench::new();
    let fake = Fake::rule(|scene| {
        let window = scene.history.window(scene.inputs[0], secs(2), 0);
        let text = scene.history.text(TagId(9));
        let message = format!("{:?} {}", window.value, text.as_deref().unwrap_or("-"));
        Ok(vec![raise("k", &message)])
    });
    bench.add(0, rule_plan("r", &[1]), fake);
    for at in 1..=4 {
        bench.run(at, &[(1, at as f64)]);
    }
    let mut texts = SampleBatch::default();
    texts.push_text(TagId(9), "running".into(), Quality::GOOD, secs(5));
    texts.push(TagId(1), 5.0, Quality::GOOD, secs(5));
    let round = block_on(bench.scheduler.run(secs(5), &texts));
    assert!(matches!(&round.fired[0].actions[0],
        Action::Raise(alarm) if alarm.message == "[2.0, 3.0, 4.0, 5.0] running"));
}

#[test]
fn the_past_is_bounded_and_kept_for_bound_tags_alone() {
    let history = Arc::new(SampleHistory::new(3));
    let mut bench = Bench {
        scheduler: Scheduler::new(Arc::clone(&history)),
    };
    bench.add(0, rule_plan("r", &[1]), quiet());
    for at in 1..=10 {
        bench.run(at, &[(1, at as f64), (2, at as f64)]);
    }
    let window = |tag| history.window(TagId(tag), Timestamp::EPOCH, 4);
    assert_eq!(window(1).value, [8.0, 9.0, 10.0]);
    assert_eq!(window(1).input, [4; 3]);
    assert!(window(2).is_empty());
    bench.add(11, rule_plan("s", &[2]), quiet());
    assert_eq!(window(2).value, [10.0], "begins with the current sample");
    assert_eq!(window(1).len(), 3);
    history.set_samples_max(2);
    assert_eq!(window(1).value, [9.0, 10.0]);
}

#[test]
fn rows_of_tags_that_nobody_knows_do_no_harm() {
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), quiet());
    bench.run(1, &[(u32::MAX, 1.0), (1_000_001, 2.0), (1, 3.0)]);
    assert_eq!(bench.scheduler.current(TagId(u32::MAX)), None);
    let (value, quality, _) = bench.scheduler.current(TagId(1)).unwrap();
    assert_eq!((value, quality), (3.0, Quality::GOOD));
}

#[test]
fn a_grown_guest_is_made_anew_between_two_batches() {
    let mut bench = Bench::new();
    let fake = Fake::rule(|scene| {
        let calls = scene.number("calls") + 1.0;
        scene.remember("calls", calls);
        *scene.memory_bytes += 20 << 20;
        Ok(vec![raise("k", &format!("{calls}"))])
    });
    let fake = bench.add(0, rule_plan("r", &[1]), fake);
    let mut seen = Vec::new();
    for at in 1..=4 {
        let round = bench.run(at, &[(1, at as f64)]);
        seen.extend(words(&round));
    }
    assert_eq!(seen, ["renewed"], "49 MiB of 64 is above three quarters");
    assert_eq!(fake.started(), 2);
    let round = bench.run(5, &[(1, 5.0)]);
    assert!(matches!(&round.fired[0].actions[0], Action::Raise(a) if a.message == "5"));
    let status = &bench.scheduler.status(secs(5))[0];
    assert_eq!((status.renewals, status.calls, status.failures), (1, 5, 0));
}

#[test]
fn a_round_may_run_on_any_thread() {
    fn sent<T: Send>(value: T) -> T {
        value
    }
    let mut bench = Bench::new();
    let fake = Arc::new(quiet());
    let prepared = bench.prepare(0, rule_plan("r", &[1]), &fake);
    block_on(sent(bench.scheduler.swap(secs(0), prepared))).unwrap();
    block_on(sent(bench.scheduler.replace(secs(0), Vec::new()))).unwrap();
    block_on(sent(bench.scheduler.run(secs(0), &SampleBatch::default())));
}

#[test]
fn a_derived_value_that_stays_the_same_is_no_test_once_the_device_says_it() {
    let mut bench = Bench::new();
    bench.add(0, function_plan("copy", &[1], 11), sum());
    let always = Fake::rule(|_| Ok(vec![raise("k", "x")]));
    bench.add(0, rule_plan("r", &[11, 2]), always);
    let mut injected = batch(1, &[(1, 7.0)]);
    injected.origin = Origin::Test;
    let round = block_on(bench.scheduler.run(secs(1), &injected));
    assert!(round.fired[0].test);
    assert!(bench.run(2, &[(1, 7.0)]).derived.is_empty());
    assert!(!bench.run(3, &[(2, 1.0)]).fired[0].test);
}

/// Inputs of rules, inputs of functions, and what is read.
type World = (Vec<Vec<u32>>, Vec<Vec<u32>>, Vec<Vec<(u32, u8)>>);

fn world() -> impl Strategy<Value = World> {
    let rules = prop::collection::vec(prop::collection::vec(0_u32..14, 0..4), 0..5);
    // Function i reads devices and outputs of lower numbers: no circle.
    let functions = prop::collection::vec(prop::collection::vec(0_u32..8, 1..3), 0..4);
    let batches = prop::collection::vec(prop::collection::vec((0_u32..8, 0_u8..4), 0..6), 1..8);
    (rules, functions, batches)
}

/// Device tags are 0 to 7; function `i` writes `10 + i` and sums the current values of its inputs.
struct Naive {
    functions: Vec<Vec<u32>>,
    values: Vec<Option<f64>>,
}

impl Naive {
    /// All samples of a round, in order.
    fn round(&mut self, first: bool, rows: &[(u32, f64)]) -> Vec<(u32, f64)> {
        let mut all = rows.to_vec();
        for (tag, value) in rows {
            self.values[*tag as usize] = Some(*value);
        }
        for (index, inputs) in self.functions.iter().enumerate() {
            let output = 10 + index;
            let touched = all.iter().any(|(tag, _)| inputs.contains(tag));
            if !(first || touched) {
                continue;
            }
            let sum: f64 = inputs.iter().filter_map(|i| self.values[*i as usize]).sum();
            if self.values[output] != Some(sum) {
                self.values[output] = Some(sum);
                all.push((output as u32, sum));
            }
        }
        all
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_instance_sees_what_a_naive_fan_out_gives((rules, functions, batches) in world()) {
        let mut bench = Bench::new();
        let functions: Vec<Vec<u32>> = functions
            .into_iter()
            .enumerate()
            .map(|(i, mut inputs)| {
                if i > 0 {
                    inputs.push(9 + i as u32);
                }
                inputs
            })
            .collect();
        // Added last first: the order must come from the dependencies.
        for (i, inputs) in functions.iter().enumerate().rev() {
            let count = inputs.len();
            let fake = Fake::function(move |scene| {
                for (input, value, _, _) in scene.samples.rows() {
                    scene.own.insert(format!("{input}"), value);
                }
                let mut answer = Columns::default();
                let sum = (0..count).filter_map(|i| scene.own.get(&format!("{i}"))).sum();
                answer.push(0, sum, 192, scene.now);
                Ok(answer)
            });
            bench.add(0, function_plan(&format!("f{i}"), inputs, 10 + i as u32), fake);
        }
        let fakes: Vec<Arc<Fake>> = rules
            .iter()
            .enumerate()
            .map(|(i, inputs)| bench.add(0, rule_plan(&format!("r{i}"), inputs), quiet()))
            .collect();
        let mut naive = Naive { functions, values: vec![None; 20] };
        let mut expected: Vec<Vec<Vec<(u32, f64)>>> = vec![Vec::new(); rules.len()];
        for (at, rows) in batches.iter().enumerate() {
            let rows: Vec<(u32, f64)> = rows.iter().map(|(t, v)| (*t, f64::from(*v))).collect();
            let all = naive.round(at == 0, &rows);
            for (rule, inputs) in rules.iter().enumerate() {
                let given: Vec<(u32, f64)> = all
                    .iter()
                    .flat_map(|(tag, value)| {
                        let hits = inputs.iter().enumerate().filter(move |(_, i)| *i == tag);
                        hits.map(move |(i, _)| (i as u32, *value))
                    })
                    .collect();
                if at == 0 || !given.is_empty() {
                    expected[rule].push(given);
                }
            }
            bench.run(at as i64 + 1, &rows);
        }
        for (fake, expected) in fakes.iter().zip(expected) {
            prop_assert_eq!(fake.seen(), expected);
        }
    }
}
