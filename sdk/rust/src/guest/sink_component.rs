//! The component's side of a sink: bindings of the export `sink`, and [`Web`] over `wasi:http`.
//! Built for WebAssembly only.

use std::cell::RefCell;

use super::SinkInstance;
use super::component::{WitFailure, plugin_world, report_panics};
use crate::{
    Failure, HttpError, LogLevel, Notification, Occasion, Priority, Receipt, Request, Response,
    Setback, Sink, Timestamp, Undelivered, Web,
};

use http_world::wasi::http::outgoing_handler;
use http_world::wasi::http::types as http;
use http_world::wasi::io::streams::StreamError;
use plugin_world::andon::plugin::{log, types};
use sink_world::exports::andon::plugin::sink;

#[allow(
    missing_docs,
    reason = "generated; the contract's own file documents it"
)]
#[allow(unreachable_pub, unused_qualifications, reason = "generated")]
#[allow(clippy::all, reason = "generated")]
/// Bindings of the export `sink`.
pub mod sink_world {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package andon:sdk-sink;
            world sink-part {
                export andon:plugin/sink@0.1.0;
            }
        ",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_sink_part",
        with: {
            "andon:plugin/types@0.1.0": crate::guest::component::plugin_world::andon::plugin::types,
        },
    });
}

#[allow(missing_docs, reason = "generated; WASI documents it")]
#[allow(
    unreachable_pub,
    unused_qualifications,
    dead_code,
    reason = "generated"
)]
#[allow(clippy::all, reason = "generated")]
/// Bindings of that part of WASI 0.2 that one request needs. The names and types are those of the
/// standard's packages; what a request does not need is left out, and so is asked of no host. Their
/// version is none that Rust's standard library brings along, because two texts of one version must
/// be equal; the linker takes compatible versions together.
mod http_world {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package andon:sdk-http;

            world http-part {
                import wasi:http/outgoing-handler@0.2.1;
            }

            package wasi:io@0.2.1 {
                interface error {
                    resource error;
                }
                interface poll {
                    resource pollable {
                        block: func();
                    }
                }
                interface streams {
                    use error.{error};
                    variant stream-error {
                        last-operation-failed(error),
                        closed,
                    }
                    resource input-stream {
                        blocking-read: func(len: u64) -> result<list<u8>, stream-error>;
                    }
                    resource output-stream {
                        blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
                    }
                }
            }

            package wasi:http@0.2.1 {
                interface types {
                    use wasi:io/streams@0.2.1.{input-stream, output-stream};
                    use wasi:io/poll@0.2.1.{pollable};

                    variant method {
                        get, head, post, put, delete, connect, options, trace, patch, other(string),
                    }
                    variant scheme { HTTP, HTTPS, other(string) }
                    record DNS-error-payload { rcode: option<string>, info-code: option<u16> }
                    record TLS-alert-received-payload {
                        alert-id: option<u8>, alert-message: option<string>,
                    }
                    record field-size-payload {
                        field-name: option<string>, field-size: option<u32>,
                    }
                    variant error-code {
                        DNS-timeout,
                        DNS-error(DNS-error-payload),
                        destination-not-found,
                        destination-unavailable,
                        destination-IP-prohibited,
                        destination-IP-unroutable,
                        connection-refused,
                        connection-terminated,
                        connection-timeout,
                        connection-read-timeout,
                        connection-write-timeout,
                        connection-limit-reached,
                        TLS-protocol-error,
                        TLS-certificate-error,
                        TLS-alert-received(TLS-alert-received-payload),
                        HTTP-request-denied,
                        HTTP-request-length-required,
                        HTTP-request-body-size(option<u64>),
                        HTTP-request-method-invalid,
                        HTTP-request-URI-invalid,
                        HTTP-request-URI-too-long,
                        HTTP-request-header-section-size(option<u32>),
                        HTTP-request-header-size(option<field-size-payload>),
                        HTTP-request-trailer-section-size(option<u32>),
                        HTTP-request-trailer-size(field-size-payload),
                        HTTP-response-incomplete,
                        HTTP-response-header-section-size(option<u32>),
                        HTTP-response-header-size(field-size-payload),
                        HTTP-response-body-size(option<u64>),
                        HTTP-response-trailer-section-size(option<u32>),
                        HTTP-response-trailer-size(field-size-payload),
                        HTTP-response-transfer-coding(option<string>),
                        HTTP-response-content-coding(option<string>),
                        HTTP-response-timeout,
                        HTTP-upgrade-failed,
                        HTTP-protocol-error,
                        loop-detected,
                        configuration-error,
                        internal-error(option<string>),
                    }
                    variant header-error { invalid-syntax, forbidden, immutable }
                    type field-key = string;
                    type field-value = list<u8>;
                    resource fields {
                        from-list: static func(entries: list<tuple<field-key, field-value>>)
                            -> result<fields, header-error>;
                        entries: func() -> list<tuple<field-key, field-value>>;
                    }
                    type headers = fields;
                    type trailers = fields;
                    resource outgoing-request {
                        constructor(headers: headers);
                        body: func() -> result<outgoing-body>;
                        set-method: func(method: method) -> result;
                        set-path-with-query: func(path-with-query: option<string>) -> result;
                        set-scheme: func(scheme: option<scheme>) -> result;
                        set-authority: func(authority: option<string>) -> result;
                    }
                    resource request-options;
                    type status-code = u16;
                    resource incoming-response {
                        status: func() -> status-code;
                        headers: func() -> headers;
                        consume: func() -> result<incoming-body>;
                    }
                    resource incoming-body {
                        %stream: func() -> result<input-stream>;
                    }
                    resource outgoing-body {
                        write: func() -> result<output-stream>;
                        finish: static func(this: outgoing-body, trailers: option<trailers>)
                            -> result<_, error-code>;
                    }
                    resource future-incoming-response {
                        subscribe: func() -> pollable;
                        get: func() -> option<result<result<incoming-response, error-code>>>;
                    }
                }
                interface outgoing-handler {
                    use types.{
                        outgoing-request, request-options, future-incoming-response, error-code,
                    };
                    handle: func(request: outgoing-request, options: option<request-options>)
                        -> result<future-incoming-response, error-code>;
                }
            }
        ",
        generate_all,
    });
}

