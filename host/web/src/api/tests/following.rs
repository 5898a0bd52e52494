//! The stream of events.

use andon_model::JournalKind;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures::StreamExt as _;

use super::kit::{Stand, line};
use crate::Role;

/// Events as they come.
struct Stream {
    body: futures::stream::BoxStream<'static, String>,
    rest: String,
}

impl Stream {
    async fn open(stand: &Stand, request: Request<Body>) -> Self {
        let response = stand.send(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body = response.into_body().into_data_stream();
        let body = body.map(|bytes| String::from_utf8(bytes.unwrap().to_vec()).unwrap());
        Self {
            body: body.boxed(),
            rest: String::new(),
        }
    }

    /// The next event, comments left out; `None` at the end.
    async fn next(&mut self) -> Option<Vec<String>> {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let lines: Vec<String> = event.lines().map(str::to_owned).collect();
                self.rest = rest.to_owned();
                if !lines.iter().all(|line| line.starts_with(':')) {
                    return Some(lines);
                }
                continue;
            }
            let more = self.body.next().await?;
            self.rest.push_str(&more);
        }
    }

    /// Kind and id of the next event.
    async fn head(&mut self) -> (String, String) {
        let lines = self.next().await.expect("an event");
        let field = |name: &str| {
            let found = lines.iter().find_map(|line| line.strip_prefix(name));
            found.unwrap_or_default().trim().to_owned()
        };
        (field("event:"), field("id:"))
    }
}

fn follow(stand: &Stand, query: &str) -> Request<Body> {
    stand.request("GET", &format!("/api/v1/events{query}"), Some(Role::Viewer))
}

fn pair(kind: &str, id: &str) -> (String, String) {
    (kind.to_owned(), id.to_owned())
}

#[tokio::test(start_paused = true)]
async fn what_reaches_the_disk_is_told_with_its_number() {
    let stand = Stand::new();
    let mut stream = Stream::open(&stand, follow(&stand, "")).await;
    assert_eq!(stream.head().await, pair("here", "5"));
    stand.fake.write([
        line(6, JournalKind::Alarm),
        line(7, JournalKind::System),
        line(8, JournalKind::Delivery),
    ]);
    let first = stream.next().await.unwrap();
    let data = first
        .iter()
        .find_map(|line| line.strip_prefix("data:"))
        .unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        (&data["number"], &data["kind"], &data["reason"]),
        (&6.into(), &"alarm".into(), &"first-raise".into())
    );
    assert_eq!(stream.head().await, pair("delivery", "8"));
    stand.stop.cancel();
    let end = stream.next().await.unwrap().concat();
    assert!(end.contains("end") && end.contains("stopping"), "{end}");
    assert_eq!(stream.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_misses_nothing() {
    let stand = Stand::new();
    let many = (6..=1_000).map(|number| line(number, JournalKind::Alarm));
    stand.fake.write(many);
    let mut request = follow(&stand, "?after=900");
    request
        .headers_mut()
        .insert("last-event-id", "3".parse().unwrap());
    let mut stream = Stream::open(&stand, request).await;
    assert_eq!(stream.head().await, pair("here", "3"));
    for number in 4..=1_000 {
        assert_eq!(stream.head().await, pair("alarm", &number.to_string()));
    }
    let mut request = follow(&stand, "");
    request
        .headers_mut()
        .insert("last-event-id", "abc".parse().unwrap());
    assert_eq!(stand.ask(request).await.status, StatusCode::BAD_REQUEST);
    // A number of another database is no place in this one.
    let mut stream = Stream::open(&stand, follow(&stand, "?after=5000")).await;
    assert_eq!(stream.head().await, pair("here", "1000"));
}

#[tokio::test(start_paused = true)]
async fn kinds_are_chosen() {
    let stand = Stand::new();
    let mut stream = Stream::open(&stand, follow(&stand, "?kinds=system,%20plugin&after=5")).await;
    assert_eq!(stream.head().await, pair("here", "5"));
    stand
        .fake
        .write([line(6, JournalKind::Alarm), line(7, JournalKind::Plugin)]);
    assert_eq!(stream.head().await, pair("plugin", "7"));
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_ends_its_stream() {
    let stand = Stand::new();
    let mut stream = Stream::open(&stand, follow(&stand, "")).await;
    assert_eq!(stream.head().await, pair("here", "5"));
    stand.access.revoke_token("viewer").unwrap();
    let end = stream.next().await.unwrap().concat();
    assert!(end.contains("revoked"), "{end}");
    assert_eq!(stream.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn one_caller_opens_only_so_many_streams() {
    let stand = Stand::new();
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(Stream::open(&stand, follow(&stand, "")).await);
    }
    let answer = stand.ask(follow(&stand, "")).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.says().contains("8 of one"), "{}", answer.text);
    open.pop();
    Stream::open(&stand, follow(&stand, "")).await;
}
