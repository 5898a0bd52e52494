//! Shadows as the workshop sees them: what people order by hand, and versions that are held back
//! at a start because their shadow had not ended.
//!
//! A shadow lives in the engine alone. When one was promoted or refused there, the workshop looks
//! at what runs and makes its own picture true again. A component that a person let run, and that
//! was promoted, is recorded and pinned in place of the file in the folder, as a roll back is: it
//! stays over a restart, until that file changes.
//!
//! At a start nothing runs that a change could be compared with. So the component and the settings
//! that ran last are put in place first, and the changed ones begin their shadow anew.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use andon_model::{Component, ShadowTerms};
use andon_web::Refusal;
use serde_json::Value;

use super::{Shelf, Workshop};
use crate::engine::{ShadowRequest, Wanted};
use crate::plugin_folder::{read_component, signature_beside};

/// What a person orders of a shadow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ShadowOrder {
    /// Let a component run beside an instance, on the instance's own settings.
    Begin {
        /// Name of the instance.
        instance: String,
        /// The component.
        file: PathBuf,
        /// For how long, and what then.
        terms: ShadowTerms,
    },
    /// Put the shadow in the place of the instance.
    Promote(String),
    /// End the shadow.
    Refuse(String),
}

/// A component that a person let run as a shadow.
pub(crate) struct HandCandidate {
    /// The component of the instance, in the folder.
    file: String,
    /// Hash of that file when the shadow began; another one there counts more than this.
    instead_of: Option<String>,
    component: Arc<dyn Component>,
    bytes: Arc<[u8]>,
    signature: Option<String>,
}

impl Workshop {
    /// Does what a person orders of a shadow.
    pub(super) async fn shadow(&mut self, order: ShadowOrder) -> Result<Value, Refusal> {
        match order {
            ShadowOrder::Begin {
                instance,
                file,
                terms,
            } => self.begin_shadow(instance, &file, terms).await,
            ShadowOrder::Promote(instance) => {
                let asked = self
                    .door
                    .shadow(|reply| ShadowRequest::Promote { instance, reply });
                let done = asked.await.map_err(refusal)??;
                self.renew_plugins(None).await;
                Ok(done)
            }
            ShadowOrder::Refuse(instance) => {
                let asked = self
                    .door
                    .shadow(|reply| ShadowRequest::Refuse { instance, reply });
                let done = asked.await.map_err(refusal)??;
                self.renew_plugins(None).await;
                Ok(done)
            }
        }
    }

    async fn begin_shadow(
        &mut self,
        instance: String,
        file: &Path,
        terms: ShadowTerms,
    ) -> Result<Value, Refusal> {
        let Some(runs) = self.current.instances.get(&instance) else {
            return Err(Refusal::new(format!(
                "no instance `{instance}` runs: `andon plugin list` shows those that do"
            )));
        };
        let (component_file, own_file) = (runs.plan.component.clone(), runs.file.clone());
        let (bytes, signature) = read_candidate(file.to_owned()).await.map_err(refusal)?;
        let component = self
            .shelving
            .load_other(
                &file.display().to_string(),
                Arc::clone(&bytes),
                signature.clone(),
            )
            .await
            .map_err(refusal)?;
        // As if it lay in the folder: the same settings, the same checks.
        let mut shelf = self.shelving.shelf.clone();
        shelf
            .components
            .insert(component_file.clone(), Arc::clone(&component));
        let mut next = self.assembled(&shelf);
        let bound = next.instances.remove(&instance);
        let bound = bound.filter(|one| one.component.hash() == component.hash());
        let Some(bound) = bound else {
            let problems = next.problems.remove(&own_file).unwrap_or_default();
            let says: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Err(Refusal::new(format!(
                "{} does not go with the settings of `{instance}`: {}",
                file.display(),
                says.join("; ")
            )));
        };
        let wanted = Box::new(Wanted {
            plan: bound.plan,
            component: Arc::clone(&component),
            shadow: Some(terms),
        });
        let prepare = self
            .door
            .shadow(|reply| ShadowRequest::Prepare { wanted, reply });
        let preparation = prepare.await.map_err(refusal)?.map_err(refusal)?;
        let prepared = preparation
            .start()
            .await
            .map_err(|error| Refusal::new(format!("{} does not start: {error}", file.display())))?;
        let prepared = Box::new(prepared);
        let begin = self.door.shadow(|reply| ShadowRequest::Begin {
            prepared,
            terms,
            reply,
        });
        let done = begin.await.map_err(refusal)??;
        let candidate = HandCandidate {
            instead_of: self.shelving.folder_hashes.get(&component_file).cloned(),
            file: component_file,
            component,
            bytes,
            signature,
        };
        self.by_hand.insert(instance, candidate);
        Ok(done)
    }