/// Bytes that one write may have.
const WRITE_BYTES_MAX: usize = 4096;

/// Bytes that are asked for in one read.
const READ_BYTES: u64 = 64 << 10;

/// A failure to deliver, as the bindings carry it.
pub type WitUndelivered = sink::Failure;
/// A message as the bindings carry it.
pub type WitNotification = sink::Notification;
/// A receipt as the bindings carry it.
pub type WitReceipt = sink::Receipt;

/// The place of the configured sink. A component runs one call at a time.
pub struct SinkSlot<S>(RefCell<Option<SinkInstance<S>>>);

impl<S> SinkSlot<S> {
    /// A place with nothing in it.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }
}

impl<S: Sink> SinkSlot<S> {
    /// Answers `configure`.
    ///
    /// # Errors
    /// The sink declines.
    pub fn configure(&self, json: &str) -> Result<(), WitFailure> {
        report_panics();
        let instance = SinkInstance::start(json).map_err(WitFailure::from)?;
        *self.0.borrow_mut() = Some(instance);
        Ok(())
    }

    /// Answers `deliver`.
    ///
    /// # Errors
    /// It was not delivered.
    pub fn deliver(
        &self,
        now: i64,
        notification: WitNotification,
    ) -> Result<WitReceipt, WitUndelivered> {
        let mut place = self.0.borrow_mut();
        let answer = match place.as_mut() {
            Some(instance) => instance.deliver(&read(now, notification), &Imports),
            None => {
                let never =
                    Failure::new("not-configured", "it was called before it was configured");
                Err(Undelivered::new(Setback::Account, never.to_string()))
            }
        };
        match answer {
            Ok(Receipt { id }) => Ok(WitReceipt {
                id,
                attributes: Vec::new(),
            }),
            Err(undelivered) => Err(WitUndelivered {
                setback: setback(undelivered.setback),
                message: undelivered.message,
                attributes: Vec::new(),
            }),
        }
    }
}

fn read(now: i64, given: WitNotification) -> Notification {
    Notification {
        id: given.id,
        address: given.address,
        text: given.text,
        occasion: match given.occasion {
            sink::Occasion::Alert => Occasion::Alert,
            sink::Occasion::Resolved => Occasion::Resolved,
            sink::Occasion::Answer => Occasion::Answer,
            sink::Occasion::Test => Occasion::Test,
        },
        priority: match given.priority {
            types::Priority::Diagnostic => Priority::Diagnostic,
            types::Priority::Low => Priority::Low,
            types::Priority::Medium => Priority::Medium,
            types::Priority::High => Priority::High,
            types::Priority::Critical => Priority::Critical,
        },
        attempt: given.attempt,
        now: Timestamp::from_nanos(now),
        created_at: Timestamp::from_nanos(given.created_at),
        expires_at: Timestamp::from_nanos(given.expires_at),
    }
}

fn setback(setback: Setback) -> sink::Setback {
    match setback {
        Setback::Retry => sink::Setback::Retry,
        Setback::Throttled(wait) => sink::Setback::Throttled(
            wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        ),
        Setback::Message => sink::Setback::Message,
        Setback::Address => sink::Setback::Address,
        Setback::Account => sink::Setback::Account,
        Setback::Unknown => sink::Setback::Unknown,
    }
}

