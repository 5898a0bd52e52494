//! What phones send, and what they are answered.

use andon_model::{
    Acknowledgement, Delivery, DeliveryKind, Incoming, OccurrenceId, Reason, ShortCode,
};
use andon_routing::{Heard, ReplyRequest, ReplyResult, ReplyTarget, Wish};

use crate::office::{Office, PEOPLE, at, pump};

const ANNA: &str = "+4790000001";

fn hear(office: &mut Office, from: &str, text: &str) -> Heard {
    let message = Incoming {
        provider_id: String::new(),
        from: from.to_owned(),
        to: "2000".to_owned(),
        text: text.to_owned(),
    };
    let now = office.now;
    let heard = office
        .desk
        .on_incoming("smsc", &message, || OccurrenceId(900), now);
    office.commit(heard.decision.clone());
    heard
}

fn asked(office: &mut Office, text: &str) -> Option<ReplyRequest> {
    hear(office, ANNA, text).request
}

fn answer(office: &mut Office, result: &ReplyResult) -> Vec<Delivery> {
    let request = ReplyRequest {
        contact: "anna".to_owned(),
        wish: Wish::Acknowledge,
        target: ReplyTarget::Code("29".parse().expect("code")),
        reply_to: andon_model::Channel {
            sink: "smsc".to_owned(),
            address: ANNA.to_owned(),
        },
    };
    let now = office.now;
    let decision = office
        .desk
        .answer(&request, result, || OccurrenceId(901), now);
    office.commit(decision)
}

#[test]
fn a_code_is_read_in_every_spelling_that_people_use() {
    let code: ShortCode = "K7".parse().expect("code");
    for text in [
        "K7",
        "k7",
        " k7 \n",
        "ack K7",
        "Ack  k7.",
        "ACK:k7",
        "ok k7!",
        "\"K7\"",
        "acknowledge K7",
    ] {
        let mut office = Office::new();
        let request = asked(&mut office, text).unwrap_or_else(|| panic!("{text:?}"));
        assert_eq!(request.target, ReplyTarget::Code(code.clone()), "{text:?}");
        assert_eq!(request.contact, "anna");
        assert_eq!(request.reply_to.address, ANNA);
    }
}

#[test]
fn other_words_are_not_taken_for_a_code() {
    for text in [
        "",
        "what is K7?",
        "K7 M3",
        "ack",
        "STOP",
        "call me",
        "ack ack ack",
        "💥",
        "0",
        "ack 0",
        &"K7 ".repeat(100),
    ] {
        let mut office = Office::new();
        assert_eq!(asked(&mut office, text), None, "{text:?}");
        let answer = office.due();
        assert_eq!(answer.len(), 1, "{text:?} is answered");
        assert_eq!(answer[0].kind, DeliveryKind::Answer);
        assert_eq!(answer[0].occurrence, OccurrenceId(900));
    }
}

#[test]
fn a_bare_ack_means_the_newest_alert_that_went_to_this_phone() {
    let mut office = Office::new();
    let first = office.raise(&pump(1));
    office.sent(&first[0]);
    office.pass(10);
    let second = office.raise(&pump(2));
    office.sent(&second[0]);
    office.pass(10);
    office.raise(&pump(3));
    office.restart();
    let request = asked(&mut office, " ACK ").expect("understood");
    let ReplyTarget::Newest { occurrence, code } = request.target else {
        panic!("not the newest")
    };
    assert_eq!(occurrence, OccurrenceId(2), "the third has not left");
    assert_eq!(code, ShortCode::from_number(2, 2));
}

#[test]
fn a_number_without_plus_is_known_and_a_stranger_learns_nothing() {
    let mut office = Office::new();
    assert!(hear(&mut office, "4790000001", "K7").request.is_some());
    for from in [
        "+4799999999",
        "BANK",
        "2580",
        "",
        "+47",
        "anna",
        "004790000001",
    ] {
        let heard = hear(&mut office, from, "ack K7");
        assert_eq!(heard.request, None, "{from}");
        assert!(heard.decision.deliveries.is_empty(), "{from}");
        assert_eq!(
            heard.decision.journal[0].why.reason,
            Reason::StrangerRefused
        );
    }
}

