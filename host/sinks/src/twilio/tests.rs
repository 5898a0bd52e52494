//! The sink against a Twilio of our own: a socket that answers what a test says, also nonsense.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use andon_model::{
    Channel, Delivery, DeliveryId, DeliveryKind, DeliveryState, ManualClock, OccurrenceId, Outcome,
    Priority, Reason, ReceiptStatus, Secret, SinkEvent, Timestamp, Why,
};
use base64::Engine;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{LookUp, Sink};

mod watching;

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const TOKEN: &str = "the-token-that-nobody-may-see";
/// 2026-11-23T12:00:00Z.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_795_435_200);

/// A request as it arrived.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    authorization: String,
    body: String,
}

impl Seen {
    fn fields(&self) -> Vec<(String, String)> {
        let mut fields: Vec<_> = form_urlencoded::parse(self.body.as_bytes())
            .into_owned()
            .collect();
        fields.sort();
        fields
    }
}

enum Reply {
    Json(u16, Value),
    /// With a further header.
    With(u16, &'static str, Value),
    /// These bytes, then the end.
    Bytes(&'static str),
    Hang,
    /// Ends before the request was read, which resets the connection.
    Reset,
}

type Behaviour = Box<dyn Fn(&Seen) -> Reply + Send + Sync>;

struct FakeTwilio {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Ends the server when it is dropped.
    _server: JoinSet<()>,
}

impl FakeTwilio {
    async fn start(behaviour: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut server = JoinSet::new();
        let log = seen.clone();
        let behaviour: Arc<Behaviour> = Arc::new(Box::new(behaviour));
        server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, log.clone(), behaviour.clone()));
            }
        });
        Self {
            url,
            seen,
            _server: server,
        }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn settings(&self) -> TwilioSettings {
        settings(&self.url)
    }

    fn sink(&self) -> Arc<dyn Sink> {
        build(&self.settings(), clock()).unwrap()
    }
}

