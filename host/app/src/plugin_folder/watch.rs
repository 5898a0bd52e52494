//! The loop that watches: waits for a word of the system or the poll, looks, reads, tells.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use andon_model::Clock;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::disk::{self, Listing, Look, Reading};
use super::settle::{Again, Settling};
use super::{ChangedFile, FolderChange, FolderError, FolderProblem, FolderSettings};

/// Most bytes of content in one change.
const CHANGE_BYTES_MAX: u64 = 256 << 20;

/// A plugin folder that is watched.
pub(crate) struct PluginFolder {
    folder: PathBuf,
    settings: FolderSettings,
    clock: Arc<dyn Clock>,
    settling: Settling,
    watch: Option<Watch>,
    /// Problems of the folder itself as they were told last; `None` before the first change.
    told_problems: Option<Vec<FolderProblem>>,
    not_watched: Option<FolderProblem>,
    /// The last change promised that another one follows.
    owes_more: bool,
}

/// A watch on one folder; dropping it ends it.
struct Watch {
    _watcher: RecommendedWatcher,
    /// Which folder: one that was unmounted and mounted again is another one.
    identity: (u64, u64),
}

/// What one round of looking left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// Nothing until the next word or poll.
    Quiet,
    /// Some files settle.
    Settling,
    /// Files are ready that did not fit.
    More,
}

impl PluginFolder {
    /// Opens the folder; makes it if it is missing.
    ///
    /// # Errors
    /// It cannot be made, or the path is not a folder.
    pub(crate) fn open(
        folder: PathBuf,
        settings: FolderSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, FolderError> {
        if folder.exists() && !folder.is_dir() {
            return Err(FolderError::NotAFolder { folder });
        }
        if let Err(source) = fs::create_dir_all(&folder) {
            return Err(FolderError::Create { folder, source });
        }
        Ok(Self {
            folder,
            settings,
            clock,
            settling: Settling::default(),
            watch: None,
            told_problems: None,
            not_watched: None,
            owes_more: false,
        })
    }

    /// Watches until `stop` is cancelled or nobody listens. The first change comes once everything
    /// that lay there has settled, even if that is nothing; a full channel makes the watch wait,
    /// and what happens meanwhile is in the next change.
    pub(crate) async fn run(
        mut self,
        changes: mpsc::Sender<FolderChange>,
        stop: CancellationToken,
    ) {
        // One place: a word that waits stands for all that follow.
        let (word, mut words) = mpsc::channel::<()>(1);
        loop {
            let round = tokio::select! {
                () = stop.cancelled() => return,
                round = self.round(&word, &changes) => round,
            };
            let Some(round) = round else { return };
            let wait = match round {
                Round::More => continue,
                Round::Settling => self.settings.settle,
                Round::Quiet => self.settings.poll,
            };
            tokio::select! {
                () = stop.cancelled() => return,
                _ = words.recv(), if round == Round::Quiet => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// One look at the folder; `None` once nobody listens.
    async fn round(
        &mut self,
        word: &mpsc::Sender<()>,
        changes: &mpsc::Sender<FolderChange>,
    ) -> Option<Round> {
        let mut change = FolderChange::default();
        let mut problems = Vec::new();
        let mut round = Round::Quiet;
        match self.list().await {
            Ok(listing) => {
                self.keep_watching(listing.identity, word);
                problems.extend(self.not_watched.clone());
                problems.extend(listing.too_many);
                round = self.take(&listing.files, &mut change).await;
            }
            Err(problem) => {
                self.watch = None;
                problems.push(problem);
            }
        }
        if self.told_problems.as_ref() != Some(&problems) {
            change.problems = Some(problems.clone());
        }
        if self.is_due(&change, round) {
            let first = self.told_problems.is_none();
            change.more =
                round == Round::More || (round == Round::Settling && (first || self.owes_more));
            self.owes_more = change.more;
            self.told_problems = Some(problems);
            changes.send(change).await.ok()?;
        }
        (!changes.is_closed()).then_some(round)
    }

    /// Whether a change is told now: if there is news, or the end of a promise of more. The very
    /// first one waits until something has settled.
    fn is_due(&self, change: &FolderChange, round: Round) -> bool {
        let files = !change.changed.is_empty() || !change.removed.is_empty();
        if self.told_problems.is_none() && round == Round::Settling {
            return files;
        }
        files || change.problems.is_some() || (self.owes_more && round == Round::Quiet)
    }

    /// Adds what has settled to the change.
    async fn take(&mut self, files: &BTreeMap<String, Look>, change: &mut FolderChange) -> Round {
        let settled = self
            .settling
            .observe(files, self.settings.settle, self.clock.now());
        change.removed = settled.removed;
        let mut round = if settled.pending {
            Round::Settling
        } else {
            Round::Quiet
        };
        let mut bytes_taken = 0;
        for (name, look) in settled.ready {
            if bytes_taken >= CHANGE_BYTES_MAX {
                return Round::More;
            }
            match self.read(&name, &look).await {
                Some(Reading::Settled {
                    content,
                    digest,
                    bytes,
                }) => {
                    let again = match &content {
                        Err(FolderProblem::Unreadable { .. }) => {
                            Again::From(self.clock.now().plus(self.settings.poll))
                        }
                        Ok(_) | Err(_) => Again::WhenItChanges,
                    };
                    if self.settling.told(&name, look, digest, again) {
                        bytes_taken += bytes;
                        change.changed.push(ChangedFile { name, content });
                    }
                }
                Some(Reading::Moved) => {
                    self.settling.moved(&name);
                    round = Round::Settling;
                }
                None => {}
            }
        }
        round
    }

    async fn list(&self) -> Result<Listing, FolderProblem> {
        let folder = self.folder.clone();
        let settings = self.settings.clone();
        spawn_blocking(move || disk::list(&folder, &settings))
            .await
            .unwrap_or_else(|error| {
                Err(FolderProblem::FolderUnreadable {
                    folder: self.folder.clone(),
                    cause: error.to_string(),
                })
            })
    }

    /// `None` if the runtime is stopping.
    async fn read(&self, name: &str, look: &Look) -> Option<Reading> {
        let folder = self.folder.clone();
        let settings = self.settings.clone();
        let (name, look) = (name.to_owned(), look.clone());
        spawn_blocking(move || disk::read(&folder, &name, &look, &settings))
            .await
            .ok()
    }

    /// Watches the folder, again if another one stands in its place. Without a watch the poll goes
    /// on alone.
    fn keep_watching(&mut self, identity: (u64, u64), word: &mpsc::Sender<()>) {
        if self
            .watch
            .as_ref()
            .is_some_and(|watch| watch.identity == identity)
        {
            return;
        }
        let word = word.clone();
        let told = move |event: notify::Result<notify::Event>| {
            // Our own reading is told as an access too, which must not wake us again.
            if event.map_or(true, |event| !event.kind.is_access()) {
                // A full channel has a word in it already; a closed one has nobody to wake.
                let _sent = word.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(told).and_then(|mut watcher| {
            watcher.watch(&self.folder, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        match watcher {
            Ok(watcher) => {
                self.not_watched = None;
                self.watch = Some(Watch {
                    _watcher: watcher,
                    identity,
                });
            }
            Err(error) => {
                self.watch = None;
                self.not_watched = Some(FolderProblem::NotWatched {
                    folder: self.folder.clone(),
                    cause: error.to_string(),
                });
            }
        }
    }
}
