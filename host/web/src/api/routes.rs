//! The one table of what the public doors serve and who may use it. A route that is not here does
//! not exist; the description of the API takes its roles from here.

use axum::routing::{MethodRouter, delete, get, post};

use super::{Shared, alarms, events, history, host, life, openapi};
use crate::Role;
use crate::public;

/// What there is at a path, and for whom.
pub(crate) struct Route {
    /// The method.
    pub(crate) verb: Verb,
    /// The path, with its parts in braces.
    pub(crate) path: &'static str,
    /// Who may.
    pub(crate) need: Need,
    /// What is done, for the journal.
    pub(crate) does: &'static str,
    /// What answers.
    pub(crate) serve: fn() -> MethodRouter<Shared>,
}

/// A method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Delete,
}

impl Verb {
    /// As the description of the API writes it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Delete => "delete",
        }
    }

    /// Whether it changes anything.
    pub(crate) const fn changes(self) -> bool {
        !matches!(self, Self::Get)
    }
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Everybody: whoever watches over the process knows no password.
    Nothing,
    /// Everybody on this machine, and a viewer from elsewhere.
    Here,
    /// As [`Need::Here`], or everybody where the settings open the metrics.
    Metrics,
    /// Whoever has this role.
    Role(Role),
}

use Need::{Here, Metrics, Nothing};
use Role::{Admin, Engineer, Operator, Viewer};
use Verb::{Delete, Get, Post};

const fn route(
    verb: Verb,
    path: &'static str,
    need: Need,
    does: &'static str,
    serve: fn() -> MethodRouter<Shared>,
) -> Route {
    Route {
        verb,
        path,
        need,
        does,
        serve,
    }
}

const fn role(
    verb: Verb,
    path: &'static str,
    role: Role,
    does: &'static str,
    serve: fn() -> MethodRouter<Shared>,
) -> Route {
    route(verb, path, Need::Role(role), does, serve)
}

/// All routes.
pub(crate) const ROUTES: &[Route] = &[
    route(Get, "/", Here, "page", || get(public::page)),
    route(Get, "/healthz", Nothing, "health", || get(public::health)),
    route(Get, "/readyz", Nothing, "readiness", || {
        get(public::readiness)
    }),
    route(Get, "/metrics", Metrics, "metrics", || get(public::metrics)),
    route(Get, "/api/v1/openapi.json", Here, "describe", || {
        get(openapi::describe)
    }),
    role(Get, "/api/v1/whoami", Viewer, "whoami", || {
        get(host::whoami)
    }),
    role(Get, "/api/v1/status", Viewer, "status", || {
        get(host::status)
    }),
    role(Get, "/api/v1/alarms", Viewer, "list alarms", || {
        get(alarms::list)
    }),
    role(Get, "/api/v1/alarms/{alarm}", Viewer, "show alarm", || {
        get(alarms::show)
    }),
    role(
        Get,
        "/api/v1/alarms/{alarm}/explain",
        Viewer,
        "explain",
        || get(alarms::explain),
    ),
    role(
        Post,
        "/api/v1/alarms/{alarm}/acknowledge",
        Operator,
        "acknowledge",
        || post(alarms::acknowledge),
    ),
    role(
        Post,
        "/api/v1/alarms/{alarm}/take",
        Operator,
        "take",
        || post(alarms::take),
    ),
    role(
        Post,
        "/api/v1/alarms/{alarm}/escalate",
        Operator,
        "escalate",
        || post(alarms::escalate),
    ),
    role(
        Post,
        "/api/v1/alarms/{alarm}/shelve",
        Operator,
        "shelve",
        || post(life::shelve),
    ),
    role(
        Post,
        "/api/v1/alarms/{alarm}/unshelve",
        Operator,
        "unshelve",
        || post(life::unshelve),
    ),
    role(
        Post,
        "/api/v1/alarms/{alarm}/reset",
        Operator,
        "reset",
        || post(life::reset),
    ),
    role(
        Post,
        "/api/v1/alarms/{alarm}/service-out",
        Engineer,
        "take out of service",
        || post(life::service_out),
    ),
    role(
        Post,
        "/api/v1/alarms/{alarm}/service-back",
        Engineer,
        "bring back into service",
        || post(life::service_back),
    ),
    role(Get, "/api/v1/journal", Viewer, "read journal", || {
        get(history::journal)
    }),
    role(Get, "/api/v1/deliveries", Viewer, "list deliveries", || {
        get(history::deliveries)
    }),
    role(
        Get,
        "/api/v1/deliveries/{id}",
        Viewer,
        "show delivery",
        || get(history::delivery),
    ),
    role(Get, "/api/v1/events", Viewer, "follow events", || {
        get(events::follow)
    }),
    role(Get, "/api/v1/contacts", Viewer, "list contacts", || {
        get(host::contacts)
    }),
    role(Get, "/api/v1/oncall", Viewer, "show who is on call", || {
        get(host::on_call)
    }),
    role(
        Post,
        "/api/v1/contacts/{contact}/test",
        Engineer,
        "send test",
        || post(host::send_test),
    ),
    role(Get, "/api/v1/tags", Viewer, "list tags", || get(host::tags)),
    role(Post, "/api/v1/tags/inject", Engineer, "inject", || {
        post(host::inject)
    }),
    role(Get, "/api/v1/plugins", Viewer, "list plugins", || {
        get(host::plugins)
    }),
    role(
        Post,
        "/api/v1/plugins/{component}/rollback",
        Engineer,
        "roll back",
        || post(host::roll_back),
    ),
    role(
        Post,
        "/api/v1/plugins/{instance}/promote",
        Engineer,
        "promote shadow",
        || post(host::promote),
    ),
    role(
        Post,
        "/api/v1/plugins/{instance}/refuse",
        Engineer,
        "refuse shadow",
        || post(host::refuse),
    ),
    role(Post, "/api/v1/reload", Engineer, "reload", || {
        post(host::reload)
    }),
    role(Get, "/api/v1/tokens", Admin, "list tokens", || {
        get(host::tokens)
    }),
    role(
        Delete,
        "/api/v1/tokens/{token}",
        Admin,
        "revoke token",
        || delete(host::revoke),
    ),
];
