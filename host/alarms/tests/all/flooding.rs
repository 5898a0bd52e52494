//! Floods and their digests; chattering, fleeting and stale alarms.

use std::collections::BTreeSet;

use andon_alarms::Telling;
use andon_model::{Action, AlarmId, Labels, Mark, Priority};
use proptest::prelude::*;
use serde_json::json;

use crate::plant::{Plant, request};

fn key(number: usize) -> String {
    format!("alarm{number}")
}

#[test]
fn more_than_ten_alarms_in_ten_minutes_are_told_together() {
    let mut plant = Plant::new(json!({}));
    for number in 0..10 {
        plant.raise("tanks", &key(number));
    }
    assert_eq!(plant.told().len(), 10);
    for number in 10..100 {
        plant.raise("tanks", &key(number));
    }
    plant.raise_at("tanks", "urgent", Priority::High);
    let told = plant.told();
    assert_eq!(told.len(), 12, "{told:?}");
    assert_eq!(told[10], "andon/alarms-flood", "told once");
    assert_eq!(told[11], "tanks/urgent");
    plant.clear("tanks", &key(50));
    plant.pass_secs(600);
    assert_eq!(plant.digests.len(), 1);
    let digest = &plant.digests[0];
    assert_eq!(digest.held.len(), 90, "nothing is lost");
    assert!(digest.over, "nothing came for ten minutes");
    assert!(!plant.is_active(AlarmId::HOST, "alarms-flood"));
    plant.raise("tanks", "after");
    assert_eq!(plant.told().last().unwrap(), "tanks/after");
}

#[test]
fn a_flood_goes_on_until_fewer_than_five_came_in_ten_minutes() {
    let mut plant = Plant::new(json!({}));
    let mut number = 0;
    let mut raise = |plant: &mut Plant| {
        number += 1;
        plant.raise("tanks", &key(number));
    };
    for _ in 0..11 {
        raise(&mut plant);
    }
    // Five at least in any ten minutes, for 55 minutes.
    for _ in 0..30 {
        plant.pass_secs(110);
        raise(&mut plant);
    }
    let flood = |plant: &Plant| plant.is_active(AlarmId::HOST, "alarms-flood");
    assert!(flood(&plant));
    assert_eq!(plant.digests.len(), 5);
    assert!(plant.digests.iter().all(|digest| !digest.over));
    plant.pass_secs(159);
    assert!(flood(&plant));
    plant.pass_secs(1);
    assert!(!flood(&plant), "four are left within ten minutes");
}

#[test]
fn a_restart_in_a_flood_forgets_no_alarm_and_no_digest() {
    let mut plant = Plant::new(json!({}));
    for number in 0..30 {
        plant.raise("tanks", &key(number));
        if number == 20 {
            plant.restart_and_read();
        }
    }
    plant.pass_secs(300);
    plant.restart_and_read();
    plant.pass_secs(299);
    assert_eq!(plant.digests.len(), 0);
    plant.pass_secs(1);
    assert_eq!(plant.digests[0].held.len(), 20);
    assert_eq!(plant.rows(), 0, "nothing is left of a flood that is over");
}

#[test]
fn each_value_of_the_label_has_its_own_flood() {
    let mut plant = Plant::new(json!({ "flood": { "per_label": "area" } }));
    let area = |name: &str| Labels::from([("area".to_owned(), name.to_owned())]);
    for number in 0..20 {
        let raise = Action::Raise(request(&key(number), Priority::Low));
        plant.act_labelled("tanks", &area("north"), vec![raise]);
    }
    let raise = Action::Raise(request("quiet", Priority::Low));
    plant.act_labelled("pumps", &area("south"), vec![raise]);
    assert!(plant.is_active(AlarmId::HOST, "alarms-flood/north"));
    assert_eq!(plant.told().last().unwrap(), "pumps/quiet");
}

