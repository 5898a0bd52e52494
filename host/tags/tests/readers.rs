//! The readers against PLCs in memory, on stopped time: what is asked, what is told, when.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on panics, and one that is skipped says so"
)]

mod rig;

use std::sync::Arc;
use std::time::Duration;

use andon_model::Quality;
use andon_tags::Link;
use andon_tags::modbus::TcpDial;
use rig::plc::{Act, Plc};
use rig::{Rig, device, short, tag};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const GOOD: Quality = Quality::GOOD;
const LOST: Quality = Quality::BAD_COMM_FAILURE;
const REFUSED: Quality = Quality::BAD_CONFIGURATION_ERROR;

#[tokio::test]
async fn a_device_on_tcp_is_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let plc = Plc::default();
    let mut tasks = JoinSet::new();
    let server = plc.clone();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            server.clone().serve(stream).await;
        }
    });
    plc.set(10, 0x42F6);
    plc.set(11, 0xE979);
    let settings = format!("[[devices]]\nname = \"plc\"\naddress = \"{address}\"\n")
        + &tag("a", "holding:10", "type = \"f32\"")
        + &tag("b", "40013", "scale = 0.1\noffset = -1.0");
    let mut rig = Rig::start(&settings, Arc::new(TcpDial));
    let samples = rig.next_batch().await;
    let single = f64::from(123.456_f32);
    assert_eq!(
        short(&samples),
        [("a", single, GOOD), ("b", 12.0 * 0.1 - 1.0, GOOD)]
    );
    assert_eq!(plc.take_asked(), [(3, 10, 3)]);
    assert_eq!(rig.events_now(), [(1, Link::Up)]);
}

#[tokio::test(start_paused = true)]
async fn all_tables_and_types_are_read_and_only_changes_are_told() {
    let plc = Plc::new(|s| {
        s.bits = [(1, 5), (2, 9)].into();
        s.registers = [((3, 20), 0b1000), ((3, 30), 0x5075), ((3, 31), 0x6D70)].into();
    });
    let settings = device("gap = 0")
        + &tag("coil", "coil:5", "")
        + &tag("off", "coil:6", "")
        + &tag("discrete", "10010", "")
        + &tag("input", "input:300", "")
        + &tag("bit", "holding:20.3", "")
        + &tag("word", "holding:20", "deadband = 2")
        + &tag("text", "holding:30", "type = \"text\"\nlength = 4");
    let mut rig = Rig::start(&settings, plc.dial());
    let first = rig.next_batch().await;
    let expected = [
        ("coil", 1.0, GOOD),
        ("off", 0.0, GOOD),
        ("discrete", 1.0, GOOD),
        ("input", 300.0, GOOD),
        ("bit", 1.0, GOOD),
        ("word", 8.0, GOOD),
    ];
    assert_eq!(short(&first)[..6], expected);
    assert_eq!(first[6].text.as_deref(), Some("Pump"));
    assert!(first[6].value.is_nan());
    assert_eq!(rig.until_secs(5.5).await, []);
    plc.set(20, 0b1010);
    assert_eq!(rig.until_secs(7.5).await, []);
    plc.set(20, 0b0000);
    plc.set(30, 0x4C75);
    plc.with(|s| s.bits.clear());
    let second = rig.next_batch().await;
    let tags: Vec<&str> = second.iter().map(|s| s.tag.as_str()).collect();
    assert_eq!(tags, ["coil", "discrete", "bit", "word", "text"]);
    assert_eq!(second[4].text.as_deref(), Some("Lump"));
    assert_eq!(second[0].at, Duration::from_secs(8));
}

