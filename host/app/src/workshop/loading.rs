//! From what lies in the plugins folder to components on the shelf.
//!
//! A file that is refused leaves the component that ran under its name where it is; at the start
//! of the host that is the newest recorded version which loads. After a roll back the recorded
//! version is taken in place of the file, until the file changes.
//! Whatever is loaded is judged first, by `trust`. Components of registries come in by `pulled`
//! and stand on the same shelf, under their reference.

mod pulled;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use andon_config::Problem;
use andon_model::{Component, Loader, Timestamp};
use andon_provenance::{Policy, Sha256, TrustedBy};

pub(crate) use pulled::named_references;

use super::assembly::Shelf;
use crate::plugin_folder::{ChangedFile, Choice, FileContent, FolderChange, Versions, choose};

/// What is on the shelf, and the hashes of the files that lie in the folder.
pub(crate) struct Shelving {
    /// What may run.
    pub(crate) shelf: Shelf,
    /// Hash of the file in the folder, whether it runs or not, by file name.
    pub(crate) folder_hashes: BTreeMap<String, String>,
    /// What is wrong with the folder itself.
    pub(crate) folder_problems: Vec<String>,
    /// Bytes of components that were loaded and have not run yet, by file name.
    fresh: BTreeMap<String, Arc<[u8]>>,
    loader: Arc<dyn Loader>,
    versions: Versions,
    /// Settings that instances with shadows ran with last, by file name.
    ran_with: BTreeMap<String, String>,
    /// The plugins folder.
    folder: PathBuf,
    policy: Policy,
    /// Text of the signature beside a file of the folder, by file name.
    signatures: BTreeMap<String, String>,
    /// By what components are trusted, by hash.
    trusted: BTreeMap<String, TrustedBy>,
    /// Files whose newest bytes are refused because nobody trusts them.
    distrusted: BTreeSet<String>,
}

/// What is to be loaded for a file.
struct Chosen {
    bytes: Arc<[u8]>,
    hash: String,
    signature: Option<String>,
    /// It is an earlier version that somebody went back to.
    pinned: bool,
}

/// Most settings of instances that are remembered; the folder holds no more files.
const SETTINGS_MAX: usize = 10_000;

impl Shelving {
    /// An empty shelf for a plugins folder.
    pub(crate) fn new(
        loader: Arc<dyn Loader>,
        versions: Versions,
        folder: PathBuf,
        policy: Policy,
    ) -> Self {
        Self {
            shelf: Shelf::default(),
            folder_hashes: BTreeMap::new(),
            folder_problems: Vec::new(),
            fresh: BTreeMap::new(),
            loader,
            ran_with: versions.settings(SETTINGS_MAX),
            versions,
            folder,
            policy,
            signatures: BTreeMap::new(),
            trusted: BTreeMap::new(),
            distrusted: BTreeSet::new(),
        }
    }

    /// The good versions of before.
    pub(crate) const fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Takes in what changed in the folder.
    pub(crate) async fn take(&mut self, change: FolderChange) {
        for file in change.removed {
            self.shelf.components.remove(&file);
            self.shelf.refusals.remove(&file);
            self.shelf.files.remove(&file);
            self.folder_hashes.remove(&file);
            self.signatures.remove(&file);
            self.distrusted.remove(&file);
        }
        for ChangedFile { name, content } in change.changed {
            match content {
                Ok(FileContent::Component {
                    bytes,
                    hash,
                    signature,
                }) => {
                    self.folder_hashes.insert(name.clone(), hash.clone());
                    self.signature(&name, &hash, signature.as_deref());
                    let newest = Chosen {
                        bytes,
                        hash,
                        signature,
                        pinned: false,
                    };
                    self.component(&name, newest).await;
                }
                Ok(FileContent::Sidecar { text }) => {
                    self.shelf.refusals.remove(&name);
                    self.shelf.files.insert(name, text);
                }
                Err(problem) => {
                    self.refuse(&name, problem.to_string());
                    if name.ends_with(".wasm") {
                        self.fall_back(&name).await;
                    }
                }
            }
        }
        if let Some(problems) = change.problems {
            self.folder_problems = problems.iter().map(ToString::to_string).collect();
        }
    }