#[test]
fn a_held_alarm_that_becomes_urgent_is_told_after_all() {
    let mut plant = Plant::new(json!({}));
    for number in 0..12 {
        plant.raise("tanks", &key(number));
    }
    plant.raise_at("tanks", &key(11), Priority::Critical);
    let (event, telling) = plant.said.last().unwrap();
    assert_eq!(
        (event.record.id.key.as_str(), *telling),
        ("alarm11", Telling::AfterAll)
    );
    plant.pass_secs(600);
    assert_eq!(
        plant.digests[0].held.len(),
        1,
        "and not again in the digest"
    );
}

#[test]
fn what_is_silenced_does_not_count() {
    let mut plant = Plant::new(json!({ "suppressions": [{
        "name": "trip",
        "when": { "instance": "trips" },
        "suppresses": [{ "instance": "tanks" }],
        "reason": "the line stands",
    }] }));
    plant.raise("trips", "main");
    for number in 0..50 {
        plant.raise("tanks", &key(number));
    }
    assert_eq!(plant.told(), ["trips/main"]);
    plant.clear("trips", "main");
    assert!(
        plant.is_active(AlarmId::HOST, "alarms-flood"),
        "now they are"
    );
    plant.pass_secs(600);
    let told = plant.told().len() - 1 + plant.digests[0].held.len();
    assert_eq!(told, 51);
}

#[test]
fn floods_are_not_looked_for_if_the_settings_say_so() {
    let mut plant = Plant::new(json!({ "flood": { "enabled": false } }));
    for number in 0..50 {
        plant.raise("tanks", &key(number));
    }
    assert_eq!(plant.told().len(), 50);
}

fn flip(plant: &mut Plant, times: usize) {
    for _ in 0..times {
        plant.raise("tanks", "valve");
        plant.pass_secs(5);
        plant.clear("tanks", "valve");
        plant.pass_secs(5);
    }
}

fn marks(plant: &Plant) -> BTreeSet<Mark> {
    plant
        .get("tanks", "valve")
        .map(|record| record.flags.marks.clone())
        .unwrap_or_default()
}

#[test]
fn three_activations_in_a_minute_are_chattering_until_it_is_quiet() {
    let mut plant = Plant::new(json!({})).acknowledged();
    flip(&mut plant, 2);
    assert!(!marks(&plant).contains(&Mark::Chattering));
    plant.raise("tanks", "valve");
    assert!(marks(&plant).contains(&Mark::Chattering));
    assert!(plant.news().contains(&"marked tanks/valve".to_owned()));
    plant.restart_and_read();
    flip(&mut plant, 1);
    plant.raise("tanks", "valve");
    assert!(
        marks(&plant).contains(&Mark::Chattering),
        "the next one too"
    );
    plant.pass_secs(599);
    assert!(marks(&plant).contains(&Mark::Chattering));
    plant.pass_secs(1);
    assert!(!marks(&plant).contains(&Mark::Chattering));
}

#[test]
fn a_hold_tells_people_of_a_chattering_alarm_once() {
    let chattering = json!({ "on_chatter": "hold", "hold": "60s" });
    let mut plant = Plant::new(json!({ "chattering": chattering }));
    flip(&mut plant, 100);
    assert_eq!(plant.told().len(), 3, "three made it chattering");
    assert!(plant.is_active("tanks", "valve"));
    plant.pass_secs(60);
    assert!(
        !plant.is_active("tanks", "valve"),
        "it was gone for the hold"
    );
    plant.pass_secs(600);
    flip(&mut plant, 1);
    assert_eq!(plant.told().len(), 4);
}

#[test]
fn an_alarm_that_is_gone_in_seconds_and_stays_away_was_fleeting() {
    let mut plant = Plant::new(json!({})).acknowledged();
    plant.raise("tanks", "valve");
    plant.pass_secs(9);
    plant.clear("tanks", "valve");
    plant.pass_secs(30);
    plant.restart_and_read();
    plant.pass_secs(29);
    assert_eq!(marks(&plant), BTreeSet::new());
    plant.pass_secs(1);
    assert_eq!(marks(&plant), BTreeSet::from([Mark::Fleeting]));
}

