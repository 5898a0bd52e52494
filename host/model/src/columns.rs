//! Samples in columns, as they cross into a plugin and back.

use crate::Timestamp;

/// Samples in columns: row i is one sample. `input` is an index whose meaning the owner of the
/// columns gives: into the bound inputs of an instance, or into its outputs.
///
/// Lists of primitive numbers are copied into a guest in one go, which is why samples travel so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    /// Index of the input or output.
    pub input: Vec<u32>,
    /// Engineering value; 0 or 1 for a boolean, NaN for a text.
    pub value: Vec<f64>,
    /// OPC quality byte.
    pub quality: Vec<u8>,
    /// When the device was read, nanoseconds since the Unix epoch.
    pub time: Vec<i64>,
}

impl Columns {
    /// Columns with room for this many rows.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            input: Vec::with_capacity(rows),
            value: Vec::with_capacity(rows),
            quality: Vec::with_capacity(rows),
            time: Vec::with_capacity(rows),
        }
    }

    /// How many rows there are: the length of the shortest column, which all share unless a
    /// stranger made them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.input
            .len()
            .min(self.value.len())
            .min(self.quality.len())
            .min(self.time.len())
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether all four columns have one length.
    #[must_use]
    pub fn is_even(&self) -> bool {
        let rows = self.input.len();
        self.value.len() == rows && self.quality.len() == rows && self.time.len() == rows
    }

    /// Adds a row.
    pub fn push(&mut self, input: u32, value: f64, quality: u8, time: Timestamp) {
        self.input.push(input);
        self.value.push(value);
        self.quality.push(quality);
        self.time.push(time.nanos());
    }

    /// Empties the columns and keeps their room.
    pub fn clear(&mut self) {
        self.input.clear();
        self.value.clear();
        self.quality.clear();
        self.time.clear();
    }

    /// The rows, one after another.
    pub fn rows(&self) -> impl Iterator<Item = (u32, f64, u8, Timestamp)> + '_ {
        self.input
            .iter()
            .zip(&self.value)
            .zip(&self.quality)
            .zip(&self.time)
            .map(|(((input, value), quality), time)| {
                (*input, *value, *quality, Timestamp::from_nanos(*time))
            })
    }
}
