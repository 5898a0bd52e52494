//! What ntfy is sent, and what its answers mean.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use andon_plugin::prelude::*;
use ntfy::Ntfy;
use serde_json::Value;

fn bench(parameters: Value) -> SinkBench<Ntfy> {
    SinkBench::start(parameters).expect("it starts")
}

fn message(bench: &mut SinkBench<Ntfy>, notification: &Notification) -> Value {
    bench.answer(200, &[], r#"{"id":"xE73Iyuabi","event":"message"}"#);
    let receipt = bench.deliver(notification).expect("it is taken");
    assert_eq!(receipt.id.as_deref(), Some("xE73Iyuabi"));
    let requests = bench.requests();
    assert_eq!(requests.len(), 1);
    serde_json::from_slice(&requests[0].body).expect("JSON")
}

fn setback(status: u16, headers: &[(&str, &str)], body: &str) -> Undelivered {
    let mut bench = bench(json!({}));
    bench.answer(status, headers, body);
    bench
        .deliver(&Notification::for_test("ops", "Tank 1 high"))
        .expect_err("it is not taken")
}

#[test]
fn an_alarm_is_one_post_of_json_to_the_root_of_the_server() {
    let mut bench = bench(
        json!({ "server": "https://push.example.org/", "title": "Pump station", "click": "https://andon.example.org/" }),
    );
    bench.answer(200, &[], "{}");
    let alert = Notification::for_test("ops-night", "Tank 1 high: 93 °C");
    assert_eq!(bench.deliver(&alert), Ok(Receipt { id: None }));
    let request = bench.requests().remove(0);
    assert_eq!(request.method, "POST");
    assert_eq!(request.url, "https://push.example.org/");
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        sent,
        json!({
            "topic": "ops-night",
            "title": "Pump station: alarm",
            "message": "Tank 1 high: 93 °C",
            "priority": 4,
            "tags": ["warning"],
            "click": "https://andon.example.org/",
        })
    );
    // The token is the host's to add.
    assert!(
        request
            .headers
            .iter()
            .all(|(name, _)| name != "authorization")
    );
}

#[test]
fn priority_and_occasion_decide_how_loud_a_phone_is() {
    let mut bench = bench(json!({ "title": "" }));
    for (occasion, priority, urgency, title) in [
        (Occasion::Alert, Priority::Critical, 5, "critical alarm"),
        (Occasion::Alert, Priority::Low, 2, "notice"),
        (Occasion::Resolved, Priority::Critical, 3, "over"),
        (Occasion::Answer, Priority::High, 3, "answer"),
        (Occasion::Test, Priority::Medium, 3, "test"),
    ] {
        let notification = Notification {
            occasion,
            priority,
            ..Notification::for_test("ops", "text")
        };
        let sent = message(&mut bench, &notification);
        assert_eq!(sent["priority"], urgency, "{occasion:?} {priority:?}");
        assert_eq!(sent["title"], title);
    }
}

#[test]
fn a_long_text_is_cut_at_a_character() {
    let mut bench = bench(json!({}));
    let sent = message(
        &mut bench,
        &Notification::for_test("ops", &"é".repeat(3000)),
    );
    let text = sent["message"].as_str().unwrap();
    assert!(text.len() <= 4096 && text.ends_with("é…"), "{}", text.len());
    let exact = "x".repeat(4096);
    let sent = message(&mut bench, &Notification::for_test("ops", &exact));
    assert_eq!(sent["message"], exact);
}

#[test]
fn an_address_that_is_no_topic_is_refused_without_a_request() {
    let mut bench = bench(json!({}));
    for address in ["", "two words", "a/b", &"x".repeat(65)] {
        let refused = bench
            .deliver(&Notification::for_test(address, "text"))
            .expect_err("it is refused");
        assert_eq!(refused.setback, Setback::Address);
    }
    assert!(bench.requests().is_empty());
}

#[test]
fn each_answer_has_its_meaning() {
    let limit = setback(
        429,
        &[("Retry-After", "7")],
        r#"{"code":42901,"error":"limit reached"}"#,
    );
    assert_eq!(
        limit.setback,
        Setback::Throttled(Some(Duration::from_secs(7)))
    );
    assert_eq!(limit.message, "ntfy answered 429: limit reached");
    let until = [
        ("Date", "Fri, 01 Jan 2027 11:59:30 GMT"),
        ("Retry-After", "Fri, 01 Jan 2027 12:00:00 GMT"),
    ];
    assert_eq!(
        setback(429, &until, "").setback,
        Setback::Throttled(Some(Duration::from_secs(30)))
    );
    assert_eq!(setback(429, &[], "").setback, Setback::Throttled(None));
    assert_eq!(setback(401, &[], "").setback, Setback::Account);
    assert_eq!(setback(403, &[], "").setback, Setback::Address);
    assert_eq!(setback(413, &[], "").setback, Setback::Message);
    assert_eq!(setback(500, &[], "").setback, Setback::Retry);
    let page = setback(502, &[], &"<html>".repeat(1000));
    assert_eq!(page.setback, Setback::Retry);
    assert!(page.message.len() < 300);
}

#[test]
fn no_answer_is_told_by_what_may_have_left() {
    for (error, wanted) in [
        (HttpError::NotSent("refused".to_owned()), Setback::Retry),
        (HttpError::Lost("reset".to_owned()), Setback::Unknown),
        (
            HttpError::Denied("not in hosts".to_owned()),
            Setback::Account,
        ),
    ] {
        let mut bench = bench(json!({}));
        bench.fail(error);
        let failed = bench.deliver(&Notification::for_test("ops", "text"));
        assert_eq!(failed.expect_err("no answer").setback, wanted);
    }
}

#[test]
fn parameters_that_make_no_sense_are_declined_by_name() {
    for server in [
        "ntfy.sh",
        "ftp://ntfy.sh",
        "https://",
        "https://ntfy.sh/topic",
    ] {
        let declined = SinkBench::<Ntfy>::start(json!({ "server": server })).err();
        let declined = declined.expect("it declines");
        assert!(declined.message.contains("`server`"), "{declined}");
    }
    assert!(SinkBench::<Ntfy>::start(json!({ "token": "secret" })).is_err());
    let about = SinkBench::<Ntfy>::describe();
    assert_eq!(about["name"], "ntfy");
    assert!(about["parameters"]["properties"]["server"].is_object());
}
