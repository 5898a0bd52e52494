//! The webhook sink as each language's tools made it: what it asks of the network, what it makes of the
//! answers, and whether it keeps anything. The components come from `cargo xtask languages`, which runs
//! these tests once it has built them.

use std::sync::Arc;
use std::time::Duration;

use andon_model::{
    Component, Delivered, DeliveryKind, HttpClient, HttpError, HttpResponse, Limits, Notification,
    Priority, Setback, SinkGuest, SinkSetup, Timestamp,
};
use serde_json::{Value, json};

use crate::guests::NOW;
use crate::languages::components_in;
use crate::sinks::{Played, message};

/// Messages until memory is as large as it gets, and messages that must not make it larger.
const WARM_UP: usize = 500;
const MESSAGES: usize = 2_000;

/// What memory may grow by after the warm-up: two thousand answers that nobody frees are 16 MB.
const GROWTH: usize = 2 << 20;

/// The length of an answer of the loop above, bytes.
const ANSWER_BYTES: usize = 8 << 10;

/// What stands in the settings.
const TITLE: &str = "Plänt 水 😀";

async fn components() -> Vec<(String, Arc<dyn Component>)> {
    components_in("ANDON_LANGUAGE_SINKS").await
}

async fn open(component: &Arc<dyn Component>, http: &Arc<Played>) -> Box<dyn SinkGuest> {
    let configuration = json!({
        "instance": "hook", "parameters": { "title": TITLE }, "inputs": [],
    });
    let setup = SinkSetup {
        instance: "hook".to_owned(),
        limits: Limits {
            call_time: Duration::from_secs(60),
            ..Limits::default()
        },
        compute_time: Duration::from_secs(30),
        configuration: configuration.to_string(),
        http: Arc::clone(http) as Arc<dyn HttpClient>,
        now: NOW,
    };
    component.open_sink(setup).await.expect("it starts")
}

fn answered(status: u16, body: &[u8]) -> Result<HttpResponse, HttpError> {
    Ok(HttpResponse {
        status,
        headers: vec![("Retry-After".to_owned(), b" 7 ".to_vec())],
        body: body.to_vec(),
    })
}

#[tokio::test]
#[ignore = "`cargo xtask languages` runs it on the components that it builds"]
async fn a_message_is_posted_whole_by_the_sink_of_every_language() {
    for (name, component) in components().await {
        let http = Played::answering(answered(201, "{\"id\":\"r-ø\",\"says\":\"水\"}".as_bytes()));
        let mut guest = open(&component, &http).await;
        let mut sent = message();
        sent.address = "https://hooks.example:8443/anna?to=%C3%A5&x=1#part".to_owned();
        sent.text = "Tank \"1\" high:\n93 °C \\ 水 😀\u{1}".to_owned();
        sent.kind = DeliveryKind::Resolved;
        sent.priority = Priority::Critical;
        sent.attempt = 3;
        let taken = guest.deliver(NOW, &sent).await.expect(&name);
        let id = Some("r-ø".to_owned());
        assert_eq!(taken, Delivered::Taken { id }, "{name}");
        let requests = http.requests();
        let [request] = requests.as_slice() else {
            panic!("{name}: {requests:?}");
        };
        assert_eq!(request.method, "POST", "{name}");
        let url = "https://hooks.example:8443/anna?to=%C3%A5&x=1";
        assert_eq!(request.url, url, "{name}");
        let kind = request.headers.iter();
        let kind: Vec<&[u8]> = kind
            .filter(|(name, _)| name == "content-type")
            .map(|(_, value)| value.as_slice())
            .collect();
        assert_eq!(kind, [b"application/json"], "{name}");
        let body: Value = serde_json::from_slice(&request.body).expect(&name);
        let wanted = json!({
            "id": sent.id, "title": TITLE, "text": sent.text, "occasion": "resolved",
            "priority": "critical", "attempt": 3,
        });
        assert_eq!(body, wanted, "{name}");
    }
}

/// Whom the messages below go to.
const ADDRESS: &str = "http://hooks.example/anna";

