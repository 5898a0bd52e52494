//! A server like ntfy: it keeps every message that it read, with the token that came with it, and
//! fails as a test says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;

use super::inbox::Inbox;

/// The token of the account; the component must never hold it.
pub(crate) const NTFY_TOKEN: &str = "tk_token-of-the-ntfy-account";

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum OnPublish {
    /// It is taken.
    #[default]
    Take,
    /// The first is answered with 429 and this wait in seconds, the next is taken.
    ThrottleOnce(u32),
    /// It is refused with this status.
    Refuse(u16),
    /// It is taken, and the first answer is lost.
    LoseAnswerOnce,
}

#[derive(Debug, Default)]
struct Desk {
    on_publish: OnPublish,
    /// All requests, taken or not.
    requests: Vec<Value>,
}

/// The server; it is there as long as its runtime, unless it is closed.
#[derive(Debug, Clone)]
pub(crate) struct Ntfy {
    pub(crate) address: String,
    inbox: Inbox,
    desk: Arc<Mutex<Desk>>,
    runtime: Handle,
    listening: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Ntfy {
    /// A server with a port of its own, which listens.
    pub(crate) fn start(runtime: &Runtime, inbox: Inbox) -> Self {
        let mut ntfy = Self {
            address: "127.0.0.1:0".to_owned(),
            inbox,
            desk: Arc::default(),
            runtime: runtime.handle().clone(),
            listening: Arc::default(),
        };
        let listener = ntfy.bind();
        ntfy.address = listener.local_addr().expect("an address").to_string();
        ntfy.serve(listener);
        ntfy
    }

    /// Nobody listens any more. Connections that are there go on.
    pub(crate) fn close(&self) {
        let listening = self.listening.lock().expect("a lock").take();
        let listening = listening.expect("it listens");
        listening.abort();
        self.runtime.block_on(listening).unwrap_or_default();
    }

    /// Listens again at its port.
    pub(crate) fn open(&self) {
        self.serve(self.bind());
    }

    fn bind(&self) -> TcpListener {
        let listener = self.runtime.block_on(TcpListener::bind(&self.address));
        listener.expect("its own port")
    }

    fn serve(&self, listener: TcpListener) {
        let router = Router::new()
            .route("/", post(publish))
            .with_state(self.clone());
        let serving = self.runtime.spawn(async move {
            axum::serve(listener, router).await.unwrap_or_default();
        });
        *self.listening.lock().expect("a lock") = Some(serving);
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn on_publish(&self, on_publish: OnPublish) {
        self.lock().on_publish = on_publish;
    }

    pub(crate) fn requests(&self) -> Vec<Value> {
        self.lock().requests.clone()
    }
}

async fn publish(
    State(ntfy): State<Ntfy>,
    headers: HeaderMap,
    Json(message): Json<Value>,
) -> Response {
    let wanted = format!("Bearer {NTFY_TOKEN}");
    let given = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    if given != Some(&wanted) {
        return refuse(StatusCode::UNAUTHORIZED, "unauthorized");
    }
    let on_publish = {
        let mut desk = ntfy.lock();
        desk.requests.push(message.clone());
        let now = desk.on_publish;
        if matches!(now, OnPublish::ThrottleOnce(_) | OnPublish::LoseAnswerOnce) {
            desk.on_publish = OnPublish::Take;
        }
        now
    };
    match on_publish {
        OnPublish::Take | OnPublish::LoseAnswerOnce => {}
        OnPublish::ThrottleOnce(seconds) => {
            let mut answer = refuse(StatusCode::TOO_MANY_REQUESTS, "limit reached");
            answer.headers_mut().insert("retry-after", seconds.into());
            return answer;
        }
        OnPublish::Refuse(status) => {
            let status = StatusCode::from_u16(status).expect("a status");
            return refuse(status, "forbidden");
        }
    }
    let part = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    ntfy.inbox.put("ntfy", &part("topic"), part("message"));
    if on_publish == OnPublish::LoseAnswerOnce {
        // The connection ends in the middle of the answer.
        let broken =
            futures::stream::once(async { Err::<String, _>(std::io::Error::other("cut")) });
        return Response::new(axum::body::Body::from_stream(broken));
    }
    Json(json!({"id": "xE73Iyuabi", "event": "message", "topic": part("topic")})).into_response()
}

/// As some servers and proxies do, it echoes what it was given.
fn refuse(status: StatusCode, says: &str) -> Response {
    let error = format!("{says}; you sent the token {NTFY_TOKEN}");
    let body = json!({"code": 40_000, "http": status.as_u16(), "error": error});
    (status, Json(body)).into_response()
}
