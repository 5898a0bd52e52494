//! The control door: a Unix socket that only the host's user may open.
//!
//! One request is one HTTP `POST /control` with a [`Command`] as JSON; the answer is JSON. The
//! command line of the same binary is the client ([`ask`]).

use std::fmt::Write as _;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use andon_model::ShadowEnd;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use crate::{Host, LifeRequest, Role};

/// Largest request, bytes.
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// What the command line asks of a running host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// Everything on the status page.
    Overview,
    /// Standing alarms.
    Alarms,
    /// Acknowledge.
    Acknowledge {
        /// Short code or occurrence number.
        alarm: String,
        /// Who.
        by: String,
    },
    /// All that is shelved, suppressed or out of service.
    Silenced,
    /// Shelve an alarm, reset it, take it out of service, or the way back.
    Life(LifeRequest),
    /// Something else that a person wants of an alarm.
    Wish(Wish),
    /// Push values through the real path, marked as a test.
    Inject {
        /// Tag and value, as text.
        values: Vec<(String, String)>,
    },
    /// Send a test message to a contact.
    SendTest {
        /// Name of the contact.
        contact: String,
        /// Every channel, not just the first.
        every_channel: bool,
    },
    /// What happened to these deliveries.
    Deliveries {
        /// Keys.
        ids: Vec<String>,
    },
    /// Tell why.
    Explain {
        /// Short code or occurrence number.
        alarm: String,
    },
    /// Who is on call.
    OnCall {
        /// Name of a schedule; every one without it.
        schedule: Option<String>,
        /// Local time of the schedule; now without it.
        at: Option<String>,
        /// For how many days handovers are told.
        days: u16,
    },
    /// Alarm figures of a period.
    Report {
        /// Its begin, as `andon report --from` takes it; thirty days before the end.
        from: Option<String>,
        /// Its end; now.
        to: Option<String>,
        /// Only of this operator group.
        group: Option<String>,
    },
    /// Plugin instances.
    Plugins,
    /// Go back to the last good version of a component.
    Rollback {
        /// File name or stem of the component.
        component: String,
    },
    /// Let a component run beside an instance, compared and not heard.
    Shadow {
        /// Name of the instance.
        instance: String,
        /// The component: a path that the host can read.
        component: String,
        /// For how long, milliseconds; without it until somebody decides.
        for_ms: Option<u64>,
        /// What becomes of it then.
        end: ShadowEnd,
    },
    /// Put the shadow of an instance in its place.
    Promote {
        /// Name of the instance.
        instance: String,
    },
    /// End the shadow of an instance.
    Refuse {
        /// Name of the instance.
        instance: String,
    },
    /// Read the settings again now.
    Reload,
    /// Make, list or revoke tokens of the API.
    Token(TokenCommand),
    /// Record samples into a file.
    Record {
        /// The file, a path from the root; it must not exist.
        file: String,
        /// For how long, milliseconds.
        millis: u64,
        /// Most rows.
        rows: u64,
    },
    /// How the recording that was asked for last goes.
    Recording {
        /// End it.
        stop: bool,
    },
}

/// What is asked about tokens of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "kebab-case")]
pub enum TokenCommand {
    /// Make one; the answer is the only copy of it.
    New {
        /// Its name.
        name: String,
        /// What may be done with it.
        role: Role,
        /// For how long it counts, milliseconds; without it until it is revoked.
        for_ms: Option<u64>,
        /// Who makes it.
        by: String,
    },
    /// Those that there are, without their secrets.
    List,
    /// Revoke one.
    Revoke {
        /// Its name.
        name: String,
        /// Who revokes it.
        by: String,
    },
}

/// Something that a person wants of an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Short code, occurrence number, or `INSTANCE/KEY`.
    pub alarm: String,
    /// What.
    pub wish: AlarmWish,
    /// Who.
    pub by: String,
    /// By what: `command line`, `api`.
    pub how: String,
}

