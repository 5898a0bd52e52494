//! Whom a name in the settings means, and whom the events of a calendar name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::calendar::Event;

/// What a name in the settings means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// A contact, or the contacts of a group.
    People(Vec<Arc<str>>),
    /// A schedule, or a group with one in it.
    Schedule,
    /// Nobody, and the nearest name where one is near.
    Nobody(Option<String>),
}

/// The people of the settings, as schedules see them.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// What each name of a contact, a group or a schedule means.
    meaning: BTreeMap<String, Named>,
    /// Words by which events name people, in small letters, the longest first.
    words: Vec<(String, Arc<[Arc<str>]>)>,
    /// Whose address this is, in small letters.
    addresses: BTreeMap<String, Arc<str>>,
}

impl Names {
    /// Adds a contact with what people call it and its addresses.
    pub(crate) fn contact<'a>(
        &mut self,
        name: &Arc<str>,
        display_name: &str,
        addresses: impl Iterator<Item = &'a str>,
    ) {
        let people: Arc<[Arc<str>]> = vec![Arc::clone(name)].into();
        self.word(name, &people);
        self.word(display_name, &people);
        for address in addresses {
            let owner = self.addresses.entry(address.to_lowercase());
            owner.or_insert_with(|| Arc::clone(name));
        }
        let one = Named::People(vec![Arc::clone(name)]);
        self.meaning.insert(name.to_string(), one);
    }

    /// Adds a group.
    pub(crate) fn group(&mut self, name: &str, people: &[Arc<str>]) {
        self.word(name, &people.into());
        self.meaning
            .entry(name.to_owned())
            .or_insert_with(|| Named::People(people.to_vec()));
    }

    /// Adds the name of a schedule, or of a group with one in it.
    pub(crate) fn schedule(&mut self, name: &str) {
        self.meaning
            .entry(name.to_owned())
            .or_insert(Named::Schedule);
    }

    /// What a name means.
    pub(crate) fn find(&self, name: &str) -> Named {
        self.meaning.get(name).cloned().unwrap_or_else(|| {
            let people = self
                .meaning
                .iter()
                .filter(|(_, named)| **named != Named::Schedule);
            Named::Nobody(crate::check::nearest(
                name,
                people.map(|(name, _)| name.as_str()),
            ))
        })
    }

    /// Whom an event names: in its summary, by name, display name or group; where the summary
    /// names nobody, the attendees.
    pub(crate) fn of_event(&self, event: &Event) -> Arc<[Arc<str>]> {
        let mut people: Vec<Arc<str>> = Vec::new();
        let mut text = event.summary.to_lowercase();
        for (word, who) in &self.words {
            // What was found is taken out, so that `Ada` is not found again within `Ada Berg`.
            while let Some(at) = find_word(&text, word) {
                text.replace_range(at..at + word.len(), "\u{0}");
                add(&mut people, who);
            }
        }
        if people.is_empty() {
            for attendee in &event.attendees {
                let by_address = self.addresses.get(&attendee.address.to_lowercase());
                let called = attendee.name.to_lowercase();
                // `Berg, Ada`, as directories of companies have it.
                let turned = match called.split_once(',') {
                    Some((last, first)) => format!("{} {}", first.trim(), last.trim()),
                    None => called.clone(),
                };
                let fits = |word: &String| *word == called || *word == turned;
                let mut by_name = self.words.iter().filter(|(word, _)| fits(word));
                if let Some(one) = by_address {
                    add(&mut people, std::slice::from_ref(one));
                } else if let Some((_, who)) = by_name.next() {
                    add(&mut people, who);
                }
            }
        }
        people.into()
    }

    fn word(&mut self, word: &str, people: &Arc<[Arc<str>]>) {
        let word = word.trim().to_lowercase();
        if word.is_empty()
            || self
                .words
                .iter()
                .any(|(known, who)| *known == word && who == people)
        {
            return;
        }
        let at = self
            .words
            .partition_point(|(known, _)| known.len() >= word.len());
        self.words.insert(at, (word, Arc::clone(people)));
    }
}

/// Adds people, each once.
fn add(people: &mut Vec<Arc<str>>, who: &[Arc<str>]) {
    for one in who {
        if !people.contains(one) {
            people.push(Arc::clone(one));
        }
    }
}

/// Where a text holds this word, with no letter or digit beside it.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let bounded = |at: &usize| {
        let before = text
            .get(..*at)
            .and_then(|before| before.chars().next_back());
        let behind = text
            .get(at + word.len()..)
            .and_then(|behind| behind.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !behind.is_some_and(char::is_alphanumeric)
    };
    text.match_indices(word).map(|(at, _)| at).find(bounded)
}
