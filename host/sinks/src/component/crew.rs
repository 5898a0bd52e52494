//! Instances that wait for work: at most as many as sends may be under way at once, all of the
//! component that runs now.

use std::sync::Arc;

use andon_model::SinkGuest;

use super::outlet::Outlet;

/// One instance with its way to the network.
pub(super) struct Hand {
    pub(super) guest: Box<dyn SinkGuest>,
    pub(super) outlet: Arc<Outlet>,
    /// Of the component that it is made of.
    pub(super) generation: u64,
}

/// The instances that wait.
pub(super) struct Crew {
    hands: Vec<Hand>,
    most: usize,
    /// Of the component that runs; none if none does.
    generation: Option<u64>,
}

impl Crew {
    /// An empty crew of at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self {
            hands: Vec::new(),
            most,
            generation: None,
        }
    }

    /// An instance of this component, if one waits.
    pub(super) fn take(&mut self, generation: u64) -> Option<Hand> {
        let hand = self.hands.pop()?;
        (hand.generation == generation).then_some(hand)
    }

    /// Takes an instance back; one of an earlier component is dropped, and one too many.
    pub(super) fn put(&mut self, hand: Hand) {
        if Some(hand.generation) == self.generation && self.hands.len() < self.most {
            self.hands.push(hand);
        }
    }

    /// Another component runs from now on; its first instance is this.
    pub(super) fn replace(&mut self, generation: u64, first: Hand) {
        self.generation = Some(generation);
        self.hands = vec![first];
    }

    /// Lets all go.
    pub(super) fn dismiss(&mut self) {
        self.hands.clear();
        self.generation = None;
    }

    /// Linear memory of those that wait, bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.hands
            .iter()
            .map(|hand| hand.guest.memory_bytes())
            .sum()
    }
}
