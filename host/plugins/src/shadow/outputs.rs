//! Compares what two versions of a function compute.
//!
//! After each round in which one of them was called, the last sample of every output is compared:
//! the quality must be the same and the value equal within one part in 10⁹. A shadow's own samples
//! are kept here and are never published.

use andon_model::{BoundOutput, Columns, Quality, Timestamp};

use super::ledger::{DifferenceKind, Ledger};
use crate::current::Current;
use crate::scheduler::trusted;

/// Values that differ by no more than this share of the larger one are equal.
const RELATIVE: f64 = 1e-9;

/// The last sample of each output of a shadow, by its index.
#[derive(Debug)]
pub(crate) struct OutputComparison {
    said: Vec<Option<(f64, Quality)>>,
}

impl OutputComparison {
    /// A shadow begins with what the running version said last.
    pub(crate) fn new(outputs: &[BoundOutput], current: &Current) -> Self {
        Self {
            said: outputs.iter().map(|one| published(one, current)).collect(),
        }
    }

    /// Takes in what the shadow answered.
    pub(crate) fn follow(&mut self, answer: &Columns) {
        for (output, value, quality, _) in answer.rows() {
            if let Some(said) = self.said.get_mut(output as usize) {
                *said = Some((value, trusted(value, Quality(quality))));
            }
        }
    }

    /// Compares with what the running version published.
    pub(crate) fn compare(
        &self,
        now: Timestamp,
        outputs: &[BoundOutput],
        current: &Current,
        ledger: &mut Ledger,
    ) {
        for (output, shadow) in outputs.iter().zip(&self.said) {
            let running = published(output, current);
            if same(running, *shadow) {
                ledger.counts.same += u64::from(running.is_some());
                continue;
            }
            let kind = match (running, shadow) {
                (Some(_), None) => DifferenceKind::OnlyRunning,
                (None, Some(_)) => DifferenceKind::OnlyShadow,
                _ => DifferenceKind::Changed,
            };
            ledger.note(now, kind, || {
                format!(
                    "{}: the running version {}, the shadow {}",
                    output.tag_name,
                    words(running),
                    words(*shadow)
                )
            });
        }
    }
}

fn published(output: &BoundOutput, current: &Current) -> Option<(f64, Quality)> {
    let sample = current.get(output.tag)?;
    Some((sample.value, sample.quality))
}

fn same(a: Option<(f64, Quality)>, b: Option<(f64, Quality)>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some((a, a_quality)), Some((b, b_quality))) => a_quality == b_quality && equal(a, b),
        _ => false,
    }
}

fn equal(a: f64, b: f64) -> bool {
    let near = (a - b).abs() <= RELATIVE * a.abs().max(b.abs());
    a == b || (a.is_nan() && b.is_nan()) || (near && a.is_finite() && b.is_finite())
}

fn words(sample: Option<(f64, Quality)>) -> String {
    sample.map_or_else(
        || "said nothing".to_owned(),
        |(value, quality)| format!("{value} ({})", quality.word()),
    )
}
