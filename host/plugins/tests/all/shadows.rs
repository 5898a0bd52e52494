//! Changed versions that run beside the old one: compared, not heard, then promoted or refused.

use std::sync::Arc;
use std::time::Duration;

use andon_model::{Action, AlarmRequest, InstancePlan, Priority, ShadowEnd, ShadowTerms};
use andon_plugins::{
    DifferenceKind, IncidentKind, Replacement, Round, ShadowCounts, ShadowOrigin, ShadowStatus,
};
use futures::executor::block_on;

use crate::doubles::{Bench, Fake, Scene, raise, rule_plan, secs, words};

/// Raises while a value is above a limit, clears when it is not; remembers what is raised.
pub(crate) fn limit(limit: f64) -> Fake {
    Fake::rule(move |scene| Ok(edges(scene, |value| value > limit))).with_hash(&format!("{limit}"))
}

pub(crate) fn edges(scene: &mut Scene<'_>, beyond: impl Fn(f64) -> bool) -> Vec<Action> {
    let mut actions = Vec::new();
    let rows: Vec<(u32, f64)> = scene.samples.rows().map(|row| (row.0, row.1)).collect();
    for (input, value) in rows {
        let key = format!("{}", scene.inputs[input as usize].0);
        let raised = scene.number(&key) > 0.0;
        if beyond(value) && !raised {
            scene.remember(&key, 1.0);
            actions.push(raise(&key, &format!("{value}")));
        } else if !beyond(value) && raised {
            scene.remember(&key, 0.0);
            actions.push(Action::Clear(key));
        }
    }
    actions
}

pub(crate) fn terms(secs: u64, end: ShadowEnd) -> ShadowTerms {
    ShadowTerms {
        run_for: Some(Duration::from_secs(secs)),
        end,
    }
}

/// Begins a shadow as a changed file does, for a hundred seconds.
pub(crate) fn begin(
    bench: &mut Bench,
    at: i64,
    plan: InstancePlan,
    fake: Fake,
    end: ShadowEnd,
) -> Arc<Fake> {
    begin_beside(bench, at, plan, fake, end, Vec::new())
}

/// The same while these alarms stand.
fn begin_beside(
    bench: &mut Bench,
    at: i64,
    plan: InstancePlan,
    fake: Fake,
    end: ShadowEnd,
    held: Vec<AlarmRequest>,
) -> Arc<Fake> {
    let fake = Arc::new(fake);
    let prepared = bench.prepare(at, plan, &fake);
    let set = vec![Replacement::Shadow {
        prepared,
        terms: terms(100, end),
        held,
    }];
    let applied = block_on(bench.scheduler.replace(secs(at), set)).unwrap();
    let kinds: Vec<_> = applied.incidents.iter().map(|one| one.kind).collect();
    assert_eq!(kinds.last(), Some(&IncidentKind::ShadowBegan));
    assert!(applied.states.is_empty() && applied.timers.is_empty());
    fake
}

pub(crate) fn shadow_of(bench: &Bench, at: i64) -> Option<ShadowStatus> {
    let mut all = bench.scheduler.status(secs(at));
    all.swap_remove(0).shadow
}

pub(crate) fn counts(bench: &Bench, at: i64) -> ShadowCounts {
    shadow_of(bench, at).unwrap().counts
}

pub(crate) fn runs(bench: &Bench) -> String {
    bench.scheduler.status(secs(0))[0].hash.clone()
}

pub(crate) fn messages(round: &Round) -> Vec<String> {
    let actions = round.fired.iter().flat_map(|fired| &fired.actions);
    actions
        .map(|action| match action {
            Action::Raise(alarm) | Action::Notify(alarm) => alarm.message.clone(),
            Action::Clear(key) => format!("clear {key}"),
        })
        .collect()
}

pub(crate) fn why(round: &Round) -> String {
    let all: Vec<String> = round.incidents.iter().map(ToString::to_string).collect();
    all.join("\n")
}

