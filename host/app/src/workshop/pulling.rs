//! What the workshop does about components of registries: says which are wanted, and puts what
//! arrives on the shelf.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use andon_config::{Plan, Problem};
use andon_provenance::{Cache, Puller, Reference, Source};
use tokio::sync::watch;

use super::pulls::{Arrival, Wanted};
use super::{Workshop, chain};

/// What is wanted of registries, and by whom it is fetched.
pub(crate) struct Pulling {
    wanted: watch::Sender<Wanted>,
    /// Where relative paths of settings start.
    folder: PathBuf,
    cache: Option<Cache>,
}

impl Pulling {
    /// Nothing is wanted yet. `data` is the data folder; without a cache in it pulls go on, and a
    /// start needs the registry.
    pub(crate) fn new(
        plan: &Plan,
        folder: PathBuf,
        data: &std::path::Path,
    ) -> (Self, watch::Receiver<Wanted>) {
        let cache = open_cache(data);
        let wanted = Wanted {
            puller: Arc::new(puller(plan, &folder, cache.clone())),
            references: BTreeMap::new(),
            round: 0,
        };
        let (wanted, wanted_out) = watch::channel(wanted);
        let pulling = Self {
            wanted,
            folder,
            cache,
        };
        (pulling, wanted_out)
    }

    /// Who would fetch by these settings.
    pub(crate) fn puller(&self, plan: &Plan) -> Puller {
        puller(plan, &self.folder, self.cache.clone())
    }
}

fn open_cache(data: &std::path::Path) -> Option<Cache> {
    let opened = Cache::open(data.join("pulled")).and_then(|cache| {
        cache.remove_unfinished()?;
        Ok(cache)
    });
    opened
        .inspect_err(|error| {
            let error = chain(error);
            tracing::warn!(
                error,
                "pulled components cannot be kept; a start needs their registries"
            );
        })
        .ok()
}

/// Who fetches for a command that looks once: from the cache of a host that runs on the same data,
/// never another one made, or else from the registry.
pub(crate) fn puller_beside(plan: &Plan, folder: &std::path::Path) -> Puller {
    let data = folder.join(&plan.settings.host.data);
    let cache = data.is_dir().then(|| Cache::open(data.join("pulled")).ok());
    puller(plan, folder, cache.flatten())
}

fn puller(plan: &Plan, folder: &std::path::Path, cache: Option<Cache>) -> Puller {
    let registries = plan.settings.plugins.registries.clone();
    Puller::new(registries, folder.to_owned(), cache)
}

impl Workshop {
    /// After a change of the files of instances: what they name is taken from the cache or fetched,
    /// what none names any more leaves the shelf.
    pub(super) async fn want(&mut self) {
        let puller = Arc::clone(&self.pulling.wanted.borrow().puller);
        let references = self.shelving.want(&puller).await;
        self.pulling.wanted.send_if_modified(|wanted| {
            let changed = wanted.references != references;
            wanted.references = references;
            changed
        });
    }

    /// After a change of the settings: all is asked for again, so that a moved tag is noticed.
    pub(super) async fn want_again(&mut self) {
        let puller = Arc::new(self.pulling.puller(&self.plan));
        let references = self.shelving.want(&puller).await;
        self.pulling.wanted.send_modify(|wanted| {
            wanted.puller = puller;
            wanted.references = references;
            wanted.round += 1;
        });
    }

    /// Puts what came on the shelf, or notes why it did not come.
    pub(super) async fn arrived(&mut self, arrival: Arrival) {
        let Arrival { text, result } = arrival;
        if !self.pulling.wanted.borrow().references.contains_key(&text) {
            return;
        }
        let news = match result {
            Ok(pulled) => {
                if let Source::MovedTag { before } = &pulled.source {
                    tracing::warn!(reference = text, %before, now = %pulled.manifest, "the tag was moved; what it means now is taken");
                }
                self.shelving.pulled(&text, &pulled).await
            }
            Err(error) => {
                tracing::warn!(reference = text, %error, "a component could not be fetched; it is tried again");
                self.shelving.not_pulled(&text, error.to_string())
            }
        };
        if news {
            self.renew_plugins(None).await;
        }
    }

    /// Instances that run and whose reference new settings would not take.
    pub(super) fn disallowed_by(&self, plan: &Plan) -> Vec<Problem> {
        let puller = self.pulling.puller(plan);
        let running = self.current.instances.iter();
        running
            .filter_map(|(name, one)| {
                let reference = Reference::parse(&one.plan.component).ok()?;
                let error = puller.allows(&reference).err()?;
                let says =
                    format!("the instance `{name}` runs what these settings refuse: {error}");
                Some(Problem::of_file(self.file.name(), says))
            })
            .collect()
    }
}
