//! Whether what is to be loaded is trusted, and what follows when the settings of that change.
//!
//! The decision itself is the policy's; here its evidence is gathered: the bytes of what runs are
//! those that wait to be recorded, or the recorded ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_provenance::{Evidence, Policy, Reference, Refusal, Signed, TrustedBy};

use super::{Chosen, Shelving, stem};
use crate::plugin_folder::{FolderChange, FolderSettings, read_again};

impl Shelving {
    /// Whether these bytes may be loaded; notes by what they are trusted.
    pub(super) fn judge(&mut self, chosen: &Chosen) -> Result<(), Refusal> {
        let signed = chosen.signature.as_deref().map_or(Signed::Not, Signed::By);
        let evidence = Evidence {
            hash: &chosen.hash,
            bytes: &chosen.bytes,
            signed,
        };
        let trusted = self.policy.judge(&evidence)?;
        self.trusted.insert(chosen.hash.clone(), trusted);
        Ok(())
    }

    /// Takes in the signature that lies beside a file now.
    pub(super) fn signature(&mut self, file: &str, hash: &str, signature: Option<&str>) {
        let Some(text) = signature else {
            self.signatures.remove(file);
            return;
        };
        self.signatures.insert(file.to_owned(), text.to_owned());
        let versions = self.versions.list(stem(file)).unwrap_or_default();
        if versions.iter().any(|version| version.hash == hash)
            && let Err(error) = self.versions.sign(stem(file), hash, signature)
        {
            let error = super::chain(&error);
            tracing::warn!(
                file,
                error,
                "the signature of a recorded version could not be kept"
            );
        }
    }

    /// By what components are trusted, by hash, in words; nothing where no rule asks.
    pub(crate) fn trust_in_words(&self) -> BTreeMap<String, String> {
        self.trusted
            .iter()
            .filter(|(_, trusted)| **trusted != TrustedBy::NoRule)
            .map(|(hash, trusted)| (hash.clone(), trusted.to_string()))
            .collect()
    }

    /// The policy that counts now.
    pub(crate) const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What a policy says of a component that is or was on the shelf.
    pub(crate) fn judge_by(
        &self,
        policy: &Policy,
        component: &str,
        hash: &str,
    ) -> Result<TrustedBy, Refusal> {
        if Reference::is_meant(component) {
            return policy.judge(&Evidence {
                hash,
                bytes: &[],
                signed: Signed::NotAsked,
            });
        }
        // A listed hash needs no bytes; without any, a signature is for none.
        let (bytes, signature) = self.evidence(component, hash);
        policy.judge(&Evidence {
            hash,
            bytes: &bytes,
            signed: signature.as_deref().map_or(Signed::Not, Signed::By),
        })
    }

    fn evidence(&self, file: &str, hash: &str) -> (Arc<[u8]>, Option<String>) {
        let in_folder = self.folder_hashes.get(file).is_some_and(|one| one == hash);
        let signature = in_folder
            .then(|| self.signatures.get(file).cloned())
            .flatten()
            .or_else(|| self.versions.signature(stem(file), hash));
        let fresh = self.fresh.get(file).filter(|_| self.runs(file, hash));
        let bytes = match fresh {
            Some(bytes) => Arc::clone(bytes),
            None => self.versions.read(stem(file), hash).unwrap_or_default(),
        };
        (bytes, signature)
    }

    /// From now on this policy counts: what it does not take leaves the shelf, and files that were
    /// not taken so far are read again. What runs was judged before.
    pub(crate) async fn follow(&mut self, policy: Policy) {
        if policy == self.policy {
            return;
        }
        let mut again: Vec<String> = self.distrusted.iter().cloned().collect();
        let on_shelf: Vec<(String, String)> = self
            .shelf
            .components
            .iter()
            .map(|(file, component)| (file.clone(), component.hash().to_owned()))
            .collect();
        self.trusted.clear();
        for (component, hash) in on_shelf {
            match self.judge_by(&policy, &component, &hash) {
                Ok(trusted) => drop(self.trusted.insert(hash, trusted)),
                Err(_) => {
                    self.shelf.components.remove(&component);
                    again.push(component);
                }
            }
        }
        self.policy = policy;
        self.read_again(again).await;
    }

    async fn read_again(&mut self, files: Vec<String>) {
        let folder = self.folder.clone();
        for file in files {
            let folder = folder.clone();
            // One at a time: each may have 64 MiB.
            let read = tokio::task::spawn_blocking(move || {
                read_again(&folder, &file, &FolderSettings::default())
            });
            if let Ok(Some(changed)) = read.await {
                let change = FolderChange {
                    changed: vec![changed],
                    ..FolderChange::default()
                };
                self.take(change).await;
            }
        }
    }
}
