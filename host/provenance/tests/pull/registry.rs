//! An OCI registry that behaves as a test says: it asks to log in, lies, breaks off, or waits.

#![allow(
    dead_code,
    reason = "the tests of the whole program include this file too, and neither uses all of it"
)]

// By its path, since this file is included from elsewhere too.
#[path = "tls_listener.rs"]
mod tls_listener;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use andon_provenance::Sha256;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt as _, stream};
use serde_json::json;
use tls_listener::TlsListener;
pub(crate) use tls_listener::{AUTHORITY, STRANGER};
use tokio::net::TcpListener;

pub(crate) const USER: &str = "plant-north";
pub(crate) const PASSWORD: &str = "password-of-the-registry";
const TOKEN: &str = "a-token-for-a-while";

/// How the registry misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mood {
    /// Not at all.
    #[default]
    Fine,
    /// One byte of each component is another.
    ChangedComponent,
    /// One letter of each manifest is another.
    ChangedManifest,
    /// The connection breaks in the middle of a component.
    BreaksOff,
    /// Half of the component, as if that were all.
    Half,
    /// More and more bytes.
    Endless,
    /// A byte now and then.
    Drips,
    /// Half of the component, and then nothing more.
    Stalls,
    /// It answers nothing.
    Silent,
    /// This status for everything, with a text that says the password back.
    Status(u16),
    /// Components lie on another server, at this port of this machine.
    Elsewhere(u16),
}

/// How it lets people in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Door {
    #[default]
    Open,
    Basic,
    Token,
}

#[derive(Debug, Default)]
struct Desk {
    mood: Mood,
    door: Door,
    manifests: BTreeMap<String, Vec<u8>>,
    blobs: BTreeMap<String, Vec<u8>>,
    /// Paths that were asked for, each with whether a password or token came with it.
    asked: Vec<(String, bool)>,
}

/// The registry; it is there as long as its runtime.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    scheme: &'static str,
    desk: Arc<Mutex<Desk>>,
}

impl Registry {
    /// A registry at a free port, and what serves it.
    pub(crate) async fn bind() -> (Self, impl Future<Output = ()> + Send + 'static) {
        Self::bind_at("127.0.0.1:0").await
    }

    /// The same at an address.
    pub(crate) async fn bind_at(
        address: &str,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (registry, listener, router) = Self::at(address, "http").await;
        let serving = async move { axum::serve(listener, router).await.expect("it serves") };
        (registry, serving)
    }

    /// The same over TLS; [`AUTHORITY`] vouches for it as 127.0.0.1 and `localhost`.
    pub(crate) async fn bind_tls(
        address: &str,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (registry, listener, router) = Self::at(address, "https").await;
        let listener = TlsListener::over(listener);
        let serving = async move { axum::serve(listener, router).await.expect("it serves") };
        (registry, serving)
    }

    async fn at(address: &str, scheme: &'static str) -> (Self, TcpListener, Router) {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let registry = Self {
            address: listener.local_addr().expect("an address").to_string(),
            scheme,
            desk: Arc::default(),
        };
        let router = Router::new()
            .route("/token", get(token))
            .route("/v2/{*path}", get(answer))
            .with_state(registry.clone());
        (registry, listener, router)
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn mood(&self, mood: Mood) {
        self.lock().mood = mood;
    }

    pub(crate) fn door(&self, door: Door) {
        self.lock().door = door;
    }

    /// Every path that was asked for so far.
    pub(crate) fn asked(&self) -> Vec<(String, bool)> {
        self.lock().asked.clone()
    }

    /// Puts a component there as the Bytecode Alliance's tools do; the digest of its manifest.
    pub(crate) fn push(&self, name: &str, tag: &str, component: &[u8]) -> Sha256 {
        let digest = Sha256::of(component);
        let layer = json!({"mediaType": "application/wasm", "digest": digest.to_string(), "size": component.len()});
        self.push_manifest(name, tag, &[layer], &[component])
    }

