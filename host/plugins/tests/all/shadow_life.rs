//! How shadows come and go: by a file, by hand, with a reload, and those of functions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use andon_model::{CallErrorKind, Columns, Component, ShadowEnd, ShadowTerms};
use andon_plugins::{
    Applied, Candidate, ChangeError, DifferenceKind, Remember, Replacement, ShadowOrigin,
};
use futures::executor::block_on;

use crate::doubles::{Bench, Fake, derived, failure, function_plan, raise, rule_plan, secs, words};
use crate::shadows::{acts, begin, counts, limit, messages, runs, shadow_of, terms, why};

fn told(applied: &Applied) -> Vec<&'static str> {
    applied
        .incidents
        .iter()
        .map(|one| one.kind.word())
        .collect()
}

/// A rule with a shadow of this kind, after the first call of the shadow.
fn with_shadow(end: ShadowEnd) -> Bench {
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), limit(10.0).with_hash("old"));
    bench.run(1, &[(1, 0.0)]);
    begin(
        &mut bench,
        1,
        rule_plan("r", &[1]),
        limit(10.0).with_hash("new"),
        end,
    );
    bench.run(1, &[]);
    bench
}

#[test]
fn one_that_waits_is_told_once_and_is_promoted_by_hand() {
    let mut bench = with_shadow(ShadowEnd::Wait);
    let (at, round) = bench.wake(1_000).unwrap();
    assert_eq!((at, words(&round)), (secs(101), vec!["shadow waits"]));
    assert!(
        why(&round).contains("`andon plugin promote r`"),
        "{}",
        why(&round)
    );
    assert!(bench.wake(1_000).is_none());
    assert_eq!(messages(&bench.run(200, &[(1, 20.0)])), ["20"]);
    assert_eq!(counts(&bench, 200).same, 1, "it goes on");
    let applied = block_on(bench.scheduler.promote(secs(201), "r")).unwrap();
    assert_eq!(told(&applied), ["shadow promoted", "swapped"]);
    assert_eq!(runs(&bench), "new");
    assert_eq!(messages(&bench.run(202, &[(1, 0.0)])), ["clear 1"]);
    let none = block_on(bench.scheduler.promote(secs(203), "r")).unwrap_err();
    assert_eq!(none, ChangeError::NoShadow("r".into()));
}

#[test]
fn what_was_refused_is_not_begun_again_until_it_changes() {
    let mut bench = with_shadow(ShadowEnd::Wait);
    let plan = rule_plan("r", &[1]);
    let candidate = |bench: &Bench, hash: &str| bench.scheduler.candidate(&plan, hash);
    assert_eq!(candidate(&bench, "old"), Candidate::Runs);
    assert_eq!(candidate(&bench, "new"), Candidate::InShadow);
    assert_eq!(candidate(&bench, "newer"), Candidate::New);
    let applied = bench
        .scheduler
        .refuse(secs(5), "r", "was refused by a person")
        .unwrap();
    assert_eq!(told(&applied), ["shadow refused"]);
    let Candidate::Refused(says) = candidate(&bench, "new") else {
        panic!("it would begin again")
    };
    assert_eq!(says, "was refused by a person");
    assert_eq!(candidate(&bench, "newer"), Candidate::New);
    assert_eq!(
        bench.scheduler.candidate(&rule_plan("r", &[1, 2]), "new"),
        Candidate::New
    );
    assert_eq!(runs(&bench), "old");
    // The old file lies there again, then the refused one once more: that is a change.
    let set = vec![Replacement::Keep(plan.clone())];
    block_on(bench.scheduler.replace(secs(6), set)).unwrap();
    assert_eq!(candidate(&bench, "new"), Candidate::New);
}

#[test]
fn another_change_of_the_file_takes_the_place_of_the_shadow() {
    let mut bench = with_shadow(ShadowEnd::PromoteIfSame);
    let newer = Arc::new(limit(10.0).with_hash("newer"));
    let prepared = bench.prepare(50, rule_plan("r", &[1]), &newer);
    let set = vec![Replacement::Shadow {
        prepared,
        terms: terms(100, ShadowEnd::PromoteIfSame),
        held: Vec::new(),
    }];
    let applied = block_on(bench.scheduler.replace(secs(50), set)).unwrap();
    assert_eq!(told(&applied), ["shadow withdrawn", "shadow began"]);
    bench.run(50, &[]);
    let (at, round) = bench.wake(1_000).unwrap();
    assert_eq!(
        (at, words(&round)),
        (secs(150), vec!["shadow promoted", "swapped"])
    );
    assert_eq!(runs(&bench), "newer");
}

