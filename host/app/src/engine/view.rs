//! What the engine shows of itself: one consistent picture between two batches.

use std::sync::Arc;

use andon_alarms::Silenced;
use andon_model::{AlarmRecord, History as _, Quality, TagId, Timestamp};
use andon_plugins::InstanceStatus;
use andon_routing::{DeskFigures, RoutingPlan};
use andon_web::{PAGE_MAX, Page, TagQuestion, TagView};

use super::Engine;

/// Most tags that one picture holds.
const TAGS_MAX: usize = 200;

/// What the engine knows at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// Standing alarms, most urgent first.
    pub(crate) alarms: Vec<AlarmRecord>,
    /// All that is shelved, suppressed or out of service, by condition.
    pub(crate) silenced: Vec<Silenced>,
    /// Instances in the order in which they run.
    pub(crate) instances: Vec<InstanceStatus>,
    /// Contacts, routes and schedules.
    pub(crate) people: Arc<RoutingPlan>,
    /// Figures of the outbox.
    pub(crate) figures: DeskFigures,
    /// Whether each unit of each device answers, and why not.
    pub(crate) links: Vec<(String, u8, bool, String)>,
    /// Whether each sink can send, and why.
    pub(crate) sinks: Vec<(String, bool, String)>,
    /// The first tags by name.
    pub(crate) tags: Vec<TagView>,
    /// How many tags there are.
    pub(crate) tag_count: usize,
}

impl Engine {
    /// A picture of this moment.
    pub(super) fn snapshot(&self) -> Snapshot {
        let now = self.clock.now();
        let mut named: Vec<_> = self.tags.iter().collect();
        named.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        let tag_count = named.len();
        named.truncate(TAGS_MAX);
        Snapshot {
            alarms: self.book.by_urgency().into_iter().cloned().collect(),
            silenced: self.book.silenced(),
            instances: self.scheduler.status(now),
            people: Arc::clone(self.desk.plan()),
            figures: self.desk.figures(),
            links: self
                .links
                .iter()
                .map(|((device, unit), (up, why))| (device.clone(), *unit, *up, why.clone()))
                .collect(),
            sinks: self
                .sinks
                .iter()
                .map(|(name, state)| (name.clone(), state.up, state.why.clone()))
                .collect(),
            tags: named
                .into_iter()
                .map(|(id, tag)| self.tag_view(id, tag))
                .collect(),
            tag_count,
        }
    }

    /// Some of the tags, by name.
    pub(super) fn tag_page(&self, question: &TagQuestion) -> Page<TagView> {
        let fits =
            |name: &str| name > question.after.as_str() && name.contains(question.holds.as_str());
        let mut named: Vec<_> = self
            .tags
            .iter()
            .filter(|(_, tag)| fits(&tag.name))
            .collect();
        named.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        let limit = question.limit.min(PAGE_MAX);
        let more = named.len() > limit;
        named.truncate(limit);
        let last = named.last().filter(|_| more);
        Page {
            next: last.map(|(_, tag)| tag.name.to_string()),
            rows: named
                .into_iter()
                .map(|(id, tag)| self.tag_view(id, tag))
                .collect(),
        }
    }

    fn tag_view(&self, id: TagId, tag: &andon_model::Tag) -> TagView {
        let sample = self.scheduler.current(id);
        let text = self.scheduler.history().text(id);
        let value = match (sample, text) {
            (_, Some(text)) => text.to_string(),
            (Some((value, _, _)), None) if value.is_nan() => String::new(),
            (Some((value, _, _)), None) => shown(value),
            (None, None) => String::new(),
        };
        TagView {
            name: tag.name.to_string(),
            value,
            unit: tag.unit.as_deref().unwrap_or("").to_owned(),
            quality: sample.map_or_else(
                || "not read yet".to_owned(),
                |(_, quality, _): (f64, Quality, Timestamp)| quality.to_string(),
            ),
            time: sample.map(|(_, _, time)| time),
            source: tag.source.to_string(),
        }
    }
}

/// A value with at most four digits behind the point, without the zeros that say nothing.
fn shown(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