#[test]
fn an_alarm_that_comes_again_or_lasts_was_not_fleeting() {
    let mut plant = Plant::new(json!({})).acknowledged();
    flip(&mut plant, 1);
    plant.raise("tanks", "valve");
    plant.pass_secs(10);
    plant.clear("tanks", "valve");
    plant.pass_secs(600);
    assert_eq!(marks(&plant), BTreeSet::new());
}

#[test]
fn a_fleeting_alarm_that_is_over_is_journalled_as_one() {
    let mut plant = Plant::new(json!({}));
    flip(&mut plant, 1);
    plant.pass_secs(60);
    let line = plant.journal.last().unwrap();
    assert_eq!(
        (line.event.as_str(), line.subject.as_str()),
        ("marked", "tanks/valve")
    );
    assert!(
        line.why.detail.starts_with("fleeting: gone after 5s"),
        "{:?}",
        line.why
    );
}

#[test]
fn stale_alarms_are_marked_and_told_together_once_a_day() {
    let mut plant = Plant::new(json!({}));
    plant.raise("tanks", "valve");
    plant.pass_secs(3_600);
    plant.raise("tanks", "other");
    plant.pass_secs(23 * 3_600 - 1);
    assert_eq!(marks(&plant), BTreeSet::new());
    plant.restart_and_read();
    plant.pass_secs(1);
    assert_eq!(marks(&plant), BTreeSet::from([Mark::Stale]));
    let told = |plant: &Plant| {
        let reports = plant.told().into_iter();
        reports.filter(|id| id == "andon/alarms-stale").count()
    };
    assert_eq!(told(&plant), 1);
    plant.pass_secs(12 * 3_600);
    plant.restart_and_read();
    assert_eq!(told(&plant), 1, "the other waits for tomorrow's report");
    plant.pass_secs(12 * 3_600);
    assert_eq!(told(&plant), 2);
    plant.clear("tanks", "valve");
    plant.clear("tanks", "other");
    plant.pass_secs(3 * 86_400);
    assert_eq!(told(&plant), 2);
}

proptest! {
    #[test]
    fn every_alarm_is_told_once_and_floods_are_those_of_the_counts(
        steps in prop::collection::vec((0_u64..200, any::<bool>(), prop::bool::weighted(0.1)), 1..120),
    ) {
        let mut plant = Plant::new(json!({}));
        let mut at = 0_u64;
        let mut times: Vec<u64> = Vec::new();
        let mut flood = false;
        for (number, (wait, urgent, restart)) in steps.iter().enumerate() {
            plant.pass_secs(*wait);
            // Second by second as the definition says.
            for second in at..=at + wait {
                let count = times.iter().filter(|time| second - **time < 600).count();
                flood &= count >= 5;
            }
            at += wait;
            if *restart {
                plant.restart_and_read();
            }
            times.push(at);
            let count = times.iter().filter(|time| at - **time < 600).count();
            flood |= count > 10;
            let priority = if *urgent { Priority::High } else { Priority::Low };
            plant.raise_at("tanks", &key(number), priority);
            let (_, telling) = plant
                .said
                .iter()
                .rfind(|(event, _)| event.record.id.key == key(number))
                .unwrap();
            let expected = if flood && !urgent { Telling::InDigest } else { Telling::Now };
            prop_assert_eq!(*telling, expected, "alarm {} of {:?}", number, times);
        }
        plant.pass_secs(3_600);
        let one_by_one = plant.told().into_iter().filter(|id| id.starts_with("tanks/"));
        let together = plant.digests.iter().flat_map(|digest| &digest.held);
        let mut told: Vec<String> = one_by_one.chain(together.map(|record| record.id.to_string())).collect();
        told.sort();
        let all = told.len();
        told.dedup();
        prop_assert_eq!(told.len(), all, "none is told twice");
        prop_assert_eq!(all, steps.len());
    }
}
