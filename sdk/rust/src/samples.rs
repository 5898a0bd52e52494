//! Samples and the inputs that they belong to.
//!
//! The host hands over columns (one list per field), because lists of numbers cross into a sandbox
//! in one copy. [`Samples`] walks the columns in step, so that an author sees rows and pays for columns.

mod band;

use std::ops::RangeInclusive;

use serde::Deserialize;

use crate::{Reading, Timestamp};

/// OPC quality byte: 192 and above good, 64 to 191 uncertain, below 64 bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quality(pub u8);

impl Quality {
    /// Good.
    pub const GOOD: Self = Self(192);
    /// Uncertain, no reason known.
    pub const UNCERTAIN: Self = Self(64);
    /// Bad, no reason known.
    pub const BAD: Self = Self(0);
    /// Bad: the device stopped answering.
    pub const BAD_COMM_FAILURE: Self = Self(24);

    /// The value can be trusted.
    #[must_use]
    pub const fn is_good(self) -> bool {
        self.0 >= 192
    }

    /// The value must not be used.
    #[must_use]
    pub const fn is_bad(self) -> bool {
        self.0 < 64
    }

    /// The word of the field for this byte.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self.0 {
            4..=7 => "bad: configuration error",
            8..=11 => "bad: not connected",
            12..=15 => "bad: device failure",
            16..=19 => "bad: sensor failure",
            20..=23 => "bad: last known value",
            24..=27 => "bad: communication failure",
            28..=31 => "bad: out of service",
            0..=3 | 32..=63 => "bad",
            64..=191 => "uncertain",
            216..=219 => "good: local override",
            192..=215 | 220..=255 => "good",
        }
    }
}

/// The type of a tag's value in its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum ValueType {
    /// 0 or 1.
    Bool,
    /// Characters.
    Text,
    /// Any of the numbers.
    #[default]
    #[serde(other)]
    Number,
}

/// A tag that is bound to a port.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Input {
    /// Its index in [`Inputs`], the same for as long as this configuration lives.
    #[serde(skip)]
    pub index: u32,
    /// Name of the port.
    pub port: String,
    /// Name of the tag.
    pub tag: String,
    /// Engineering unit of the tag.
    #[serde(default)]
    pub unit: Option<String>,
    /// Type of the tag.
    #[serde(default, rename = "type")]
    pub value_type: ValueType,
}

/// The bound inputs of an instance, in the order of their index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inputs {
    list: Vec<Input>,
}

impl Inputs {
    pub(crate) fn new(mut list: Vec<Input>) -> Self {
        for (index, input) in (0..).zip(&mut list) {
            input.index = index;
        }
        Self { list }
    }

    /// The input with this index.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&Input> {
        self.list.get(index as usize)
    }

    /// The first input that is bound to this port.
    #[must_use]
    pub fn port(&self, port: &str) -> Option<&Input> {
        self.list.iter().find(|input| input.port == port)
    }

    /// All inputs, in the order of their index.
    pub fn iter(&self) -> impl Iterator<Item = &Input> {
        self.list.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing is bound.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// Columns of samples, as the host hands them over: row i is one sample.
#[derive(Debug, Clone, Copy, Default)]
pub struct Columns<'a> {
    /// Index of the input.
    pub input: &'a [u32],
    /// Engineering value.
    pub value: &'a [f64],
    /// OPC quality byte.
    pub quality: &'a [u8],
    /// Nanoseconds since the Unix epoch.
    pub time: &'a [i64],
}

/// The new samples of a call, oldest first. A copy of it is a view of the same rows.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    columns: Columns<'a>,
    inputs: &'a Inputs,
}

impl<'a> Samples<'a> {
    pub(crate) const fn new(columns: Columns<'a>, inputs: &'a Inputs) -> Self {
        Self { columns, inputs }
    }

    /// How many samples there are; none at a wake-up.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.columns.input.len()
    }

    /// Whether there is none: the call is a wake-up.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.columns.input.is_empty()
    }

    /// The columns themselves, for arithmetic over many rows.
    #[must_use]
    pub const fn columns(&self) -> Columns<'a> {
        self.columns
    }

    /// Whether every sample has a value in this band and a quality that is not bad.
    ///
    /// Nearly all batches bring nothing new, and this finds it out without looking at the rows one
    /// by one: some ten times as fast in a sandbox as a loop over [`Self::iter`].
    #[must_use]
    pub fn are_within(&self, band: &RangeInclusive<f64>) -> bool {
        band::are_between(self.columns.value, *band.start(), *band.end())
            && band::is_none_bad(self.columns.quality)
    }

    /// The samples, one after another.
    #[must_use]
    pub fn iter(&self) -> SampleRows<'a> {
        self.into_iter()
    }
}

impl<'a> IntoIterator for &Samples<'a> {
    type Item = Sample<'a>;
    type IntoIter = SampleRows<'a>;

    fn into_iter(self) -> SampleRows<'a> {
        (*self).into_iter()
    }
}

