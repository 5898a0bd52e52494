//! Shadows that fail, and shadows beside a version that fails: neither costs the other anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use andon_model::{CallErrorKind, ShadowEnd};
use andon_plugins::RunState;

use crate::doubles::{Bench, Fake, failure, rule_plan, secs, words};
use crate::shadows::{begin, counts, edges, limit, messages, shadow_of};

#[test]
fn a_shadow_that_fails_is_refused_after_its_own_strikes_and_costs_the_other_none() {
    for kind in [
        CallErrorKind::Trap,
        CallErrorKind::TimeOut,
        CallErrorKind::OutOfBounds,
    ] {
        let mut bench = Bench::new();
        bench.add(0, rule_plan("r", &[1]), limit(10.0));
        bench.run(1, &[(1, 5.0)]);
        let bad = Fake::rule(move |_| Err(failure(kind)));
        begin(
            &mut bench,
            2,
            rule_plan("r", &[1]),
            bad.with_hash("bad"),
            ShadowEnd::Wait,
        );
        let mut told = Vec::new();
        for at in 2..30 {
            let value = if at % 2 == 0 { 20.0 } else { 0.0 };
            let round = bench.run(at, &[(1, value)]);
            assert_eq!(
                messages(&round).len(),
                1,
                "second {at}: the good one missed a batch"
            );
            told.extend(words(&round));
        }
        assert_eq!(
            told,
            [
                "shadow failed",
                "shadow failed",
                "shadow failed",
                "shadow refused"
            ]
        );
        let now = &bench.scheduler.status(secs(30))[0];
        assert_eq!(
            (now.failures, now.strikes, now.state),
            (0, 0, RunState::Running)
        );
        assert_eq!((now.calls, now.shadow.as_ref()), (29, None));
        let says = now.shadow_refused.clone().unwrap().says;
        assert!(says.contains("made to fail"), "{says}");
    }
}

#[test]
fn a_shadow_that_declined_is_refused_at_its_end_unless_the_other_declined_as_well() {
    for (both, expected) in [(false, "shadow refused"), (true, "shadow promoted")] {
        let declines = |on: bool| {
            Fake::rule(move |scene| match scene.samples.value.last() {
                Some(value) if on && *value == 7.0 => Err(failure(CallErrorKind::Declined)),
                _ => Ok(Vec::new()),
            })
        };
        let mut bench = Bench::new();
        bench.add(0, rule_plan("r", &[1]), declines(both));
        bench.run(1, &[(1, 1.0)]);
        begin(
            &mut bench,
            1,
            rule_plan("r", &[1]),
            declines(true),
            ShadowEnd::PromoteIfSound,
        );
        bench.run(1, &[]);
        bench.run(2, &[(1, 7.0)]);
        bench.run(3, &[(1, 1.0)]);
        assert_eq!(counts(&bench, 3).failures(), u64::from(!both));
        let last = std::iter::from_fn(|| bench.wake(1_000)).last().unwrap();
        let all: Vec<_> = words(&last.1);
        assert!(
            all.contains(&expected) || expected == "shadow promoted",
            "{all:?}"
        );
        assert_eq!(
            bench.scheduler.status(secs(200))[0]
                .shadow_refused
                .is_some(),
            !both
        );
    }
}

#[test]
fn while_the_running_version_fails_nothing_is_compared() {
    let broken = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&broken);
    let flaky = Fake::rule(move |scene| {
        if switch.load(Ordering::SeqCst) {
            return Err(failure(CallErrorKind::Trap));
        }
        Ok(edges(scene, |value| value > 10.0))
    });
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), flaky);
    bench.run(1, &[(1, 0.0)]);
    begin(
        &mut bench,
        1,
        rule_plan("r", &[1]),
        limit(10.0),
        ShadowEnd::PromoteIfSame,
    );
    bench.run(1, &[]);
    broken.store(true, Ordering::SeqCst);
    assert_eq!(words(&bench.run(2, &[(1, 20.0)])), ["strike"]);
    broken.store(false, Ordering::SeqCst);
    let (_, round) = bench.wake(10).unwrap();
    assert_eq!(messages(&round), ["20"], "the running version catches up");
    let now = counts(&bench, 10);
    assert_eq!(
        (now.differences(), now.uncompared),
        (0, 1),
        "{:?}",
        shadow_of(&bench, 10)
    );
    assert_eq!(messages(&bench.run(11, &[(1, 0.0)])), ["clear 1"]);
    assert_eq!(counts(&bench, 11).same, 1);
}
