//! `kill -9` at chosen and at random moments: no alert is lost, and none comes twice unmarked.

use std::time::Duration;

use crate::kit::{ANNA, BO, CECILIE, OnCreate, OnSubmit, Random, Site, pause, wait_for};

/// Above the limit of 100, and different for every alarm of a test.
const FIRST_LEVEL: u16 = 1000;
const CREWS: [&str; 2] = [ANNA, BO];

#[test]
fn an_alert_that_was_owed_before_the_crash_goes_out_after_it() {
    let mut site = Site::new();
    site.smsc.on_submit(OnSubmit::Away);
    site.start_unbound();
    site.plc.set(0, 500);
    site.wait_alarm("tank0");
    site.wait_written();
    site.kill();
    assert_eq!(site.inbox.count(), 0);
    site.smsc.on_submit(OnSubmit::Take);
    site.plc.set(0, 0);
    site.start();
    // The level is back in order by now, and still nobody was told that it was not.
    site.inbox.wait(ANNA, "500");
    site.inbox.wait(BO, "500");
    site.inbox.assert_nothing_came_twice_unmarked();
}

#[test]
fn an_alert_that_the_smsc_has_but_did_not_answer_comes_again_marked() {
    let mut site = Site::running();
    site.smsc.on_submit(OnSubmit::Hold);
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "500");
    site.inbox.wait(BO, "500");
    site.kill();
    site.smsc.on_submit(OnSubmit::Take);
    site.start();
    for phone in CREWS {
        let again = site.inbox.wait(phone, "(repeat) ");
        assert!(again.words().contains("500"), "{again:?}");
    }
    site.settle();
    for phone in CREWS {
        assert_eq!(site.inbox.to(phone, "500").len(), 2);
    }
    site.inbox.assert_nothing_came_twice_unmarked();
}

#[test]
fn a_message_that_twilio_took_unanswered_is_looked_up_and_not_sent_again() {
    let mut site = Site::new();
    let levels = site.read("plugins/levels.toml");
    site.write(
        "plugins/levels.toml",
        format!("{levels}\n[labels]\narea = \"dosing\"\n"),
    );
    site.start();
    site.twilio.on_create(OnCreate::Hold);
    site.plc.set(0, 500);
    site.inbox.wait(CECILIE, "500");
    site.kill();
    site.twilio.on_create(OnCreate::Take);
    site.start();
    site.settle();
    site.plc.set(1, 600);
    site.inbox.wait(CECILIE, "600");
    assert_eq!(site.inbox.to(CECILIE, "500").len(), 1);
}

#[test]
fn a_receipt_that_comes_after_the_crash_finds_its_message() {
    let mut site = Site::running();
    site.smsc.hold_receipts(true);
    site.plc.set(0, 500);
    let state = |site: &Site, word: &str| {
        wait_for(&format!("both messages to be {word}"), || {
            let told = site.wait_alarm("tank0")["told"].to_string();
            (told.matches(&format!("({word})")).count() == 2).then_some(())
        });
    };
    state(&site, "sent");
    site.settle();
    site.kill();
    site.smsc.hold_receipts(false);
    site.start();
    state(&site, "delivered");
    assert_eq!(site.inbox.count(), 2);
}

#[test]
fn an_injected_alarm_that_was_answered_for_is_on_the_disk() {
    let mut site = Site::new();
    site.smsc.on_submit(OnSubmit::Away);
    site.start_unbound();
    site.tell(&["inject", "tank0.level=777"]);
    site.kill();
    site.smsc.on_submit(OnSubmit::Take);
    site.start();
    for phone in CREWS {
        let sms = site.inbox.wait(phone, "777");
        assert!(sms.words().starts_with("TEST "), "{sms:?}");
    }
}

#[test]
fn a_host_killed_while_it_starts_loses_nothing() {
    let mut random = Random::seeded(7);
    let mut site = Site::new();
    site.smsc.on_submit(OnSubmit::Away);
    site.start_unbound();
    site.plc.set(0, 500);
    site.plc.set(1, 600);
    site.wait_alarm("tank0");
    site.wait_alarm("tank1");
    site.wait_written();
    site.kill();
    site.smsc.on_submit(OnSubmit::Take);
    for _ in 0..12 {
        let host = site.spawn();
        pause(Duration::from_millis(random.below(250)));
        host.kill();
    }
    site.start();
    told(&site, &[(0, 500), (1, 600)], "HIGH");
    site.settle();
    site.inbox.assert_nothing_came_twice_unmarked();
    assert_eq!(site.alarms("tank").len(), 2);
    assert_eq!(site.wait_alarm("tank0")["occurrence"], 1);
}

