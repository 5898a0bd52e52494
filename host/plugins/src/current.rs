//! The current sample of every tag, by tag id.
//!
//! It is kept for all tags, read by an instance or not: a rule that is added later must see what
//! already holds. Bounded by [`TagTable::TAGS_MAX`]; a row of a higher id is not kept.

use andon_model::{Quality, TagId, TagTable, Timestamp};

/// Where a current sample came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// Nothing was seen yet.
    Unseen,
    /// A device, or a function over devices.
    Device,
    /// A person put it there, or a function saw such a sample.
    Test,
}

/// The latest sample of a tag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CurrentSample {
    pub(crate) value: f64,
    pub(crate) time: Timestamp,
    pub(crate) quality: Quality,
    pub(crate) provenance: Provenance,
}

impl CurrentSample {
    const UNSEEN: Self = Self {
        value: f64::NAN,
        time: Timestamp::EPOCH,
        quality: Quality::BAD,
        provenance: Provenance::Unseen,
    };

    /// Whether a sample of this value and quality says nothing new.
    pub(crate) fn says(&self, value: f64, quality: Quality) -> bool {
        let same = self.value == value || (self.value.is_nan() && value.is_nan());
        same && self.quality == quality && self.provenance != Provenance::Unseen
    }
}

/// All current samples.
#[derive(Debug, Default)]
pub(crate) struct Current(Vec<CurrentSample>);

impl Current {
    /// Takes a sample in.
    pub(crate) fn set(&mut self, tag: TagId, sample: CurrentSample) {
        if let Some(slot) = self.0.get_mut(tag.index()) {
            *slot = sample;
        } else if tag.index() < TagTable::TAGS_MAX {
            self.0.resize(tag.index() + 1, CurrentSample::UNSEEN);
            if let Some(slot) = self.0.last_mut() {
                *slot = sample;
            }
        }
    }

    /// Whether a derived sample of this value and quality says nothing new. Where it came from is
    /// taken in anyway, for a value of a test may become the device's own without a change.
    pub(crate) fn is_said(
        &mut self,
        tag: TagId,
        value: f64,
        quality: Quality,
        provenance: Provenance,
    ) -> bool {
        match self.0.get_mut(tag.index()) {
            Some(sample) if sample.says(value, quality) => {
                sample.provenance = provenance;
                true
            }
            _ => false,
        }
    }

    /// The latest sample of a tag, if there was one.
    pub(crate) fn get(&self, tag: TagId) -> Option<&CurrentSample> {
        self.0
            .get(tag.index())
            .filter(|sample| sample.provenance != Provenance::Unseen)
    }
}
