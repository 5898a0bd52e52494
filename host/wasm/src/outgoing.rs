//! Outgoing HTTP of sink components: `wasi:http` on the guest's side, the host's client behind it.
//!
//! Nothing is sent here. A request is collected, within a bound, and handed to the client that the
//! guest was made with; which hosts it may reach, and with which secrets, is decided there. A guest
//! without a client (a rule, a function, a component that only describes itself) has no HTTP at all:
//! its imports are refused, and what would come through all the same is denied.

use std::sync::Arc;
use std::time::Duration;

use andon_model::{HttpClient, HttpError, HttpRequest, HttpResponse};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::limits::REQUEST_BYTES_MAX;

/// The way of one guest to the network; none for guests that are no sinks.
#[derive(Default)]
pub(crate) struct Outgoing(Option<Arc<dyn HttpClient>>);

impl Outgoing {
    /// By this client.
    pub(crate) fn by(client: Arc<dyn HttpClient>) -> Self {
        Self(Some(client))
    }
}

/// What goes on after the head of an answer was read: nothing, since answers are read whole.
type Rest = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(http::Response<WasiBody>, Rest), Error>;

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _errors: Rest,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let client = self.0.clone();
        Box::new(async move {
            let client = client.ok_or(Error::HttpRequestDenied)?;
            let request = whole(request, options).await?;
            let answer = client.send(request).await.map_err(told)?;
            Ok((response(answer)?, Box::new(async { Ok(()) }) as Rest))
        })
    }
}

/// Collects a request.
async fn whole(
    request: http::Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<HttpRequest, Error> {
    let (parts, mut body) = request.into_parts();
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if collected.len() + data.len() > REQUEST_BYTES_MAX {
            let most = u64::try_from(REQUEST_BYTES_MAX).ok();
            return Err(Error::HttpRequestBodySize(most));
        }
        collected.extend_from_slice(&data);
    }
    let headers = parts.headers.iter();
    Ok(HttpRequest {
        method: parts.method.to_string(),
        url: parts.uri.to_string(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: collected.to_vec(),
        time_max: options.and_then(shortest),
    })
}

/// Answers come whole, so the bound on the first byte is that on the answer.
fn shortest(options: RequestOptions) -> Option<Duration> {
    options.first_byte_timeout
}

fn response(answer: HttpResponse) -> Result<http::Response<WasiBody>, Error> {
    let mut response = http::Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let body = Full::new(Bytes::from(answer.body));
    response
        .body(body.map_err(|never| match never {}).boxed_unsync())
        .map_err(|_unreadable| Error::HttpProtocolError)
}

/// A client's failure in the words of `wasi:http`. SDKs read from them whether the request left.
fn told(error: HttpError) -> Error {
    match error {
        HttpError::Denied(_) => Error::HttpRequestDenied,
        HttpError::NotSent(_) => Error::ConnectionRefused,
        HttpError::Lost(_) => Error::ConnectionTerminated,
        HttpError::TooLarge(most) => Error::HttpResponseBodySize(Some(most)),
    }
}
