//! One unit: its blocks, what it refuses, whether it answers.
//!
//! What a unit refuses is found by halves. When a block is refused (exceptions 2 and 3, for some
//! devices answer 3 to a request that is too long), both halves are read by themselves, and so on.
//! A single span that is refused turns its tags bad: configuration error. If both halves are
//! accepted, what lies between them is the hole, or the request was too long: no block passes that
//! place again. Each refusal thus adds something that the next merge respects, so the search ends.
//! It may take no more than [`SPLITS_MAX`] steps at a time, so that it does not hold up other units;
//! the next read goes on with it.
//! What was learnt is dropped when the unit comes back after a silence and after `refused_retry`.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use andon_model::{Clock, Quality, SampleBatch, TagId, Timestamp};
use tokio::time::Instant;

use super::connection::{Connection, Fault};
use crate::Table;
use crate::blocks::{Block, BlockLimits, Obstacles, merge};
use crate::plan::{DevicePlan, PointPlan, UnitPlan};
use crate::points::{Answer, Memory, Points};
use crate::readers::Link;
use crate::schedule::monotonic;
use crate::statistics::UnitStatistics;

/// Most blocks that are cut in two while one group of tags is read.
const SPLITS_MAX: usize = 64;

/// One unit behind a device.
pub(super) struct Unit {
    pub(super) unit_id: u8,
    pub(super) state: State,
    /// What the events said last.
    pub(super) reported: Option<Link>,
    pub(super) statistics: Arc<UnitStatistics>,
    groups: Vec<Group>,
    limits: [BlockLimits; 2],
    obstacles: BTreeMap<Table, Obstacles>,
    learnt_at: Option<Instant>,
}

/// Whether a unit takes part in the poll cycles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Not asked since the start, or since the device was lost: asked as soon as possible.
    Fresh,
    /// Answers.
    Answering,
    /// Does not answer; asked again, rarely.
    Silent { failures: u32, next: Instant },
}

/// What reading needs beside the unit.
pub(super) struct Asking<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) clock: &'a dyn Clock,
    pub(super) batch: &'a mut SampleBatch,
    /// How often a request is tried.
    pub(super) attempts: u8,
}

/// Tags of one class in one table.
struct Group {
    class: usize,
    table: Table,
    points: Points,
    blocks: Vec<Block>,
    /// Spans that are refused.
    refused: Vec<usize>,
}

/// A block that was refused, and where it was cut.
struct Refusal {
    start: u32,
    end: u32,
    cut: u32,
}

impl Unit {
    pub(super) fn new(
        plan: &UnitPlan,
        device: &DevicePlan,
        statistics: Arc<UnitStatistics>,
    ) -> Self {
        let mut groups: BTreeMap<(usize, Table), Vec<&PointPlan>> = BTreeMap::new();
        for point in &plan.points {
            groups
                .entry((point.class, point.table))
                .or_default()
                .push(point);
        }
        let groups = groups.into_iter().map(|((class, table), points)| Group {
            class,
            table,
            points: Points::new(points),
            blocks: Vec::new(),
            refused: Vec::new(),
        });
        let mut unit = Self {
            unit_id: plan.unit_id,
            state: State::Fresh,
            reported: None,
            statistics,
            groups: groups.collect(),
            limits: [
                BlockLimits {
                    count_max: device.max_registers,
                    gap_max: device.gap,
                },
                BlockLimits {
                    count_max: device.max_bits,
                    gap_max: device.gap.saturating_mul(16),
                },
            ],
            obstacles: BTreeMap::new(),
            learnt_at: None,
        };
        unit.merge_blocks();
        unit
    }

    /// Takes over what an older plan's unit knew, as far as it stays true.
    pub(super) fn inherit(&mut self, older: &Self) {
        self.state = older.state;
        self.reported = older.reported;
    }

    pub(super) fn remember(&mut self, memory: &mut HashMap<TagId, Memory>) {
        for group in &mut self.groups {
            group.points.remember(memory);
        }
    }

    pub(super) fn recall(&mut self, memory: &mut HashMap<TagId, Memory>) {
        for group in &mut self.groups {
            group.points.recall(memory);
        }
    }

    /// When it was first found that the unit refuses something.
    pub(super) const fn learnt_at(&self) -> Option<Instant> {
        self.learnt_at
    }

    /// Drops what was learnt about refused places, so that they are tried again.
    pub(super) fn forget_refusals(&mut self) {
        if self.learnt_at.take().is_some() {
            self.obstacles.clear();
            self.merge_blocks();
        }
    }

    /// Turns all tags bad, those that are not yet.
    pub(super) fn lose(&mut self, at: Timestamp, batch: &mut SampleBatch) {
        for group in &mut self.groups {
            group.points.lose(at, batch);
        }
    }

    /// Reads the tags of these classes, or of all. An error says that the unit is silent; what was
    /// read before it is in the batch.
    pub(super) async fn read(
        &mut self,
        classes: Option<&[usize]>,
        asking: &mut Asking<'_>,
    ) -> Result<(), Fault> {
        for index in 0..self.groups.len() {
            let Some(group) = self.groups.get_mut(index) else {
                continue;
            };
            if classes.is_some_and(|classes| !classes.contains(&group.class)) {
                continue;
            }
            let mut found = Found::default();
            let read = group
                .read(self.unit_id, &self.statistics, asking, &mut found)
                .await;
            let table = group.table;
            if read.is_ok() && !found.is_empty() {
                self.learn(table, found);
            }
            read?;
            if let Some(group) = self.groups.get_mut(index) {
                group.fail_refused(asking);
            }
        }
        Ok(())
    }