#[test]
fn a_shadow_that_does_the_same_is_promoted_when_its_time_is_over() {
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), limit(10.0));
    bench.run(1, &[(1, 20.0)]);
    let Action::Raise(standing) = raise("1", "20") else {
        unreachable!()
    };
    let new = begin_beside(
        &mut bench,
        2,
        rule_plan("r", &[1]),
        limit(10.0).with_hash("new"),
        ShadowEnd::PromoteIfSame,
        vec![standing],
    );
    let round = bench.run(2, &[]);
    assert!(round.fired.is_empty(), "the shadow was heard: {round:?}");
    assert_eq!(
        new.seen(),
        [vec![(0, 20.0)]],
        "it sees every input at first"
    );
    assert_eq!(messages(&bench.run(3, &[(1, 5.0)])), ["clear 1"]);
    assert_eq!(messages(&bench.run(4, &[(1, 30.0)])), ["30"]);
    let now = counts(&bench, 5);
    assert_eq!((now.calls, now.same, now.differences()), (3, 2, 0));
    assert_eq!((now.compared, now.failures()), (3, 0));
    let (at, round) = bench.wake(1_000).unwrap();
    assert_eq!(
        (at, words(&round)),
        (secs(102), vec!["shadow promoted", "swapped"])
    );
    assert_eq!(runs(&bench), "new");
    assert_eq!(shadow_of(&bench, 102), None);
    // The state of the running version went on: what is raised is not raised again.
    let round = bench.run(102, &[]);
    assert_eq!(
        (round.calls.len(), messages(&round)),
        (1, Vec::<String>::new())
    );
    assert_eq!(messages(&bench.run(103, &[(1, 5.0)])), ["clear 1"]);
}

#[test]
fn a_shadow_that_differs_is_refused_and_nothing_of_it_is_heard() {
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), limit(10.0));
    bench.run(1, &[(1, 5.0)]);
    begin(
        &mut bench,
        1,
        rule_plan("r", &[1]),
        limit(4.0),
        ShadowEnd::PromoteIfSame,
    );
    let round = bench.run(2, &[]);
    assert_eq!(words(&round), ["shadow differs"]);
    assert!(round.fired.is_empty() && round.states.is_empty());
    let incident = &round.incidents[0];
    assert_eq!(
        incident.kind,
        IncidentKind::ShadowDiffers(DifferenceKind::OnlyShadow)
    );
    assert_eq!(incident.why.detail, "only the shadow: raise 1 (high) \"5\"");
    let line = incident.journal_entry();
    assert_eq!(line.data["difference"], "only-shadow");
    assert_eq!(line.data["samples"][0]["tag_name"], "t1");
    assert_eq!(line.data["samples"][0]["value"], 5.0);
    assert_eq!(round.shadows[0].differences, 1);
    let (at, round) = bench.wake(1_000).unwrap();
    assert_eq!((at, words(&round)), (secs(101), vec!["shadow refused"]));
    assert!(why(&round).contains("differed 1 times"), "{}", why(&round));
    assert_eq!(runs(&bench), "10");
    let refused = bench.scheduler.status(secs(101))[0].shadow_refused.clone();
    let refused = refused.unwrap();
    assert_eq!(refused.report.differences.len(), 1);
    assert_eq!(
        refused.says,
        "was refused: it differed 1 times from the running version"
    );
    assert!(
        why(&round).contains("the last: only the shadow: raise 1 (high)"),
        "{}",
        why(&round)
    );
    assert!(bench.wake(1_000).is_none(), "nothing is left to be done");
}

/// Does this while the value is one or more, and nothing else.
pub(crate) fn acts(what: &[Action]) -> Fake {
    let what = what.to_vec();
    Fake::rule(move |scene| {
        let acts = scene
            .samples
            .value
            .last()
            .is_some_and(|value| *value >= 1.0);
        Ok(if acts { what.clone() } else { Vec::new() })
    })
}

/// The round in which a rule does one thing and its shadow another.
fn side_by_side(old: &[Action], new: &[Action]) -> (Bench, Round) {
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), acts(old));
    bench.run(1, &[(1, 0.0)]);
    begin(
        &mut bench,
        1,
        rule_plan("r", &[1]),
        acts(new),
        ShadowEnd::PromoteIfSame,
    );
    bench.run(1, &[]);
    let round = bench.run(2, &[(1, 1.0)]);
    (bench, round)
}

fn with(change: impl Fn(&mut AlarmRequest)) -> Action {
    let mut action = raise("k", "old");
    if let Action::Raise(alarm) = &mut action {
        change(alarm);
    }
    action
}

