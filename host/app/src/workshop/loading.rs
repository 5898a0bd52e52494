//! From what lies in the plugins folder to components on the shelf.
//!
//! A file that is refused leaves the component that ran under its name where it is; at the start
//! of the host that is the newest recorded version which loads. After a roll back the recorded
//! version is taken in place of the file, until the file changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_config::Problem;
use andon_model::{Component, Loader, Timestamp};

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
}

impl Shelving {
    /// An empty shelf.
    pub(crate) fn new(loader: Arc<dyn Loader>, versions: Versions) -> Self {
        Self {
            shelf: Shelf::default(),
            folder_hashes: BTreeMap::new(),
            folder_problems: Vec::new(),
            fresh: BTreeMap::new(),
            loader,
            versions,
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
        }
        for ChangedFile { name, content } in change.changed {
            match content {
                Ok(FileContent::Component { bytes, hash }) => {
                    self.folder_hashes.insert(name.clone(), hash.clone());
                    self.component(&name, bytes, &hash).await;
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

    /// Loads the bytes that shall run for a file.
    async fn component(&mut self, file: &str, bytes: Arc<[u8]>, hash: &str) {
        match self.load(file, bytes, hash).await {
            Ok((component, bytes, pinned)) => {
                tracing::info!(
                    file,
                    hash = component.hash(),
                    version = component.description().version,
                    pinned,
                    "component loaded"
                );
                self.shelf.components.insert(file.to_owned(), component);
                self.shelf.refusals.remove(file);
                self.fresh.insert(file.to_owned(), bytes);
            }
            Err(why) => {
                self.refuse(file, why);
                self.fall_back(file).await;
            }
        }
    }

    async fn load(
        &self,
        file: &str,
        bytes: Arc<[u8]>,
        hash: &str,
    ) -> Result<(Arc<dyn Component>, Arc<[u8]>, bool), String> {
        let (bytes, pinned) = self.chosen(file, bytes, hash)?;
        let loaded = self.loader.load(file, Arc::clone(&bytes)).await;
        let component = loaded.map_err(|error| error.message)?;
        Ok((component, bytes, pinned))
    }

    /// Takes the newest good version where nothing runs under the name of a refused file: the host
    /// was started, perhaps by a power cut, while a broken file lay in the folder.
    async fn fall_back(&mut self, file: &str) {
        if self.shelf.components.contains_key(file) {
            return;
        }
        let versions = self.versions.list(stem(file)).unwrap_or_default();
        for version in versions {
            let Ok(bytes) = self.versions.read(stem(file), &version.hash) else {
                continue;
            };
            if let Ok(component) = self.loader.load(file, bytes).await {
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

    /// The file's bytes, or those of the version that somebody rolled back to.
    fn chosen(
        &self,
        file: &str,
        bytes: Arc<[u8]>,
        hash: &str,
    ) -> Result<(Arc<[u8]>, bool), String> {
        let stem = stem(file);
        let pin = self.versions.pin(stem).map_err(|error| chain(&error))?;
        match choose(hash, pin.as_ref()) {
            Choice::Folder => Ok((bytes, false)),
            Choice::Recorded(run) => self
                .versions
                .read(stem, &run)
                .map(|bytes| (bytes, true))
                .map_err(|error| chain(&error)),
            Choice::FolderAndUnpin => {
                self.versions.unpin(stem).map_err(|error| chain(&error))?;
                Ok((bytes, false))
            }
        }
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
            if let Err(error) = self.versions.record_good(stem(file), bytes, now) {
                tracing::error!(
                    file,
                    error = chain(&error),
                    "the good version could not be recorded; going back to it will not work"
                );
            }
            self.fresh.remove(file);
        }
    }

    /// Goes back to the good version before the one that runs.
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
        let bytes = self.versions.read(stem(file), &newest.hash).ok()?;
        self.loader.load(file, bytes).await.ok()
    }

    /// Loads a component that does not lie in the folder.
    ///
    /// # Errors
    /// A sentence that says why it is refused.
    pub(crate) async fn load_other(
        &self,
        name: &str,
        bytes: Arc<[u8]>,
    ) -> Result<Arc<dyn Component>, String> {
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
        now: Timestamp,
    ) {
        let folder = self.folder_hashes.get(file).cloned().unwrap_or_default();
        let pinned = self
            .versions
            .record_good(stem(file), bytes, now)
            .and_then(|version| self.versions.pin_to(stem(file), version.hash, &folder));
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