    fn learn(&mut self, table: Table, mut found: Found) {
        let obstacles = self.obstacles.entry(table).or_default();
        obstacles.refused.extend(found.refused);
        obstacles.cuts.extend(found.put_off);
        // The shortest first: a refusal that a hole or a cut within it explains needs no cut.
        found
            .split
            .sort_by_key(|refusal| refusal.end - refusal.start);
        for refusal in found.split {
            if !obstacles.blocks(refusal.start, refusal.end) {
                obstacles.cuts.insert(refusal.cut);
            }
        }
        self.learnt_at.get_or_insert_with(monotonic);
        self.merge_blocks();
    }

    fn merge_blocks(&mut self) {
        let [registers, bits] = self.limits;
        let nothing = Obstacles::default();
        let mut refused = 0;
        for group in &mut self.groups {
            let limits = if group.table.is_bits() {
                bits
            } else {
                registers
            };
            let past = self.obstacles.get(&group.table).unwrap_or(&nothing);
            let spans = group.points.spans();
            group.blocks = merge(group.table, spans, limits, past);
            let places = spans.iter().enumerate();
            group.refused = places
                .filter(|(_, span)| past.refused.contains(&(span.start, span.end)))
                .map(|(index, _)| index)
                .collect();
            refused += group.refused.len();
        }
        self.statistics.refused.store(refused as u64, Relaxed);
    }
}

/// What was found out about refused places while a group was read.
#[derive(Default)]
struct Found {
    refused: Vec<(u32, u32)>,
    split: Vec<Refusal>,
    /// Where blocks are to be cut that were refused when there had been enough splits.
    put_off: Vec<u32>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.refused.is_empty() && self.split.is_empty() && self.put_off.is_empty()
    }
}

impl Group {
    async fn read(
        &mut self,
        unit_id: u8,
        statistics: &UnitStatistics,
        asking: &mut Asking<'_>,
        found: &mut Found,
    ) -> Result<(), Fault> {
        // A stack: the next block is at the end, halves of a refused one are put on top.
        let mut open: Vec<Block> = self.blocks.iter().rev().cloned().collect();
        while let Some(block) = open.pop() {
            let answer = ask(unit_id, &block, statistics, asking).await;
            let now = asking.clock.now();
            match answer {
                Ok(answer) => self.points.accept(&block, &answer, now, asking.batch),
                Err(Fault::Exception(2 | 3)) => match block.split(self.points.spans()) {
                    Some((_, high)) if found.split.len() >= SPLITS_MAX => {
                        found.put_off.push(u32::from(high.start));
                    }
                    Some((low, high)) => {
                        found.split.push(Refusal {
                            start: u32::from(block.start),
                            end: block.end(),
                            cut: u32::from(high.start),
                        });
                        open.extend([high, low]);
                    }
                    None => self.refuse(unit_id, &block, found, "does not have this address"),
                },
                Err(Fault::Exception(1)) => {
                    self.refuse(unit_id, &block, found, "does not have this kind of read");
                }
                Err(fault) if fault.is_silence() => return Err(fault),
                Err(_) => {
                    self.points
                        .fail(&block.spans, Quality::BAD_DEVICE_FAILURE, now, asking.batch);
                }
            }
        }
        Ok(())
    }

    fn refuse(&self, unit_id: u8, block: &Block, found: &mut Found, why: &str) {
        let spans = self.points.spans().get(block.spans.clone());
        found.refused.extend(
            spans
                .into_iter()
                .flatten()
                .map(|span| (span.start, span.end)),
        );
        let tags = self.points.names(&block.spans);
        tracing::warn!(
            unit_id,
            table = self.table.name(),
            start = block.start,
            count = block.count,
            ?tags,
            why,
            "device refuses tags: their address is wrong"
        );
    }

    fn fail_refused(&mut self, asking: &mut Asking<'_>) {
        if self.refused.is_empty() {
            return;
        }
        let now = asking.clock.now();
        for span in &self.refused {
            let span: Range<usize> = *span..*span + 1;
            self.points
                .fail(&span, Quality::BAD_CONFIGURATION_ERROR, now, asking.batch);
        }
    }
}

/// One request, tried again over a new connection while it is allowed. A connection that turns out
/// to be closed says nothing about the unit, so that is always tried once more.
async fn ask(
    unit_id: u8,
    block: &Block,
    statistics: &UnitStatistics,
    asking: &mut Asking<'_>,
) -> Result<Answer, Fault> {
    let mut tries: u8 = 1;
    loop {
        statistics.requests.fetch_add(1, Relaxed);
        let sent = monotonic();
        let answer = asking.connection.read(unit_id, block).await;
        let took = monotonic().duration_since(sent);
        let fault = match answer {
            Ok(answer) => {
                statistics.answered(asking.clock.now(), took);
                return Ok(answer);
            }
            Err(fault) => fault,
        };
        statistics.failed(&fault, asking.clock.now(), took);
        let most = match fault {
            Fault::Connect(_) => 1,
            Fault::Closed(_) => asking.attempts.max(2),
            Fault::Timeout | Fault::Framing(_) | Fault::Exception(_) => asking.attempts,
        };
        if !fault.is_silence() || tries >= most {
            return Err(fault);
        }
        tries += 1;
    }
}
