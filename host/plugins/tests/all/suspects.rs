//! Instances that used up their time, and guests that take long to be made.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use andon_model::{
    CallError, CallErrorKind, Component, Description, PluginKind, SampleBatch, Setup, ShadowEnd,
    Started, Timestamp,
};
use andon_plugins::{IncidentKind, RunState, ShadowOrigin};
use async_trait::async_trait;
use futures::FutureExt as _;
use futures::executor::block_on;

use crate::doubles::{Bench, Fake, failure, function_plan, raise, rule_plan, secs, words};
use crate::shadows::{counts, edges, limit, terms};

/// A rule that runs out of time while a switch is on, and the switch.
fn hanging() -> (Fake, Arc<AtomicBool>) {
    let hangs = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&hangs);
    let fake = Fake::rule(move |_| {
        if switch.load(Ordering::SeqCst) {
            return Err(failure(CallErrorKind::TimeOut));
        }
        Ok(vec![raise("k", "m")])
    });
    (fake, hangs)
}

fn called(round: &andon_plugins::Round) -> Vec<&str> {
    round.calls.iter().map(|call| &*call.instance).collect()
}

fn empty(bench: &mut Bench, at: Timestamp) -> andon_plugins::Round {
    block_on(bench.scheduler.run(at, &SampleBatch::default()))
}

fn millis(at: i64) -> Timestamp {
    Timestamp::from_nanos(at * 1_000_000)
}

#[test]
fn an_instance_that_hung_is_called_apart_from_the_batches() {
    let mut bench = Bench::new();
    let (fake, hangs) = hanging();
    let fake = bench.add(0, rule_plan("a-hangs", &[1]), fake);
    bench.add(0, rule_plan("good", &[1]), hanging().0);
    bench.run(0, &[(1, 0.0)]);
    hangs.store(true, Ordering::SeqCst);
    assert_eq!(called(&bench.run(1, &[(1, 1.0)])), ["a-hangs", "good"]);
    hangs.store(false, Ordering::SeqCst);
    // Long after its strike it works again, but nobody can be sure of that.
    bench.wake(5).expect("its retry");
    for at in 10..20 {
        assert_eq!(called(&bench.run(at, &[(1, at as f64)])), ["good"]);
        let due = bench.scheduler.next_wake();
        assert_eq!(due, Some(secs(at)), "it is called at once, but apart");
        assert_eq!(called(&empty(&mut bench, secs(at))), ["a-hangs"]);
        assert_eq!(fake.seen().last(), Some(&vec![(0, at as f64)]));
    }
    let round = bench.run(700, &[(1, 7.0)]);
    assert_eq!(
        called(&round),
        ["a-hangs", "good"],
        "ten minutes are enough"
    );
}

#[test]
fn of_many_that_hang_only_one_hangs_at_a_time() {
    let mut bench = Bench::new();
    let mut switches = Vec::new();
    for number in 0..25 {
        let (fake, hangs) = hanging();
        bench.add(0, rule_plan(&format!("bad{number}"), &[1]), fake);
        switches.push(hangs);
    }
    bench.run(0, &[(1, 0.0)]);
    switches
        .iter()
        .for_each(|hangs| hangs.store(true, Ordering::SeqCst));
    let first = bench.run(10, &[(1, 1.0)]);
    assert_eq!(first.calls.len(), 25, "the first time nobody could know");
    let mut last = secs(10);
    let mut calls = 0;
    while let Some((at, round)) = bench.wake(100) {
        let failed = round.calls.iter().filter(|call| call.failed.is_some());
        assert_eq!(failed.count(), 1, "at {at}");
        assert!(at.since(last) >= Duration::from_millis(200), "they rest");
        last = at;
        calls += 1;
    }
    // Two further strikes each, then trials after 30 s and 60 s.
    assert_eq!(calls, 25 * 3);
    for status in bench.scheduler.status(secs(100)) {
        assert!(matches!(status.state, RunState::Quarantined(until) if until > secs(100)));
    }
}

