//! What one read changed.

use std::sync::Arc;

use crate::{Quality, TagId, Timestamp};

/// Where samples come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// Read from a device, or computed from such samples.
    #[default]
    Device,
    /// Put there by a person (`andon inject`): alarms from it are marked as a test.
    Test,
}

/// New samples in columns: row i is one sample of one tag. All columns have one length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SampleBatch {
    /// Which tag.
    pub tag: Vec<TagId>,
    /// Engineering value; NaN for a text tag.
    pub value: Vec<f64>,
    /// OPC quality byte.
    pub quality: Vec<u8>,
    /// When the device was read, nanoseconds since the Unix epoch.
    pub time: Vec<i64>,
    /// Texts of text tags in this batch, by row, rows ascending.
    pub text: Vec<(u32, Arc<str>)>,
    /// Where the samples come from.
    pub origin: Origin,
}

impl SampleBatch {
    /// A batch with room for this many rows.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            tag: Vec::with_capacity(rows),
            value: Vec::with_capacity(rows),
            quality: Vec::with_capacity(rows),
            time: Vec::with_capacity(rows),
            ..Self::default()
        }
    }

    /// Adds a sample of a numeric or boolean tag.
    pub fn push(&mut self, tag: TagId, value: f64, quality: Quality, time: Timestamp) {
        self.tag.push(tag);
        self.value.push(value);
        self.quality.push(quality.0);
        self.time.push(time.nanos());
    }

    /// Adds a sample of a text tag.
    pub fn push_text(&mut self, tag: TagId, text: Arc<str>, quality: Quality, time: Timestamp) {
        let row = u32::try_from(self.tag.len()).unwrap_or(u32::MAX);
        self.push(tag, f64::NAN, quality, time);
        self.text.push((row, text));
    }

    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tag.len()
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tag.is_empty()
    }

    /// Empties the batch and keeps its room.
    pub fn clear(&mut self) {
        self.tag.clear();
        self.value.clear();
        self.quality.clear();
        self.time.clear();
        self.text.clear();
        self.origin = Origin::Device;
    }

    /// The samples, one after another: tag, value, quality, time.
    pub fn rows(&self) -> impl Iterator<Item = (TagId, f64, Quality, Timestamp)> + '_ {
        self.tag
            .iter()
            .zip(&self.value)
            .zip(&self.quality)
            .zip(&self.time)
            .map(|(((tag, value), quality), time)| {
                (
                    *tag,
                    *value,
                    Quality(*quality),
                    Timestamp::from_nanos(*time),
                )
            })
    }
}