#[test]
fn a_flood_of_strangers_is_journalled_to_a_bound() {
    let mut office = Office::new();
    for n in 0..500 {
        hear(&mut office, &format!("+4791{n:06}"), &"x".repeat(100_000));
    }
    assert_eq!(office.journal.len(), 61);
    assert_eq!(office.journal[60].why.reason, Reason::LimitReached);
    assert!(office.journal[0].data.to_string().len() < 300);
    office.pass(601);
    hear(&mut office, "BANK", "hello");
    assert_eq!(office.journal.len(), 62);
}

#[test]
fn two_machines_cannot_keep_each_other_talking() {
    let mut office = Office::new();
    for _ in 0..50 {
        hear(&mut office, ANNA, "I am out of office");
    }
    assert_eq!(office.store.len(), 2);
    for _ in 0..50 {
        answer(&mut office, &ReplyResult::Unknown);
    }
    assert_eq!(office.store.len(), 10);
    assert!(office.reasons().contains(&Reason::LimitReached));
    assert!(asked(&mut office, "K7").is_some(), "still counts");
    office.pass(601);
    assert_eq!(answer(&mut office, &ReplyResult::Unknown).len(), 1);
}

#[test]
fn the_answer_always_says_what_happened() {
    let mut office = Office::new();
    let mut record = pump(7);
    let acknowledged = ReplyResult::Done(Box::new(record.clone()));
    let row = answer(&mut office, &acknowledged).remove(0);
    assert_eq!(
        row.text,
        "29 acknowledged: HIGH Pump 1 pressure 9.2 bar above 9 bar"
    );
    assert_eq!(row.occurrence, OccurrenceId(7));
    assert_eq!(row.channel.to_string(), "smsc +4790000001");

    record.acknowledged = Some(Acknowledgement {
        by: "anna".to_owned(),
        at: at(0),
        how: "sms".to_owned(),
    });
    office.pass(120);
    let already = ReplyResult::Already(Box::new(record.clone()));
    assert_eq!(
        answer(&mut office, &already)[0].text,
        "29 was already acknowledged by Anna Berg 2m ago: Pump 1 pressure 9.2 bar above 9 bar"
    );

    record.cleared_at = Some(at(60));
    let over = ReplyResult::Over {
        record: Box::new(record),
        again: Some(Box::new(pump(8))),
    };
    assert_eq!(
        answer(&mut office, &over)[0].text,
        "29 is already over, ended 1m ago: Pump 1 pressure 9.2 bar above 9 bar. It stands again as 2A"
    );
    let unknown = answer(&mut office, &ReplyResult::Unknown);
    assert_eq!(
        unknown[0].text,
        "No alarm has the code 29. Nothing was changed"
    );
    assert_eq!(unknown[0].occurrence, OccurrenceId(901));
}

#[test]
fn the_phone_of_a_channel_counts_as_the_contact_s() {
    let mut office = Office::with(&PEOPLE.replace(
        "channels = [\"twilio\"]\n\n[[groups]]",
        "channels = [{ sink = \"twilio\", address = \"+47 90 00 00 33\" }]\n\n[[groups]]",
    ));
    let request = hear(&mut office, "+4790000033", "K7")
        .request
        .expect("known");
    assert_eq!(request.contact, "chief");
}

#[test]
fn a_phone_may_take_escalate_and_shelve_and_is_told_how() {
    let mut office = Office::new();
    let wish = |office: &mut Office, text: &str| asked(office, text).map(|asked| asked.wish);
    assert_eq!(wish(&mut office, "take K7"), Some(Wish::Take));
    assert_eq!(wish(&mut office, "escalate K7"), Some(Wish::Escalate));
    assert_eq!(
        wish(&mut office, "shelve K7 30m filter is changed"),
        Some(Wish::Shelve {
            time: std::time::Duration::from_secs(1800),
            reason: "filter is changed".to_owned(),
        })
    );
    assert!(office.due().is_empty(), "the answer follows the decision");
    assert_eq!(wish(&mut office, "shelve K7 30m"), None);
    let missing = office.due().remove(0);
    assert!(missing.text.contains("say why"), "{}", missing.text);
    office.pass(1);
    assert_eq!(wish(&mut office, "help"), None);
    let texts: Vec<String> = office.due().into_iter().map(|row| row.text).collect();
    assert!(
        texts.iter().any(|text| text.contains("TAKE K7")),
        "{texts:?}"
    );
    let refused = ReplyResult::Refused("critical alarms are never shelved".to_owned());
    assert_eq!(
        answer(&mut office, &refused)[0].text,
        "29: not done: critical alarms are never shelved"
    );
}
