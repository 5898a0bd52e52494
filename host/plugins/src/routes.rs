//! Which instances read which tag: an index that costs two look-ups a sample.

use andon_model::TagId;

/// One input of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    /// Place of the instance among the slots.
    pub(crate) slot: usize,
    /// Index of the input.
    pub(crate) input: u32,
    /// Which version of the instance reads it.
    pub(crate) reader: Reader,
}

/// A version of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// The one that is heard.
    Running,
    /// The one beside it.
    Shadow,
}

/// Targets of all tags, one after another, with the place where each tag's begin.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// `starts[tag]..starts[tag + 1]` are the places of a tag's targets.
    starts: Vec<usize>,
    targets: Vec<Target>,
}

impl Routes {
    /// Indexes pairs of tag and target; a tag's targets keep their order.
    pub(crate) fn new(mut pairs: Vec<(TagId, Target)>) -> Self {
        pairs.sort_by_key(|(tag, _)| *tag);
        let mut starts = vec![0];
        for (tag, _) in &pairs {
            let before = starts.last().copied().unwrap_or(0);
            starts.resize(starts.len().max(tag.index() + 2), before);
            if let Some(end) = starts.last_mut() {
                *end += 1;
            }
        }
        Self {
            starts,
            targets: pairs.into_iter().map(|(_, target)| target).collect(),
        }
    }

    /// The targets of a tag.
    pub(crate) fn of(&self, tag: TagId) -> &[Target] {
        let bounds = (
            self.starts.get(tag.index()),
            self.starts.get(tag.index() + 1),
        );
        match bounds {
            (Some(start), Some(end)) => self.targets.get(*start..*end).unwrap_or_default(),
            _ => &[],
        }
    }
}
