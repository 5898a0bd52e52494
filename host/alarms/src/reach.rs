//! Which tags and devices an alarm is about, and what is known of their quality.
//!
//! A rule does not say which of its inputs an alarm is about. It is found by the label `tag`, or by
//! a key that begins with the name of an input, as all rules that come with the host have it; else
//! all inputs of the instance count together. Tags that functions compute lie on the devices of what
//! the function reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use andon_model::{InstancePlan, Labels, Quality, SampleBatch, TagId};

/// A unit of a device.
pub type UnitName = (Arc<str>, u8);

/// Where the inputs of all instances lie: made anew at each reload.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    units: Vec<UnitName>,
    /// Units by tag.
    lies_on: BTreeMap<TagId, BTreeSet<usize>>,
    instances: BTreeMap<String, BTreeMap<Arc<str>, TagId>>,
}

/// The inputs that an alarm is about.
enum About<'a> {
    One(TagId),
    All(&'a BTreeMap<Arc<str>, TagId>),
}

/// Whether what a rule says of an alarm can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The quality of its tags is good or uncertain, or it has none.
    Good,
    /// The quality of its tags is bad.
    Bad,
    /// Nothing was read since the start.
    Unknown,
}

impl Reach {
    /// From the tags that are read, each with its device and unit, and the instances that run.
    pub fn new<'a>(
        device_tags: impl IntoIterator<Item = (TagId, UnitName)>,
        instances: impl IntoIterator<Item = &'a InstancePlan>,
    ) -> Self {
        let mut reach = Self::default();
        let mut numbers: BTreeMap<UnitName, usize> = BTreeMap::new();
        for (tag, unit) in device_tags {
            let number = *numbers.entry(unit.clone()).or_insert_with(|| {
                reach.units.push(unit);
                reach.units.len() - 1
            });
            reach.lies_on.entry(tag).or_default().insert(number);
        }
        let plans: Vec<&InstancePlan> = instances.into_iter().collect();
        // Each round takes at least one function further along the chain, so no more rounds than
        // instances are needed.
        for _ in 0..plans.len() {
            let before = reach.lies_on.len();
            plans.iter().for_each(|plan| reach.add_outputs(plan));
            if reach.lies_on.len() == before {
                break;
            }
        }
        for plan in plans {
            let inputs = plan.inputs.iter();
            let inputs = inputs.map(|input| (Arc::clone(&input.tag_name), input.tag));
            reach.instances.insert(plan.name.clone(), inputs.collect());
        }
        reach
    }

    fn add_outputs(&mut self, plan: &InstancePlan) {
        if plan.outputs.is_empty() {
            return;
        }
        let units: BTreeSet<usize> = plan
            .inputs
            .iter()
            .filter_map(|input| self.lies_on.get(&input.tag))
            .flatten()
            .copied()
            .collect();
        if units.is_empty() {
            return;
        }
        for output in &plan.outputs {
            self.lies_on.entry(output.tag).or_default().extend(&units);
        }
    }

    /// All units that are read.
    pub(crate) fn units(&self) -> &[UnitName] {
        &self.units
    }

    /// The unit that this tag is read from; none for what a function computes.
    pub(crate) fn unit_of(&self, tag: TagId) -> Option<usize> {
        let units = self.lies_on.get(&tag)?;
        (units.len() == 1).then(|| units.first().copied()).flatten()
    }

    fn about(&self, instance: &str, key: &str, labels: Option<&Labels>) -> Option<About<'_>> {
        let inputs = self.instances.get(instance)?;
        let label = labels.and_then(|labels| labels.get("tag"));
        if let Some(tag) = label.and_then(|name| inputs.get(name.as_str())) {
            return Some(About::One(*tag));
        }
        // The longest name that the key begins with: after it the key ends or goes on with a sign
        // that separates words.
        let ends = key
            .char_indices()
            .filter(|(_, sign)| !sign.is_alphanumeric())
            .map(|(at, _)| at);
        let mut ends: Vec<usize> = ends.collect();
        ends.push(key.len());
        let named = ends
            .into_iter()
            .rev()
            .find_map(|end| inputs.get(key.get(..end)?));
        Some(match named {
            Some(tag) => About::One(*tag),
            None => About::All(inputs),
        })
    }

    /// Whether an alarm is about units for which `lost` holds: the input that it is about lies on
    /// one, or each of its inputs does.
    pub(crate) fn lies_on_lost(
        &self,
        instance: &str,
        key: &str,
        labels: &Labels,
        lost: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let lost_of = |tag: &TagId| {
            let mut units = self.lies_on.get(tag)?.iter().copied();
            units.find(|unit| lost(*unit))
        };
        match self.about(instance, key, Some(labels))? {
            About::One(tag) => lost_of(&tag),
            About::All(inputs) => {
                let mut found = None;
                for tag in inputs.values() {
                    found = Some(lost_of(tag)?);
                }
                found
            }
        }
    }

    /// Whether what the rule says of this alarm can be relied on.
    pub(crate) fn trust(&self, states: &TagStates, instance: &str, key: &str) -> Trust {
        match self.about(instance, key, None) {
            None => Trust::Good,
            Some(About::One(tag)) => states.of(tag),
            Some(About::All(inputs)) => {
                let all = || inputs.values().map(|tag| states.of(*tag));
                if inputs.is_empty() || all().any(|trust| trust == Trust::Good) {
                    Trust::Good
                } else if all().any(|trust| trust == Trust::Bad) {
                    Trust::Bad
                } else {
                    Trust::Unknown
                }
            }
        }
    }
}

/// The quality of every tag, as far as it matters here. One byte a tag.
#[derive(Debug, Clone, Default)]
pub(crate) struct TagStates(Vec<State>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Unseen,
    Usable,
    Bad,
    /// Bad because its device does not answer.
    Lost,
}

/// A tag whose device fell silent, or answers again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkChange {
    Lost(TagId),
    Found(TagId),
}

impl TagStates {
    /// Takes in new samples; `changed` hears of tags whose device fell silent or answers again.
    pub(crate) fn see(&mut self, batch: &SampleBatch, mut changed: impl FnMut(LinkChange)) {
        for (tag, quality) in batch.tag.iter().zip(&batch.quality) {
            let state = state_of(Quality(*quality));
            if self.0.len() <= tag.index() {
                self.0.resize(tag.index() + 1, State::Unseen);
            }
            let Some(before) = self.0.get_mut(tag.index()) else {
                continue;
            };
            if *before == state {
                continue;
            }
            let was = std::mem::replace(before, state);
            match (was, state) {
                (_, State::Lost) => changed(LinkChange::Lost(*tag)),
                (State::Lost, _) => changed(LinkChange::Found(*tag)),
                _ => {}
            }
        }
    }

    /// Tags of which the last sample says that their device does not answer.
    pub(crate) fn lost(&self) -> impl Iterator<Item = TagId> + '_ {
        let numbered = (0_u32..).zip(&self.0);
        numbered.filter_map(|(id, state)| (*state == State::Lost).then_some(TagId(id)))
    }

    fn of(&self, tag: TagId) -> Trust {
        match self.0.get(tag.index()).copied().unwrap_or_default() {
            State::Unseen => Trust::Unknown,
            State::Usable => Trust::Good,
            State::Bad | State::Lost => Trust::Bad,
        }
    }
}

const fn state_of(quality: Quality) -> State {
    match quality.0 {
        8..=11 | 24..=27 => State::Lost,
        0..=63 => State::Bad,
        64..=255 => State::Usable,
    }
}