async fn serve(mut stream: TcpStream, log: Arc<Mutex<Vec<Seen>>>, behaviour: Arc<Behaviour>) {
    let mut bytes = Vec::new();
    let head_end = loop {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let header = |name: &str| {
        head.lines()
            .find_map(|line| line.to_lowercase().strip_prefix(name).map(|_| line))
            .and_then(|line| line.split_once(": "))
            .map_or_else(String::new, |(_, value)| value.to_owned())
    };
    let length: usize = header("content-length").parse().unwrap_or(0);
    while bytes.len() < head_end + length {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
    let seen = Seen {
        line: head.lines().next().unwrap_or_default().to_owned(),
        authorization: header("authorization"),
        body: String::from_utf8_lossy(&bytes[head_end..]).into_owned(),
    };
    log.lock().unwrap().push(seen.clone());
    let answer = match behaviour(&seen) {
        Reply::Json(status, body) => http(status, "", &body),
        Reply::With(status, header, body) => http(status, header, &body),
        Reply::Bytes(bytes) => bytes.to_owned(),
        Reply::Hang => std::future::pending().await,
        Reply::Reset => {
            stream.set_zero_linger().unwrap();
            return;
        }
    };
    stream.write_all(answer.as_bytes()).await.ok();
    stream.shutdown().await.ok();
}

fn http(status: u16, header: &str, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Date: Mon, 23 Nov 2026 12:00:00 GMT\r\n{header}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(super) fn settings(url: &str) -> TwilioSettings {
    let text = format!(
        "name = \"twilio\"\naccount_name = \"Plant north\"\naccount_sid = \"{ACCOUNT}\"\n\
         auth_token = \"{TOKEN}\"\nfrom = \"+4790000099\"\napi_url = \"{url}\"\n\
         poll_interval = \"10ms\"\n"
    );
    toml::from_str(&text).unwrap()
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(NOW))
}

pub(super) fn delivery(text: &str) -> Delivery {
    let channel = Channel {
        sink: "twilio".into(),
        address: "+47 90 00 00 01".into(),
    };
    let occurrence = OccurrenceId(7);
    Delivery {
        id: DeliveryId::of(occurrence, DeliveryKind::Alert, 0, "ann", &channel),
        occurrence,
        kind: DeliveryKind::Alert,
        step: 0,
        contact: "ann".into(),
        channels: vec![channel.clone()],
        channel,
        channel_index: 0,
        priority: Priority::High,
        text: text.into(),
        code: None,
        created_at: NOW,
        expires_at: NOW.plus(Duration::from_secs(600)),
        state: DeliveryState::Sending,
        attempts: 1,
        next_at: NOW,
        repeat: false,
        after: None,
        why: Why::new(Reason::RouteMatched, ""),
        test: false,
    }
}

async fn send_to(behaviour: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Outcome {
    let twilio = FakeTwilio::start(behaviour).await;
    let mut settings = twilio.settings();
    settings.answer_time_max = andon_model::DurationText::from_millis(300);
    let sink = build(&settings, clock()).unwrap();
    sink.send(&delivery("level high")).await
}

fn refusal(code: u32) -> Value {
    json!({ "code": code, "message": "no", "status": 400 })
}

fn reason(outcome: &Outcome) -> (&'static str, Option<Reason>) {
    match outcome {
        Outcome::Sent { .. } => ("sent", None),
        Outcome::Retry { why, .. } => ("retry", Some(why.reason)),
        Outcome::Dead { why } => ("dead", Some(why.reason)),
        Outcome::SinkFailed { why } => ("sink failed", Some(why.reason)),
        Outcome::Unknown { why } => ("unknown", Some(why.reason)),
        Outcome::Expired { why } => ("expired", Some(why.reason)),
    }
}

#[tokio::test]
async fn a_message_is_created_with_sender_recipient_text_and_validity() {
    let twilio =
        FakeTwilio::start(|_| Reply::Json(201, json!({ "sid": "SM1", "status": "queued" }))).await;
    let mut settings = twilio.settings();
    settings.status_callback = Some("https://andon.example/status".into());
    let sink = build(&settings, clock()).unwrap();
    let mut delivery = delivery("Nivå høy & rising");
    delivery.repeat = true;
    assert_eq!(
        sink.send(&delivery).await,
        Outcome::Sent {
            provider_ids: vec!["SM1".into()]
        }
    );
    let seen = twilio.seen();
    assert_eq!(
        seen[0].line,
        format!("POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1")
    );
    let credentials =
        base64::engine::general_purpose::STANDARD.encode(format!("{ACCOUNT}:{TOKEN}"));
    assert_eq!(seen[0].authorization, format!("Basic {credentials}"));
    let expected = [
        ("Body", "(repeat) Nivå høy & rising"),
        ("From", "+4790000099"),
        ("StatusCallback", "https://andon.example/status"),
        ("To", "+4790000001"),
        ("ValidityPeriod", "600"),
    ];
    assert_eq!(
        seen[0].fields(),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[tokio::test]
async fn a_messaging_service_and_an_api_key_take_the_place_of_sender_and_token() {
    let twilio = FakeTwilio::start(|_| Reply::Json(201, json!({ "sid": "SM1" }))).await;
    let mut settings = twilio.settings();
    settings.from = None;
    settings.messaging_service_sid = Some(format!("MG{}", "a".repeat(32)));
    settings.api_key_sid = Some(format!("SK{}", "b".repeat(32)));
    settings.api_key_secret = Some(Secret::new("key-secret"));
    let sink = build(&settings, clock()).unwrap();
    let mut far = delivery("x");
    far.expires_at = NOW.plus(Duration::from_secs(14_401));
    sink.send(&far).await;
    let seen = twilio.seen();
    let names: Vec<String> = seen[0].fields().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Body", "MessagingServiceSid", "To"]);
    let credentials = base64::engine::general_purpose::STANDARD
        .encode(format!("SK{}:key-secret", "b".repeat(32)));
    assert_eq!(seen[0].authorization, format!("Basic {credentials}"));
}

#[tokio::test]
async fn a_text_that_is_too_long_is_cut_with_a_mark() {
    let twilio = FakeTwilio::start(|_| Reply::Json(201, json!({ "sid": "SM1" }))).await;
    let sink = twilio.sink();
    sink.send(&delivery(&"x".repeat(1600))).await;
    sink.send(&delivery(&"x".repeat(1601))).await;
    sink.send(&delivery(&"\u{1F6A8}".repeat(900))).await;
    let texts: Vec<String> = twilio
        .seen()
        .iter()
        .map(|seen| seen.fields()[0].1.clone())
        .collect();
    assert_eq!(texts[0], "x".repeat(1600));
    assert_eq!(texts[1], format!("{}…", "x".repeat(1599)));
    assert!(texts[2].encode_utf16().count() <= 1600);
    assert!(texts[2].ends_with("\u{1F6A8}…"));
}

#[tokio::test]
async fn every_refusal_has_its_outcome() {
    let table = [
        (400, 21211, "dead", Reason::RecipientRefused),
        (400, 21610, "dead", Reason::RecipientRefused),
        (400, 21614, "dead", Reason::RecipientRefused),
        (400, 21617, "dead", Reason::MessageRefused),
        (400, 99999, "dead", Reason::MessageRefused),
        (400, 21212, "sink failed", Reason::SinkMisconfigured),
        (400, 21606, "sink failed", Reason::SinkMisconfigured),
        (400, 21608, "sink failed", Reason::SinkMisconfigured),
        (403, 21408, "sink failed", Reason::SinkMisconfigured),
        (400, 30034, "sink failed", Reason::SinkMisconfigured),
        (401, 20003, "sink failed", Reason::SinkMisconfigured),
        (403, 0, "sink failed", Reason::SinkMisconfigured),
        (404, 20404, "sink failed", Reason::SinkMisconfigured),
        (429, 20429, "retry", Reason::Throttled),
        (400, 21611, "retry", Reason::Throttled),
        (408, 0, "unknown", Reason::ResultUnknown),
        (500, 20500, "unknown", Reason::ResultUnknown),
        (503, 0, "unknown", Reason::ResultUnknown),
        (302, 0, "sink failed", Reason::SinkMisconfigured),
    ];
    for (status, code, word, expected) in table {
        let outcome = send_to(move |_| Reply::Json(status, refusal(code))).await;
        assert_eq!(
            reason(&outcome),
            (word, Some(expected)),
            "status {status}, code {code}"
        );
    }
}

#[tokio::test]
async fn a_stop_from_the_person_is_said_in_plain_words() {
    let outcome = send_to(|_| Reply::Json(400, refusal(21610))).await;
    let Outcome::Dead { why } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(why.detail.contains("replied STOP"), "{why}");
    assert!(why.detail.starts_with("Plant north: "), "{why}");
}

#[tokio::test]
async fn the_wait_that_twilio_asks_for_is_passed_on_within_bounds() {
    for (header, expected) in [
        ("Retry-After: 7\r\n", Some(7)),
        ("Retry-After: 99999999\r\n", Some(3600)),
        ("Retry-After: soon\r\n", None),
        ("", None),
    ] {
        let outcome = send_to(move |_| Reply::With(429, header, refusal(20429))).await;
        let Outcome::Retry { after, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(after, expected.map(Duration::from_secs));
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_or_nonsense_makes_the_result_unknown() {
    let answers: [fn(&Seen) -> Reply; 9] = [
        |_| Reply::Hang,
        |_| Reply::Reset,
        |_| Reply::Bytes(""),
        |_| Reply::Bytes("HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{\"sid\":"),
        |_| Reply::Bytes("HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\n{\"sid"),
        |_| Reply::Bytes("SSH-2.0-OpenSSH_9.6\r\n"),
        |_| Reply::Json(201, json!({ "status": "queued" })),
        |_| Reply::Json(201, json!({ "sid": "../../etc" })),
        |_| Reply::Json(200, json!([1, 2])),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let outcome = send_to(answer).await;
        assert_eq!(
            reason(&outcome),
            ("unknown", Some(Reason::ResultUnknown)),
            "answer {number}"
        );
    }
}

#[tokio::test]
async fn without_a_connection_the_message_surely_did_not_go() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let sink = build(&settings(&url), clock()).unwrap();
    let outcome = sink.send(&delivery("x")).await;
    assert_eq!(reason(&outcome), ("retry", Some(Reason::RetryLater)));
    let sink = build(&settings("http://no-such-host.invalid"), clock()).unwrap();
    let outcome = sink.send(&delivery("x")).await;
    assert_eq!(reason(&outcome), ("retry", Some(Reason::RetryLater)));
}

#[tokio::test]
async fn an_address_that_is_no_phone_number_never_leaves() {
    let twilio = FakeTwilio::start(|_| Reply::Hang).await;
    let mut wrong = delivery("x");
    wrong.channel.address = "ann@example.com".into();
    let outcome = twilio.sink().send(&wrong).await;
    assert_eq!(reason(&outcome), ("dead", Some(Reason::RecipientRefused)));
    assert!(twilio.seen().is_empty());
}

fn outbound(sid: &str, body: &str, minute: u32) -> Value {
    json!({
        "sid": sid, "body": body, "direction": "outbound-api", "status": "sent",
        "to": "+4790000001", "error_code": null,
        "date_created": format!("Mon, 23 Nov 2026 12:{minute:02}:00 +0000"), "date_sent": null,
    })
}

async fn look_up_in(pages: Vec<Value>) -> LookUp {
    let twilio = FakeTwilio::start(move |seen| {
        pages
            .get(usize::from(seen.line.contains("PageToken=2")))
            .map_or_else(
                || Reply::Json(500, json!({})),
                |page| Reply::Json(200, page.clone()),
            )
    })
    .await;
    twilio.sink().look_up(&delivery("level high")).await
}

fn page(messages: &[Value], next: Value) -> Value {
    json!({ "messages": messages, "next_page_uri": next })
}

#[tokio::test]
async fn a_lost_message_is_found_by_number_time_and_text() {
    let mine = outbound("SM9", "level high", 1);
    let next = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json?PageToken=2");
    let found = LookUp::Found(Outcome::Sent {
        provider_ids: vec!["SM9".into()],
    });
    let other = outbound("SM8", "pump stopped", 2);
    let earlier = json!({
        "sid": "SM7", "body": "level high", "direction": "outbound-api",
        "date_created": "Mon, 23 Nov 2026 11:58:00 +0000",
    });
    let reply = json!({
        "sid": "SM6", "body": "level high", "direction": "inbound",
        "date_created": "Mon, 23 Nov 2026 12:01:00 +0000",
    });
    let table = [
        (
            vec![page(std::slice::from_ref(&mine), Value::Null)],
            found.clone(),
        ),
        (
            vec![page(&[other.clone(), mine.clone()], Value::Null)],
            found.clone(),
        ),
        (
            vec![page(&[], json!(next)), page(&[mine], Value::Null)],
            found,
        ),
        (vec![page(&[], Value::Null)], LookUp::NotThere),
        (vec![page(&[earlier, reply], Value::Null)], LookUp::NotThere),
        // Somebody else's message, or ours with a text that Twilio changed: nobody can tell.
        (vec![page(&[other], Value::Null)], LookUp::CannotTell),
        (
            vec![page(&[], json!("https://elsewhere.example/Messages.json"))],
            LookUp::CannotTell,
        ),
        (
            vec![page(&[], json!("/2010-04-01/Accounts"))],
            LookUp::CannotTell,
        ),
    ];
    for (number, (pages, expected)) in table.into_iter().enumerate() {
        assert_eq!(look_up_in(pages).await, expected, "case {number}");
    }
}

#[tokio::test]
async fn a_message_of_another_delivery_is_not_taken_for_the_lost_one() {
    let twilio = FakeTwilio::start(|seen| {
        if seen.line.starts_with("POST") {
            Reply::Json(201, json!({ "sid": "SM1" }))
        } else {
            Reply::Json(200, page(&[outbound("SM1", "level high", 0)], Value::Null))
        }
    })
    .await;
    let sink = twilio.sink();
    assert!(matches!(
        sink.send(&delivery("level high")).await,
        Outcome::Sent { .. }
    ));
    assert_eq!(
        sink.look_up(&delivery("level high")).await,
        LookUp::NotThere
    );
}

#[tokio::test]
async fn a_clock_that_is_hours_off_does_not_hide_a_lost_message() {
    let twilio = FakeTwilio::start(|_| {
        Reply::Json(200, page(&[outbound("SM9", "level high", 0)], Value::Null))
    })
    .await;
    let ours = NOW.plus(Duration::from_secs(7200));
    let sink = build(&twilio.settings(), Arc::new(ManualClock::at(ours))).unwrap();
    let mut late = delivery("level high");
    late.next_at = ours;
    assert!(matches!(sink.look_up(&late).await, LookUp::Found(_)));
}
