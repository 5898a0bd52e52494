//! Components from a registry that lies, breaks off, waits, asks to log in, or is away.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and has no supervisor for its tasks"
)]

mod by_others;
mod over_tls;
mod registry;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use andon_model::Secret;
use andon_provenance::{
    Cache, PullError, PullTimes, Pulled, Puller, Reference, RegistrySettings, Sha256, Source,
};
use registry::{Door, Mood, PASSWORD, Registry, USER};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinHandle;

const COMPONENT: &[u8] = b"stands in for a component, which nobody looks into here";

/// A registry with one component, and a puller with a cache.
struct Stand {
    registry: Registry,
    serving: JoinHandle<()>,
    digest: Sha256,
    folder: TempDir,
    settings: RegistrySettings,
    times: PullTimes,
}

impl Stand {
    async fn new() -> Self {
        let (registry, serving) = Registry::bind().await;
        let serving = tokio::spawn(serving);
        Self {
            digest: registry.push("team/tank", "1.2", COMPONENT),
            registry,
            serving,
            folder: tempfile::tempdir().expect("a folder"),
            settings: RegistrySettings {
                plain_http: true,
                ..RegistrySettings::default()
            },
            times: PullTimes::default(),
        }
    }

    /// Settings with the right name and this password.
    fn log_in(mut self, password: &str) -> Self {
        self.settings.username = Some(USER.to_owned());
        self.settings.password = Some(Secret::new(password));
        self
    }

    fn pinned(&self) -> Reference {
        let text = self.registry.reference("team/tank", "1.2", &self.digest);
        Reference::parse(&text).expect("a reference")
    }

    fn tagged(&self) -> Reference {
        let text = format!("oci://{}/team/tank:1.2", self.registry.address);
        Reference::parse(&text).expect("a reference")
    }

    /// As after a restart.
    fn puller(&self) -> Puller {
        let cache = Cache::open(self.folder.path().join("pulled")).expect("a cache");
        let settings: BTreeMap<_, _> =
            [(self.registry.address.clone(), self.settings.clone())].into();
        Puller::new(settings, Path::new("").to_owned(), Some(cache)).within(self.times)
    }

    async fn pull(&self) -> Result<Pulled, PullError> {
        self.puller().pull(&self.pinned()).await
    }

    /// The registry is gone.
    async fn away(&mut self) {
        self.serving.abort();
        // It ends by being told to.
        assert!((&mut self.serving).await.is_err());
    }

    fn kept(&self) -> usize {
        let folder = self.folder.path().join("pulled");
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }
}

#[tokio::test]
async fn a_component_is_fetched_once_and_then_found_without_asking() {
    let mut stand = Stand::new().await;
    let first = stand.pull().await.expect("fetched");
    assert_eq!((&*first.bytes, first.source), (COMPONENT, Source::Registry));
    assert_eq!(first.hash, Sha256::of(COMPONENT));
    let asked = stand.registry.asked().len();
    assert_eq!(asked, 2, "{:?}", stand.registry.asked());
    let again = stand.pull().await.expect("found");
    assert_eq!((&*again.bytes, again.source), (COMPONENT, Source::Cache));
    stand.away().await;
    assert!(stand.pull().await.is_ok());
    assert_eq!(stand.registry.asked().len(), asked);
}