#[test]
fn a_file_that_goes_back_takes_its_shadow_away_but_not_one_by_hand() {
    for origin in [ShadowOrigin::File, ShadowOrigin::Hand] {
        let mut bench = Bench::new();
        bench.add(0, rule_plan("r", &[1]), limit(10.0));
        bench.run(1, &[(1, 0.0)]);
        let prepared = bench.prepare(1, rule_plan("r", &[1]), &Arc::new(limit(9.0)));
        let open = ShadowTerms {
            run_for: None,
            end: ShadowEnd::Wait,
        };
        let began = bench
            .scheduler
            .shadow(secs(1), prepared, open, origin, Vec::new());
        block_on(began).unwrap();
        bench.run(1, &[]);
        assert!(bench.wake(100_000).is_none(), "it has no end");
        let set = vec![Replacement::Keep(rule_plan("r", &[1]))];
        let applied = block_on(bench.scheduler.replace(secs(2), set)).unwrap();
        let by_hand = origin == ShadowOrigin::Hand;
        assert_eq!(told(&applied).is_empty(), by_hand);
        assert_eq!(shadow_of(&bench, 2).is_some(), by_hand);
        assert_eq!(messages(&bench.run(3, &[(1, 20.0)])), ["20"]);
    }
}

#[test]
fn a_reload_that_does_not_touch_it_lets_it_run_and_takes_new_terms() {
    let mut bench = with_shadow(ShadowEnd::PromoteIfSame);
    bench.run(2, &[(1, 20.0)]);
    let other = bench.prepare(3, rule_plan("a", &[1]), &Arc::new(limit(99.0)));
    let set = vec![
        Replacement::New(other),
        Replacement::Stay {
            name: "r".into(),
            terms: Some(terms(500, ShadowEnd::PromoteIfSound)),
        },
    ];
    block_on(bench.scheduler.replace(secs(3), set)).unwrap();
    bench.run(4, &[(1, 0.0)]);
    let all = bench.scheduler.status(secs(4));
    let shadow = all[1].shadow.clone().unwrap();
    assert_eq!(shadow.counts.same, 2);
    assert_eq!(shadow.ends_at, Some(secs(501)));
    assert_eq!(shadow.end, ShadowEnd::PromoteIfSound);
}

#[test]
fn a_swap_or_the_end_of_the_instance_ends_its_shadow() {
    let mut bench = with_shadow(ShadowEnd::Wait);
    let applied = bench.swap(5, rule_plan("r", &[1]), &Arc::new(limit(10.0)));
    assert_eq!(told(&applied), ["shadow withdrawn", "swapped"]);
    let mut bench = with_shadow(ShadowEnd::Wait);
    let applied = bench
        .scheduler
        .remove(secs(5), "r", Remember::Keep)
        .unwrap();
    assert_eq!(told(&applied), ["shadow withdrawn", "removed"]);
    assert!(bench.run(6, &[(1, 20.0)]).shadows.is_empty());
}

#[test]
fn what_cannot_be_compared_is_no_shadow() {
    let copy = || Fake::function(|_| Ok(Columns::default())).with_hash("f");
    let mut bench = Bench::new();
    bench.add(0, function_plan("f", &[1], 11), copy());
    let as_rule = bench.scheduler.candidate(&rule_plan("f", &[1]), "x");
    assert_eq!(
        as_rule,
        Candidate::Unlike("a rule cannot be compared with a function".into())
    );
    let elsewhere = bench
        .scheduler
        .candidate(&function_plan("f", &[1], 12), "x");
    assert!(matches!(elsewhere, Candidate::Unlike(_)));
    let prepared = bench.prepare(1, function_plan("f", &[1], 12), &Arc::new(copy()));
    let open = terms(1, ShadowEnd::Wait);
    let began = bench
        .scheduler
        .shadow(secs(1), prepared, open, ShadowOrigin::Hand, Vec::new());
    assert!(matches!(block_on(began), Err(ChangeError::Unlike { .. })));
    let prepared = bench.prepare(1, rule_plan("ghost", &[1]), &Arc::new(limit(1.0)));
    let began = bench
        .scheduler
        .shadow(secs(1), prepared, open, ShadowOrigin::Hand, Vec::new());
    assert_eq!(
        block_on(began).unwrap_err(),
        ChangeError::NotRunning("ghost".into())
    );
}

