//! Devices that send what they must not: no value is ever taken from a wrong answer.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on panics, and one that is skipped says so"
)]

mod rig;

use std::time::Duration;

use andon_model::Quality;
use andon_tags::Link;
use proptest::prelude::*;
use rig::plc::{Act, Plc};
use rig::{Rig, device, short, tag};

const GOOD: Quality = Quality::GOOD;
const LOST: Quality = Quality::BAD_COMM_FAILURE;

/// Everything that cannot be taken for an answer.
fn wrong_answers() -> Vec<Act> {
    vec![
        Act::Stall,
        Act::Late(Duration::from_millis(1500)),
        Act::Close,
        Act::OtherTransaction,
        Act::OtherUnit,
        Act::OtherFunction,
        Act::OtherProtocol,
        Act::Longer,
        Act::Shorter,
        Act::Truncated,
        Act::HalfThenClose,
        Act::NoLength,
        Act::HugeLength,
        Act::Garbage,
        Act::ByteByByte(Duration::from_millis(300)),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_wrong_answer_turns_the_tags_bad_once_and_ends_the_connection() {
    for act in wrong_answers() {
        for address in ["holding:7", "coil:7"] {
            let plc = Plc::new(|s| {
                s.bits = [(1, 7)].into();
                s.registers = [((3, 7), 1)].into();
            });
            let settings = device("attempts = 1") + &tag("a", address, "");
            let mut rig = Rig::start(&settings, plc.dial());
            rig.next_batch().await;
            plc.with(|s| s.always = Some(act.clone()));
            let lost = rig.until_secs(30.0).await;
            assert_eq!(short(&lost), [("a", 1.0, LOST)], "{act:?}");
            assert_eq!(
                rig.events_now(),
                [(1, Link::Up), (1, Link::Down)],
                "{act:?}"
            );
            let (asked, connections) = plc.with(|s| (s.asked.clone(), s.connections));
            let first_wrong = asked.iter().position(|a| a.connection == 2).unwrap();
            let each_its_own = asked[first_wrong..]
                .windows(2)
                .all(|a| a[0].connection < a[1].connection);
            assert!(each_its_own, "{act:?}: {asked:?}");
            assert!((4..20).contains(&connections), "{act:?}: {connections}");
            plc.with(|s| s.always = None);
            assert_eq!(
                short(&rig.until_secs(62.0).await),
                [("a", 1.0, GOOD)],
                "{act:?}"
            );
            assert_eq!(rig.events_now(), [(1, Link::Up)], "{act:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn errors_are_counted_by_their_kind() {
    let kinds = [
        (Act::Stall, (1, 0, 0)),
        (Act::Late(Duration::from_secs(3)), (1, 0, 0)),
        (Act::HugeLength, (1, 0, 0)),
        (Act::Close, (0, 1, 0)),
        (Act::HalfThenClose, (0, 1, 0)),
        (Act::OtherTransaction, (0, 0, 1)),
        (Act::OtherUnit, (0, 0, 1)),
        (Act::OtherFunction, (0, 0, 1)),
        (Act::Longer, (0, 0, 1)),
        (Act::Shorter, (0, 0, 1)),
        (Act::Truncated, (0, 0, 1)),
        (Act::NoLength, (0, 0, 1)),
    ];
    for (act, expected) in kinds {
        let plc = Plc::default();
        let settings = device("") + &tag("a", "holding:7", "");
        let mut rig = Rig::start(&settings, plc.dial());
        rig.next_batch().await;
        plc.with(|s| s.script.push_back(act.clone()));
        rig.until_secs(3.5).await;
        let unit = rig.unit(1);
        assert_eq!(
            (unit.timeouts, unit.closed, unit.framing),
            expected,
            "{act:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn one_wrong_answer_is_tried_again_within_the_cycle_and_nobody_notices() {
    for act in wrong_answers() {
        let plc = Plc::default();
        let settings = device("") + &tag("a", "holding:7", "");
        let mut rig = Rig::start(&settings, plc.dial());
        rig.next_batch().await;
        plc.with(|s| s.script.push_back(act.clone()));
        assert_eq!(rig.until_secs(10.0).await, [], "{act:?}");
        assert_eq!(rig.events_now(), [(1, Link::Up)], "{act:?}");
        assert_eq!(plc.with(|s| s.connections), 2, "{act:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_in_single_bytes_is_still_an_answer() {
    let plc = Plc::new(|s| s.always = Some(Act::ByteByByte(Duration::from_millis(50))));
    let settings = device("") + &tag("a", "holding:7", "");
    let mut rig = Rig::start(&settings, plc.dial());
    assert_eq!(short(&rig.until_secs(10.0).await), [("a", 7.0, GOOD)]);
    assert!(rig.unit(1).round_trip >= Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_twice_is_not_taken_for_the_next_one() {
    let plc = Plc::new(|s| s.always = Some(Act::Twice));
    let settings = device("gap = 0") + &tag("a", "holding:1", "") + &tag("b", "holding:9", "");
    let mut rig = Rig::start(&settings, plc.dial());
    for sample in rig.until_secs(60.0).await {
        if sample.quality == GOOD {
            assert_eq!(sample.value, if sample.tag == "a" { 1.0 } else { 9.0 });
        }
    }
}

fn any_act() -> impl Strategy<Value = Act> {
    let mut acts = wrong_answers();
    acts.extend([2, 3, 4, 6, 10, 11].map(Act::Exception));
    acts.extend([
        Act::Twice,
        Act::Answer,
        Act::Answer,
        Act::Answer,
        Act::Answer,
    ]);
    acts.extend((1..30).map(|n| Act::Late(Duration::from_millis(n * 100))));
    prop::sample::select(acts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_a_device_does_a_good_sample_is_right_and_all_ends_well(
        script in prop::collection::vec(any_act(), 0..60),
        units in 1..4_u8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let plc = Plc::new(|s| s.script = script.into());
            let mut settings = device("gap = 0\nrefused_retry = \"30s\"\nreconnect_max = \"5s\"");
            for unit in 1..=units {
                for address in [1, 50, 200] {
                    let name = format!("{unit}/{address}");
                    settings += &tag(&name, &format!("holding:{address}"), &format!("unit_id = {unit}"));
                }
            }
            let mut rig = Rig::start(&settings, plc.dial());
            let samples = rig.until_secs(400.0).await;
            let mut last = std::collections::BTreeMap::new();
            for sample in &samples {
                let address = sample.tag.split('/').nth(1).unwrap();
                let right: f64 = address.parse().unwrap();
                assert!(sample.value == right || (sample.value.is_nan() && sample.quality.is_bad()));
                let before = last.insert(&sample.tag, (sample.quality, sample.at));
                if let Some((quality, at)) = before {
                    assert_ne!(quality, sample.quality, "the same is told twice");
                    assert!(at <= sample.at);
                }
            }
            assert_eq!(last.len(), usize::from(units) * 3);
            assert!(last.values().all(|(quality, _)| *quality == GOOD), "{last:?}");
            assert!(rig.events_now().len() <= samples.len());
        });
    }
}