#[test]
fn suspects_are_not_forgotten_where_there_are_only_batches() {
    let mut bench = Bench::new();
    let (fake, hangs) = hanging();
    let fake = bench.add(0, rule_plan("r", &[1]), fake);
    bench.run(0, &[(1, 0.0)]);
    hangs.store(true, Ordering::SeqCst);
    bench.run(1, &[(1, 1.0)]);
    hangs.store(false, Ordering::SeqCst);
    for at in 2..10 {
        bench.run(at, &[(1, at as f64)]);
    }
    let seen: usize = fake.seen().iter().skip(2).map(Vec::len).sum();
    assert!(seen >= 7, "it saw {:?}", fake.seen());
}

#[test]
fn what_a_suspect_function_computes_reaches_rules_in_its_own_round() {
    let mut bench = Bench::new();
    let hangs = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&hangs);
    let function = Fake::function(move |scene| {
        if switch.load(Ordering::SeqCst) {
            return Err(failure(CallErrorKind::TimeOut));
        }
        let mut columns = andon_model::Columns::default();
        let value = scene.samples.value.last().copied().unwrap_or(0.0);
        columns.push(0, value * 2.0, 192, scene.now);
        Ok(columns)
    });
    bench.add(0, function_plan("f", &[1], 9), function);
    let rule = bench.add(0, rule_plan("r", &[9]), hanging().0);
    bench.run(0, &[(1, 0.0)]);
    hangs.store(true, Ordering::SeqCst);
    bench.run(1, &[(1, 1.0)]);
    hangs.store(false, Ordering::SeqCst);
    bench.wake(5).expect("its retry");
    bench.run(6, &[(1, 6.0)]);
    let round = empty(&mut bench, secs(6));
    assert_eq!(called(&round), ["f", "r"]);
    assert_eq!(rule.seen().last(), Some(&vec![(0, 12.0)]));
}

/// A component whose starts need some turns.
struct Slow {
    fake: Fake,
    turns: Arc<AtomicUsize>,
}

#[async_trait]
impl Component for Slow {
    fn kind(&self) -> PluginKind {
        self.fake.kind()
    }
    fn description(&self) -> &Description {
        self.fake.description()
    }
    fn hash(&self) -> &str {
        self.fake.hash()
    }
    fn contract_version(&self) -> &str {
        self.fake.contract_version()
    }
    fn imports(&self) -> &[String] {
        self.fake.imports()
    }
    async fn start(&self, setup: Setup) -> Result<Started, CallError> {
        let mut left = self.turns.load(Ordering::SeqCst);
        poll_fn(|_| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            Poll::Pending
        })
        .await;
        self.fake.start(setup).await
    }
}

/// A bench with a rule that failed once and whose next start needs so many turns.
fn struck(turns: usize, fails: CallErrorKind) -> (Bench, Arc<AtomicUsize>) {
    let mut bench = Bench::new();
    let broken = Arc::new(AtomicBool::new(true));
    let slow = Arc::new(AtomicUsize::new(0));
    let fake = Fake::rule(move |scene| {
        if scene.now == secs(1) && broken.swap(false, Ordering::SeqCst) {
            return Err(failure(fails));
        }
        Ok(Vec::new())
    });
    let component: Arc<dyn Component> = Arc::new(Slow {
        fake,
        turns: Arc::clone(&slow),
    });
    let preparation = bench
        .scheduler
        .preparation(secs(0), rule_plan("r", &[1]), component);
    let prepared = block_on(preparation.start()).unwrap();
    block_on(bench.scheduler.swap(secs(0), prepared)).unwrap();
    bench.run(0, &[(1, 0.0)]);
    slow.store(turns, Ordering::SeqCst);
    assert_eq!(words(&bench.run(1, &[(1, 1.0)])), ["strike"]);
    (bench, slow)
}