impl<'a> IntoIterator for Samples<'a> {
    type Item = Sample<'a>;
    type IntoIter = SampleRows<'a>;

    #[inline]
    fn into_iter(self) -> SampleRows<'a> {
        let Columns {
            input,
            value,
            quality,
            time,
        } = self.columns;
        // One length for all, which the compiler then knows of all.
        let rows = input
            .len()
            .min(value.len())
            .min(quality.len())
            .min(time.len());
        SampleRows {
            next: 0,
            columns: Columns {
                input: input.get(..rows).unwrap_or_default(),
                value: value.get(..rows).unwrap_or_default(),
                quality: quality.get(..rows).unwrap_or_default(),
                time: time.get(..rows).unwrap_or_default(),
            },
            inputs: self.inputs,
        }
    }
}

/// Rows that [`SampleRows`] looks at in one turn of a search.
const TURN: usize = 8;

/// Walks [`Samples`].
///
/// One place in all columns, not an iterator over each: a sandboxed loop has few registers, and what
/// does not fit costs as much as the rule itself.
#[derive(Debug, Clone)]
pub struct SampleRows<'a> {
    next: usize,
    columns: Columns<'a>,
    inputs: &'a Inputs,
}

impl<'a> Iterator for SampleRows<'a> {
    type Item = Sample<'a>;

    #[inline]
    fn next(&mut self) -> Option<Sample<'a>> {
        let sample = self.row(self.next)?;
        self.next += 1;
        Some(sample)
    }

    /// Looks at several rows a turn. A sandboxed loop asks at every turn whether its time is over,
    /// and keeps what it asks with on the stack; for a rule of a few comparisons that is most of
    /// the cost.
    #[inline]
    fn find<P>(&mut self, mut wanted: P) -> Option<Sample<'a>>
    where
        P: FnMut(&Sample<'a>) -> bool,
    {
        while let Some(rows) = self.turn() {
            for sample in rows {
                self.next += 1;
                if wanted(&sample) {
                    return Some(sample);
                }
            }
        }
        loop {
            let sample = self.next()?;
            if wanted(&sample) {
                return Some(sample);
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.columns.input.len().saturating_sub(self.next);
        (left, Some(left))
    }
}

impl<'a> SampleRows<'a> {
    #[inline]
    fn row(&self, row: usize) -> Option<Sample<'a>> {
        Some(Sample {
            index: *self.columns.input.get(row)?,
            value: *self.columns.value.get(row)?,
            quality: Quality(*self.columns.quality.get(row)?),
            time: Timestamp::from_nanos(*self.columns.time.get(row)?),
            inputs: self.inputs,
        })
    }

    /// The next rows, if there are as many.
    #[inline]
    fn turn(&self) -> Option<[Sample<'a>; TURN]> {
        let input: &[u32; TURN] = self.columns.input.get(self.next..)?.first_chunk()?;
        let value: &[f64; TURN] = self.columns.value.get(self.next..)?.first_chunk()?;
        let quality: &[u8; TURN] = self.columns.quality.get(self.next..)?.first_chunk()?;
        let time: &[i64; TURN] = self.columns.time.get(self.next..)?.first_chunk()?;
        #[expect(clippy::indexing_slicing, reason = "each array has as many rows")]
        Some(std::array::from_fn(|row| Sample {
            index: input[row],
            value: value[row],
            quality: Quality(quality[row]),
            time: Timestamp::from_nanos(time[row]),
            inputs: self.inputs,
        }))
    }
}

/// One sample of one input.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Index of the input: the same as [`Input::index`].
    pub index: u32,
    /// Engineering value. A boolean is 0 or 1; a text input carries NaN.
    pub value: f64,
    /// How far the value can be trusted.
    pub quality: Quality,
    /// When the device was read.
    pub time: Timestamp,
    inputs: &'a Inputs,
}

impl<'a> Sample<'a> {
    /// The input that it is of; the host only sends indices that `configure` was given.
    #[must_use]
    pub fn input(&self) -> Option<&'a Input> {
        self.inputs.get(self.index)
    }

    /// Name of its tag.
    #[must_use]
    pub fn tag(&self) -> &'a str {
        self.input().map_or("?", |input| &input.tag)
    }

    /// Name of its port.
    #[must_use]
    pub fn port(&self) -> &'a str {
        self.input().map_or("?", |input| &input.port)
    }

    /// Unit of its tag.
    #[must_use]
    pub fn unit(&self) -> Option<&'a str> {
        self.input().and_then(|input| input.unit.as_deref())
    }

    /// Whether the value may be used: the quality is not bad, and it is a number.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        !self.quality.is_bad() && self.value.is_finite()
    }

    /// Value and unit as people read them: `81.2 %`.
    #[must_use]
    pub fn reading(&self) -> Reading<'a> {
        Reading::new(self.value, self.unit())
    }
}

/// A sample that the host keeps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeptSample {
    /// Engineering value.
    pub value: f64,
    /// How far it can be trusted.
    pub quality: Quality,
    /// When the device was read.
    pub time: Timestamp,
}