    /// Judges and loads the bytes that shall run for a file.
    async fn component(&mut self, file: &str, newest: Chosen) {
        self.distrusted.remove(file);
        let chosen = match self.chosen(file, newest) {
            Ok(chosen) => chosen,
            Err(why) => return self.refuse_and_fall_back(file, why).await,
        };
        if let Err(refusal) = self.judge(&chosen) {
            self.distrusted.insert(file.to_owned());
            return self.refuse_and_fall_back(file, refusal.to_string()).await;
        }
        if self.runs(file, &chosen.hash) {
            // Only its signature changed.
            self.shelf.refusals.remove(file);
            return;
        }
        let loaded = self.loader.load(file, Arc::clone(&chosen.bytes)).await;
        match loaded {
            Ok(component) => {
                tracing::info!(
                    file,
                    hash = component.hash(),
                    version = component.description().version,
                    pinned = chosen.pinned,
                    "component loaded"
                );
                self.shelf.components.insert(file.to_owned(), component);
                self.shelf.refusals.remove(file);
                self.fresh.insert(file.to_owned(), chosen.bytes);
            }
            Err(error) => self.refuse_and_fall_back(file, error.message).await,
        }
    }

    /// Whether this very component is on the shelf.
    fn runs(&self, file: &str, hash: &str) -> bool {
        let component = self.shelf.components.get(file);
        component.is_some_and(|component| component.hash() == hash)
    }

    async fn refuse_and_fall_back(&mut self, file: &str, why: String) {
        self.refuse(file, why);
        self.fall_back(file).await;
    }

    /// Takes the newest good version where nothing runs under the name of a refused file: the host
    /// was started, perhaps by a power cut, while a broken file lay in the folder. Versions that
    /// nobody trusts any more are passed over.
    async fn fall_back(&mut self, file: &str) {
        if self.shelf.components.contains_key(file) {
            return;
        }
        let versions = self.versions.list(stem(file)).unwrap_or_default();
        for version in versions {
            let Ok(recorded) = self.recorded(file, &version.hash) else {
                continue;
            };
            if self.judge(&recorded).is_err() {
                continue;
            }
            if let Ok(component) = self.loader.load(file, recorded.bytes).await {
                tracing::warn!(
                    file,
                    hash = component.hash(),
                    "the last good version runs in place of the refused file"
                );
                self.shelf.components.insert(file.to_owned(), component);
                return;
            }
        }
    }

    /// The newest bytes, or those of the version that somebody rolled back to.
    fn chosen(&self, file: &str, newest: Chosen) -> Result<Chosen, String> {
        let stem = stem(file);
        let pin = self.versions.pin(stem).map_err(|error| chain(&error))?;
        match choose(&newest.hash, pin.as_ref()) {
            Choice::Folder => Ok(newest),
            Choice::Recorded(run) => self.recorded(file, &run),
            Choice::FolderAndUnpin => {
                self.versions.unpin(stem).map_err(|error| chain(&error))?;
                Ok(newest)
            }
        }
    }

    /// An earlier version.
    fn recorded(&self, file: &str, hash: &str) -> Result<Chosen, String> {
        let bytes = self.versions.read(stem(file), hash);
        Ok(Chosen {
            bytes: bytes.map_err(|error| chain(&error))?,
            hash: hash.to_owned(),
            signature: self.versions.signature(stem(file), hash),
            pinned: true,
        })
    }

    fn refuse(&mut self, file: &str, why: String) {
        tracing::error!(file, why, "plugin file refused; what ran before goes on");
        self.shelf.refusals.insert(file.to_owned(), why);
    }

    /// Records components that run now as good, so that somebody can go back to them.
    pub(crate) fn record_running(&mut self, running: &[(String, String)], now: Timestamp) {
        for (file, hash) in running {
            let runs = self
                .shelf
                .components
                .get(file)
                .is_some_and(|component| component.hash() == hash);
            let Some(bytes) = self.fresh.get(file).filter(|_| runs) else {
                continue;
            };
            let signature = self.signatures.get(file).map(String::as_str);
            let recorded = self
                .versions
                .record_good(stem(file), bytes, now)
                .and_then(|version| self.versions.sign(stem(file), &version.hash, signature));
            if let Err(error) = recorded {
                tracing::error!(
                    file,
                    error = chain(&error),
                    "the good version could not be recorded; going back to it will not work"
                );
            }
            self.fresh.remove(file);
        }
        let shelf = &self.shelf.components;
        self.trusted.retain(|hash, _| {
            running.iter().any(|(_, other)| other == hash)
                || shelf.values().any(|component| component.hash() == hash)
        });
    }