#[test]
fn a_guest_that_takes_long_to_be_made_holds_nobody_up() {
    let (mut bench, _) = struck(3, CallErrorKind::Trap);
    let (_, round) = bench.wake(2).expect("its retry");
    assert!(round.calls.is_empty(), "it is being made");
    assert_eq!(bench.scheduler.next_wake(), None, "progress says when");
    assert!(bench.run(2, &[(1, 2.0)]).calls.is_empty());
    assert!(
        bench.scheduler.progress().now_or_never().is_none(),
        "a turn"
    );
    assert!(
        bench.scheduler.progress().now_or_never().is_none(),
        "another"
    );
    assert!(bench.scheduler.progress().now_or_never().is_some(), "done");
    let due = bench.scheduler.next_wake().expect("it is due");
    assert!(due <= secs(2));
    let round = empty(&mut bench, secs(2));
    assert_eq!(called(&round), ["r"]);
    assert_eq!(round.calls[0].rows, 2, "what waited for it");
}

#[test]
fn a_shadow_that_takes_long_to_be_made_waits_and_is_then_compared_again() {
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), limit(10.0));
    bench.run(1, &[(1, 5.0)]);
    let slow = Arc::new(AtomicUsize::new(0));
    let broken = AtomicBool::new(true);
    let fake = Fake::rule(move |scene| {
        if scene.now == secs(2) && broken.swap(false, Ordering::SeqCst) {
            return Err(failure(CallErrorKind::Trap));
        }
        Ok(edges(scene, |value| value > 10.0))
    });
    let component: Arc<dyn Component> = Arc::new(Slow {
        fake: fake.with_hash("slow"),
        turns: Arc::clone(&slow),
    });
    let preparation = bench
        .scheduler
        .preparation(secs(1), rule_plan("r", &[1]), component);
    let prepared = block_on(preparation.start()).unwrap();
    let terms = terms(100, ShadowEnd::Wait);
    let origin = ShadowOrigin::Hand;
    let began = bench
        .scheduler
        .shadow(secs(1), prepared, terms, origin, Vec::new());
    block_on(began).expect("it runs beside");
    slow.store(2, Ordering::SeqCst);
    assert_eq!(words(&bench.run(2, &[(1, 5.0)])), ["shadow failed"]);
    let before = counts(&bench, 4);
    for at in 4..7 {
        let round = bench.run(at, &[(1, 5.0)]);
        assert_eq!(called(&round), ["r"], "the running version goes on");
    }
    let meanwhile = counts(&bench, 7);
    assert_eq!(meanwhile.calls, before.calls, "it is being made");
    assert_eq!(meanwhile.compared, before.compared);
    assert_eq!(meanwhile.strikes, 1);
    for _ in 0..3 {
        bench.scheduler.progress().now_or_never();
    }
    bench.run(7, &[(1, 5.0)]);
    let round = bench.run(8, &[(1, 20.0)]);
    assert_eq!(round.fired.len(), 1);
    let after = counts(&bench, 8);
    assert_eq!(after.calls, meanwhile.calls + 2);
    assert!(after.compared > meanwhile.compared);
    assert_eq!((after.same, after.differences()), (1, 0));
}

#[test]
fn a_start_that_nobody_helps_on_goes_on_with_the_batches() {
    let (mut bench, _) = struck(2, CallErrorKind::Trap);
    let calls: usize = (2..20)
        .map(|at| bench.run(at, &[(1, at as f64)]).calls.len())
        .sum();
    assert!(calls > 10, "{calls}");
}

#[test]
fn progress_waits_for_ever_where_nothing_is_being_made() {
    let mut bench = Bench::new();
    bench.add(0, rule_plan("r", &[1]), hanging().0);
    assert!(bench.scheduler.progress().now_or_never().is_none());
}

#[test]
fn a_renewal_that_failed_is_not_tried_again_for_ten_minutes() {
    let mut bench = Bench::new();
    let starts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&starts);
    let fake = Fake::rule(|scene| {
        *scene.memory_bytes = 60 << 20;
        Ok(Vec::new())
    })
    .gate(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => Ok(None),
        _ => Err(failure(CallErrorKind::TimeOut)),
    });
    bench.add(0, rule_plan("r", &[1]), fake);
    let mut told = Vec::new();
    for at in 1..605 {
        let round = bench.run(at, &[(1, at as f64)]);
        told.extend(round.incidents.iter().map(|incident| (at, incident.kind)));
    }
    let failed = IncidentKind::RenewalFailed;
    assert_eq!(told, [(1, failed), (601, failed)]);
    assert_eq!(millis(1_000), secs(1));
}