#[test]
fn a_shadow_of_a_function_is_compared_and_never_published() {
    let scale = |factor: f64| {
        Fake::function(move |scene| {
            let mut answer = Columns::default();
            if let Some(value) = scene.samples.value.last() {
                answer.push(0, value * factor, 192, scene.now);
            }
            Ok(answer)
        })
        .with_hash(&format!("{factor}"))
    };
    // A rounding error is none; a millionth is one.
    let cases = [(2.0 + 1e-12, true), (2.000_001, false), (f64::NAN, false)];
    for (factor, is_same) in cases {
        let mut bench = Bench::new();
        bench.add(0, function_plan("f", &[1], 11), scale(2.0));
        let rule = bench.add(0, rule_plan("r", &[11]), limit(100.0));
        bench.run(1, &[(1, 1.0)]);
        let function = Arc::new(scale(factor));
        let set = vec![
            Replacement::Shadow {
                prepared: bench.prepare(1, function_plan("f", &[1], 11), &function),
                terms: terms(100, ShadowEnd::PromoteIfSame),
                held: Vec::new(),
            },
            Replacement::Keep(rule_plan("r", &[11])),
        ];
        block_on(bench.scheduler.replace(secs(1), set)).unwrap();
        assert_eq!(derived(&bench.run(2, &[])), []);
        let round = bench.run(3, &[(1, 5.0)]);
        assert_eq!(derived(&round), [(11, 10.0, "good")]);
        assert_eq!(rule.seen().concat(), [(0, 2.0), (0, 10.0)]);
        let now = counts(&bench, 3);
        let expected = if is_same { (2, 0) } else { (0, 2) };
        assert_eq!((now.same, now.changed), expected, "{factor}");
        let (_, round) = bench.wake(1_000).unwrap();
        let expected: &[&str] = if is_same {
            &["shadow promoted", "swapped"]
        } else {
            &["shadow refused"]
        };
        assert_eq!(words(&round), expected);
        if !is_same {
            assert!(
                why(&round).contains("t11: the running version 10 (good)"),
                "{}",
                why(&round)
            );
        }
    }
}

#[test]
fn a_shadow_may_read_other_inputs_than_the_running_version() {
    let copy = |input: u32| {
        Fake::function(move |scene| {
            let mut answer = Columns::default();
            let rows: Vec<(u32, f64)> = scene.samples.rows().map(|r| (r.0, r.1)).collect();
            for (index, value) in rows {
                if scene.inputs[index as usize].0 == input {
                    answer.push(0, value, 192, scene.now);
                }
            }
            Ok(answer)
        })
        .with_hash(&format!("{input}"))
    };
    let mut bench = Bench::new();
    // `z` runs after `a` by its name, but the shadow of `a` reads it.
    bench.add(0, function_plan("a", &[1], 11), copy(1));
    bench.add(0, function_plan("z", &[1], 12), copy(1));
    bench.run(1, &[(1, 1.0)]);
    let function = Arc::new(copy(12));
    let set = vec![
        Replacement::Shadow {
            prepared: bench.prepare(1, function_plan("a", &[12], 11), &function),
            terms: terms(100, ShadowEnd::PromoteIfSame),
            held: Vec::new(),
        },
        Replacement::Keep(function_plan("z", &[1], 12)),
    ];
    block_on(bench.scheduler.replace(secs(1), set)).unwrap();
    bench.run(1, &[]);
    bench.run(2, &[(1, 7.0)]);
    let all = bench.scheduler.status(secs(2));
    let shadowed = all.iter().find(|one| one.name == "a").unwrap();
    let now = shadowed.shadow.clone().unwrap();
    assert_eq!(
        (now.counts.same, now.counts.differences()),
        (2, 0),
        "{now:?}"
    );
    let (_, round) = bench.wake(1_000).unwrap();
    assert_eq!(words(&round), ["shadow promoted", "swapped"]);
    bench.run(103, &[]);
    assert_eq!(
        derived(&bench.run(104, &[(1, 8.0)])),
        [(12, 8.0, "good"), (11, 8.0, "good")]
    );
}

