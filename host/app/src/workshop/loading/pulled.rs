//! Components of registries on the shelf, under the text of their reference.
//!
//! They are judged by their hash alone, since no signature lies beside them; and no versions of
//! them are recorded, since the file of the instance says by its digest which one runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use andon_config::InstanceFile;
use andon_provenance::{Evidence, Pulled, Puller, Reference, Signed};

use super::Shelving;
use crate::workshop::assembly::Pull;

/// The references to registries in the files of instances, by their text.
pub(crate) fn named_references(files: &BTreeMap<String, String>) -> BTreeSet<String> {
    files
        .iter()
        // Most name a file; reading those twice would be for nothing.
        .filter(|(_, text)| text.contains("oci://"))
        .filter_map(|(file, text)| InstanceFile::parse(file, text).ok())
        .filter(|file| file.is_enabled() && Reference::is_meant(&file.component))
        .map(|file| file.component)
        .collect()
}

impl Shelving {
    /// The references that the files of instances name and this puller may fetch. Those that it
    /// may not are refused, what no file names any more leaves the shelf, and what is cached goes
    /// on it: a host that starts has them all before anything runs, whether a registry answers or
    /// not.
    pub(crate) async fn want(&mut self, puller: &Puller) -> BTreeMap<String, Reference> {
        let wanted = self.allowed(puller);
        for (text, reference) in &wanted {
            if self.shelf.components.contains_key(text) {
                continue;
            }
            match puller.cached(reference).await {
                Some(cached) => drop(self.pulled(text, &cached).await),
                None => self.is_on_its_way(text),
            }
        }
        wanted
    }

    /// Fetches all at once and waits for them, for a command that looks once and ends.
    pub(crate) async fn pull_all(&mut self, puller: &Puller) {
        for (text, reference) in self.allowed(puller) {
            match puller.pull(&reference).await {
                Ok(pulled) => drop(self.pulled(&text, &pulled).await),
                Err(error) => drop(self.not_pulled(&text, error.to_string())),
            }
        }
    }

    fn is_on_its_way(&mut self, text: &str) {
        self.shelf
            .pulls
            .entry(text.to_owned())
            .or_insert(Pull::UnderWay);
    }

    fn allowed(&mut self, puller: &Puller) -> BTreeMap<String, Reference> {
        let named = named_references(&self.shelf.files);
        let gone = |text: &String| Reference::is_meant(text) && !named.contains(text);
        self.shelf.components.retain(|text, _| !gone(text));
        self.shelf.refusals.retain(|text, _| !gone(text));
        self.shelf.pulls.retain(|text, _| !gone(text));
        let mut wanted = BTreeMap::new();
        for text in named {
            // One that is none has its file refused with the reason.
            let Ok(reference) = Reference::parse(&text) else {
                continue;
            };
            match puller.allows(&reference) {
                Ok(()) => drop(wanted.insert(text, reference)),
                Err(error) => drop(self.not_pulled(&text, error.to_string())),
            }
        }
        wanted
    }

    /// Judges and loads what was fetched; says whether anything is new.
    pub(crate) async fn pulled(&mut self, text: &str, pulled: &Pulled) -> bool {
        let hash = pulled.hash.hex();
        let judged = self.policy.judge(&Evidence {
            hash,
            bytes: &pulled.bytes,
            signed: Signed::NotAsked,
        });
        let trusted = match judged {
            Ok(trusted) => trusted,
            Err(refusal) => return self.not_taken(text, refusal.to_string()),
        };
        self.trusted.insert(hash.to_owned(), trusted);
        if self.runs(text, hash) {
            let refused = self.shelf.refusals.remove(text).is_some();
            return self.shelf.pulls.remove(text).is_some() || refused;
        }
        match self.loader.load(text, Arc::clone(&pulled.bytes)).await {
            Ok(component) => {
                tracing::info!(
                    reference = %pulled.reference,
                    hash,
                    source = ?pulled.source,
                    version = component.description().version,
                    "pulled component loaded"
                );
                self.shelf.components.insert(text.to_owned(), component);
                self.shelf.refusals.remove(text);
                self.shelf.pulls.remove(text);
                true
            }
            Err(error) => self.not_taken(text, error.message),
        }
    }

    /// Notes why a reference could not be fetched; says whether that is new. What was fetched
    /// before goes on.
    pub(crate) fn not_pulled(&mut self, text: &str, why: String) -> bool {
        if self.shelf.components.contains_key(text) {
            return false;
        }
        let failed = Pull::Failed(why);
        let news = self.shelf.pulls.get(text) != Some(&failed);
        self.shelf.pulls.insert(text.to_owned(), failed);
        news
    }

    /// What came is refused.
    fn not_taken(&mut self, text: &str, why: String) -> bool {
        if self.shelf.components.contains_key(text) {
            self.refuse(text, why);
            true
        } else {
            self.not_pulled(text, why)
        }
    }
}
