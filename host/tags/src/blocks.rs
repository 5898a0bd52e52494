//! Reads merged into the fewest requests.
//!
//! Pure. [`merge`] walks the spans of one table in order and extends a block as long as it keeps
//! the limits and passes no obstacle. Every run of neighbours within an allowed block is allowed
//! too, so taking the longest first gives the fewest blocks.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::Table;

/// Most registers in one request (Modbus Application Protocol V1.1b3, section 6.3).
const REGISTERS_MAX: u16 = 125;

/// The registers (or bits) of one or more tags that lie in the same place: `[start, end)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// First register or bit, from 0.
    pub start: u32,
    /// The one after the last.
    pub end: u32,
    /// Which tags they are, in the order in which their owner keeps them.
    pub points: Range<usize>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Which table.
    pub table: Table,
    /// First register or bit, from 0.
    pub start: u16,
    /// How many.
    pub count: u16,
    /// Which spans it serves, in the list that it was made from.
    pub spans: Range<usize>,
}

/// What a request may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockLimits {
    /// Most registers or bits in one request.
    pub count_max: u16,
    /// Most registers or bits in a row that are read for nothing.
    pub gap_max: u16,
}

/// What a device refused in one table, so that it is not asked in the same way again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Obstacles {
    /// Spans that it refuses by themselves: they are left out, and no block passes over them.
    pub refused: BTreeSet<(u32, u32)>,
    /// No block holds both the register before and the one at a cut.
    pub cuts: BTreeSet<u32>,
}

impl Obstacles {
    /// Whether nothing was refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.refused.is_empty() && self.cuts.is_empty()
    }

    /// Whether a block over this range would meet a hole or a cut within it.
    #[must_use]
    pub fn blocks(&self, start: u32, end: u32) -> bool {
        let cut = self.cuts.range(start.saturating_add(1)..).next();
        cut.is_some_and(|cut| *cut < end) || self.has_hole(start, end)
    }

    /// Whether a block that ends at `end` may go on to a span that begins at `next`.
    fn allow_passing(&self, end: u32, next: u32) -> bool {
        let low = end.min(next);
        self.cuts.range(low..=next).next().is_none() && !self.has_hole(low, next)
    }

    /// Whether a refused span touches this range. No span is wider than a request may be, so the
    /// search need not look further back.
    fn has_hole(&self, start: u32, end: u32) -> bool {
        let from = start.saturating_sub(u32::from(REGISTERS_MAX));
        self.refused
            .range((from, 0)..(end, 0))
            .any(|(_, hole_end)| *hole_end > start)
    }
}

/// Merges spans, sorted by their start, into the fewest blocks; spans that are refused are left out.
#[must_use]
pub fn merge(table: Table, spans: &[Span], limits: BlockLimits, past: &Obstacles) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Run> = None;
    for (index, span) in spans.iter().enumerate() {
        if past.refused.contains(&(span.start, span.end)) {
            continue;
        }
        match open.as_mut() {
            Some(run) if run.takes(span, limits, past) => {
                run.end = run.end.max(span.end);
                run.spans.end = index + 1;
            }
            _ => {
                let run = Run {
                    start: span.start,
                    end: span.end,
                    spans: index..index + 1,
                };
                blocks.extend(open.replace(run).and_then(|run| run.close(table)));
            }
        }
    }
    blocks.extend(open.and_then(|run| run.close(table)));
    blocks
}

/// A block that may still grow.
struct Run {
    start: u32,
    end: u32,
    spans: Range<usize>,
}

impl Run {
    fn takes(&self, span: &Span, limits: BlockLimits, past: &Obstacles) -> bool {
        let gap = span.start.saturating_sub(self.end);
        let count = self.end.max(span.end) - self.start;
        gap <= u32::from(limits.gap_max)
            && count <= u32::from(limits.count_max)
            && past.allow_passing(self.end, span.start)
    }

    /// Settings are refused when a span leaves the 16 bit address space, so the numbers fit.
    fn close(self, table: Table) -> Option<Block> {
        Some(Block {
            table,
            start: u16::try_from(self.start).ok()?,
            count: u16::try_from(self.end - self.start).ok()?,
            spans: self.spans,
        })
    }
}

impl Block {
    /// The register or bit after the last.
    #[must_use]
    pub fn end(&self) -> u32 {
        u32::from(self.start) + u32::from(self.count)
    }