#[test]
fn differences_are_kept_and_journalled_within_bounds() {
    let many = Fake::rule(|scene| {
        let value = scene.samples.value.last().copied().unwrap_or_default();
        let count = if value > 0.0 { 150 } else { 0 };
        Ok((0..count)
            .map(|n| raise(&format!("k{n}"), &format!("{value}")))
            .collect())
    });
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), acts(&[]));
    bench.run(1, &[(1, 0.0)]);
    begin(&mut bench, 1, rule_plan("r", &[1]), many, ShadowEnd::Wait);
    bench.run(1, &[]);
    let round = bench.run(2, &[(1, 1.0)]);
    assert_eq!(words(&round), vec!["shadow differs"; 10]);
    assert_eq!(counts(&bench, 2).only_shadow, 150);
    let kept = shadow_of(&bench, 2).unwrap().differences;
    assert_eq!(kept.len(), 100);
    assert_eq!(kept[0].kind, DifferenceKind::OnlyShadow);
    // Nothing more in this minute; the first line of the next tells of the others.
    assert!(words(&bench.run(30, &[(1, 2.0)])).is_empty());
    assert_eq!(counts(&bench, 30).only_shadow, 300);
    let round = bench.run(63, &[(1, 3.0)]);
    assert_eq!(words(&round).len(), 10);
    let first = &round.incidents[0].why.detail;
    assert!(first.ends_with("(290 more were only counted)"), "{first}");
}

#[test]
fn a_version_that_cannot_take_over_is_refused_and_the_old_one_goes_on() {
    let broken = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&broken);
    let moody = limit(10.0).with_hash("new").gate(move |_| {
        if switch.load(Ordering::SeqCst) {
            return Err(failure(CallErrorKind::Declined));
        }
        Ok(None)
    });
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), limit(10.0).with_hash("old"));
    bench.run(1, &[(1, 0.0)]);
    let fake = begin(
        &mut bench,
        1,
        rule_plan("r", &[1]),
        moody,
        ShadowEnd::PromoteIfSame,
    );
    bench.run(1, &[]);
    broken.store(true, Ordering::SeqCst);
    let (_, round) = bench.wake(1_000).unwrap();
    assert_eq!(words(&round), ["shadow refused"]);
    assert!(
        why(&round).contains("could not take over"),
        "{}",
        why(&round)
    );
    assert_eq!((runs(&bench), fake.started()), ("old".to_owned(), 2));
    assert_eq!(messages(&bench.run(200, &[(1, 20.0)])), ["20"]);
    assert_eq!(fake.hash(), "new");
}

#[test]
fn a_set_that_was_prepared_before_a_promotion_leaves_what_was_promoted_as_it_is() {
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), limit(10.0).with_hash("old"));
    bench.run(1, &[(1, 0.0), (2, 0.0)]);
    let changed = limit(10.0).with_hash("new");
    begin(
        &mut bench,
        1,
        rule_plan("r", &[2, 1]),
        changed,
        ShadowEnd::Wait,
    );
    bench.run(1, &[]);
    let prepared = vec![Replacement::Keep(rule_plan("r", &[1]))];
    block_on(bench.scheduler.promote(secs(2), "r")).unwrap();
    block_on(bench.scheduler.replace(secs(3), prepared)).unwrap();
    assert_eq!(runs(&bench), "new");
    // It is told its own inputs still: the second of them is tag 1.
    assert_eq!(messages(&bench.run(4, &[(1, 20.0)])), ["20"]);
    assert_eq!(messages(&bench.run(5, &[(2, 30.0)])), ["30"]);
}

#[test]
fn what_was_tried_by_hand_and_refused_hinders_no_file() {
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), limit(10.0).with_hash("old"));
    bench.run(1, &[(1, 0.0)]);
    let try_by_hand = |bench: &mut Bench, at: i64| {
        let prepared = bench.prepare(at, rule_plan("r", &[1]), &Arc::new(limit(9.0)));
        let open = terms(50, ShadowEnd::Wait);
        let began =
            bench
                .scheduler
                .shadow(secs(at), prepared, open, ShadowOrigin::Hand, Vec::new());
        block_on(began).unwrap();
        bench
            .scheduler
            .refuse(secs(at), "r", "was refused")
            .unwrap();
    };
    let plan = rule_plan("r", &[1]);
    try_by_hand(&mut bench, 2);
    assert_eq!(bench.scheduler.candidate(&plan, "9"), Candidate::New);
    let refused = |bench: &Bench| bench.scheduler.status(secs(9))[0].shadow_refused.clone();
    assert!(refused(&bench).unwrap().report.by_hand);
    // A file that was refused stays refused, whatever is tried by hand meanwhile.
    let changed = limit(10.0).with_hash("new");
    begin(&mut bench, 3, plan.clone(), changed, ShadowEnd::Wait);
    assert_eq!(refused(&bench), None);
    bench.scheduler.refuse(secs(4), "r", "was refused").unwrap();
    try_by_hand(&mut bench, 5);
    let still = bench.scheduler.candidate(&plan, "new");
    assert_eq!(still, Candidate::Refused("was refused".into()));
}