    /// Goes back to the good version before the one that runs, if it is still trusted.
    pub(crate) async fn roll_back(&mut self, file: &str) -> Result<String, String> {
        let running = self
            .shelf
            .components
            .get(file)
            .map(|component| component.hash().to_owned())
            .unwrap_or_default();
        let folder = self
            .folder_hashes
            .get(file)
            .cloned()
            .ok_or_else(|| format!("there is no {file} in the plugins folder"))?;
        let previous = self.versions.previous(stem(file), &running);
        if let Some(previous) = previous.map_err(|error| chain(&error))? {
            let earlier = self.recorded(file, &previous.hash)?;
            self.judge(&earlier).map_err(|refusal| {
                format!("the version before cannot be gone back to: {refusal}")
            })?;
        }
        let pin = self
            .versions
            .roll_back(stem(file), &running, &folder)
            .map_err(|error| chain(&error))?;
        let bytes = self
            .versions
            .read(stem(file), &pin.run)
            .map_err(|error| chain(&error))?;
        let component = self
            .loader
            .load(file, bytes)
            .await
            .map_err(|error| error.to_string())?;
        self.shelf.components.insert(file.to_owned(), component);
        self.shelf.refusals.remove(file);
        self.distrusted.remove(file);
        Ok(pin.run)
    }

    /// The newest version that ran well, where it is not the one on the shelf: the file changed
    /// while no host ran, or its shadow had not ended.
    pub(crate) async fn last_good(&self, file: &str) -> Option<Arc<dyn Component>> {
        let shelved = self.shelf.components.get(file)?;
        let versions = self.versions.list(stem(file)).unwrap_or_default();
        let newest = versions.first()?;
        if newest.hash == shelved.hash() {
            return None;
        }
        // One that nobody trusts any more does not go first.
        self.judge_by(&self.policy, file, &newest.hash).ok()?;
        let bytes = self.versions.read(stem(file), &newest.hash).ok()?;
        self.loader.load(file, bytes).await.ok()
    }

    /// The settings that an instance ran with last, if it had a shadow to come.
    pub(crate) fn ran_with(&self, file: &str) -> Option<&String> {
        self.ran_with.get(file)
    }

    /// Records the settings that an instance runs with, where its changes run as shadows, so that a
    /// restart puts none of them in place untried; forgets them where they do not.
    pub(crate) fn record_settings(&mut self, file: &str, text: Option<&str>) {
        if self.ran_with.get(file).map(String::as_str) == text {
            return;
        }
        if let Err(error) = self.versions.record_settings(file, text) {
            tracing::error!(
                file,
                error = chain(&error),
                "the settings that run could not be recorded; after a restart changed ones count at once"
            );
        }
        match text {
            Some(text) => self.ran_with.insert(file.to_owned(), text.to_owned()),
            None => self.ran_with.remove(file),
        };
    }

    /// Forgets the recorded settings whose files are gone; not while the folder cannot be read.
    pub(crate) fn forget_settings_of_gone(&mut self) {
        if !self.folder_problems.is_empty() {
            return;
        }
        let recorded = self.ran_with.keys();
        let gone = recorded.filter(|file| !self.shelf.files.contains_key(*file));
        let gone: Vec<String> = gone.cloned().collect();
        for file in gone {
            self.record_settings(&file, None);
        }
    }

    /// Judges and loads a component that does not lie in the folder, with the signature beside it.
    ///
    /// # Errors
    /// A sentence that says why it is refused.
    pub(crate) async fn load_other(
        &mut self,
        name: &str,
        bytes: Arc<[u8]>,
        signature: Option<String>,
    ) -> Result<Arc<dyn Component>, String> {
        let other = Chosen {
            hash: Sha256::of(&bytes).hex().to_owned(),
            bytes: Arc::clone(&bytes),
            signature,
            pinned: false,
        };
        self.judge(&other).map_err(|refusal| refusal.to_string())?;
        let loaded = self.loader.load(name, bytes).await;
        loaded.map_err(|error| error.to_string())
    }

    /// Takes a component that runs, and does not lie in the folder, in place of a file: it is
    /// recorded as good and pinned until the file changes.
    pub(crate) fn adopt(
        &mut self,
        file: &str,
        component: Arc<dyn Component>,
        bytes: &[u8],
        signature: Option<&str>,
        now: Timestamp,
    ) {
        let (stem, versions) = (stem(file), &self.versions);
        let folder = self.folder_hashes.get(file).cloned().unwrap_or_default();
        let pinned = versions.record_good(stem, bytes, now).and_then(|version| {
            versions.sign(stem, &version.hash, signature)?;
            versions.pin_to(stem, version.hash, &folder)
        });
        if let Err(error) = pinned {
            tracing::error!(
                file,
                error = chain(&error),
                "the promoted version could not be recorded; after a restart the file in the folder counts again"
            );
        }
        self.shelf.components.insert(file.to_owned(), component);
        self.shelf.refusals.remove(file);
        self.fresh.remove(file);
    }

    /// Refusals as problems, by file.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (&String, Problem)> {
        self.shelf
            .refusals
            .iter()
            .map(|(file, why)| (file, Problem::of_file(file, why)))
    }
}

/// The file's name without its ending.
pub(crate) fn stem(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
