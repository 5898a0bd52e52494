//! Replay: a recording through one or two sets of rules, at full speed, with the time that it tells.
//!
//! Nothing of the plant is touched: no store, no sink, no state of before. Wake-ups happen at their
//! moments of recorded time, before the batch that comes after them. The same recording and the same
//! files give the same outcome, so a plugin's bound on time is widened here: a busy machine must not
//! decide what a rule answers.

mod report;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use andon_alarms::ConditioningPlan;
use andon_model::{SampleBatch, TagId, Timestamp, ValueType};
use andon_recording::{Item, Known, Outcome, Recording};
use andon_routing::RoutingPlan;

pub(crate) use report::{Report, Tags, VersionReport};
pub(crate) use versions::{Version, Workbench};

use crate::engine::DryRun;
use crate::workshop::Assembly;

/// Most wake-ups between two batches. Beyond it time goes on to the next batch, and that is told.
const WAKES_MAX: usize = 1_000_000;

/// What a call or a start may take, at least.
const CALL_TIME: Duration = Duration::from_secs(10);

/// What one version made of the recording.
#[derive(Debug, Clone, Default)]
pub(crate) struct Played {
    /// Alarms, messages, troubles.
    pub(crate) outcome: Outcome,
    /// How often time went on although wake-ups were due.
    pub(crate) skipped: u64,
}

/// One version at work.
struct World<'a> {
    version: &'a Version,
    run: Option<DryRun>,
    played: Played,
}

/// What both versions are given.
pub(crate) struct Ground {
    /// Who would be told.
    pub(crate) routing: Arc<RoutingPlan>,
    /// Delays, suppressions and floods.
    pub(crate) conditioning: ConditioningPlan,
    /// Samples that are kept for windows.
    pub(crate) window_samples: usize,
}

/// Plays a recording to its end.
///
/// # Errors
/// The recording cannot be read, or an instance does not start.
pub(crate) async fn play(
    recording: &mut Recording,
    versions: &[Version],
    ground: &Ground,
) -> anyhow::Result<Vec<Played>> {
    let mut worlds: Vec<World<'_>> = versions
        .iter()
        .map(|version| World {
            version,
            run: None,
            played: Played::default(),
        })
        .collect();
    let readable = readable(versions);
    let mut find = |name: &str| readable.get(name).copied();
    let mut batch = SampleBatch::default();
    let mut last = None;
    while let Some(item) = recording.next(&mut batch, &mut find)? {
        let now = match item {
            Item::Batch(now) | Item::Gap { now, .. } | Item::End(now) => now,
        };
        last = Some(now);
        for world in &mut worlds {
            world.pass(now, ground).await?;
            if !batch.is_empty() {
                world.round(now, &batch).await;
            }
        }
    }
    if let Some(end) = last {
        // What is due at the very end still happens.
        let after = end.plus(Duration::from_nanos(1));
        for world in &mut worlds {
            world.pass(after, ground).await?;
        }
    }
    Ok(worlds.into_iter().map(|world| world.played).collect())
}

impl World<'_> {
    /// Lets time go on to just before `now`.
    async fn pass(&mut self, now: Timestamp, ground: &Ground) -> anyhow::Result<()> {
        if self.run.is_none() {
            let routing = Arc::clone(&ground.routing);
            let mut run = DryRun::new(routing, ground.window_samples, now);
            run.install(now, self.version.instances(CALL_TIME)).await?;
            let assembly = &self.version.assembly;
            let plan = ground
                .conditioning
                .clone()
                .with_instances(assembly.delays());
            run.condition(now, plan, assembly.reach(), &assembly.tags);
            self.run = Some(run);
        }
        let nothing = SampleBatch::default();
        for _ in 0..WAKES_MAX {
            let due = self.run.as_ref().and_then(DryRun::next_wake);
            match due.filter(|due| *due < now) {
                Some(due) => self.round(due, &nothing).await,
                None => return Ok(()),
            }
        }
        self.played.skipped += 1;
        Ok(())
    }

    async fn round(&mut self, now: Timestamp, batch: &SampleBatch) {
        if let Some(run) = &mut self.run {
            let commit = run.round(now, batch).await;
            self.played.outcome.take(&commit);
        }
    }
}

/// Tags whose samples a replay takes: those of the devices. What functions compute is computed anew.
fn readable(versions: &[Version]) -> BTreeMap<Arc<str>, Known> {
    let computed: BTreeSet<TagId> = versions.iter().flat_map(Version::computed).collect();
    let mut readable = BTreeMap::new();
    for version in versions {
        for (id, tag) in version.assembly.tags.iter() {
            if computed.contains(&id) {
                continue;
            }
            let known = Known {
                tag: id,
                is_text: tag.value_type == ValueType::Text,
            };
            readable.insert(Arc::clone(&tag.name), known);
        }
    }
    readable
}

/// What the settings and the recording do not have in common.
pub(crate) fn tags_of(recording: &Recording, versions: &[Version]) -> Tags {
    let computed: BTreeSet<&str> = versions
        .iter()
        .flat_map(|version| version.assembly.instances.values())
        .flat_map(|one| one.plan.outputs.iter().map(|output| &*output.tag_name))
        .collect();
    let seen: BTreeSet<TagId> = recording.known_tags().map(|known| known.tag).collect();
    let (again, unknown) = recording
        .unknown_tags()
        .into_iter()
        .partition(|(name, _)| computed.contains(name.as_str()));
    Tags {
        read: seen.len(),
        unknown,
        computed: again,
        missing: missing(&seen, versions.iter().map(|version| &version.assembly)),
    }
}

/// Tags that instances read and of which the recording holds no sample.
fn missing<'a>(
    seen: &BTreeSet<TagId>,
    assemblies: impl Iterator<Item = &'a Assembly>,
) -> Vec<String> {
    let mut names = BTreeSet::new();
    for assembly in assemblies {
        let outputs: BTreeSet<TagId> = assembly
            .instances
            .values()
            .flat_map(|one| one.plan.outputs.iter().map(|output| output.tag))
            .collect();
        let inputs = assembly
            .instances
            .values()
            .flat_map(|one| one.plan.inputs.iter());
        for input in inputs.filter(|input| !outputs.contains(&input.tag)) {
            if !seen.contains(&input.tag) {
                names.insert(input.tag_name.to_string());
            }
        }
    }
    names.into_iter().collect()
}