#[test]
fn what_a_shadow_leaves_out_adds_or_says_otherwise_is_a_difference() {
    use DifferenceKind::{Changed, OnlyRunning, OnlyShadow};
    let old = raise("k", "old");
    let cases = [
        (
            vec![],
            OnlyRunning,
            "only the running version: raise k (high) \"old\"",
        ),
        (
            vec![raise("k", "new")],
            Changed,
            "the running version: raise k (high) \"old\"; the shadow: raise k (high) \"new\"",
        ),
        (
            vec![with(|alarm| alarm.priority = Priority::Low)],
            Changed,
            "the running version: raise k (high) \"old\"; the shadow: raise k (low) \"old\"",
        ),
        (
            vec![with(|alarm| alarm.attributes.clear())],
            Changed,
            "the running version: raise k (high) \"old\"; the shadow: raise k (high) \"old\"",
        ),
        (
            vec![old.clone(), raise("m", "more")],
            OnlyShadow,
            "only the shadow: raise m (high) \"more\"",
        ),
        (
            vec![old.clone(), Action::Clear("k".into())],
            Changed,
            "the running version: raise k (high) \"old\"; \
             the shadow: raise k (high) \"old\" … clear k (2)",
        ),
    ];
    for (new, kind, says) in cases {
        let (bench, round) = side_by_side(std::slice::from_ref(&old), &new);
        assert_eq!(messages(&round), ["old"]);
        assert_eq!(round.incidents[0].why.detail, says);
        assert_eq!(round.incidents[0].kind, IncidentKind::ShadowDiffers(kind));
        assert_eq!(counts(&bench, 2).differences(), 1, "{says}");
        let kept = shadow_of(&bench, 2).unwrap().differences;
        assert_eq!((kept[0].at, kept[0].kind), (secs(2), kind));
    }
}

#[test]
fn order_repetition_and_what_changes_nothing_are_no_difference() {
    let unit = |alarm: &mut AlarmRequest| {
        alarm.attributes = vec![("b".into(), "2".into()), ("a".into(), "1".into())];
    };
    let turned = |alarm: &mut AlarmRequest| {
        alarm.attributes = vec![("a".into(), "1".into()), ("b".into(), "2".into())];
    };
    let cases = [
        (
            vec![raise("a", "x"), raise("b", "y")],
            vec![raise("b", "y"), raise("a", "x")],
        ),
        (
            vec![raise("a", "x")],
            vec![raise("a", "x"), raise("a", "x")],
        ),
        (
            vec![raise("a", "x")],
            vec![Action::Clear("z".into()), raise("a", "x")],
        ),
        (vec![with(unit)], vec![with(turned)]),
    ];
    for (old, new) in cases {
        let (mut bench, round) = side_by_side(&old, &new);
        assert_eq!(words(&round), Vec::<&str>::new(), "{}", why(&round));
        assert_eq!(counts(&bench, 2).same, old.len() as u64);
        let (_, round) = bench.wake(1_000).unwrap();
        assert_eq!(words(&round), ["shadow promoted", "swapped"]);
    }
}

#[test]
fn the_same_some_calls_later_is_counted_apart() {
    let delayed = |calls: u32| {
        Fake::rule(move |scene| {
            let beyond = scene
                .samples
                .value
                .last()
                .is_some_and(|value| *value > 10.0);
            let count = if beyond {
                scene.number("count") + 1.0
            } else {
                0.0
            };
            scene.remember("count", count);
            Ok(if count > f64::from(calls) {
                vec![raise("k", "high")]
            } else {
                vec![Action::Clear("k".into())]
            })
        })
    };
    for end in [ShadowEnd::PromoteIfSame, ShadowEnd::PromoteIfSound] {
        let mut bench = Bench::new();
        bench.add(0, rule_plan("r", &[1]), delayed(0));
        bench.run(1, &[(1, 0.0)]);
        begin(&mut bench, 1, rule_plan("r", &[1]), delayed(2), end);
        bench.run(1, &[]);
        assert_eq!(words(&bench.run(2, &[(1, 20.0)])), ["shadow differs"]);
        assert_eq!(counts(&bench, 2).only_running, 1);
        assert!(words(&bench.run(3, &[(1, 21.0)])).is_empty());
        let round = bench.run(5, &[(1, 22.0)]);
        let says = "the shadow did the same 3.0 s later: raise k (high) \"high\"";
        assert_eq!(round.incidents[0].why.detail, says);
        bench.run(6, &[(1, 0.0)]);
        let now = counts(&bench, 6);
        assert_eq!((now.only_running, now.shifted, now.same), (0, 1, 1));
        let (_, round) = bench.wake(1_000).unwrap();
        let expected = match end {
            ShadowEnd::PromoteIfSame => vec!["shadow refused"],
            ShadowEnd::PromoteIfSound | ShadowEnd::Wait => vec!["shadow promoted", "swapped"],
        };
        assert_eq!(words(&round), expected);
    }
}

