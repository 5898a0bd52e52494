//! The sets of rules that a replay runs: that of a plugins folder, and the same with some files
//! replaced.
//!
//! The files in the folder count. A host that was rolled back runs something else; name its version
//! with `--compare` where that matters.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use andon_config::{Plan, Problem};
use andon_model::{Component, InstancePlan, Loader, TagId};
use andon_provenance::{Puller, Reference};
use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::plugin_folder::{FileContent, FolderChange, FolderSettings, read_component, snapshot};
use crate::workshop::{Assembly, Shelf, assemble, named_references};

/// A set of rules that can be run.
pub(crate) struct Version {
    /// What a person calls it: `v1`.
    pub(crate) name: &'static str,
    /// Where it comes from.
    pub(crate) from: String,
    /// Its instances and tags.
    pub(crate) assembly: Assembly,
}

/// An instance, as reports name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Member {
    instance: String,
    component: String,
    version: String,
    hash: String,
}

impl Version {
    /// What is to be started, with at least this time for each call.
    pub(super) fn instances(&self, call_time: Duration) -> Vec<(InstancePlan, Arc<dyn Component>)> {
        let widened = |plan: &InstancePlan| {
            let mut plan = plan.clone();
            plan.limits.call_time = plan.limits.call_time.max(call_time);
            plan.limits.start_time = plan.limits.start_time.max(call_time);
            plan
        };
        self.assembly
            .instances
            .values()
            .map(|one| (widened(&one.plan), Arc::clone(&one.component)))
            .collect()
    }

    /// Tags that its functions compute.
    pub(super) fn computed(&self) -> impl Iterator<Item = TagId> + '_ {
        let instances = self.assembly.instances.values();
        instances.flat_map(|one| one.plan.outputs.iter().map(|output| output.tag))
    }

    /// Its instances by name.
    pub(crate) fn members(&self) -> Vec<Member> {
        let instances = self.assembly.instances.values();
        instances
            .map(|one| Member {
                instance: one.plan.name.clone(),
                component: one.plan.component.clone(),
                version: one.component.description().version.clone(),
                hash: one.component.hash().to_owned(),
            })
            .collect()
    }
}

/// Where versions are put together.
pub(crate) struct Workbench<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) loader: Arc<dyn Loader>,
    /// Has what instance files name in registries.
    pub(crate) puller: Puller,
}

impl Workbench<'_> {
    /// The rules of a plugins folder, and what lies on its shelf.
    ///
    /// # Errors
    /// Everything that is wrong with its files: a replay of some of the rules would mislead.
    pub(crate) async fn of_folder(&self, folder: &Path) -> anyhow::Result<(Version, Shelf)> {
        let mut shelf = Shelf::default();
        self.put_folder(&mut shelf, folder).await?;
        let version = self.assembled("v1", folder, &shelf, &Assembly::default())?;
        Ok((version, shelf))
    }

    /// The same with components and instance files replaced by those of another folder, or one
    /// component replaced by a file.
    ///
    /// # Errors
    /// As for [`Workbench::of_folder`]; or a file that replaces nothing.
    pub(crate) async fn replaced(
        &self,
        first: &Version,
        mut shelf: Shelf,
        by: &Path,
    ) -> anyhow::Result<Version> {
        if by.is_dir() {
            self.put_folder(&mut shelf, by).await?;
        } else {
            self.put_file(&mut shelf, by).await?;
        }
        self.assembled("v2", by, &shelf, &first.assembly)
    }

    fn assembled(
        &self,
        name: &'static str,
        from: &Path,
        shelf: &Shelf,
        before: &Assembly,
    ) -> anyhow::Result<Version> {
        let assembly = assemble(&self.plan.tags, &self.plan.instances, shelf, before);
        let problems: Vec<&Problem> = assembly.problems.values().flatten().collect();
        if !problems.is_empty() || !assembly.is_ordered() {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            bail!(
                "the plugins of {} cannot run:\n{}",
                from.display(),
                lines.join("\n")
            );
        }
        if assembly.instances.is_empty() {
            bail!(
                "{} makes no instance: put a .toml beside the component that binds its inputs",
                from.display()
            );
        }
        Ok(Version {
            name,
            from: from.display().to_string(),
            assembly,
        })
    }

    async fn put_folder(&self, shelf: &mut Shelf, folder: &Path) -> anyhow::Result<()> {
        let owned = folder.to_owned();
        let look = move || snapshot(&owned, &FolderSettings::default());
        let change: FolderChange = tokio::task::spawn_blocking(look).await?;
        let mut problems: Vec<String> = change
            .problems
            .iter()
            .flatten()
            .map(ToString::to_string)
            .collect();
        for file in change.changed {
            match file.content {
                Ok(FileContent::Component { bytes, .. }) => {
                    match self.loader.load(&file.name, bytes).await {
                        Ok(component) => {
                            shelf.components.insert(file.name, component);
                        }
                        Err(error) => problems.push(error.to_string()),
                    }
                }
                Ok(FileContent::Sidecar { text }) => {
                    shelf.files.insert(file.name, text);
                }
                Err(problem) => problems.push(problem.to_string()),
            }
        }
        if let Err(error) = self.put_pulled(shelf).await {
            problems.push(error.to_string());
        }
        if !problems.is_empty() {
            bail!("{}:\n{}", folder.display(), problems.join("\n"));
        }
        Ok(())
    }

    /// Puts what the instance files name in registries, from the host's cache or fetched.
    async fn put_pulled(&self, shelf: &mut Shelf) -> anyhow::Result<()> {
        for text in named_references(&shelf.files) {
            if shelf.components.contains_key(&text) {
                continue;
            }
            let reference = Reference::parse(&text)?;
            let pulled = match self.puller.cached(&reference).await {
                Some(pulled) => pulled,
                None => self.puller.pull(&reference).await?,
            };
            let component = self.loader.load(&text, pulled.bytes).await?;
            shelf.components.insert(text, component);
        }
        Ok(())
    }

    /// Puts a component in the place of the one of its file name, or else of those that say the
    /// same name of themselves.
    async fn put_file(&self, shelf: &mut Shelf, file: &Path) -> anyhow::Result<()> {
        let bytes = read_component(file).with_context(|| format!("read {}", file.display()))?;
        let shown = file.display().to_string();
        let component = self.loader.load(&shown, bytes).await?;
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("");
        let own = component.description().name.clone();
        let mut places: Vec<String> = vec![name.to_owned()];
        if !shelf.components.contains_key(name) {
            let alike = shelf.components.iter();
            places = alike
                .filter(|(_, other)| other.description().name == own)
                .map(|(file, _)| file.clone())
                .collect();
        }
        if places.is_empty() {
            let known: Vec<&str> = shelf.components.keys().map(String::as_str).collect();
            bail!(
                "{shown} is `{own}` and takes the place of nothing: the plugins folder holds {}",
                known.join(", ")
            );
        }
        for place in places {
            shelf.components.insert(place, Arc::clone(&component));
        }
        Ok(())
    }
}
