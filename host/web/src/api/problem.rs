//! What the API answers when it does not do what was asked: a status, a stable code, a sentence.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::Told;
use crate::{Blame, Refusal};

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Stable code.
    #[schema(example = "not-found")]
    pub(crate) code: &'static str,
    /// What happened and what to do.
    pub(crate) says: String,
    #[serde(skip)]
    status: StatusCode,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, says: impl Into<String>) -> Self {
        Self {
            code,
            says: says.into(),
            status,
            retry_after: None,
        }
    }

    pub(crate) fn bad(says: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", says)
    }

    pub(crate) fn unknown(says: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", says)
    }

    /// Nobody is known to have asked.
    pub(crate) fn unauthorized(says: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", says)
    }

    pub(crate) fn forbidden(says: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", says)
    }

    pub(crate) fn too_often(wait: Duration, says: impl Into<String>) -> Self {
        Self {
            retry_after: Some(wait),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", says)
        }
    }

    pub(crate) fn unavailable(says: impl Into<String>) -> Self {
        Self {
            retry_after: Some(Duration::from_secs(5)),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", says)
        }
    }

    pub(crate) fn method(says: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", says)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal.blame {
            Blame::State => Self::new(StatusCode::CONFLICT, "conflict", refusal.says),
            Blame::Question => Self::bad(refusal.says),
            Blame::Name => Self::unknown(refusal.says),
            Blame::Host => Self::unavailable(refusal.says),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad(rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::bad(rejection.body_text())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let (status, says) = (rejection.status(), rejection.body_text());
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(status, "too-large", says),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::new(status, "not-json", says),
            _ => Self::bad(says),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.status, self.retry_after);
        let told = Told {
            occurrence: None,
            says: self.says.clone(),
        };
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = retry_after {
            // Rounded up: whoever comes back then is let in.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if status == StatusCode::UNAUTHORIZED {
            let ways = [
                "Basic realm=\"Andon\", charset=\"UTF-8\"",
                "Bearer realm=\"Andon\"",
            ];
            for way in ways {
                headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(way));
            }
        }
        response.extensions_mut().insert(told);
        response
    }
}

/// Parameters of the query; one that is not known is refused.
pub(crate) struct Ask<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Ask<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(query) = Query::from_request_parts(parts, state).await?;
        Ok(Self(query))
    }
}

/// A part of the path.
pub(crate) struct Named(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(name) = Path::from_request_parts(parts, state).await?;
        Ok(Self(name))
    }
}

/// The body, JSON.
pub(crate) struct Given<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Given<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}
