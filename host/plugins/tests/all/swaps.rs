//! Instances that come, change and go between two batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use andon_model::{Action, CallErrorKind, Columns, Component};
use andon_plugins::{ChangeError, IncidentKind, Remember, Replacement};
use futures::executor::block_on;

use crate::doubles::{Bench, Fake, derived, failure, function_plan, raise, rule_plan, secs, words};

/// Counts its calls in its state and says the count.
fn counter() -> Fake {
    Fake::rule(|scene| {
        let count = scene.number("count") + 1.0;
        scene.remember("count", count);
        Ok(vec![raise("count", &format!("{count}"))])
    })
}

fn said(round: &andon_plugins::Round) -> Vec<&str> {
    round
        .fired
        .iter()
        .flat_map(|fired| &fired.actions)
        .map(|action| match action {
            Action::Raise(alarm) | Action::Notify(alarm) => alarm.message.as_str(),
            Action::Clear(key) => key,
        })
        .collect()
}

#[test]
fn a_swap_keeps_what_the_old_guest_wrote_meanwhile() {
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), counter());
    bench.run(1, &[(1, 1.0)]);
    let newer = Arc::new(counter().with_hash("b"));
    let prepared = bench.prepare(2, rule_plan("r", &[1]), &newer);
    bench.run(2, &[(1, 2.0)]);
    let applied = block_on(bench.scheduler.swap(secs(3), prepared)).unwrap();
    assert_eq!(
        newer.started(),
        2,
        "once to validate, once from the state as it is"
    );
    assert_eq!(applied.incidents[0].kind, IncidentKind::Swapped);
    assert!(applied.states.is_empty());
    let round = bench.run(4, &[(1, 3.0)]);
    assert_eq!(said(&round), ["3"]);
    assert_eq!(newer.seen(), [vec![(0, 3.0)]], "no sample twice");
}

#[test]
fn a_prepared_guest_takes_the_place_as_it_is_if_nothing_was_written() {
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), counter());
    bench.run(1, &[(1, 1.0)]);
    let newer = Arc::new(counter());
    bench.swap(2, rule_plan("r", &[1, 2]), &newer);
    assert_eq!(newer.started(), 1);
    let round = bench.run(3, &[]);
    assert_eq!(said(&round), ["2"]);
    assert_eq!(
        newer.seen(),
        [vec![(0, 1.0)]],
        "the current samples at first"
    );
}

#[test]
fn samples_that_wait_for_a_struck_instance_go_over_to_the_new_one() {
    let mut bench = Bench::new();
    let bad = Fake::rule(|_| Err(failure(CallErrorKind::Trap)));
    bench.add(0, rule_plan("r", &[1, 2]), bad);
    bench.run(1, &[(1, 1.0), (2, 5.0)]);
    bench.run(1, &[(1, 2.0)]);
    let newer = Arc::new(counter());
    bench.swap(1, rule_plan("r", &[3, 1]), &newer);
    bench.run(1, &[]);
    assert_eq!(newer.seen(), [vec![(1, 1.0), (1, 2.0)]]);
}

#[test]
fn the_old_guest_stays_if_the_new_one_does_not_start_from_the_state_as_it_is() {
    let mut bench = Bench::new();
    let old = bench.add(0, rule_plan("r", &[1]), counter());
    let picky = counter().with_hash("b").gate(|setup| {
        if setup.state.is_empty() {
            Ok(None)
        } else {
            Err(failure(CallErrorKind::Declined))
        }
    });
    let prepared = bench.prepare(1, rule_plan("r", &[1]), &Arc::new(picky));
    bench.run(1, &[(1, 1.0)]);
    let error = block_on(bench.scheduler.swap(secs(2), prepared)).unwrap_err();
    assert!(matches!(error, ChangeError::Start { ref instance, .. } if instance == "r"));
    assert_eq!(said(&bench.run(3, &[(1, 2.0)])), ["2"]);
    assert_eq!(old.started(), 1);
}

#[test]
fn another_component_does_not_inherit_what_the_first_remembered() {
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), counter());
    bench.run(1, &[(1, 1.0)]);
    let other = Arc::new(counter().named("other"));
    let applied = bench.swap(2, rule_plan("r", &[1]), &other);
    assert_eq!(
        (&*applied.states[0].key, &applied.states[0].value),
        ("count", &None)
    );
    assert_eq!(said(&bench.run(3, &[(1, 2.0)])), ["1"]);
}

#[test]
fn a_swap_that_makes_a_circle_is_refused_whole() {
    let copy = || {
        Fake::function(|scene| {
            let mut answer = Columns::default();
            if let Some(value) = scene.samples.value.last() {
                answer.push(0, *value, 192, scene.now);
            }
            Ok(answer)
        })
    };
    let mut bench = Bench::new();
    bench.add(0, function_plan("a", &[1], 11), copy());
    bench.add(0, function_plan("b", &[11], 12), copy());
    let prepared = bench.prepare(1, function_plan("a", &[12], 11), &Arc::new(copy()));
    let error = block_on(bench.scheduler.swap(secs(1), prepared)).unwrap_err();
    assert!(error.to_string().contains("a → b → a"), "{error}");
    let round = bench.run(2, &[(1, 4.0)]);
    assert_eq!(derived(&round), [(11, 4.0, "good"), (12, 4.0, "good")]);
}

