//! A registry over TLS whose authority is nobody's but the plant's.

use std::collections::BTreeMap;

use andon_model::Secret;
use andon_provenance::{PullError, Pulled, Puller, Reference, RegistrySettings, Sha256, Source};
use tempfile::TempDir;

use crate::COMPONENT;
use crate::registry::{AUTHORITY, Door, Mood, PASSWORD, Registry, STRANGER, USER};

struct Stand {
    registry: Registry,
    digest: Sha256,
    folder: TempDir,
}

impl Stand {
    async fn at(host: &str) -> Self {
        let (registry, serving) = Registry::bind_tls(&format!("{host}:0")).await;
        tokio::spawn(serving);
        let folder = tempfile::tempdir().expect("a folder");
        for (name, pem) in [("authority.pem", AUTHORITY), ("stranger.pem", STRANGER)] {
            std::fs::write(folder.path().join(name), pem).expect("a file");
        }
        Self {
            digest: registry.push("team/tank", "1.2", COMPONENT),
            registry,
            folder,
        }
    }

    async fn pull(&self, ca_file: &str) -> Result<Pulled, PullError> {
        let settings = RegistrySettings {
            username: Some(USER.to_owned()),
            password: Some(Secret::new(PASSWORD)),
            ca_file: Some(ca_file.to_owned()),
            ..RegistrySettings::default()
        };
        let settings: BTreeMap<_, _> = [(self.registry.address.clone(), settings)].into();
        let reference = self.registry.reference("team/tank", "1.2", &self.digest);
        let reference = Reference::parse(&reference).expect("a reference");
        Puller::new(settings, self.folder.path().to_owned(), None)
            .pull(&reference)
            .await
    }
}

#[tokio::test]
async fn a_registry_that_the_file_vouches_for_is_asked_and_told_the_password() {
    for door in [Door::Open, Door::Basic, Door::Token] {
        let stand = Stand::at("127.0.0.1").await;
        stand.registry.door(door);
        let pulled = stand.pull("authority.pem").await.expect("fetched");
        assert_eq!(
            (&*pulled.bytes, pulled.source),
            (COMPONENT, Source::Registry)
        );
    }
}

#[tokio::test]
async fn a_registry_that_nobody_vouches_for_is_told_nothing() {
    let stand = Stand::at("127.0.0.1").await;
    stand.registry.door(Door::Basic);
    let error = stand.pull("stranger.pem").await.expect_err("refused");
    assert!(matches!(error, PullError::NotTrusted { .. }), "{error:?}");
    let says = error.to_string();
    assert!(
        says.contains("among the certificates in `ca_file` stranger.pem"),
        "{says}"
    );
    assert_eq!(stand.registry.asked(), []);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_taken() {
    let stand = Stand::at("127.0.0.2").await;
    let error = stand.pull("authority.pem").await.expect_err("refused");
    let PullError::NotTrusted { remedy, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(remedy.contains("for the name in `127.0.0.2"), "{error}");
    assert_eq!(stand.registry.asked(), []);
}

#[tokio::test]
async fn a_redirect_from_tls_to_none_is_not_followed() {
    let stand = Stand::at("127.0.0.1").await;
    let (plain, serving) = Registry::bind().await;
    tokio::spawn(serving);
    plain.push("team/tank", "1.2", COMPONENT);
    let (_, port) = plain.address.rsplit_once(':').expect("a port");
    stand
        .registry
        .mood(Mood::Elsewhere(port.parse().expect("a number")));
    let error = stand.pull("authority.pem").await.expect_err("refused");
    assert!(
        matches!(error, PullError::Status { status: 307, .. }),
        "{error:?}"
    );
    assert_eq!(plain.asked(), []);
}

#[tokio::test]
async fn authorities_that_cannot_be_read_are_told() {
    let stand = Stand::at("127.0.0.1").await;
    std::fs::write(stand.folder.path().join("empty.pem"), "").expect("a file");
    for file in ["missing.pem", "empty.pem"] {
        let error = stand.pull(file).await.expect_err("refused");
        let says = error.to_string();
        assert!(
            says.contains(file) && says.contains("certificates in PEM"),
            "{says}"
        );
    }
    assert_eq!(stand.registry.asked(), []);
}