#[tokio::test]
async fn a_registry_that_is_away_is_told_where_nothing_is_cached() {
    let mut stand = Stand::new().await;
    stand.away().await;
    let error = stand.pull().await.expect_err("refused");
    assert!(matches!(error, PullError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_damaged_cache_is_fetched_again() {
    let stand = Stand::new().await;
    stand.pull().await.expect("fetched");
    for entry in std::fs::read_dir(stand.folder.path().join("pulled")).expect("a folder") {
        let path = entry.expect("a file").path();
        std::fs::write(path, b"damaged").expect("written");
    }
    let again = stand.pull().await.expect("fetched");
    assert_eq!((&*again.bytes, again.source), (COMPONENT, Source::Registry));
}

#[tokio::test]
async fn changed_bytes_are_refused_and_nothing_is_kept() {
    let stand = Stand::new().await;
    for mood in [Mood::ChangedComponent, Mood::ChangedManifest, Mood::Half] {
        stand.registry.mood(mood);
        let error = stand.pull().await.expect_err("refused");
        assert!(
            matches!(error, PullError::WrongDigest { .. }),
            "{mood:?}: {error}"
        );
        assert_eq!(stand.kept(), 0, "{mood:?}");
    }
    stand.registry.mood(Mood::BreaksOff);
    let error = stand.pull().await.expect_err("refused");
    assert!(matches!(error, PullError::Unreachable { .. }), "{error}");
    assert_eq!(stand.kept(), 0);
    stand.registry.mood(Mood::Fine);
    assert!(stand.pull().await.is_ok());
}

#[tokio::test]
async fn more_than_the_manifest_says_is_not_read() {
    let stand = Stand::new().await;
    stand.registry.mood(Mood::Endless);
    let error = stand.pull().await.expect_err("refused");
    let expected = COMPONENT.len() as u64;
    assert!(
        matches!(error, PullError::TooLarge { max, .. } if max == expected),
        "{error}"
    );
}

#[tokio::test]
async fn a_component_that_is_too_large_is_not_even_asked_for() {
    let mut stand = Stand::new().await;
    let layer = json!({"mediaType": "application/wasm", "digest": Sha256::of(COMPONENT).to_string(), "size": (64 << 20) + 1});
    stand.digest = stand
        .registry
        .push_manifest("team/tank", "1.2", &[layer], &[COMPONENT]);
    let error = stand.pull().await.expect_err("refused");
    assert!(matches!(error, PullError::TooLarge { .. }), "{error}");
    assert_eq!(stand.registry.asked().len(), 1);
}

#[tokio::test]
async fn addresses_that_a_manifest_names_are_not_followed() {
    let mut stand = Stand::new().await;
    let (other, serving) = Registry::bind().await;
    let serving = tokio::spawn(serving);
    let layer = json!({"mediaType": "application/wasm", "digest": Sha256::of(b"not there").to_string(), "size": 9,
        "urls": [format!("http://{}/v2/secret", other.address)]});
    stand.digest = stand
        .registry
        .push_manifest("team/tank", "1.2", &[layer], &[]);
    let error = stand.pull().await.expect_err("refused");
    assert!(matches!(error, PullError::NotFound { .. }), "{error}");
    assert_eq!(other.asked(), []);
    serving.abort();
}

#[tokio::test]
async fn a_silent_and_a_dripping_registry_end_in_time() {
    let mut stand = Stand::new().await;
    stand.times.silence = Duration::from_millis(50);
    stand.registry.mood(Mood::Silent);
    let error = stand.pull().await.expect_err("refused");
    assert!(matches!(error, PullError::TooSlow { .. }), "{error}");
    stand.times = PullTimes {
        whole: Duration::from_millis(100),
        ..PullTimes::default()
    };
    stand.registry.mood(Mood::Drips);
    let error = stand.pull().await.expect_err("refused");
    assert!(matches!(error, PullError::TooSlow { .. }), "{error}");
    assert_eq!(stand.kept(), 0);
}

#[tokio::test]
async fn one_logs_in_by_password_and_by_token() {
    for door in [Door::Basic, Door::Token] {
        let stand = Stand::new().await.log_in(PASSWORD);
        stand.registry.door(door);
        let pulled = stand.pull().await;
        assert!(pulled.is_ok(), "{door:?}: {pulled:?}");
        let asked = stand.registry.asked();
        // Nothing goes out before it is asked for.
        assert!(!asked[0].1, "{asked:?}");
        if door == Door::Token {
            assert!(
                asked.contains(&("token repository:team/tank:pull".to_owned(), true)),
                "{asked:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_without_saying_it() {
    for door in [Door::Basic, Door::Token] {
        for stand in [Stand::new().await.log_in("wrong-word"), Stand::new().await] {
            stand.registry.door(door);
            let error = stand.pull().await.expect_err("refused");
            assert!(
                matches!(error, PullError::NotLetIn { status: 401, .. }),
                "{error}"
            );
            let says = format!("{error} {error:?}");
            assert!(
                !says.contains("wrong-word") && !says.contains(PASSWORD),
                "{says}"
            );
        }
    }
}

#[tokio::test]
async fn a_status_becomes_a_sentence_without_words_of_the_registry() {
    let stand = Stand::new().await;
    for (status, words) in [
        (404, "does not have"),
        (403, "status 403"),
        (500, "status 500"),
        (429, "status 429"),
    ] {
        stand.registry.mood(Mood::Status(status));
        let says = stand.pull().await.expect_err("refused").to_string();
        assert!(says.contains(words) && !says.contains(PASSWORD), "{says}");
    }
}

#[tokio::test]
async fn a_redirect_is_followed_and_the_password_stays_behind() {
    let stand = Stand::new().await.log_in(PASSWORD);
    stand.registry.door(Door::Basic);
    let (store, serving) = Registry::bind().await;
    let serving = tokio::spawn(serving);
    store.push("team/tank", "1.2", COMPONENT);
    let port = store
        .address
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    stand.registry.mood(Mood::Elsewhere(port.expect("a port")));
    assert!(stand.pull().await.is_ok());
    let asked = store.asked();
    assert_eq!(asked.len(), 1);
    assert!(
        !asked[0].1,
        "the password went to another server: {asked:?}"
    );
    serving.abort();
}

#[tokio::test]
async fn a_tag_counts_only_where_it_is_allowed() {
    let mut stand = Stand::new().await;
    let error = stand.puller().allows(&stand.tagged()).expect_err("refused");
    assert!(error.to_string().contains("allow_tags"), "{error}");
    assert_eq!(stand.puller().allows(&stand.pinned()), Ok(()));
    stand.settings.allow_tags = true;
    assert_eq!(stand.puller().allows(&stand.tagged()), Ok(()));
}

#[tokio::test]
async fn a_moved_tag_is_noticed_and_what_it_meant_last_is_kept_for_a_start_without_the_registry() {
    let mut stand = Stand::new().await;
    stand.settings.allow_tags = true;
    let tagged = stand.tagged();
    assert_eq!(stand.puller().cached(&tagged).await, None);
    let first = stand.puller().pull(&tagged).await.expect("fetched");
    assert_eq!(first.source, Source::Registry);
    assert_eq!(first.reference, stand.pinned());
    let second = stand.registry.push("team/tank", "1.2", b"the next version");
    let moved = stand.puller().pull(&tagged).await.expect("fetched");
    assert_eq!(&*moved.bytes, b"the next version");
    assert_eq!(
        moved.source,
        Source::MovedTag {
            before: first.manifest
        }
    );
    stand.away().await;
    assert!(stand.puller().pull(&tagged).await.is_err());
    let cached = stand.puller().cached(&tagged).await.expect("cached");
    assert_eq!(
        (cached.manifest, &*cached.bytes),
        (second, &b"the next version"[..])
    );
}
