//! Tags: the named values of the plant.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use globset::{Glob, GlobMatcher};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The place of a tag in the [`TagTable`]; stays the same while the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TagId(pub u32);

impl TagId {
    /// The id as an index into a column of tags.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The type of a tag's value in its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum ValueType {
    /// A coil, a discrete input, or one bit of a register: 0 or 1.
    Bool,
    /// 16 bit, two's complement.
    I16,
    /// 16 bit, unsigned.
    U16,
    /// 32 bit, two's complement.
    I32,
    /// 32 bit, unsigned.
    U32,
    /// 64 bit, two's complement; exact up to 2^53 once it is a sample.
    I64,
    /// 64 bit, unsigned; exact up to 2^53 once it is a sample.
    U64,
    /// IEEE 754 single.
    F32,
    /// IEEE 754 double.
    #[default]
    F64,
    /// Characters, two a register.
    Text,
}

impl ValueType {
    /// The name as settings write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I16 => "i16",
            Self::U16 => "u16",
            Self::I32 => "i32",
            Self::U32 => "u32",
            Self::I64 => "i64",
            Self::U64 => "u64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ValueType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [
            Self::Bool,
            Self::I16,
            Self::U16,
            Self::I32,
            Self::U32,
            Self::I64,
            Self::U64,
            Self::F32,
            Self::F64,
            Self::Text,
        ]
        .into_iter()
        .find(|kind| kind.name() == text)
        .ok_or_else(|| {
            format!(
                "`{text}` is not a type: use bool, i16, u16, i32, u32, i64, u64, f32, f64 or text"
            )
        })
    }
}

/// What all stages know of a tag.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tag {
    /// Unique name: letters, digits and `. _ - /`, like `tank1.level`.
    pub name: Arc<str>,
    /// Type in the device, or of a function's output.
    pub value_type: ValueType,
    /// Engineering unit, for people: `bar`, `%`.
    pub unit: Option<Arc<str>>,
    /// What a person calls it.
    pub description: Option<Arc<str>>,
    /// Where it comes from, for people: `plc1 holding 100`, `function tank1-average`.
    pub source: Arc<str>,
}

/// All tags by id and by name. Ids are only ever added: a name keeps its id through every reload.
#[derive(Debug, Clone, Default)]
pub struct TagTable {
    tags: Vec<Tag>,
    live: Vec<bool>,
    by_name: HashMap<Arc<str>, TagId>,
}

impl TagTable {
    /// Most tags that one host holds.
    pub const TAGS_MAX: usize = 1_000_000;

    /// Adds the tag, or revives and replaces the one of the same name; answers its id.
    pub fn put(&mut self, tag: Tag) -> TagId {
        if let Some(&id) = self.by_name.get(&tag.name) {
            if let (Some(slot), Some(live)) =
                (self.tags.get_mut(id.index()), self.live.get_mut(id.index()))
            {
                *slot = tag;
                *live = true;
            }
            return id;
        }
        // Settings are refused above TAGS_MAX, so the count fits.
        let id = TagId(u32::try_from(self.tags.len()).unwrap_or(u32::MAX));
        self.by_name.insert(Arc::clone(&tag.name), id);
        self.tags.push(tag);
        self.live.push(true);
        id
    }

    /// Takes a tag out of use; its id is never given to another name.
    pub fn retire(&mut self, id: TagId) {
        if let Some(live) = self.live.get_mut(id.index()) {
            *live = false;
        }
    }

    /// The tag of this id, retired or not.
    #[must_use]
    pub fn get(&self, id: TagId) -> Option<&Tag> {
        self.tags.get(id.index())
    }

    /// The name of this id; `?` for an id that was never given.
    #[must_use]
    pub fn name(&self, id: TagId) -> &str {
        self.get(id).map_or("?", |tag| &tag.name)
    }

    /// The id of a tag in use.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<TagId> {
        self.by_name
            .get(name)
            .copied()
            .filter(|id| self.is_live(*id))
    }

    /// Whether the tag is in use.
    #[must_use]
    pub fn is_live(&self, id: TagId) -> bool {
        self.live.get(id.index()).copied().unwrap_or(false)
    }

    /// Tags in use, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (TagId, &Tag)> {
        self.tags
            .iter()
            .zip(&self.live)
            .enumerate()
            .filter(|(_, (_, live))| **live)
            .map(|(index, (tag, _))| (TagId(u32::try_from(index).unwrap_or(u32::MAX)), tag))
    }

    /// How many ids were given; ids are below this.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether no id was given yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Tags in use whose names match, sorted by name: an exact name, or a pattern in which `*` stands
    /// for any characters, `?` for one and `{a,b}` for alternatives.
    ///
    /// # Errors
    /// A sentence, if the text is not a pattern.
    pub fn matching(&self, pattern: &str) -> Result<Vec<TagId>, String> {
        if let Some(id) = self.find(pattern) {
            return Ok(vec![id]);
        }
        let matcher = compile_pattern(pattern)?;
        let mut found: Vec<(&str, TagId)> = self
            .iter()
            .filter(|(_, tag)| matcher.is_match(&*tag.name))
            .map(|(id, tag)| (&*tag.name, id))
            .collect();
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }
}

fn compile_pattern(pattern: &str) -> Result<GlobMatcher, String> {
    Glob::new(pattern)
        .map(|glob| glob.compile_matcher())
        .map_err(|error| format!("`{pattern}` is not a tag pattern: {}", error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(name: &str) -> Tag {
        Tag {
            name: name.into(),
            value_type: ValueType::F64,
            unit: None,
            description: None,
            source: "test".into(),
        }
    }

    #[test]
    fn a_name_keeps_its_id_when_it_is_retired_and_put_again() {
        let mut table = TagTable::default();
        let level = table.put(tag("tank1.level"));
        table.put(tag("tank2.level"));
        table.retire(level);
        assert_eq!(table.find("tank1.level"), None);
        assert_eq!(table.put(tag("tank1.level")), level);
        assert_eq!(table.find("tank1.level"), Some(level));
    }

    #[test]
    fn patterns_match_names_in_order() {
        let mut table = TagTable::default();
        let b = table.put(tag("tank2.level"));
        let a = table.put(tag("tank1.level"));
        table.put(tag("tank1.temperature"));
        assert_eq!(table.matching("tank*.level"), Ok(vec![a, b]));
        assert_eq!(table.matching("tank1.level"), Ok(vec![a]));
        assert!(table.matching("tank{1").is_err());
    }
}