    /// Takes over what a person let run and what was promoted since; forgets what is gone. It comes
    /// before every look at what shall run, or the file in the folder would take its place back.
    pub(super) async fn settle_by_hand(&mut self) {
        if self.by_hand.is_empty() {
            return;
        }
        let Ok(snapshot) = self.door.look().await else {
            return;
        };
        for (instance, candidate) in std::mem::take(&mut self.by_hand) {
            let Some(now) = snapshot.instances.iter().find(|one| one.name == instance) else {
                continue;
            };
            let hash = candidate.component.hash();
            let in_folder = self.shelving.folder_hashes.get(&candidate.file);
            if in_folder != candidate.instead_of.as_ref() {
                // The file changed since: it takes over, as after a roll back.
                continue;
            }
            if now.hash == hash {
                let (file, component) = (&candidate.file, Arc::clone(&candidate.component));
                let at = self.clock.now();
                let signature = candidate.signature.as_deref();
                self.shelving
                    .adopt(file, component, &candidate.bytes, signature, at);
            } else if now
                .shadow
                .as_ref()
                .is_some_and(|shadow| shadow.hash == hash)
            {
                self.by_hand.insert(instance, candidate);
            }
        }
    }

    /// The shelf with the versions that ran last, for instances that come and whose changes are to
    /// run as shadows; `None` where there is nothing to hold back.
    pub(super) async fn held_back(&self) -> Option<Shelf> {
        let next = self.assembled(&self.shelving.shelf);
        let come = next.instances.values().filter(|one| {
            one.shadow.is_some() && !self.current.instances.contains_key(&one.plan.name)
        });
        let mut shelf: Option<Shelf> = None;
        for one in come {
            let (name, file) = (&one.plan.name, &one.plan.component);
            if let Some(component) = self.shelving.last_good(file).await {
                let hash = component.hash();
                tracing::info!(name, file, hash, "the version that ran last goes first");
                let shelf = shelf.get_or_insert_with(|| self.shelving.shelf.clone());
                shelf.components.insert(file.clone(), component);
            }
            let ran_with = self.shelving.ran_with(&one.file);
            if let Some(text) = ran_with.filter(|text| Some(*text) != one.text.as_ref()) {
                let file = &one.file;
                tracing::info!(name, file, "the settings that it ran with last go first");
                let shelf = shelf.get_or_insert_with(|| self.shelving.shelf.clone());
                shelf.files.insert(file.clone(), text.clone());
            }
        }
        shelf
    }
}

fn refusal(error: impl ToString) -> Refusal {
    Refusal::new(error.to_string())
}

/// Reads a component from anywhere and the signature beside it.
async fn read_candidate(path: PathBuf) -> Result<(Arc<[u8]>, Option<String>), String> {
    let shown = path.display().to_string();
    let read = tokio::task::spawn_blocking(move || {
        read_component(&path).map(|bytes| (bytes, signature_beside(&path)))
    });
    let read = read
        .await
        .map_err(|error| format!("{shown} was not read: {error}"))?;
    read.map_err(|error| {
        if error.kind() == ErrorKind::FileTooLarge {
            format!("{shown} has {error}")
        } else {
            format!("{shown} cannot be read by the host ({error}); give its user the right to")
        }
    })
}
