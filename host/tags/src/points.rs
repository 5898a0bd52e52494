//! The tags of one unit in one poll class and table, with what was last told of each.
//!
//! This is the hot path: an answer's registers become samples here. Tags lie sorted by address,
//! so a block walks one slice.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use andon_model::{Quality, SampleBatch, TagId, Timestamp};

use crate::blocks::{Block, Span};
use crate::change::Latest;
use crate::decode::{Layout, Orders};
use crate::plan::PointPlan;

/// What a device answered to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Input or holding registers.
    Registers(Vec<u16>),
    /// Coils or discrete inputs.
    Bits(Vec<bool>),
}

/// Tags in the order of their addresses, with what was last told of each.
#[derive(Debug, Clone, Default)]
pub struct Points {
    points: Vec<Point>,
    spans: Vec<Span>,
}

/// What is remembered of a tag from one plan to the next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Memory {
    latest: Latest,
    text: Option<Arc<str>>,
}

#[derive(Debug, Clone)]
struct Point {
    latest: Latest,
    scale: f64,
    offset: f64,
    deadband: f64,
    start: u32,
    width: u16,
    layout: Layout,
    orders: Orders,
    id: TagId,
    name: Arc<str>,
    text: Option<Arc<str>>,
}

impl Points {
    /// Points of tags that lie in one table, in any order.
    #[must_use]
    pub fn new<'a>(plans: impl IntoIterator<Item = &'a PointPlan>) -> Self {
        let mut points: Vec<Point> = plans.into_iter().map(Point::new).collect();
        points.sort_by_key(|point| (point.start, point.width));
        let mut spans: Vec<Span> = Vec::new();
        for (index, point) in points.iter().enumerate() {
            let end = point.start + u32::from(point.width);
            match spans.last_mut() {
                Some(span) if span.start == point.start && span.end == end => {
                    span.points.end = index + 1;
                }
                _ => spans.push(Span {
                    start: point.start,
                    end,
                    points: index..index + 1,
                }),
            }
        }
        Self { points, spans }
    }

    /// The places to read, sorted by start.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Adds to the batch what an answer to this block changed. The answer must be as long as the
    /// block says; what lies beyond it is not touched.
    pub fn accept(
        &mut self,
        block: &Block,
        answer: &Answer,
        at: Timestamp,
        batch: &mut SampleBatch,
    ) {
        let first = u32::from(block.start);
        let Some(points) = self.points.get_mut(points_of(&self.spans, &block.spans)) else {
            return;
        };
        match answer {
            Answer::Registers(registers) => {
                for point in points {
                    let from = (point.start.saturating_sub(first)) as usize;
                    if let Some(own) = registers.get(from..from + usize::from(point.width)) {
                        point.accept_registers(own, at, batch);
                    }
                }
            }
            Answer::Bits(bits) => {
                for point in points {
                    let from = (point.start.saturating_sub(first)) as usize;
                    if let Some(bit) = bits.get(from) {
                        point.offer(f64::from(u8::from(*bit)), at, batch);
                    }
                }
            }
        }
    }

    /// Adds to the batch that the tags of these spans are bad, those that were not so already.
    pub fn fail(
        &mut self,
        spans: &Range<usize>,
        quality: Quality,
        at: Timestamp,
        batch: &mut SampleBatch,
    ) {
        let points = self.points.get_mut(points_of(&self.spans, spans));
        for point in points.into_iter().flatten() {
            if let Some(change) = point.latest.fail(quality) {
                point.push(change.value, change.quality, at, batch);
            }
        }
    }

    /// Adds to the batch that no tag could be read because the unit does not answer.
    pub fn lose(&mut self, at: Timestamp, batch: &mut SampleBatch) {
        for point in &mut self.points {
            if let Some(change) = point.latest.lose() {
                point.push(change.value, change.quality, at, batch);
            }
        }
    }

    /// Names of the tags of these spans, for the log.
    pub(crate) fn names(&self, spans: &Range<usize>) -> Vec<&str> {
        self.points
            .get(points_of(&self.spans, spans))
            .into_iter()
            .flatten()
            .map(|point| &*point.name)
            .collect()
    }

    /// Hands over what was last told of each tag.
    pub(crate) fn remember(&mut self, memory: &mut HashMap<TagId, Memory>) {
        memory.extend(self.points.drain(..).map(|point| {
            let kept = Memory {
                latest: point.latest,
                text: point.text,
            };
            (point.id, kept)
        }));
    }

    /// Takes over what was last told, so that a new plan repeats nothing.
    pub(crate) fn recall(&mut self, memory: &mut HashMap<TagId, Memory>) {
        for point in &mut self.points {
            if let Some(kept) = memory.remove(&point.id) {
                let was_text = kept.text.is_some();
                if was_text == matches!(point.layout, Layout::Text(_)) {
                    point.latest = kept.latest;
                    point.text = kept.text;
                }
            }
        }
    }
}

fn points_of(spans: &[Span], range: &Range<usize>) -> Range<usize> {
    let of = spans.get(range.clone()).unwrap_or_default();
    match (of.first(), of.last()) {
        (Some(first), Some(last)) => first.points.start..last.points.end,
        _ => 0..0,
    }
}

impl Point {
    fn new(plan: &PointPlan) -> Self {
        let text = matches!(plan.layout, Layout::Text(_)).then(|| "".into());
        Self {
            latest: Latest::default(),
            scale: plan.scale,
            offset: plan.offset,
            deadband: plan.deadband,
            start: u32::from(plan.start),
            width: plan.layout.width(),
            layout: plan.layout,
            orders: plan.orders,
            id: plan.id,
            name: Arc::clone(&plan.name),
            text,
        }
    }

    #[inline]
    fn accept_registers(&mut self, registers: &[u16], at: Timestamp, batch: &mut SampleBatch) {
        if matches!(self.layout, Layout::Text(_)) {
            self.offer_text(self.layout.text(registers, self.orders), at, batch);
        } else {
            let raw = self.layout.number(registers, self.orders);
            self.offer(raw * self.scale + self.offset, at, batch);
        }
    }

    #[inline]
    fn offer(&mut self, value: f64, at: Timestamp, batch: &mut SampleBatch) {
        if let Some(change) = self.latest.offer(value, self.deadband) {
            batch.push(self.id, change.value, change.quality, at);
        }
    }

    fn offer_text(&mut self, text: Arc<str>, at: Timestamp, batch: &mut SampleBatch) {
        let was_good = self.latest.quality() == Some(Quality::GOOD);
        if was_good && self.text.as_ref() == Some(&text) {
            return;
        }
        // A text's number stands still, so that its quality alone can be news.
        self.latest.offer(0.0, 0.0);
        self.text = Some(text);
        self.push(0.0, Quality::GOOD, at, batch);
    }

    fn push(&self, value: f64, quality: Quality, at: Timestamp, batch: &mut SampleBatch) {
        match &self.text {
            Some(text) => batch.push_text(self.id, Arc::clone(text), quality, at),
            None => batch.push(self.id, value, quality, at),
        }
    }
}
