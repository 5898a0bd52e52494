//! The ids seen last: a set that forgets the oldest above its bound.

use std::collections::{BTreeSet, VecDeque};

/// Ids seen last.
#[derive(Debug)]
pub(super) struct Recent {
    bound: usize,
    order: VecDeque<String>,
    ids: BTreeSet<String>,
}

impl Recent {
    pub(super) const fn new(bound: usize) -> Self {
        Self {
            bound,
            order: VecDeque::new(),
            ids: BTreeSet::new(),
        }
    }

    /// Remembers an id; answers whether it is new.
    pub(super) fn insert(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > self.bound
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
}
