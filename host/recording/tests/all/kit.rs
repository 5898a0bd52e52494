//! A table of three tags, and a reading to the end.

use andon_model::{SampleBatch, Tag, TagTable, Timestamp, ValueType};
use andon_recording::{Item, Known, Notes, Recording};

/// `level` and `flow` are numbers, `recipe` is a text.
pub(crate) fn tags() -> TagTable {
    let mut table = TagTable::default();
    for (name, value_type) in [
        ("level", ValueType::F64),
        ("flow", ValueType::F32),
        ("recipe", ValueType::Text),
    ] {
        table.put(Tag {
            name: name.into(),
            value_type,
            unit: None,
            description: None,
            source: "test".into(),
        });
    }
    table
}

/// A moment of 2026, milliseconds after its beginning.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_nanos(1_767_225_600_000_000_000 + millis * 1_000_000)
}

/// Everything that a reading gave.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) items: Vec<Item>,
    pub(crate) batches: Vec<SampleBatch>,
    pub(crate) notes: Notes,
    pub(crate) unknown: Vec<(String, u64)>,
}

/// Reads to the end.
pub(crate) fn read(mut recording: Recording) -> Read {
    let table = tags();
    let mut find = |name: &str| {
        let tag = table.find(name)?;
        let is_text = table.get(tag)?.value_type == ValueType::Text;
        Some(Known { tag, is_text })
    };
    let (mut batch, mut batches, mut items) = (SampleBatch::default(), Vec::new(), Vec::new());
    while let Some(item) = recording.next(&mut batch, &mut find).unwrap() {
        if matches!(item, Item::Batch(_)) {
            batches.push(batch.clone());
        }
        items.push(item);
    }
    Read {
        items,
        batches,
        notes: recording.notes().clone(),
        unknown: recording.unknown_tags(),
    }
}

/// Reads a text.
pub(crate) fn read_text(text: &str) -> Read {
    let stream = std::io::Cursor::new(text.to_owned());
    read(Recording::from_stream("plant.csv", stream).unwrap())
}
