//! What the workshop tells: to the page, and as alarms.
//!
//! Each file of the plugins folder that is refused is logged and an alarm of its own, which ends
//! when the file is well or gone.

use std::collections::{BTreeMap, BTreeSet};

use andon_config::Problem;
use andon_model::{PluginKind, Priority};

use super::sink_components::{self, SinkComponentView};
use super::{Assembly, Workshop, stem};
use crate::engine::Concern;

impl Workshop {
    /// Tells what runs and what is wrong.
    pub(super) async fn publish(&mut self, next: &Assembly, in_place: bool) {
        let mut problems = next.problems.clone();
        for (file, problem) in self.shelving.refusals() {
            problems.entry(file.clone()).or_default().push(problem);
        }
        for (file, problem) in self.sink_problems.iter().cloned() {
            problems.entry(file).or_default().push(problem);
        }
        self.tell_refused(&problems).await;
        let racked = self.rack.sinks();
        let sinks = sink_components::views(&racked);
        let unnamed = sink_components::unnamed(&racked, &self.shelving.shelf);
        let earlier = self.earlier_versions(next, &sinks);
        let kinds = next.instances.values().map(|one| one.plan.kind);
        let rules = kinds.filter(|kind| *kind == PluginKind::Rule).count();
        self.view.send_modify(|view| {
            view.problems = problems
                .iter()
                .map(|(file, found)| {
                    let found = found.iter().map(ToString::to_string);
                    (file.clone(), found.collect())
                })
                .collect();
            view.waiting = next.waiting.iter().cloned().collect();
            view.pulling.clone_from(&next.pulling);
            view.folder_problems = self.shelving.folder_problems.clone();
            view.earlier = earlier;
            view.trusted = self.shelving.trust_in_words();
            view.sink_components = sinks;
            view.unnamed_sinks = unnamed;
            view.rules = rules;
            view.functions = next.instances.len() - rules;
            view.in_place |= in_place;
        });
    }

    /// Each refused file is logged and an alarm; the alarm of one that is well again ends.
    async fn tell_refused(&mut self, problems: &BTreeMap<String, Vec<Problem>>) {
        for (file, found) in problems {
            for problem in found {
                tracing::error!(file, %problem, "plugin");
            }
            if let Some(first) = found.first() {
                let message = format!(
                    "Plugin file {file} is refused, what ran before goes on: {}",
                    first.says
                );
                let concern =
                    Concern::raise(format!("plugin-file.{file}"), Priority::Medium, message)
                        .label("file", file);
                self.door.concern(concern).await;
            }
        }
        let now: BTreeSet<String> = problems.keys().cloned().collect();
        for over in self.troubled.difference(&now) {
            self.door
                .concern(Concern::clear(format!("plugin-file.{over}")))
                .await;
        }
        self.troubled = now;
    }

    /// The versions that somebody can go back to, by file.
    fn earlier_versions(
        &self,
        next: &Assembly,
        sinks: &[SinkComponentView],
    ) -> BTreeMap<String, Vec<String>> {
        let instances = next.instances.values();
        let of_instances = instances.map(|one| (&one.plan.component, one.component.hash()));
        let of_sinks = sinks.iter().map(|one| (&one.file, one.hash.as_str()));
        of_instances
            .chain(of_sinks)
            .map(|(file, runs)| {
                let versions = self.shelving.versions().list(stem(file));
                let hashes = versions.unwrap_or_default().into_iter();
                let hashes = hashes.map(|version| version.hash);
                let earlier = hashes.filter(|hash| hash != runs);
                (file.clone(), earlier.collect())
            })
            .collect()
    }
}
