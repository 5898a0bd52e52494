//! Sink components: one message in, one answer out, HTTP by the host's client alone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use andon_model::{
    CallError, CallErrorKind, Columns, Delivered, DeliveryKind, HttpClient, HttpError, HttpRequest,
    HttpResponse, Limits, Loader, Notification, PluginKind, Priority, Setback, SinkGuest,
    SinkSetup, Timestamp,
};
use async_trait::async_trait;

use crate::guests::{NOW, bytes, engine, load, setup};

/// A client that keeps what it is asked and answers as a test says.
pub(crate) struct Played {
    requests: Mutex<Vec<HttpRequest>>,
    answer: Result<HttpResponse, HttpError>,
    /// Never answers.
    silent: bool,
}

impl Played {
    pub(crate) fn answering(answer: Result<HttpResponse, HttpError>) -> Arc<Self> {
        Arc::new(Self {
            requests: Mutex::default(),
            answer,
            silent: false,
        })
    }

    fn with_status(status: u16) -> Arc<Self> {
        Self::answering(Ok(HttpResponse {
            status,
            headers: vec![
                ("x-id".to_owned(), b"id-1".to_vec()),
                ("retry-after".to_owned(), b"7".to_vec()),
            ],
            body: b"so it is".to_vec(),
        }))
    }

    fn silent() -> Arc<Self> {
        Arc::new(Self {
            requests: Mutex::default(),
            answer: Err(HttpError::Denied("never asked".to_owned())),
            silent: true,
        })
    }

    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().expect("a lock").clone()
    }
}

#[async_trait]
impl HttpClient for Played {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.requests.lock().expect("a lock").push(request);
        if self.silent {
            std::future::pending::<()>().await;
        }
        self.answer.clone()
    }
}

fn sink_setup(mode: &str, amount: u64, http: &Arc<Played>) -> SinkSetup {
    let parameters = serde_json::json!({"mode": mode, "amount": amount});
    SinkSetup {
        instance: "push".to_owned(),
        limits: Limits {
            call_time: Duration::from_secs(10),
            ..Limits::default()
        },
        compute_time: Duration::from_millis(200),
        configuration: serde_json::json!({"parameters": parameters}).to_string(),
        http: Arc::clone(http) as Arc<dyn HttpClient>,
        now: NOW,
    }
}

async fn open(setup: SinkSetup) -> Box<dyn SinkGuest> {
    load("hostile-sink")
        .await
        .open_sink(setup)
        .await
        .expect("it starts")
}

pub(crate) fn message() -> Notification {
    Notification {
        id: "0123".to_owned(),
        address: "ops".to_owned(),
        text: "Tank 1 high: 93 °C".to_owned(),
        kind: DeliveryKind::Alert,
        priority: Priority::High,
        attempt: 1,
        created_at: NOW,
        expires_at: Timestamp::from_nanos(NOW.nanos() + 1),
    }
}

async fn deliver(mode: &str, amount: u64, http: &Arc<Played>) -> Result<Delivered, CallError> {
    let mut guest = open(sink_setup(mode, amount, http)).await;
    guest.deliver(NOW, &message()).await
}

fn setback(answer: Result<Delivered, CallError>) -> (Setback, String) {
    match answer {
        Ok(Delivered::Not { setback, message }) => (setback, message),
        other => panic!("no setback: {other:?}"),
    }
}

#[tokio::test]
async fn a_sink_describes_itself_and_imports_http_and_no_tags() {
    let component = load("hostile-sink").await;
    assert_eq!(component.kind(), PluginKind::Sink);
    assert_eq!(component.description().name, "hostile-sink");
    let imports = component.imports().join(" ");
    assert!(imports.contains("wasi:http/outgoing-handler"), "{imports}");
    for absent in ["/tags", "/state", "/timer"] {
        let name = format!("andon:plugin{absent}");
        assert!(!imports.contains(&name), "{imports}");
    }
    let rule = load("limits").await;
    let imports = rule.imports().join(" ");
    assert!(!imports.contains("wasi:http"), "{imports}");
}

#[tokio::test]
async fn a_message_becomes_one_request_and_its_answer_a_receipt() {
    let http = Played::with_status(200);
    let mut guest = open(sink_setup("plain", 0, &http)).await;
    for _ in 0..3 {
        let taken = guest.deliver(NOW, &message()).await.expect("it is taken");
        let id = Some("id-1".to_owned());
        assert_eq!(taken, Delivered::Taken { id });
    }
    let requests = http.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0].method, "POST");
    assert_eq!(requests[0].url, "https://provider.example/");
    assert_eq!(requests[0].body, "ops Tank 1 high: 93 °C".as_bytes());
    assert!(guest.memory_bytes() > 0);
}