#[tokio::test(start_paused = true)]
async fn classes_keep_their_pace_and_what_is_due_together_is_one_batch() {
    let plc = Plc::default();
    let settings = "[poll.fast]\ninterval = \"100ms\"\n[poll.default]\ninterval = \"500ms\"\n"
        .to_owned()
        + &device("gap = 0")
        + &tag("fast", "holding:1", "poll = \"fast\"")
        + &tag("slow", "holding:9", "");
    let mut rig = Rig::start(&settings, plc.dial());
    rig.next_batch().await;
    plc.take_asked();
    for step in 1..=50_u16 {
        plc.set(1, 100 + step);
        plc.set(9, 100 + step);
        let batches = rig
            .until(Duration::from_millis(u64::from(step) * 100 + 50))
            .await;
        assert_eq!(batches.len(), 1);
        assert_eq!(batches[0].len(), if step % 5 == 0 { 2 } else { 1 });
    }
    let asked = plc.take_asked();
    assert_eq!(asked.iter().filter(|a| a.1 == 1).count(), 50);
    assert_eq!(asked.iter().filter(|a| a.1 == 9).count(), 10);
    assert_eq!(plc.with(|s| s.connections), 1);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_cannot_be_reached_is_told_once_and_tried_with_back_off() {
    let plc = Plc::new(|s| s.refuse_connections = true);
    let settings = device("") + &tag("a", "holding:1", "") + &tag("b", "holding:2", "unit_id = 2");
    let mut rig = Rig::start(&settings, plc.dial());
    let samples = rig.until_secs(300.0).await;
    assert_eq!(samples.len(), 2);
    for sample in &samples {
        assert!(sample.value.is_nan());
        assert_eq!(
            (sample.quality, sample.at),
            (Quality::BAD_NOT_CONNECTED, Duration::ZERO)
        );
    }
    assert_eq!(rig.events_now(), [(1, Link::Down), (2, Link::Down)]);
    let tries = rig.statistics.snapshot()[0].connect_failures;
    assert!((12..40).contains(&tries), "{tries}");
    plc.with(|s| s.refuse_connections = false);
    let samples = rig.until_secs(331.0).await;
    assert_eq!(short(&samples), [("a", 1.0, GOOD), ("b", 2.0, GOOD)]);
    assert_eq!(rig.events_now(), [(1, Link::Up), (2, Link::Up)]);
    let device = &rig.statistics.snapshot()[0];
    assert_eq!(device.cycles_skipped, 0);
    assert!(device.connected);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_stops_listening_and_comes_back_goes_bad_once_and_good_once() {
    let plc = Plc::default();
    let settings = device("") + &tag("a", "holding:7", "");
    let mut rig = Rig::start(&settings, plc.dial());
    rig.next_batch().await;
    plc.with(|s| {
        s.refuse_connections = true;
        s.always = Some(Act::Close);
    });
    let lost = rig.until_secs(60.0).await;
    assert_eq!(short(&lost), [("a", 7.0, LOST)]);
    assert_eq!(lost[0].at, Duration::from_secs(1));
    plc.with(|s| {
        s.refuse_connections = false;
        s.always = None;
    });
    assert_eq!(short(&rig.until_secs(120.0).await), [("a", 7.0, GOOD)]);
    assert_eq!(
        rig.events_now(),
        [(1, Link::Up), (1, Link::Down), (1, Link::Up)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_dead_unit_does_not_stall_its_neighbours() {
    let plc = Plc::new(|s| s.dead = [7].into());
    let settings = device("unit_id = 3")
        + &tag("dead", "holding:1", "unit_id = 7")
        + &tag("a", "holding:1", "")
        + &tag("b", "holding:1", "unit_id = 9");
    let mut rig = Rig::start(&settings, plc.dial());
    let first = rig.until_secs(0.5).await;
    assert_eq!(short(&first), [("a", 1.0, GOOD)]);
    let mut reads = Vec::new();
    for step in 1..=2400_u16 {
        plc.set(1, step);
        reads.extend(rig.until_secs(0.5 + f64::from(step) / 4.0).await);
    }
    for name in ["a", "b"] {
        let times: Vec<Duration> = reads
            .iter()
            .filter(|s| s.tag == name)
            .map(|s| s.at)
            .collect();
        assert!(times.len() > 540, "{name}: {}", times.len());
        let longest = times
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap();
        assert!(
            longest <= Duration::from_millis(2500),
            "{name}: {longest:?}"
        );
    }
    let dead: Vec<_> = reads.iter().filter(|s| s.tag == "dead").collect();
    assert_eq!(dead.len(), 1, "told once");
    assert!(
        (15..60).contains(&rig.unit(7).timeouts),
        "{:?}",
        rig.unit(7)
    );
    assert_eq!(rig.unit(3).timeouts, 0);
    plc.with(|s| s.dead.clear());
    let back = rig.until_secs(640.0).await;
    assert!(back.iter().any(|s| s.tag == "dead" && s.quality == GOOD));
    assert_eq!(
        rig.events_now(),
        [(3, Link::Up), (7, Link::Down), (9, Link::Up), (7, Link::Up)]
    );
}

#[tokio::test(start_paused = true)]
async fn many_dead_units_together_leave_the_others_nine_tenths_of_the_time() {
    let plc = Plc::new(|s| s.dead = (10..30).collect());
    let mut settings = device("") + &tag("a", "holding:1", "");
    for unit in 10..30 {
        settings += &tag(
            &format!("dead{unit}"),
            "holding:1",
            &format!("unit_id = {unit}"),
        );
    }
    let mut rig = Rig::start(&settings, plc.dial());
    rig.until_secs(60.0).await;
    plc.take_asked();
    rig.until_secs(1060.0).await;
    let asked = plc.with(|s| std::mem::take(&mut s.asked));
    let healthy = asked.iter().filter(|a| a.unit_id == 1).count();
    assert!(healthy >= 900, "{healthy}");
    for unit in 10..30 {
        assert!(
            asked.iter().any(|a| a.unit_id == unit),
            "unit {unit} is asked again"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_says_that_a_unit_is_gone_keeps_the_connection() {
    let plc = Plc::default();
    let settings = device("attempts = 1") + &tag("a", "holding:7", "");
    let mut rig = Rig::start(&settings, plc.dial());
    rig.next_batch().await;
    for code in [10, 11] {
        plc.with(|s| s.script.push_back(Act::Exception(code)));
        assert_eq!(short(&rig.next_batch().await), [("a", 7.0, LOST)]);
        assert_eq!(short(&rig.next_batch().await), [("a", 7.0, GOOD)]);
    }
    assert_eq!(plc.with(|s| s.connections), 1);
    let links = [Link::Up, Link::Down, Link::Up, Link::Down, Link::Up];
    assert_eq!(rig.events_now(), links.map(|link| (1, link)));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_answers_that_it_failed_makes_its_tags_bad_and_stays_up() {
    let plc = Plc::default();
    let settings = device("") + &tag("a", "holding:7", "");
    let mut rig = Rig::start(&settings, plc.dial());
    rig.next_batch().await;
    for code in [4, 5, 6, 8, 77] {
        plc.with(|s| s.script.push_back(Act::Exception(code)));
        assert_eq!(
            short(&rig.next_batch().await),
            [("a", 7.0, Quality::BAD_DEVICE_FAILURE)]
        );
        assert_eq!(short(&rig.next_batch().await), [("a", 7.0, GOOD)]);
    }
    assert_eq!(rig.events_now(), [(1, Link::Up)]);
    let unit = rig.unit(1);
    assert_eq!(
        unit.exceptions,
        [(0, 1), (4, 1), (5, 1), (6, 1), (8, 1)].into()
    );
    assert_eq!(unit.requests, unit.answers + 5);
    assert!(unit.last_answer.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_tag_at_a_refused_address_alone_turns_bad_and_is_never_read_over_again() {
    let plc = Plc::new(|s| s.holes = [(3, 5)].into());
    let settings = device("")
        + &tag("a", "holding:0", "")
        + &tag("b", "holding:2", "")
        + &tag("wrong", "holding:4", "type = \"u32\"")
        + &tag("bit", "holding:6.1", "")
        + &tag("c", "holding:9", "");
    let mut rig = Rig::start(&settings, plc.dial());
    let mut first = rig.next_batch().await;
    first.sort_by(|a, b| a.tag.cmp(&b.tag));
    assert!(
        first
            .iter()
            .find(|s| s.tag == "wrong")
            .unwrap()
            .value
            .is_nan()
    );
    let qualities: Vec<_> = first.iter().map(|s| (s.tag.as_str(), s.quality)).collect();
    let expected = [
        ("a", GOOD),
        ("b", GOOD),
        ("bit", GOOD),
        ("c", GOOD),
        ("wrong", REFUSED),
    ];
    assert_eq!(qualities, expected);
    plc.take_asked();
    assert_eq!(rig.until_secs(3.5).await, [], "told once");
    let cycle = [(3, 0, 3), (3, 6, 4)];
    assert_eq!(plc.take_asked(), [cycle, cycle, cycle].concat());
    assert_eq!(rig.events_now(), [(1, Link::Up)]);
    assert_eq!(rig.unit(1).refused, 1);
}

#[tokio::test(start_paused = true)]
async fn a_hole_between_tags_splits_the_read_and_no_tag_is_bad() {
    let plc = Plc::new(|s| s.holes = [(4, 4)].into());
    let settings = device("")
        + &tag("a", "input:0", "")
        + &tag("b", "input:2", "")
        + &tag("c", "input:6", "")
        + &tag("d", "input:8", "");
    let mut rig = Rig::start(&settings, plc.dial());
    let first = rig.next_batch().await;
    assert!(first.len() == 4 && first.iter().all(|s| s.quality == GOOD));
    plc.take_asked();
    rig.until_secs(1.5).await;
    assert_eq!(plc.take_asked(), [(4, 0, 3), (4, 6, 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_takes_less_than_the_protocol_allows_is_learnt() {
    let plc = Plc::new(|s| s.count_max = Some(37));
    let mut settings = device("");
    for address in 0..200 {
        settings += &tag(&format!("t{address}"), &format!("holding:{address}"), "");
    }
    let mut rig = Rig::start(&settings, plc.dial());
    let first = rig.next_batch().await;
    assert_eq!(first.len(), 200);
    assert!(first.iter().all(|s| s.quality == GOOD));
    assert_eq!(rig.until_secs(20.5).await, []);
    let refusals = rig.unit(1).exceptions[&3];
    plc.take_asked();
    rig.until_secs(21.5).await;
    assert!(plc.take_asked().len() <= 13);
    rig.until_secs(60.0).await;
    assert_eq!(
        rig.unit(1).exceptions[&3],
        refusals,
        "nothing is asked that was refused"
    );
}

#[tokio::test(start_paused = true)]
async fn refused_addresses_are_tried_again_after_a_time_and_after_the_device_was_lost() {
    let plc = Plc::new(|s| s.holes = [(3, 4)].into());
    let settings = device("refused_retry = \"1m\"\nreconnect_max = \"1s\"")
        + &tag("a", "holding:0", "")
        + &tag("b", "holding:4", "");
    let mut rig = Rig::start(&settings, plc.dial());
    rig.next_batch().await;
    plc.with(|s| s.holes.clear());
    assert_eq!(rig.until_secs(59.0).await, []);
    assert_eq!(short(&rig.until_secs(62.0).await), [("b", 4.0, GOOD)]);
    plc.with(|s| s.holes = [(3, 4)].into());
    let refused = rig.until_secs(64.0).await;
    assert_eq!(short(&refused), [("b", 4.0, REFUSED)]);
    plc.with(|s| {
        s.holes.clear();
        s.always = Some(Act::Stall);
    });
    let lost = rig.until_secs(70.0).await;
    assert_eq!(short(&lost), [("a", 0.0, LOST), ("b", 4.0, LOST)]);
    plc.with(|s| s.always = None);
    let back = rig.until_secs(80.0).await;
    assert_eq!(short(&back), [("a", 0.0, GOOD), ("b", 4.0, GOOD)]);
}

#[tokio::test(start_paused = true)]
async fn a_device_without_a_function_refuses_its_tags_only() {
    let plc = Plc::default();
    let settings = device("") + &tag("a", "holding:0", "") + &tag("b", "input:4", "");
    plc.with(|s| s.script.push_back(Act::Exception(1)));
    let mut rig = Rig::start(&settings, plc.dial());
    let mut first = rig.next_batch().await;
    first.sort_by(|a, b| a.tag.cmp(&b.tag));
    let qualities: Vec<_> = first.iter().map(|s| s.quality).collect();
    assert_eq!(qualities, [GOOD, REFUSED]);
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_refuses_very_much_does_not_hold_up_its_neighbours() {
    let plc = Plc::new(|s| s.holes = (0..2000).map(|address| (3, address)).collect());
    let mut settings = device("unit_id = 2") + &tag("a", "input:0", "unit_id = 9");
    for address in 0..1000 {
        settings += &tag(
            &format!("t{address}"),
            &format!("holding:{}", 2 * address),
            "",
        );
    }
    settings += &tag("right", "holding:2001", "");
    let mut rig = Rig::start(&settings, plc.dial());
    let samples = rig.until_secs(60.0).await;
    let bad = samples.iter().filter(|s| s.quality == REFUSED).count();
    let good: Vec<&str> = samples
        .iter()
        .filter(|s| s.quality == GOOD)
        .map(|s| s.tag.as_str())
        .collect();
    assert_eq!((bad, good), (1000, vec!["a", "right"]));
    let asked = plc.with(|s| std::mem::take(&mut s.asked));
    let longest = asked.split(|a| a.unit_id == 9).map(<[_]>::len).max();
    // A request for each block that is left, and two for each split, but not the whole search.
    assert!(longest < Some(600), "{longest:?}");
    rig.until_secs(61.5).await;
    assert_eq!(
        plc.take_asked(),
        [(3, 2001, 1), (4, 0, 1), (3, 2001, 1), (4, 0, 1)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_pipeline_skips_cycles_and_loses_no_value() {
    let plc = Plc::default();
    let settings = "[poll.default]\ninterval = \"100ms\"\n".to_owned()
        + &device("")
        + &tag("a", "holding:0", "");
    let mut rig = Rig::start_with_room(&settings, plc.dial(), 1);
    rig.next_batch().await;
    for step in 1..=100_u16 {
        plc.set(0, step);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let samples = rig.until_secs(11.0).await;
    assert_eq!(samples.last().map(|s| s.value), Some(100.0));
    assert!(samples.len() < 10, "{samples:?}");
    let device = &rig.statistics.snapshot()[0];
    assert!(device.cycles_skipped > 90, "{device:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reload_repeats_nothing_turns_nothing_bad_and_keeps_the_connection() {
    let plc = Plc::default();
    let old = device("") + &tag("a", "holding:1", "") + &tag("b", "holding:2", "");
    let mut rig = Rig::start(&old, plc.dial());
    rig.next_batch().await;
    rig.until_secs(0.3).await;
    rig.reload(&old);
    assert_eq!(rig.until_secs(3.2).await, []);
    let new = device("gap = 0")
        + &tag("c", "holding:3", "")
        + &tag("b", "holding:2", "")
        + &tag("a", "holding:1", "scale = 10");
    rig.reload(&new);
    assert_eq!(
        short(&rig.until_secs(9.1).await),
        [("a", 10.0, GOOD), ("c", 3.0, GOOD)]
    );
    assert_eq!(plc.with(|s| s.connections), 1);
    assert_eq!(rig.events_now(), [(1, Link::Up)]);
    assert_eq!(plc.with(|s| s.asked.len()), 10, "the grid stays");
}

#[tokio::test(start_paused = true)]
async fn devices_come_and_go_with_reloads() {
    let plc = Plc::default();
    let one = device("") + &tag("a", "holding:1", "");
    let second = "[[devices]]\nname = \"more\"\naddress = \"more.test\"\n[[tags]]\nname = \"b\"\ndevice = \"more\"\naddress = \"holding:2\"\n";
    let two = one.clone() + second;
    let mut rig = Rig::start(&one, plc.dial());
    rig.next_batch().await;
    rig.reload(&two);
    assert_eq!(short(&rig.until_secs(5.0).await), [("b", 2.0, GOOD)]);
    rig.reload(&one);
    rig.until_secs(10.0).await;
    assert_eq!(
        rig.events_now(),
        [(1, Link::Up), (1, Link::Up), (1, Link::Removed)]
    );
    plc.take_asked();
    rig.until_secs(20.0).await;
    assert!(plc.take_asked().iter().all(|asked| asked.1 == 1));
    assert_eq!(rig.statistics.snapshot().len(), 1);
    rig.reload(&two);
    let again = rig.until_secs(25.0).await;
    assert_eq!(
        short(&again),
        [("b", 2.0, GOOD)],
        "a device that returns is read anew"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_readers_while_a_device_stalls() {
    let plc = Plc::new(|s| s.always = Some(Act::Stall));
    let settings = device("timeout = \"60s\"") + &tag("a", "holding:1", "");
    let mut rig = Rig::start(&settings, plc.dial());
    rig.until_secs(1.0).await;
    rig.stop.cancel();
    let ended = tokio::time::timeout(Duration::from_millis(1), rig.tasks.join_next()).await;
    ended.unwrap().unwrap().unwrap();
    assert!(
        rig.batches.recv().await.is_none(),
        "no reader is left that could send"
    );
}

#[tokio::test(start_paused = true)]
async fn readers_end_when_nobody_takes_their_samples() {
    let plc = Plc::default();
    let settings = device("") + &tag("a", "holding:1", "");
    let mut rig = Rig::start(&settings, plc.dial());
    rig.batches.close();
    while rig.batches.recv().await.is_some() {}
    plc.set(1, 5);
    let ended = tokio::time::timeout(Duration::from_secs(5), rig.tasks.join_next()).await;
    ended.unwrap().unwrap().unwrap();
}