/// The host, by the component's imports.
struct Imports;

impl Web for Imports {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let (outgoing, body) = outgoing(request)?;
        let answer = outgoing_handler::handle(outgoing, None).map_err(told)?;
        // Why a body could not be written is what the answer tells.
        let written = write(body, &request.body);
        answer.subscribe().block();
        match answer.get() {
            Some(Ok(Ok(response))) => read_answer(response),
            Some(Ok(Err(error))) => Err(told(error)),
            Some(Err(())) | None => Err(HttpError::Lost(match written {
                Ok(()) => "the host gave no answer".to_owned(),
                Err(says) => says,
            })),
        }
    }

    fn log(&self, level: LogLevel, message: &str) {
        let level = match level {
            LogLevel::Debug => log::Level::Debug,
            LogLevel::Info => log::Level::Info,
            LogLevel::Warn => log::Level::Warn,
            LogLevel::Error => log::Level::Error,
        };
        log::write(level, message);
    }
}

fn outgoing(request: &Request) -> Result<(http::OutgoingRequest, http::OutgoingBody), HttpError> {
    let denied = |what: &str| HttpError::Denied(what.to_owned());
    let (scheme, rest) = request
        .url
        .split_once("://")
        .ok_or_else(|| denied("the address has no scheme"))?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = match path.split('#').next() {
        Some("") | None => "/",
        Some(path) => path,
    };
    let scheme = match scheme {
        "https" => http::Scheme::Https,
        "http" => http::Scheme::Http,
        other => http::Scheme::Other(other.to_owned()),
    };
    let headers: Vec<(String, Vec<u8>)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.as_bytes().to_vec()))
        .collect();
    let headers = http::Fields::from_list(&headers)
        .map_err(|error| HttpError::Denied(format!("a header cannot be sent: {error:?}")))?;
    let outgoing = http::OutgoingRequest::new(headers);
    let method = match request.method {
        "GET" => http::Method::Get,
        "POST" => http::Method::Post,
        other => http::Method::Other(other.to_owned()),
    };
    outgoing
        .set_method(&method)
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(path)))
        .map_err(|()| denied("the address cannot be read"))?;
    let body = outgoing
        .body()
        .map_err(|()| denied("the request cannot have a body"))?;
    Ok((outgoing, body))
}

fn write(body: http::OutgoingBody, bytes: &[u8]) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Debug| format!("the request was not written: {error:?}");
    let stream = body.write().map_err(|()| failed(&"no stream"))?;
    for piece in bytes.chunks(WRITE_BYTES_MAX) {
        stream
            .blocking_write_and_flush(piece)
            .map_err(|error| failed(&error))?;
    }
    drop(stream);
    http::OutgoingBody::finish(body, None).map_err(|error| failed(&error))
}

fn read_answer(response: http::IncomingResponse) -> Result<Response, HttpError> {
    let lost = |what: &str| HttpError::Lost(what.to_owned());
    let status = response.status();
    let headers = response.headers().entries().into_iter();
    let headers = headers
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(&value).into_owned();
            (name.to_ascii_lowercase(), value)
        })
        .collect();
    let incoming = response.consume().map_err(|()| lost("no body"))?;
    let stream = incoming.stream().map_err(|()| lost("no body"))?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(READ_BYTES) {
            Ok(piece) => body.extend(piece),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(_)) => {
                return Err(lost("the answer broke off"));
            }
        }
    }
    Ok(Response {
        status,
        headers,
        body,
    })
}

/// The codes that mean that a request surely did not leave, and those that do not tell.
fn told(error: http::ErrorCode) -> HttpError {
    use http::ErrorCode as Code;
    let says = format!("{error:?}");
    match error {
        Code::HttpRequestDenied => {
            HttpError::Denied("its host is not among those of the settings".to_owned())
        }
        Code::ConfigurationError
        | Code::HttpRequestBodySize(_)
        | Code::HttpRequestMethodInvalid
        | Code::HttpRequestUriInvalid
        | Code::HttpRequestUriTooLong
        | Code::HttpRequestHeaderSectionSize(_)
        | Code::HttpRequestHeaderSize(_)
        | Code::DestinationIpProhibited => HttpError::Denied(says),
        Code::ConnectionRefused => HttpError::NotSent("the connection was not made".to_owned()),
        Code::DnsTimeout
        | Code::DnsError(_)
        | Code::DestinationNotFound
        | Code::DestinationUnavailable
        | Code::DestinationIpUnroutable
        | Code::ConnectionLimitReached
        | Code::TlsCertificateError => HttpError::NotSent(says),
        _ => HttpError::Lost(says),
    }
}