#[test]
fn a_host_killed_while_it_swaps_a_plugin_or_reads_settings_loses_nothing() {
    let mut random = Random::seeded(11);
    let mut site = Site::running();
    let (settings, levels) = (site.read("andon.toml"), site.read("plugins/levels.toml"));
    for round in 0..4_u16 {
        let level = FIRST_LEVEL + round;
        site.plc.set(0, level);
        site.write(
            "plugins/levels.toml",
            format!("{levels}deadband = {round}.5\n"),
        );
        site.write("andon.toml", format!("{settings}# {round}\n"));
        pause(Duration::from_millis(random.below(300)));
        site.restart();
        told(&site, &[(0, level)], "HIGH");
        site.plc.set(0, 0);
        told(&site, &[(0, level)], "OVER");
    }
    site.settle();
    site.inbox.assert_nothing_came_twice_unmarked();
}

#[test]
fn a_host_killed_at_each_event_of_an_alert_loses_nothing() {
    rounds(&Moment::EVENTS, Random::seeded(1));
}

#[test]
fn a_host_killed_at_random_moments_loses_nothing() {
    let mut random = Random::seeded(20_260_101);
    let delays: Vec<Moment> = (0..12)
        .map(|_| Moment::Later(Duration::from_micros(random.below(70_000))))
        .collect();
    rounds(&delays, random);
}

/// When the host is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// The PLC has answered a request with the new level.
    Read,
    /// The SMSC has read the first message.
    Submit,
    /// The SMSC has answered the first message.
    Answer,
    /// The SMSC has sent the first receipt.
    Receipt,
    /// So long after the level changed.
    Later(Duration),
}

impl Moment {
    const EVENTS: [Self; 4] = [Self::Read, Self::Submit, Self::Answer, Self::Receipt];

    fn wait(self, site: &Site, change: impl FnOnce()) {
        let (reads, messages) = (site.plc.reads(), site.inbox.count());
        let (answers, receipts) = (site.smsc.answers(), site.smsc.receipts_sent());
        change();
        let is_there = || match self {
            // One request may have been under way when the level changed.
            Self::Read => site.plc.reads() > reads + 1,
            Self::Submit => site.inbox.count() > messages,
            Self::Answer => site.smsc.answers() > answers,
            Self::Receipt => site.smsc.receipts_sent() > receipts,
            Self::Later(_) => true,
        };
        if let Self::Later(delay) = self {
            pause(delay);
        }
        // No pause between two looks: the moment after the event is what counts.
        for _ in 0..20_000_000 {
            if is_there() {
                return;
            }
            std::thread::yield_now();
        }
        panic!("waited in vain for {self:?}");
    }
}

/// In every round three tanks go beyond their limit, and later come back; the host is killed at
/// the moment after one of the two, and in the end everybody was told of everything.
fn rounds(moments: &[Moment], mut random: Random) {
    let mut site = Site::running();
    let plc = site.plc.clone();
    let mut level = FIRST_LEVEL;
    for moment in moments {
        println!("killed at {moment:?}");
        let tanks: Vec<(u16, u16)> = (0..3).map(|tank| (tank, level + tank)).collect();
        level += 3;
        let rise = || {
            tanks
                .iter()
                .for_each(|(tank, level)| site.plc.set(*tank, *level))
        };
        let fall = || tanks.iter().for_each(|(tank, _)| plc.set(*tank, 0));
        if random.below(2) == 0 {
            moment.wait(&site, rise);
            site.restart();
            told(&site, &tanks, "HIGH");
            fall();
        } else {
            rise();
            told(&site, &tanks, "HIGH");
            moment.wait(&site, fall);
            site.restart();
        }
        told(&site, &tanks, "OVER");
    }
    site.settle();
    site.inbox.assert_nothing_came_twice_unmarked();
    let all = site.inbox.all();
    let repeats = all.iter().filter(|sms| sms.is_repeat()).count();
    println!(
        "{} messages, {repeats} of them marked as repeats",
        all.len()
    );
    for sms in all {
        let copies = site.inbox.to(&sms.to, sms.words()).len();
        // What arrived last in a round may be unsettled at the kill of the next one as well.
        assert!(copies <= 3, "{copies} copies of {sms:?}");
    }
}

fn told(site: &Site, tanks: &[(u16, u16)], word: &str) {
    for phone in CREWS {
        for (tank, level) in tanks {
            let words = format!("tank{tank}.level high: {level} ");
            wait_for(&format!("{word} {words} at {phone}"), || {
                let all = site.inbox.to(phone, &words);
                all.iter()
                    .any(|sms| sms.words().starts_with(word))
                    .then_some(())
            });
        }
    }
}
