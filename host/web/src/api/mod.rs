//! The API: REST below `/api/v1`, its description, and the stream of events; and the page, health
//! and metrics beside it.
//!
//! `routes` is the one table of what there is and who may use it; `gate` lets in by it, counts and
//! journals; the other modules answer. Bodies are read up to [`BODY_BYTES_MAX`], and an answer
//! that is not there after [`ANSWER_TIME`] is given up.

mod alarms;
mod duty;
mod events;
mod gate;
mod history;
mod host;
mod life;
mod machine;
mod openapi;
mod problem;
mod routes;
mod shapes;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::books::Books;
use events::Streams;
pub(crate) use gate::Peer;
use problem::Problem;
use routes::ROUTES;

/// Largest body of a request, bytes.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Longest time until an answer begins.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// The same for a change: a plugin may have to be compiled for it.
const CHANGE_TIME: Duration = Duration::from_secs(120);
/// Changes that are made at once; more wait for their turn.
const CHANGES_MAX: usize = 32;

/// What every handler may reach.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) host: Arc<dyn Books>,
    pub(crate) access: Arc<Access>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) stop: CancellationToken,
    /// Changes that are under way, also of callers who hung up.
    pub(crate) tracker: TaskTracker,
    /// Turns of changes.
    pub(crate) changing: Arc<Semaphore>,
}

/// What an answer adds to the line of the journal about its request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// The occurrence that was changed.
    pub(crate) occurrence: Option<u64>,
    /// What came of it.
    pub(crate) says: String,
}

/// Everything that the public doors serve.
pub(crate) fn router(
    host: Arc<dyn Books>,
    access: Arc<Access>,
    stop: CancellationToken,
    tracker: TaskTracker,
) -> Router {
    let shared = Shared {
        host,
        access,
        streams: Arc::default(),
        stop,
        tracker,
        changing: Arc::new(Semaphore::new(CHANGES_MAX)),
    };
    let mut router = Router::new();
    for route in ROUTES {
        let pass = gate::Pass {
            route,
            shared: shared.clone(),
        };
        let guarded = (route.serve)().route_layer(middleware::from_fn_with_state(pass, gate::gate));
        router = router.route(route.path, guarded);
    }
    router
        .fallback(|| async {
            Problem::unknown("there is nothing here; /api/v1/openapi.json lists what there is")
        })
        .method_not_allowed_fallback(|| async {
            Problem::method("this cannot be done here; /api/v1/openapi.json lists what can")
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(shared.clone(), gate::front))
        .with_state(shared)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::kit::fake_host;