#[test]
fn notifications_are_matched_one_by_one_and_may_come_late() {
    let note = |key: &str, text: &str| match raise(key, text) {
        Action::Raise(alarm) => Action::Notify(alarm),
        other @ (Action::Clear(_) | Action::Notify(_)) => other,
    };
    let once = vec![note("k", "x")];
    let twice = vec![note("k", "x"), note("k", "x")];
    assert!(words(&side_by_side(&twice, &twice).1).is_empty());
    let (_, round) = side_by_side(&once, &twice);
    assert_eq!(
        round.incidents[0].why.detail,
        "only the shadow: notify k (high) \"x\""
    );
    let (_, round) = side_by_side(&once, &[note("k", "y")]);
    let kind = IncidentKind::ShadowDiffers(DifferenceKind::Changed);
    assert_eq!(round.incidents[0].kind, kind);

    let mut bench = Bench::new();
    let at = |value: f64| {
        Fake::rule(move |scene| {
            let fits = scene.samples.value.contains(&value);
            Ok(if fits {
                vec![note("k", "x")]
            } else {
                Vec::new()
            })
        })
    };
    bench.add(0, rule_plan("r", &[1]), at(2.0));
    bench.run(1, &[(1, 0.0)]);
    begin(
        &mut bench,
        1,
        rule_plan("r", &[1]),
        at(1.0),
        ShadowEnd::Wait,
    );
    bench.run(1, &[]);
    bench.run(2, &[(1, 1.0)]);
    assert_eq!(counts(&bench, 2).only_shadow, 1);
    bench.run(3, &[(1, 2.0)]);
    let now = counts(&bench, 3);
    assert_eq!((now.only_shadow, now.only_running, now.shifted), (0, 0, 1));
}

#[test]
fn what_a_shadow_says_at_first_of_alarms_that_stand_is_no_difference() {
    // It raises with every call, and its message holds the value.
    let chatty = || {
        Fake::rule(|scene| {
            let rows: Vec<(u32, f64)> = scene.samples.rows().map(|row| (row.0, row.1)).collect();
            let beyond = rows.iter().filter(|(_, value)| *value > 10.0);
            Ok(beyond
                .map(|(input, value)| raise(&format!("i{input}"), &format!("{value}")))
                .collect())
        })
    };
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1, 2]), chatty());
    bench.run(1, &[(1, 20.0), (2, 5.0)]);
    let prepared = bench.prepare(2, rule_plan("r", &[1, 2]), &Arc::new(chatty()));
    let Action::Raise(held) = raise("i0", "19") else {
        unreachable!()
    };
    let applied = block_on(bench.scheduler.shadow(
        secs(2),
        prepared,
        terms(100, ShadowEnd::PromoteIfSame),
        ShadowOrigin::Hand,
        vec![held],
    ));
    assert_eq!(applied.unwrap().incidents.len(), 1);
    assert!(words(&bench.run(2, &[])).is_empty());
    assert!(words(&bench.run(3, &[(1, 21.0)])).is_empty());
    assert!(words(&bench.run(4, &[(2, 11.0)])).is_empty());
    let now = counts(&bench, 4);
    assert_eq!((now.same, now.differences(), now.compared), (2, 0, 3));
}

#[test]
fn a_shadow_has_a_timer_and_a_state_of_its_own() {
    let sleeper = |pause: i64| {
        Fake::rule(move |scene| {
            let count = scene.number("count") + 1.0;
            scene.remember("count", count);
            if scene.samples.is_empty() {
                return Ok(vec![raise("k", &format!("{count}"))]);
            }
            scene.wake_at = Some(scene.now.plus(Duration::from_secs(pause.unsigned_abs())));
            Ok(Vec::new())
        })
    };
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), sleeper(10));
    bench.run(1, &[(1, 0.0)]);
    let shadow = begin(
        &mut bench,
        2,
        rule_plan("r", &[1]),
        sleeper(3),
        ShadowEnd::Wait,
    );
    bench.run(2, &[]);
    let mut rounds = Vec::new();
    while let Some((at, round)) = bench.wake(60) {
        let durable = round.states.len() + round.timers.len();
        rounds.push((at, messages(&round), words(&round), durable));
    }
    let differs = vec!["shadow differs"];
    assert_eq!(
        rounds,
        [
            (secs(5), Vec::new(), differs.clone(), 0),
            (secs(11), vec!["2".to_owned()], differs, 2),
        ],
        "the wake-up of the shadow is durable in nothing"
    );
    assert_eq!(shadow.seen().len(), 2, "it woke up by itself, once");
    let says = &shadow_of(&bench, 60).unwrap().differences;
    // It began with the count of the running version and goes on from there by itself.
    assert_eq!(says[1].says, "only the shadow: raise k (high) \"3\"");
    assert_eq!(
        says[0].says,
        "only the running version: raise k (high) \"2\""
    );
}