type Case = (Result<HttpResponse, HttpError>, Setback, &'static str);

/// What comes back, what it means, and what is told of it.
fn cases() -> Vec<Case> {
    let said = |status: u16, setback: Setback, says: &'static str| -> Case {
        (answered(status, b"no"), setback, says)
    };
    let wait = Some(Duration::from_secs(7));
    let failed = |error: fn(String) -> HttpError| Err(error("so it is".to_owned()));
    let denied = "not among those of the settings";
    vec![
        (
            answered(429, b" so it is\n"),
            Setback::Throttled(wait),
            "the webhook answered 429: so it is",
        ),
        (answered(401, b""), Setback::Account, "answered 401"),
        said(403, Setback::Address, "the webhook answered 403: no"),
        said(404, Setback::Address, "answered 404: no"),
        said(410, Setback::Address, "answered 410: no"),
        said(400, Setback::Message, "answered 400: no"),
        said(413, Setback::Message, "answered 413: no"),
        said(422, Setback::Message, "answered 422: no"),
        said(302, Setback::Retry, "answered 302: no"),
        (
            answered(503, b"a\xffb"),
            Setback::Retry,
            "answered 503: a\u{fffd}b",
        ),
        (failed(HttpError::Denied), Setback::Account, denied),
        (failed(HttpError::NotSent), Setback::Retry, "no connection"),
        (failed(HttpError::Lost), Setback::Unknown, "no answer"),
        (Err(HttpError::TooLarge(9)), Setback::Unknown, "no answer"),
    ]
}

fn to(address: &str) -> Notification {
    let mut sent = message();
    address.clone_into(&mut sent.address);
    sent
}

#[tokio::test]
#[ignore = "`cargo xtask languages` runs it on the components that it builds"]
async fn what_a_server_answers_means_the_same_in_every_language() {
    for (name, component) in components().await {
        for (answer, wanted, says) in cases() {
            let http = Played::answering(answer.clone());
            let mut guest = open(&component, &http).await;
            // Twice: a guest goes on after what it told.
            for _ in 0..2 {
                let told = guest.deliver(NOW, &to(ADDRESS)).await.expect(&name);
                let Delivered::Not { setback, message } = told else {
                    panic!("{name}: {answer:?} counts as taken");
                };
                assert_eq!(setback, wanted, "{name}: {answer:?}: {message}");
                assert!(message.contains(says), "{name}: {answer:?}: {message}");
            }
        }
    }
}

#[tokio::test]
#[ignore = "`cargo xtask languages` runs it on the components that it builds"]
async fn a_success_that_says_nothing_is_a_success_in_every_language() {
    let bodies: [&[u8]; 7] = [b"", b"taken", b"[]", b"7", b"null", b"\xff", b"{\"id\":7}"];
    for (name, component) in components().await {
        for body in bodies {
            let http = Played::answering(answered(200, body));
            let mut guest = open(&component, &http).await;
            let taken = guest.deliver(NOW, &to("http://hooks.example")).await;
            let taken = taken.expect(&name);
            let is_taken = matches!(taken, Delivered::Taken { .. });
            assert!(is_taken, "{name}: {taken:?}");
            assert_eq!(http.requests()[0].url, "http://hooks.example/", "{name}");
        }
    }
}

#[tokio::test]
#[ignore = "`cargo xtask languages` runs it on the components that it builds"]
async fn what_is_no_address_is_told_and_nothing_is_asked_in_every_language() {
    for (name, component) in components().await {
        let http = Played::answering(answered(200, b""));
        let mut guest = open(&component, &http).await;
        for address in ["anna", "", "ftp://hooks.example/anna"] {
            let told = guest.deliver(NOW, &to(address)).await.expect(&name);
            let Delivered::Not { setback, .. } = told else {
                panic!("{name}: `{address}` counts as an address");
            };
            assert_eq!(setback, Setback::Address, "{name}: `{address}`");
        }
        assert_eq!(http.requests().len(), 0, "{name}");
    }
}

#[tokio::test]
#[ignore = "`cargo xtask languages` runs it on the components that it builds"]
async fn two_thousand_messages_leave_the_memory_of_every_language_as_it_was() {
    for (name, component) in components().await {
        let http = Played::answering(answered(200, &vec![b'x'; ANSWER_BYTES]));
        let mut guest = open(&component, &http).await;
        let sent = to(ADDRESS);
        let mut warm = 0;
        for count in 0..WARM_UP + MESSAGES {
            let now = Timestamp::from_nanos(NOW.nanos() + i64::try_from(count).expect("small"));
            let taken = guest.deliver(now, &sent).await.expect(&name);
            assert!(matches!(taken, Delivered::Taken { .. }), "{name}, {count}");
            if count == WARM_UP {
                warm = guest.memory_bytes();
            }
        }
        assert_eq!(http.requests().len(), WARM_UP + MESSAGES, "{name}");
        let bytes = guest.memory_bytes();
        assert!(
            bytes <= warm + GROWTH,
            "{name}: {warm} bytes became {bytes}"
        );
    }
}