#[test]
fn outputs_of_a_function_that_goes_turn_bad_once() {
    let mut bench = Bench::new();
    let one = Fake::function(|scene| {
        let mut answer = Columns::default();
        answer.push(0, 1.0, 192, scene.now);
        Ok(answer)
    });
    bench.add(0, function_plan("f", &[1], 11), one);
    let rule = bench.add(0, rule_plan("r", &[11]), Fake::rule(|_| Ok(Vec::new())));
    bench.run(1, &[(1, 1.0)]);
    bench
        .scheduler
        .remove(secs(2), "f", Remember::Keep)
        .unwrap();
    let (at, round) = bench.wake(5).unwrap();
    assert_eq!(at, secs(2));
    assert_eq!(derived(&round), [(11, 1.0, "bad: out of service")]);
    assert_eq!(rule.seen().len(), 2);
    assert!(bench.wake(1_000).is_none());
}

#[test]
fn an_instance_that_goes_and_comes_remembers_unless_it_was_told_to_forget() {
    for (remember, expected) in [(Remember::Keep, "2"), (Remember::Forget, "1")] {
        let mut bench = Bench::new();
        bench.add(0, rule_plan("r", &[1]), counter());
        bench.run(1, &[(1, 1.0)]);
        let applied = bench.scheduler.remove(secs(2), "r", remember).unwrap();
        assert_eq!(applied.incidents[0].kind, IncidentKind::Removed);
        assert_eq!(
            applied.states.len(),
            usize::from(remember == Remember::Forget)
        );
        assert!(bench.run(3, &[(1, 2.0)]).calls.is_empty());
        bench.add(4, rule_plan("r", &[1]), counter());
        assert_eq!(said(&bench.run(5, &[])), [expected]);
    }
}

#[test]
fn a_timer_and_state_of_the_store_are_resumed() {
    let mut bench = Bench::new();
    let state = [("count".to_owned(), Arc::from(&b"41"[..]))].into();
    bench.scheduler.restore("r", state, Some(secs(50)), None);
    bench.add(0, rule_plan("r", &[1]), counter());
    assert_eq!(said(&bench.run(0, &[])), ["42"]);
    let (at, round) = bench.wake(100).unwrap();
    assert_eq!((at, said(&round)), (secs(50), vec!["43"]));
    assert_eq!(round.timers[0].wake_at, None);
}

#[test]
fn a_whole_set_keeps_what_did_not_change() {
    let mut bench = Bench::new();
    let a = bench.add(0, rule_plan("a", &[1]), counter());
    bench.add(0, rule_plan("b", &[1]), counter());
    bench.add(0, rule_plan("c", &[1]), counter());
    bench.run(1, &[(1, 1.0)]);
    let mut relabelled = rule_plan("a", &[1]);
    relabelled.labels.insert("line".into(), "2".into());
    assert!(bench.scheduler.keeps(&relabelled, a.hash()));
    assert!(!bench.scheduler.keeps(&rule_plan("a", &[2]), a.hash()));
    assert!(!bench.scheduler.keeps(&relabelled, "other"));
    let fresh = Arc::new(counter());
    let set = vec![
        Replacement::Keep(relabelled),
        Replacement::New(bench.prepare(2, rule_plan("b", &[2]), &fresh)),
        Replacement::New(bench.prepare(2, rule_plan("d", &[1]), &fresh)),
    ];
    let applied = block_on(bench.scheduler.replace(secs(2), set)).unwrap();
    let what: Vec<(&str, &str)> = applied
        .incidents
        .iter()
        .map(|i| (i.plan.name.as_str(), i.kind.word()))
        .collect();
    assert_eq!(what, [("c", "removed"), ("b", "swapped"), ("d", "swapped")]);
    let round = bench.run(3, &[(1, 2.0)]);
    let names: Vec<&str> = round.fired.iter().map(|f| f.plan.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "d"]);
    assert_eq!(said(&round), ["2", "2", "1"]);
    assert_eq!(a.started(), 1);
    assert_eq!(round.fired[0].plan.labels["line"], "2");
}

#[test]
fn a_whole_set_is_taken_whole_or_not_at_all() {
    let mut bench = Bench::new();
    bench.add(0, rule_plan("a", &[1]), counter());
    let fresh = Arc::new(counter());
    let set = vec![
        Replacement::New(bench.prepare(1, rule_plan("b", &[1]), &fresh)),
        Replacement::Keep(rule_plan("ghost", &[1])),
    ];
    let error = block_on(bench.scheduler.replace(secs(1), set)).unwrap_err();
    assert_eq!(error, ChangeError::NotRunning("ghost".into()));
    let names: Vec<String> = bench
        .scheduler
        .status(secs(1))
        .into_iter()
        .map(|s| s.name)
        .collect();
    assert_eq!(names, ["a"]);
}

#[test]
fn an_instance_that_cannot_start_with_the_host_is_down_and_tried_again() {
    let mut bench = Bench::new();
    let broken = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&broken);
    let fake = counter().gate(move |_| {
        if switch.load(Ordering::SeqCst) {
            return Err(failure(CallErrorKind::Declined));
        }
        Ok(Some(secs(99)))
    });
    let component: Arc<dyn Component> = Arc::new(fake);
    let preparation = bench
        .scheduler
        .preparation(secs(0), rule_plan("r", &[1]), component);
    let prepared = block_on(preparation.start_or_down());
    assert!(prepared.error().is_some());
    let applied = block_on(
        bench
            .scheduler
            .replace(secs(0), vec![Replacement::New(prepared)]),
    )
    .unwrap();
    let what: Vec<&str> = applied.incidents.iter().map(|i| i.kind.word()).collect();
    assert_eq!(what, ["swapped", "down"]);
    assert!(bench.run(1, &[(1, 7.0)]).calls.is_empty());
    broken.store(false, Ordering::SeqCst);
    let (at, round) = bench.wake(100).unwrap();
    assert_eq!((at, words(&round)), (secs(30), vec!["back"]));
    assert_eq!(said(&round), ["1"]);
    let timers: Vec<_> = round.timers.iter().map(|t| t.wake_at).collect();
    assert_eq!(timers, [Some(secs(99))]);
}