/// What a person wants of an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "kebab-case")]
pub enum AlarmWish {
    /// To confirm that it is known.
    Acknowledge,
    /// To work on it.
    Take,
    /// That the next are told now.
    Escalate,
}

/// Why a command was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{says}")]
pub struct Refusal {
    /// What happened and what to do.
    pub says: String,
    /// Whose fault it is.
    #[serde(default)]
    pub blame: Blame,
}

/// Whose fault a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// It does not go with how things are now.
    #[default]
    State,
    /// What was asked makes no sense.
    Question,
    /// It names something that there is not.
    Name,
    /// The host cannot do it now: it is stopping, or its disk fails.
    Host,
}

impl Refusal {
    /// A refusal with its sentence: it does not go with how things are now.
    #[must_use]
    pub fn new(says: impl Into<String>) -> Self {
        Self {
            says: says.into(),
            blame: Blame::State,
        }
    }

    /// What was asked makes no sense.
    #[must_use]
    pub fn bad(says: impl Into<String>) -> Self {
        Self {
            blame: Blame::Question,
            ..Self::new(says)
        }
    }

    /// It names something that there is not.
    #[must_use]
    pub fn unknown(says: impl Into<String>) -> Self {
        Self {
            blame: Blame::Name,
            ..Self::new(says)
        }
    }

    /// The host cannot do it now.
    #[must_use]
    pub fn unable(says: impl Into<String>) -> Self {
        Self {
            blame: Blame::Host,
            ..Self::new(says)
        }
    }
}

/// Why the host could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens.
    #[error("no host answers at {path}: start `andon run`, or name its data folder with --data")]
    NotRunning {
        /// The socket.
        path: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The connection broke.
    #[error("the host at {path} did not answer: {says}")]
    Broken {
        /// The socket.
        path: String,
        /// What happened.
        says: String,
    },
    /// The host said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Serves commands at the socket until `stop`; replaces what an earlier run left there.
///
/// # Errors
/// The socket cannot be made.
pub async fn serve_control(
    path: &Path,
    host: Arc<dyn Host>,
    stop: CancellationToken,
) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let router = Router::new()
        .route("/control", post(serve))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(host);
    axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

async fn serve(State(host): State<Arc<dyn Host>>, Json(command): Json<Command>) -> Response {
    match host.command(command).await {
        Ok(value) => Json(value).into_response(),
        Err(refusal) => (StatusCode::CONFLICT, Json(refusal)).into_response(),
    }
}

/// Asks a running host.
///
/// # Errors
/// Nobody listens, the connection broke, or the host refused.
pub async fn ask(path: &Path, command: &Command) -> Result<Value, ControlError> {
    let shown = path.display().to_string();
    let broken = |says: String| ControlError::Broken {
        path: shown.clone(),
        says,
    };
    let stream = UnixStream::connect(path)
        .await
        .map_err(|source| ControlError::NotRunning {
            path: shown.clone(),
            source,
        })?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(error.to_string()))?;
    let body = serde_json::to_vec(command).map_err(|error| broken(error.to_string()))?;
    let request = hyper::Request::post("/control")
        .header("host", "andon")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| broken(error.to_string()))?;
    let exchange = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| chain(&error))?;
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|error| chain(&error))?
            .to_bytes();
        Ok::<_, String>((status, body))
    };
    let (status, body) = tokio::select! {
        answer = exchange => answer.map_err(broken)?,
        ended = connection => return Err(broken(ended.err().map_or_else(|| "it closed the connection".into(), |error| chain(&error)))),
    };
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| broken(error.to_string()));
    }
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) => Err(refusal.into()),
        Err(_) => Err(broken(format!(
            "{status}: {}",
            String::from_utf8_lossy(&body)
        ))),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a String cannot fail.
        write!(text, ": {error}").unwrap_or_default();
        cause = error.source();
    }
    text
}
