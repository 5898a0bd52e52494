//! What reached the providers, in the order in which it came. A message counts from the moment at
//! which a provider has read it, whether it answers or not: the phone may show it from then on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::wait_for;

/// The mark of a message whose earlier send has an unknown result.
const REPEAT: &str = "(repeat) ";

/// One message at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sms {
    /// `smpp`, `twilio` or `ntfy`.
    pub(crate) by: &'static str,
    /// The phone, E.164 with `+`.
    pub(crate) to: String,
    /// The whole text.
    pub(crate) text: String,
}

impl Sms {
    /// The text without the mark of a repeat.
    pub(crate) fn words(&self) -> &str {
        self.text.strip_prefix(REPEAT).unwrap_or(&self.text)
    }

    pub(crate) fn is_repeat(&self) -> bool {
        self.text.starts_with(REPEAT)
    }
}

/// All messages of one test.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inbox {
    messages: Arc<Mutex<Vec<Sms>>>,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Vec<Sms>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn put(&self, by: &'static str, to: &str, text: String) {
        let to = to.to_owned();
        self.lock().push(Sms { by, to, text });
    }

    pub(crate) fn all(&self) -> Vec<Sms> {
        self.lock().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Messages to this phone that hold the words.
    pub(crate) fn to(&self, phone: &str, words: &str) -> Vec<Sms> {
        self.lock()
            .iter()
            .filter(|sms| sms.to == phone && sms.text.contains(words))
            .cloned()
            .collect()
    }

    /// The first message to this phone that holds the words.
    pub(crate) fn wait(&self, phone: &str, words: &str) -> Sms {
        wait_for(&format!("`{words}` to reach {phone}"), || {
            self.to(phone, words).first().cloned()
        })
    }

    /// Fails if a phone got the same text more than once without the mark of a repeat.
    pub(crate) fn assert_nothing_came_twice_unmarked(&self) {
        let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
        for sms in self.lock().iter().filter(|sms| !sms.is_repeat()) {
            *counts
                .entry((sms.to.clone(), sms.text.clone()))
                .or_default() += 1;
        }
        let twice: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 1).collect();
        assert!(twice.is_empty(), "came twice unmarked: {twice:#?}");
    }
}
