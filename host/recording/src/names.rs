//! The names of tags that a recording holds: each is looked up once, then known by its number.
//!
//! Batches tend to name the same tags in the same order, so each name remembers which one followed
//! it last, and most rows cost one comparison of bytes.

use std::collections::HashMap;

use andon_model::{TagId, TagTable};

/// What the reader of a recording knows of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub tag: TagId,
    /// Its samples are texts.
    pub is_text: bool,
}

/// A tag of the recording.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) text: Box<str>,
    /// `None` for a tag that nobody knows here.
    pub(crate) known: Option<Known>,
    /// Rows of a tag that nobody knows.
    pub(crate) left_out: u64,
    follower: usize,
}

/// All names so far.
#[derive(Debug, Default)]
pub(crate) struct Names {
    all: Vec<Name>,
    by_text: HashMap<Box<str>, usize>,
    last: usize,
}

impl Names {
    /// The number of a name; a new one is looked up by `find`. At most [`TagTable::TAGS_MAX`] names
    /// are kept.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub(crate) fn number(
        &mut self,
        text: &[u8],
        find: &mut dyn FnMut(&str) -> Option<Known>,
    ) -> Result<usize, &'static str> {
        let guess = self.all.get(self.last).map_or(0, |last| last.follower);
        if let Some(name) = self.all.get(guess)
            && name.text.as_bytes() == text
        {
            self.last = guess;
            return Ok(guess);
        }
        let text = str::from_utf8(text).map_err(|_| "the tag is not UTF-8")?;
        if text.is_empty() {
            return Err("it names no tag");
        }
        let number = match self.by_text.get(text) {
            Some(number) => *number,
            None => self.add(text, find)?,
        };
        if let Some(last) = self.all.get_mut(self.last) {
            last.follower = number;
        }
        self.last = number;
        Ok(number)
    }

    fn add(
        &mut self,
        text: &str,
        find: &mut dyn FnMut(&str) -> Option<Known>,
    ) -> Result<usize, &'static str> {
        let number = self.all.len();
        if number >= TagTable::TAGS_MAX {
            return Err("the recording names more than a million tags");
        }
        self.by_text.insert(text.into(), number);
        self.all.push(Name {
            text: text.into(),
            known: find(text),
            left_out: 0,
            follower: 0,
        });
        Ok(number)
    }

    pub(crate) fn get_mut(&mut self, number: usize) -> Option<&mut Name> {
        self.all.get_mut(number)
    }

    /// All names, in the order in which they came first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Name> {
        self.all.iter()
    }
}