#[tokio::test]
async fn what_http_says_reaches_the_guest() {
    let wait = Some(Duration::from_secs(7));
    for (status, wanted) in [
        (429, Setback::Throttled(wait)),
        (401, Setback::Account),
        (403, Setback::Address),
        (400, Setback::Message),
        (503, Setback::Retry),
    ] {
        let answer = deliver("plain", 0, &Played::with_status(status)).await;
        let (setback, says) = setback(answer);
        assert_eq!(setback, wanted);
        assert_eq!(says, format!("it answered {status}: so it is"));
    }
    for (error, wanted) in [
        (HttpError::Denied("no".to_owned()), Setback::Account),
        (HttpError::NotSent("no".to_owned()), Setback::Retry),
        (HttpError::Lost("no".to_owned()), Setback::Unknown),
        (HttpError::TooLarge(9), Setback::Unknown),
    ] {
        let answer = deliver("plain", 0, &Played::answering(Err(error))).await;
        assert_eq!(setback(answer).0, wanted);
    }
}

#[tokio::test]
async fn what_leaves_its_bounds_is_ended_and_lost() {
    let http = Played::with_status(200);
    for (mode, amount, kind) in [
        ("loop", 0, CallErrorKind::TimeOut),
        ("send-then-loop", 0, CallErrorKind::TimeOut),
        ("trap", 0, CallErrorKind::Trap),
        ("send-then-trap", 0, CallErrorKind::Trap),
        ("allocate", 100 << 20, CallErrorKind::OutOfBounds),
    ] {
        let mut guest = open(sink_setup(mode, amount, &http)).await;
        let error = guest.deliver(NOW, &message()).await.expect_err(mode);
        assert_eq!(error.kind, kind, "{mode}: {error}");
        assert!(error.message.contains("`deliver`"), "{error}");
        let again = guest.deliver(NOW, &message()).await;
        assert_eq!(again.expect_err("it is lost").kind, CallErrorKind::Engine);
    }
}

#[tokio::test]
async fn waiting_ends_with_the_time_of_the_call() {
    for (mode, amount) in [("plain", 0), ("sleep", 3_600_000)] {
        let http = Played::silent();
        let mut setup = sink_setup(mode, amount, &http);
        setup.limits.call_time = Duration::from_millis(100);
        let error = open(setup).await.deliver(NOW, &message()).await;
        assert_eq!(
            error.expect_err(mode).kind,
            CallErrorKind::TimeOut,
            "{mode}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_never_reaches_the_client() {
    let http = Played::with_status(200);
    let (setback, _) = setback(deliver("send-huge", 2 << 20, &http).await);
    assert_eq!(setback, Setback::Account);
    assert!(http.requests().is_empty());
    let taken = deliver("send-huge", 1 << 20, &http).await;
    assert!(matches!(taken, Ok(Delivered::Taken { .. })), "{taken:?}");
    assert_eq!(http.requests()[0].body.len(), 1 << 20);
}

#[tokio::test]
async fn a_guest_learns_no_more_than_its_message_and_the_answer() {
    let http = Played::with_status(200);
    let (_, says) = setback(deliver("say-all", 0, &http).await);
    assert!(
        says.starts_with("200 ") && says.ends_with("so it is []"),
        "{says}"
    );
    let request = http.requests().remove(0);
    let body = String::from_utf8(request.body).expect("text");
    assert!(
        body.contains("ops") && body.contains("Tank 1 high"),
        "{body}"
    );
}

#[tokio::test]
async fn a_sink_is_no_rule_and_a_rule_no_sink() {
    let http = Played::with_status(200);
    let rule = load("hostile-rule").await;
    let error = rule.open_sink(sink_setup("plain", 0, &http)).await.err();
    assert_eq!(error.expect("refused").message, "it is a rule, not a sink");
    let sink = engine()
        .load("hostile-sink", bytes("hostile-sink"))
        .await
        .expect("it loads");
    let error = sink.start(setup("plain", 0)).await.err().expect("refused");
    assert!(error.message.contains("it is a sink"), "{error}");
    for (mode, kind) in [
        ("configure-declines", CallErrorKind::Declined),
        ("configure-traps", CallErrorKind::Trap),
    ] {
        let error = sink.open_sink(sink_setup(mode, 0, &http)).await.err();
        assert_eq!(error.expect(mode).kind, kind);
    }
    let mut rule = rule
        .start(setup("plain", 0))
        .await
        .expect("it starts")
        .guest;
    rule.call(NOW, &Columns::default()).await.expect("it runs");
}
