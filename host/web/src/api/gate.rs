//! Who comes through: the rate of the address, who asks, the role, the rate of the caller; and a
//! line of the journal for whatever was to be changed.

use std::net::IpAddr;
use std::sync::Arc;

use andon_model::{JournalEntry, JournalKind, Reason, Why};
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::problem::Problem;
use super::routes::{Need, Route};
use super::{ANSWER_TIME, CHANGE_TIME, Shared, Told};
#[cfg(test)]
use crate::Role;
use crate::access::{Caller, Denied};

/// Most characters of a request that a line of the journal repeats.
const SAID_CHARS_MAX: usize = 500;

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The other side.
    pub(crate) address: IpAddr,
    /// The door is on a loopback address, so the other side is this machine.
    pub(crate) loopback: bool,
}

impl Peer {
    fn of(request: &Request) -> Self {
        request.extensions().get().copied().unwrap_or(Self {
            address: IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
            loopback: false,
        })
    }
}

/// What the gate of one route knows.
#[derive(Clone)]
pub(crate) struct Pass {
    pub(crate) route: &'static Route,
    pub(crate) shared: Shared,
}

/// What every request goes through, whether there is such a route or not.
pub(crate) async fn front(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // Whoever watches over the process must never find it unwell because others ask too often.
    let watched = matches!(path, "/healthz" | "/readyz");
    let api = path.starts_with("/api/");
    let time = match *request.method() {
        Method::GET | Method::HEAD => ANSWER_TIME,
        _ => CHANGE_TIME,
    };
    let admitted = match watched {
        true => Ok(()),
        false => shared.access.admit_address(Peer::of(&request).address),
    };
    let mut response = match admitted {
        Ok(()) => match tokio::time::timeout(time, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::unavailable(
                "the answer took too long; what was to be read can be asked again, for less at a time, and what was to be changed goes on: the journal tells what comes of it",
            )
            .into_response(),
        },
        Err(wait) => Problem::too_often(
            wait,
            "this address asks too often: wait, or raise `requests_per_minute_address` of [api]",
        )
        .into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if api && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Lets through who may use the route.
pub(crate) async fn gate(State(pass): State<Pass>, mut request: Request, next: Next) -> Response {
    let Pass { route, shared } = &pass;
    if route.need == Need::Nothing {
        return next.run(request).await;
    }
    let peer = Peer::of(&request);
    let shown = request.headers().get(header::AUTHORIZATION).cloned();
    let caller = match identify(shared, shown, peer).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let Some(caller) = caller else {
        let local = peer.loopback && is_for_this_machine(request.headers());
        return match may_unknown(route.need, local, shared.access.metrics_are_open()) {
            true => next.run(request).await,
            false => Problem::unauthorized(
                "show a token (`Authorization: Bearer …`, made by `andon token new`) or a user's name and password",
            )
            .into_response(),
        };
    };
    if let Err(wait) = shared.access.admit_caller(&caller) {
        let says = format!(
            "{} asks too often: wait, or raise `requests_per_minute_caller` of [api]",
            caller.name
        );
        return Problem::too_often(wait, says).into_response();
    }
    let trace = Trace {
        method: request.method().to_string(),
        path: bounded(request.uri().path()),
        from: peer.address,
    };
    let refused = refusal(route, &caller, request.headers());
    request.extensions_mut().insert(caller.clone());
    if !route.verb.changes() {
        return match refused {
            Some(problem) => problem.into_response(),
            None => next.run(request).await,
        };
    }
    let Ok(turn) = Arc::clone(&shared.changing).acquire_owned().await else {
        return Problem::unavailable("the host is stopping").into_response();
    };
    // What is begun is ended and journalled, also when whoever asked hangs up meanwhile.
    let tracker = shared.tracker.clone();
    let work = async move {
        let response = match refused {
            Some(problem) => problem.into_response(),
            None => next.run(request).await,
        };
        let told = response.extensions().get::<Told>().cloned();
        let told = told.unwrap_or_default();
        audit(&pass, &caller, &trace, response.status(), &told).await;
        drop(turn);
        response
    };
    tracker.spawn(work).await.unwrap_or_else(|_| {
        Problem::unavailable("it broke off; the log of the host says where").into_response()
    })
}

fn refusal(route: &Route, caller: &Caller, headers: &HeaderMap) -> Option<Problem> {
    if let Need::Role(role) = route.need
        && caller.role < role
    {
        return Some(Problem::forbidden(format!(
            "{} is {}, and this needs {}",
            caller.name,
            caller.role.word(),
            role.word()
        )));
    }
    (route.verb.changes() && is_from_another_site(headers)).then(|| {
        Problem::forbidden("a page of another site asked for this, and no page may change anything here but the host's own")
    })
}

/// Whether somebody of whom nothing is known may use a route.
pub(crate) const fn may_unknown(need: Need, local: bool, metrics_are_open: bool) -> bool {
    match need {
        Need::Nothing => true,
        Need::Here => local,
        Need::Metrics => local || metrics_are_open,
        Need::Role(_) => false,
    }
}

/// Whether a caller of this role may use a route.
#[cfg(test)]
pub(crate) fn may(need: Need, role: Role) -> bool {
    match need {
        Need::Nothing | Need::Here | Need::Metrics => true,
        Need::Role(least) => role >= least,
    }
}

async fn identify(
    shared: &Shared,
    shown: Option<HeaderValue>,
    peer: Peer,
) -> Result<Option<Caller>, Problem> {
    let Some(shown) = shown else {
        return Ok(None);
    };
    match shared.access.who(shown.as_bytes(), peer.address).await {
        Ok(caller) => Ok(Some(caller)),
        Err(Denied::Unreadable) => Err(Problem::unauthorized(
            "`Authorization` is neither `Bearer TOKEN` nor `Basic` with a name and a password",
        )),
        Err(Denied::Locked(wait)) => Err(Problem::too_often(
            wait,
            "too many wrong passwords came from this address: wait",
        )),
        Err(Denied::Busy) => Err(Problem::unavailable(
            "too many passwords are being checked: ask again",
        )),
        Err(Denied::Wrong {
            name,
            telling,
            locked,
        }) => {
            if telling {
                let (tracker, shared) = (shared.tracker.clone(), shared.clone());
                let telling = async move { wrong_try(&shared, &name, peer.address, locked).await };
                // Whoever hangs up at once is journalled all the same.
                if tracker.spawn(telling).await.is_err() {
                    tracing::error!("a wrong try could not be journalled");
                }
            }
            Err(Problem::unauthorized(
                "the name and password, or the token, are not right",
            ))
        }
    }
}

async fn wrong_try(shared: &Shared, name: &str, from: IpAddr, locked: bool) {
    let (event, more) = match locked {
        false => ("access refused", ""),
        true => (
            "access locked",
            "; the address must wait before it may try a password again",
        ),
    };
    let why = Why::new(
        Reason::AccessRefused,
        format!("{from} showed {name}, and it was not right{more}"),
    );
    let data = json!({ "from": from });
    note(shared, line(shared, None, "api", event, why, data)).await;
}

/// What the journal says of a request that was to change something.
struct Trace {
    method: String,
    path: String,
    from: IpAddr,
}

async fn audit(pass: &Pass, caller: &Caller, trace: &Trace, status: StatusCode, told: &Told) {
    let done = if status.is_success() {
        "done"
    } else {
        "refused"
    };
    let reason = match status {
        StatusCode::FORBIDDEN => Reason::NotPermitted,
        _ => Reason::OperatorAsked,
    };
    let says = bounded(&told.says);
    let colon = if told.says.is_empty() { "" } else { ": " };
    let why = Why::new(
        reason,
        format!(
            "{} {} asked for it from {}; {done}{colon}{}",
            caller.kind(),
            caller.name,
            trace.from,
            says
        ),
    );
    let data = json!({
        "by": caller.name,
        "kind": caller.kind(),
        "role": caller.role,
        "from": trace.from,
        "method": trace.method,
        "path": trace.path,
        "status": status.as_u16(),
    });
    let entry = line(
        &pass.shared,
        told.occurrence,
        &caller.name,
        pass.route.does,
        why,
        data,
    );
    note(&pass.shared, entry).await;
}

/// What goes into a line of the journal of what somebody wrote: at most [`SAID_CHARS_MAX`]
/// characters.
fn bounded(text: &str) -> String {
    text.chars().take(SAID_CHARS_MAX).collect()
}

fn line(
    shared: &Shared,
    occurrence: Option<u64>,
    subject: &str,
    event: &str,
    why: Why,
    data: serde_json::Value,
) -> JournalEntry {
    JournalEntry {
        at: shared.access.now(),
        kind: JournalKind::Operator,
        occurrence: occurrence.map(andon_model::OccurrenceId),
        subject: subject.to_owned(),
        event: event.to_owned(),
        why,
        data,
    }
}

async fn note(shared: &Shared, entry: JournalEntry) {
    tracing::info!(subject = entry.subject, event = entry.event, why = %entry.why, "api");
    if let Err(refusal) = shared.host.note(entry).await {
        tracing::error!(%refusal, "what was asked of the API is not in the journal");
    }
}

/// Whether the request was made for this machine by name or number, and came without a proxy: a
/// page of the internet whose name was pointed here, or somebody behind a proxy, is not local.
fn is_for_this_machine(headers: &HeaderMap) -> bool {
    let proxied = ["forwarded", "x-forwarded-for", "x-real-ip"]
        .iter()
        .any(|name| headers.contains_key(HeaderName::from_static(name)));
    let Some(host) = text(headers, header::HOST).and_then(|host| host.parse::<Authority>().ok())
    else {
        return false;
    };
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    !proxied
        && (name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

/// Whether a browser says that another site's page made the request.
fn is_from_another_site(headers: &HeaderMap) -> bool {
    let site = text(headers, HeaderName::from_static("sec-fetch-site"));
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return true;
    }
    let Some(origin) = text(headers, header::ORIGIN) else {
        return headers.contains_key(header::ORIGIN);
    };
    let place = origin.split_once("://").map_or("", |(_, place)| place);
    !text(headers, header::HOST).is_some_and(|host| host.eq_ignore_ascii_case(place))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn only_this_machine_by_its_own_name_is_here() {
        for host in ["localhost:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST"] {
            assert!(is_for_this_machine(&headers(&[("host", host)])), "{host}");
        }
        for host in [
            "evil.example:8080",
            "10.0.0.1",
            "",
            "127.0.0.1.evil.example",
            "a b",
        ] {
            assert!(!is_for_this_machine(&headers(&[("host", host)])), "{host}");
        }
        let proxied = headers(&[("host", "localhost"), ("x-forwarded-for", "203.0.113.7")]);
        assert!(!is_for_this_machine(&proxied));
    }

    #[test]
    fn pages_of_other_sites_are_known_by_what_browsers_say() {
        let host = ("host", "plant:8443");
        for other in [
            headers(&[host, ("origin", "https://evil.example")]),
            headers(&[host, ("origin", "null")]),
            headers(&[host, ("origin", "https://plant:9999")]),
            headers(&[host, ("sec-fetch-site", "cross-site")]),
            headers(&[host, ("sec-fetch-site", "same-site")]),
        ] {
            assert!(is_from_another_site(&other), "{other:?}");
        }
        for own in [
            headers(&[host]),
            headers(&[
                host,
                ("origin", "https://plant:8443"),
                ("sec-fetch-site", "same-origin"),
            ]),
            headers(&[host, ("sec-fetch-site", "none")]),
        ] {
            assert!(!is_from_another_site(&own), "{own:?}");
        }
    }
}
