//! Fetches components: from the cache where the digest is known, from the registry otherwise.
//!
//! A digest means the same bytes for ever, so a cached one is taken without asking anybody. A tag
//! may be moved: it is asked for again, and what it meant last is taken only while the registry
//! cannot be asked. Every byte is compared with its digest before it is given or kept.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::spawn_blocking;

use crate::cache::Kind;
use crate::manifest::{Layer, layer};
use crate::registry::Session;
use crate::{Cache, PullError, PullTimes, Reference, RegistrySettings, Sha256};

/// Fetches components.
#[derive(Debug, Clone)]
pub struct Puller {
    registries: BTreeMap<String, RegistrySettings>,
    folder: PathBuf,
    cache: Option<Cache>,
    times: PullTimes,
}

/// A component that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// What was asked for, with the digest of its manifest.
    pub reference: Reference,
    /// Digest of the manifest.
    pub manifest: Sha256,
    /// SHA-256 of the component.
    pub hash: Sha256,
    /// The component.
    pub bytes: Arc<[u8]>,
    /// Where it was found.
    pub source: Source,
}

/// Where a component was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In the cache.
    Cache,
    /// At the registry.
    Registry,
    /// At the registry, and the tag meant another manifest before.
    MovedTag {
        /// Digest of the manifest before.
        before: Sha256,
    },
}

impl Puller {
    /// Speaks to registries as the settings say. `folder` is where relative paths in them start;
    /// without a cache nothing is kept.
    #[must_use]
    pub fn new(
        registries: BTreeMap<String, RegistrySettings>,
        folder: PathBuf,
        cache: Option<Cache>,
    ) -> Self {
        Self {
            registries,
            folder,
            cache,
            times: PullTimes::default(),
        }
    }

    /// The same with other bounds of time.
    #[must_use]
    pub const fn within(mut self, times: PullTimes) -> Self {
        self.times = times;
        self
    }

    /// Whether the settings let this reference be used. Asks nobody.
    ///
    /// # Errors
    /// It has no digest, and the settings of its registry do not take tags.
    pub fn allows(&self, reference: &Reference) -> Result<(), PullError> {
        let registry = reference.registry();
        let tags = self
            .registries
            .get(registry)
            .is_some_and(|settings| settings.allow_tags);
        if tags || reference.digest().is_some() {
            return Ok(());
        }
        Err(PullError::TagNotAllowed {
            reference: reference.to_string(),
            registry: registry.to_owned(),
        })
    }

    /// What the cache has of it; asks nobody. For a tag that is what it meant last.
    pub async fn cached(&self, reference: &Reference) -> Option<Pulled> {
        let (cache, reference) = (self.cache.clone()?, reference.clone());
        spawn_blocking(move || {
            let digest = match reference.digest() {
                Some(digest) => digest.clone(),
                None => cache.tagged(&reference)?,
            };
            let manifest = cache.read(Kind::Manifest, &digest)?;
            let hash = layer(&manifest).ok()?.digest;
            let bytes = cache.read(Kind::Component, &hash)?.into();
            Some(Pulled {
                reference: reference.pinned(&digest),
                manifest: digest,
                hash,
                bytes,
                source: Source::Cache,
            })
        })
        .await
        .ok()
        .flatten()
    }

    /// Fetches a component: from the cache if the reference has a digest and it is there, else
    /// from the registry.
    ///
    /// # Errors
    /// Why not.
    pub async fn pull(&self, reference: &Reference) -> Result<Pulled, PullError> {
        if reference.digest().is_some()
            && let Some(cached) = self.cached(reference).await
        {
            return Ok(cached);
        }
        let fetched = tokio::time::timeout(self.times.whole, self.fetch(reference));
        fetched.await.unwrap_or_else(|_| {
            Err(PullError::TooSlow {
                registry: reference.registry().to_owned(),
                seconds: self.times.whole.as_secs(),
            })
        })
    }

    async fn fetch(&self, reference: &Reference) -> Result<Pulled, PullError> {
        let settings = self.registries.get(reference.registry());
        let settings = settings.cloned().unwrap_or_default();
        let mut session = Session::new(reference, &settings, &self.folder, self.times)?;
        let (manifest, digest) = session.manifest().await?;
        let layer = layer(&manifest).map_err(|error| PullError::Manifest {
            reference: reference.to_string(),
            error,
        })?;
        let bytes: Arc<[u8]> = match self.component_in_cache(&layer).await {
            Some(bytes) => bytes.into(),
            None => session.component(&layer).await?.into(),
        };
        let hash = layer.digest;
        let before = self
            .keep(reference, (&digest, manifest), (&hash, Arc::clone(&bytes)))
            .await;
        Ok(Pulled {
            reference: reference.pinned(&digest),
            manifest: digest.clone(),
            hash,
            bytes,
            source: match before {
                Some(before) if before != digest => Source::MovedTag { before },
                Some(_) | None => Source::Registry,
            },
        })
    }

    /// A tag that was moved often leads to the same component.
    async fn component_in_cache(&self, layer: &Layer) -> Option<Vec<u8>> {
        let (cache, hash) = (self.cache.clone()?, layer.digest.clone());
        let read = spawn_blocking(move || cache.read(Kind::Component, &hash));
        read.await.ok().flatten()
    }

    /// Puts what came into the cache; answers what the tag meant before. A disk that refuses is
    /// told in the log, and the component runs all the same.
    async fn keep(
        &self,
        reference: &Reference,
        manifest: (&Sha256, Vec<u8>),
        component: (&Sha256, Arc<[u8]>),
    ) -> Option<Sha256> {
        let (cache, reference) = (self.cache.clone()?, reference.clone());
        let (digest, manifest) = (manifest.0.clone(), manifest.1);
        let (hash, bytes) = (component.0.clone(), component.1);
        let kept = spawn_blocking(move || {
            let before = cache.tagged(&reference);
            let written = cache
                .write(Kind::Component, &hash, &bytes)
                .and_then(|()| cache.write(Kind::Manifest, &digest, &manifest))
                .and_then(|()| match reference.digest() {
                    Some(_) => Ok(()),
                    None => cache.tag(&reference, &digest),
                });
            if let Err(error) = written {
                let why = format!("{error}: {}", error_source(&error));
                tracing::warn!(%reference, why, "a pulled component could not be kept; a start without the registry would miss it");
            }
            before
        });
        kept.await.ok().flatten()
    }
}

fn error_source(error: &dyn std::error::Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}
