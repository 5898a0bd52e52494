//! Kept samples: the recent past of the tags that instances read, and the latest texts.
//!
//! A ring a tag, [`SampleHistory::SAMPLES_DEFAULT`] samples of 24 bytes unless settings say
//! otherwise; when it is full, the oldest sample leaves. Only tags that some instance is bound to
//! have a ring, and a ring takes room as it fills. Texts are kept for all text tags, the latest
//! alone. Guests read while they run, so all is behind one lock, taken once a batch to write and
//! once a question to read, and never held while a guest runs.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use andon_model::{Columns, History, SampleBatch, TagId, Timestamp};

use crate::current::Current;

/// The history that all guests share.
#[derive(Debug)]
pub struct SampleHistory {
    kept: RwLock<Kept>,
}

#[derive(Debug)]
struct Kept {
    samples_max: usize,
    /// By the index of the tag; `None` where no instance reads it.
    rings: Vec<Option<VecDeque<Sample>>>,
    texts: HashMap<TagId, Arc<str>>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    value: f64,
    time: Timestamp,
    quality: u8,
}

impl SampleHistory {
    /// Samples kept for each tag where settings say nothing.
    pub const SAMPLES_DEFAULT: usize = 1_000;

    /// An empty history that keeps this many samples a tag, at least one.
    #[must_use]
    pub fn new(samples_max: usize) -> Self {
        Self {
            kept: RwLock::new(Kept {
                samples_max: samples_max.max(1),
                rings: Vec::new(),
                texts: HashMap::new(),
            }),
        }
    }

    /// Changes how many samples a tag keeps, at least one; the oldest leave where there are more.
    pub fn set_samples_max(&self, samples_max: usize) {
        self.write(|kept| {
            kept.samples_max = samples_max.max(1);
            for ring in kept.rings.iter_mut().flatten() {
                let surplus = ring.len().saturating_sub(kept.samples_max);
                ring.drain(..surplus);
            }
        });
    }

    /// Takes in what a read changed.
    pub(crate) fn take_in(&self, batch: &SampleBatch) {
        self.write(|kept| {
            for (tag, value, quality, time) in batch.rows() {
                kept.push(tag, value, quality.0, time);
            }
            for (row, text) in &batch.text {
                if let Some(tag) = batch.tag.get(*row as usize) {
                    kept.texts.insert(*tag, Arc::clone(text));
                }
            }
        });
    }

    /// Keeps rings for these tags alone; a new ring begins with the tag's current sample.
    pub(crate) fn keep_only(&self, tags: &[TagId], current: &Current) {
        self.write(|kept| {
            let size = tags.iter().map(|tag| tag.index() + 1).max().unwrap_or(0);
            let mut before = std::mem::take(&mut kept.rings);
            before.resize_with(size.max(before.len()), || None);
            kept.rings.resize_with(size, || None);
            for tag in tags {
                let Some(ring) = kept.rings.get_mut(tag.index()) else {
                    continue;
                };
                if ring.is_some() {
                    continue;
                }
                let old = before.get_mut(tag.index()).and_then(Option::take);
                *ring = Some(old.unwrap_or_else(|| {
                    current
                        .get(*tag)
                        .map(|now| Sample {
                            value: now.value,
                            time: now.time,
                            quality: now.quality.0,
                        })
                        .into_iter()
                        .collect()
                }));
            }
        });
    }

    fn write(&self, change: impl FnOnce(&mut Kept)) {
        // A poisoned lock means that a reader or writer panicked; the samples are whole anyway,
        // for each change is one push.
        change(&mut self.kept.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Default for SampleHistory {
    fn default() -> Self {
        Self::new(Self::SAMPLES_DEFAULT)
    }
}

impl Kept {
    fn push(&mut self, tag: TagId, value: f64, quality: u8, time: Timestamp) {
        if let Some(Some(ring)) = self.rings.get_mut(tag.index()) {
            while ring.len() >= self.samples_max {
                ring.pop_front();
            }
            ring.push_back(Sample {
                value,
                time,
                quality,
            });
        }
    }
}

impl History for SampleHistory {
    fn text(&self, tag: TagId) -> Option<Arc<str>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.texts.get(&tag).cloned()
    }

    fn window(&self, tag: TagId, since: Timestamp, input: u32) -> Columns {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let mut window = Columns::default();
        if let Some(Some(ring)) = kept.rings.get(tag.index()) {
            for sample in ring.iter().filter(|sample| sample.time >= since) {
                window.push(input, sample.value, sample.quality, sample.time);
            }
        }
        window
    }
}
