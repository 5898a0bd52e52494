//! What an instance remembers, as one call sees it: what is kept, overlaid by what the call wrote.
//!
//! The writes of a call are kept when it succeeds and are forgotten when it fails. A write that
//! changes nothing is no change, so that a batch that changes nothing touches no disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_model::{StateChange, StateMap};

use crate::limits::STATE_KEYS_MAX;

/// The state of one instance.
#[derive(Debug)]
pub(crate) struct State {
    kept: StateMap,
    written: BTreeMap<String, Option<Arc<[u8]>>>,
    /// Keys and values that a call sees, bytes.
    bytes: usize,
    bytes_kept: usize,
    bytes_max: usize,
    /// Keys that a call sees, at most [`STATE_KEYS_MAX`].
    keys: usize,
    keys_kept: usize,
}

/// The state would be larger than it may be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StateFull {
    /// It would need that many bytes.
    Bytes {
        /// What it would need.
        needed: usize,
        /// What it may have.
        bytes_max: usize,
    },
    /// It has [`STATE_KEYS_MAX`] keys, and this would be one more.
    Keys,
}

impl State {
    /// What is remembered from before. It may be larger than `bytes_max`, when that was lowered:
    /// then nothing that lets it grow is taken.
    pub(crate) fn new(kept: StateMap, bytes_max: usize) -> Self {
        let bytes = kept
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        Self {
            keys: kept.len(),
            keys_kept: kept.len(),
            kept,
            written: BTreeMap::new(),
            bytes,
            bytes_kept: bytes,
            bytes_max,
        }
    }

    /// The value as this call sees it.
    pub(crate) fn get(&self, key: &str) -> Option<&Arc<[u8]>> {
        match self.written.get(key) {
            Some(written) => written.as_ref(),
            None => self.kept.get(key),
        }
    }

    /// Writes a value; a refused write changes nothing.
    pub(crate) fn set(&mut self, key: String, value: &[u8]) -> Result<(), StateFull> {
        let before = self.size_of(&key);
        let entry = key.len() + value.len();
        let needed = (self.bytes - before).saturating_add(entry);
        if needed > self.bytes_max && entry > before {
            let bytes_max = self.bytes_max;
            return Err(StateFull::Bytes { needed, bytes_max });
        }
        let is_new = self.get(&key).is_none();
        if is_new && self.keys >= STATE_KEYS_MAX {
            return Err(StateFull::Keys);
        }
        self.keys += usize::from(is_new);
        self.bytes = needed;
        if self.kept.get(&key).is_some_and(|kept| **kept == *value) {
            self.written.remove(&key);
        } else {
            self.written.insert(key, Some(value.into()));
        }
        Ok(())
    }

    /// Deletes a key; one that is not there is let pass.
    pub(crate) fn delete(&mut self, key: String) {
        self.bytes -= self.size_of(&key);
        self.keys -= usize::from(self.get(&key).is_some());
        if self.kept.contains_key(&key) {
            self.written.insert(key, None);
        } else {
            self.written.remove(&key);
        }
    }

    /// Keeps what the call wrote, and tells it, sorted by key.
    pub(crate) fn keep(&mut self, instance: &str) -> Vec<StateChange> {
        self.bytes_kept = self.bytes;
        self.keys_kept = self.keys;
        let written = std::mem::take(&mut self.written);
        written
            .into_iter()
            .map(|(key, value)| {
                match &value {
                    Some(value) => self.kept.insert(key.clone(), Arc::clone(value)),
                    None => self.kept.remove(&key),
                };
                StateChange {
                    instance: instance.to_owned(),
                    key,
                    value,
                }
            })
            .collect()
    }

    /// Forgets what the call wrote.
    pub(crate) fn forget(&mut self) {
        self.written.clear();
        self.bytes = self.bytes_kept;
        self.keys = self.keys_kept;
    }

    fn size_of(&self, key: &str) -> usize {
        self.get(key).map_or(0, |value| key.len() + value.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Set(String, Vec<u8>),
        Delete(String),
        Keep,
        Forget,
    }

    fn step() -> impl Strategy<Value = Step> {
        let value = proptest::collection::vec(0_u8..3, 0..12);
        prop_oneof![
            4 => ("[ab]{0,2}", value).prop_map(|(key, value)| Step::Set(key, value)),
            2 => "[ab]{0,2}".prop_map(Step::Delete),
            1 => Just(Step::Keep),
            1 => Just(Step::Forget),
        ]
    }

    type Plain = BTreeMap<String, Vec<u8>>;

    fn bytes(map: &Plain) -> usize {
        map.iter().map(|(key, value)| key.len() + value.len()).sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn acts_like_a_map_that_is_copied_for_each_call(
            steps in proptest::collection::vec(step(), 0..40),
        ) {
            const BYTES_MAX: usize = 24;
            let mut state = State::new(StateMap::new(), BYTES_MAX);
            let (mut kept, mut seen) = (Plain::new(), Plain::new());
            let mut told = Plain::new();
            for step in steps {
                match step {
                    Step::Set(key, value) => {
                        let mut grown = seen.clone();
                        grown.insert(key.clone(), value.clone());
                        let fits = bytes(&grown) <= BYTES_MAX;
                        prop_assert_eq!(state.set(key, &value).is_ok(), fits);
                        if fits {
                            seen = grown;
                        }
                    }
                    Step::Delete(key) => {
                        seen.remove(&key);
                        state.delete(key);
                    }
                    Step::Keep => {
                        for change in state.keep("i") {
                            let before = told.get(&change.key);
                            prop_assert_ne!(before.map(Vec::as_slice), change.value.as_deref());
                            match change.value {
                                Some(value) => told.insert(change.key, value.to_vec()),
                                None => told.remove(&change.key),
                            };
                        }
                        kept = seen.clone();
                        prop_assert_eq!(&told, &kept);
                    }
                    Step::Forget => {
                        state.forget();
                        seen = kept.clone();
                    }
                }
                for key in ["", "a", "b", "aa", "ab", "ba", "bb"] {
                    prop_assert_eq!(
                        state.get(key).map(|value| value.to_vec()),
                        seen.get(key).cloned()
                    );
                }
            }
        }
    }

    #[test]
    fn a_state_above_a_lowered_bound_may_shrink_but_not_grow() {
        let kept = StateMap::from([("k".to_owned(), Arc::from([0_u8; 100].as_slice()))]);
        let mut state = State::new(kept, 10);
        assert_eq!(state.set("k".to_owned(), &[0; 50]), Ok(()));
        assert!(state.set("k".to_owned(), &[0; 51]).is_err());
        assert!(state.set("other".to_owned(), &[]).is_err());
        assert_eq!(state.keep("i").len(), 1);
    }
}