    /// Puts any manifest and blobs there.
    pub(crate) fn push_manifest(
        &self,
        name: &str,
        tag: &str,
        layers: &[serde_json::Value],
        blobs: &[&[u8]],
    ) -> Sha256 {
        let config = b"{}";
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.wasm.config.v0+json", "digest": Sha256::of(config).to_string(), "size": config.len()},
            "layers": layers,
        });
        let manifest = manifest.to_string().into_bytes();
        let digest = Sha256::of(&manifest);
        let mut desk = self.lock();
        for place in [tag.to_owned(), digest.to_string()] {
            let path = format!("{name}/manifests/{place}");
            desk.manifests.insert(path, manifest.clone());
        }
        for blob in blobs {
            let path = format!("{name}/blobs/{}", Sha256::of(blob));
            desk.blobs.insert(path, blob.to_vec());
        }
        digest
    }

    /// A reference with tag and digest.
    pub(crate) fn reference(&self, name: &str, tag: &str, digest: &Sha256) -> String {
        format!("oci://{}/{name}:{tag}@{digest}", self.address)
    }

    fn is_let_in(&self, door: Door, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION);
        let given = given.and_then(|value| value.to_str().ok());
        match door {
            Door::Open => true,
            Door::Basic => given == Some(&basic()),
            Door::Token => given == Some(&format!("Bearer {TOKEN}")),
        }
    }
}

fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")))
}

/// As some registries and proxies do, it says back what it was given.
fn refuse(status: u16) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let says = format!("you sent {PASSWORD}");
    let body = json!({"errors": [{"code": "DENIED", "message": says}]});
    (status, Json(body)).into_response()
}

async fn token(
    State(registry): State<Registry>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let scope = query.get("scope").cloned().unwrap_or_default();
    let right = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value.to_str().is_ok_and(|value| value == basic()));
    registry
        .lock()
        .asked
        .push((format!("token {scope}"), right));
    if right && query.get("service").is_some_and(|name| name == "plant") {
        Json(json!({"token": TOKEN, "expires_in": 60})).into_response()
    } else {
        refuse(401)
    }
}

async fn answer(
    State(registry): State<Registry>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    let (mood, door) = {
        let mut desk = registry.lock();
        let known = headers.contains_key(header::AUTHORIZATION);
        desk.asked.push((path.clone(), known));
        (desk.mood, desk.door)
    };
    if !registry.is_let_in(door, &headers) {
        let asks = match door {
            Door::Token => format!(
                "Bearer realm=\"{}://{}/token\",service=\"plant\"",
                registry.scheme, registry.address
            ),
            Door::Open | Door::Basic => "Basic realm=\"plant\"".to_owned(),
        };
        return ([(header::WWW_AUTHENTICATE, asks)], refuse(401)).into_response();
    }
    let found = {
        let desk = registry.lock();
        let manifest = desk.manifests.get(&path).map(|bytes| (bytes.clone(), true));
        manifest.or_else(|| desk.blobs.get(&path).map(|bytes| (bytes.clone(), false)))
    };
    let Some((bytes, is_manifest)) = found else {
        return refuse(404);
    };
    match mood {
        Mood::Silent => std::future::pending().await,
        Mood::Status(status) => refuse(status),
        Mood::ChangedManifest if is_manifest => {
            let text = String::from_utf8(bytes).expect("text");
            text.replace("vnd.wasm", "vnd.wasn").into_response()
        }
        _ if is_manifest => bytes.into_response(),
        Mood::Fine | Mood::ChangedManifest => bytes.into_response(),
        Mood::ChangedComponent => {
            let mut bytes = bytes;
            bytes[0] ^= 1;
            bytes.into_response()
        }
        Mood::Half => bytes[..bytes.len() / 2].to_vec().into_response(),
        Mood::BreaksOff => {
            let half = bytes[..bytes.len() / 2].to_vec();
            let pieces = [Ok(half), Err(std::io::Error::other("the cable was cut"))];
            Body::from_stream(stream::iter(pieces)).into_response()
        }
        Mood::Endless => {
            let pieces = stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0_u8; 65_536]));
            Body::from_stream(pieces).into_response()
        }
        Mood::Stalls => {
            let half = Ok::<_, std::io::Error>(bytes[..bytes.len() / 2].to_vec());
            let pieces = stream::iter([half]).chain(stream::pending());
            Body::from_stream(pieces).into_response()
        }
        Mood::Drips => {
            let pieces = stream::iter(bytes).then(|byte| async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Ok::<_, std::io::Error>(vec![byte])
            });
            Body::from_stream(pieces).into_response()
        }
        Mood::Elsewhere(port) => {
            let place = format!("http://127.0.0.1:{port}/v2/{path}");
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response()
        }
    }
}