    /// Two blocks that serve the same spans, each half of them; none if there is one span only.
    #[must_use]
    pub fn split(&self, spans: &[Span]) -> Option<(Self, Self)> {
        let middle = self.spans.start + self.spans.len() / 2;
        if middle == self.spans.start {
            return None;
        }
        let half = |range: Range<usize>| {
            let of = spans.get(range.clone())?;
            let start = of.iter().map(|span| span.start).min()?;
            let end = of.iter().map(|span| span.end).max()?;
            Run {
                start,
                end,
                spans: range,
            }
            .close(self.table)
        };
        Some((
            half(self.spans.start..middle)?,
            half(middle..self.spans.end)?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans(places: &[(u32, u32)]) -> Vec<Span> {
        places
            .iter()
            .enumerate()
            .map(|(index, (start, width))| Span {
                start: *start,
                end: start + width,
                points: index..index + 1,
            })
            .collect()
    }

    const WIDE: BlockLimits = BlockLimits {
        count_max: 125,
        gap_max: 16,
    };

    fn ranges(spans: &[Span], limits: BlockLimits, past: &Obstacles) -> Vec<(u16, u16)> {
        merge(Table::Holding, spans, limits, past)
            .iter()
            .map(|block| (block.start, block.count))
            .collect()
    }

    #[test]
    fn neighbours_within_the_gap_are_one_request() {
        let spans = spans(&[(0, 1), (1, 2), (19, 1), (37, 1)]);
        assert_eq!(
            ranges(&spans, WIDE, &Obstacles::default()),
            [(0, 20), (37, 1)]
        );
    }

    #[test]
    fn a_request_never_takes_more_than_the_limit() {
        let spans = spans(&(0..130).map(|i| (i, 1)).collect::<Vec<_>>());
        assert_eq!(
            ranges(&spans, WIDE, &Obstacles::default()),
            [(0, 125), (125, 5)]
        );
    }

    #[test]
    fn a_refused_span_is_left_out_and_never_passed_over() {
        let spans = spans(&[(0, 1), (1, 1), (2, 1)]);
        let past = Obstacles {
            refused: [(1, 2)].into(),
            ..Obstacles::default()
        };
        assert_eq!(ranges(&spans, WIDE, &past), [(0, 1), (2, 1)]);
    }

    #[test]
    fn splitting_ends_at_a_single_span() {
        let spans = spans(&[(0, 1), (4, 2), (9, 1)]);
        let whole = &merge(Table::Holding, &spans, WIDE, &Obstacles::default())[0];
        let (low, high) = whole.split(&spans).unwrap();
        assert_eq!((low.start, low.count), (0, 1));
        assert_eq!((high.start, high.count), (4, 6));
        assert!(low.split(&spans).is_none());
    }

    /// Every way to cut a row of spans into runs, by a bit mask of where it is cut.
    fn fewest_by_trying_all(spans: &[Span], limits: BlockLimits, past: &Obstacles) -> usize {
        let wanted: Vec<&Span> = spans
            .iter()
            .filter(|s| !past.refused.contains(&(s.start, s.end)))
            .collect();
        if wanted.is_empty() {
            return 0;
        }
        (0..1_u32 << (wanted.len() - 1))
            .filter_map(|mask| {
                let mut runs: Vec<Vec<&Span>> = vec![vec![wanted[0]]];
                for (i, span) in wanted.iter().enumerate().skip(1) {
                    if mask >> (i - 1) & 1 == 1 {
                        runs.push(vec![span]);
                    } else {
                        runs.last_mut().unwrap().push(span);
                    }
                }
                let count = runs.len();
                runs.iter()
                    .all(|run| allowed(run, limits, past))
                    .then_some(count)
            })
            .min()
            .unwrap()
    }

    fn allowed(run: &[&Span], limits: BlockLimits, past: &Obstacles) -> bool {
        let start = run[0].start;
        let end = run[run.len() - 1].end;
        end - start <= u32::from(limits.count_max)
            && run
                .windows(2)
                .all(|pair| pair[1].start - pair[0].end <= u32::from(limits.gap_max))
            && !past.refused.iter().any(|(a, b)| *a < end && *b > start)
            && !past.cuts.iter().any(|cut| *cut > start && *cut < end)
    }

    fn row() -> impl Strategy<Value = Vec<Span>> {
        prop::collection::vec((0..6_u32, 1..4_u32), 1..9).prop_map(|steps| {
            let mut at = 0;
            let places: Vec<(u32, u32)> = steps
                .into_iter()
                .map(|(gap, width)| {
                    let start = at + gap;
                    at = start + width;
                    (start, width)
                })
                .collect();
            spans(&places)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn merging_is_complete_allowed_and_fewest(
            spans in row(),
            count_max in 4..14_u16,
            gap_max in 0..6_u16,
            refused in any::<u16>(),
            cuts in any::<u16>(),
        ) {
            let limits = BlockLimits { count_max, gap_max };
            let chosen = |mask: u16| {
                spans.iter().enumerate().filter(move |(i, _)| mask >> (2 * i) & 3 == 3)
            };
            let past = Obstacles {
                refused: chosen(refused).map(|(_, s)| (s.start, s.end)).collect(),
                cuts: chosen(cuts).map(|(_, s)| s.start).collect(),
            };
            let blocks = merge(Table::Input, &spans, limits, &past);
            for (index, span) in spans.iter().enumerate() {
                let serving: Vec<&Block> =
                    blocks.iter().filter(|b| b.spans.contains(&index)).collect();
                if past.refused.contains(&(span.start, span.end)) {
                    prop_assert!(serving.is_empty());
                } else {
                    prop_assert_eq!(serving.len(), 1);
                    prop_assert!(u32::from(serving[0].start) <= span.start);
                    prop_assert!(serving[0].end() >= span.end);
                }
            }
            for block in &blocks {
                let run: Vec<&Span> = spans[block.spans.clone()].iter().collect();
                prop_assert!(allowed(&run, limits, &past));
                prop_assert!(!past.blocks(u32::from(block.start), block.end()));
            }
            prop_assert_eq!(blocks.len(), fewest_by_trying_all(&spans, limits, &past));
        }
    }
}
