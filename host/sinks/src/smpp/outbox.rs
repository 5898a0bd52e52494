//! What goes to the SMSC and who waits for an answer. Pure: the session does the writing.
//!
//! Knows of each request whether its last octet has left, which decides between "surely not sent"
//! and "unknown" when the connection breaks.

use std::collections::BTreeMap;

use tokio::sync::oneshot;
use tokio_util::bytes::BytesMut;

use super::session::Answer;

/// No more octets wait to be written.
const OCTETS_MAX: usize = 256 * 1024;
/// Sequence numbers are 1 to this (section 3.2).
const SEQUENCE_MAX: u32 = 0x7FFF_FFFF;

/// Octets on their way out, and requests without answer by their sequence number.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// What the session writes next.
    pub(super) octets: BytesMut,
    queued: u64,
    written: u64,
    sequence: u32,
    pending: BTreeMap<u32, Pending>,
}

/// A submit without answer.
#[derive(Debug)]
pub(super) struct Pending {
    /// Who waits.
    pub(super) answer: oneshot::Sender<Answer>,
    /// Its number at the pace.
    pub(super) number: u64,
    /// Count of octets written when it has left.
    ends_at: u64,
}

impl Outbox {
    /// Whether more may be queued.
    pub(super) fn has_room(&self) -> bool {
        self.octets.len() < OCTETS_MAX
    }

    /// The sequence number of the next request.
    pub(super) const fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence % SEQUENCE_MAX + 1;
        self.sequence
    }

    /// Queues a whole PDU.
    pub(super) fn queue(&mut self, pdu: &[u8]) {
        self.octets.extend_from_slice(pdu);
        self.queued += pdu.len() as u64;
    }

    /// So many octets were handed to the operating system.
    pub(super) const fn wrote(&mut self, octets: usize) {
        self.written += octets as u64;
    }

    /// The PDU queued last is a submit for whose answer somebody waits.
    pub(super) fn expect(&mut self, sequence: u32, answer: oneshot::Sender<Answer>, number: u64) {
        let pending = Pending {
            answer,
            number,
            ends_at: self.queued,
        };
        self.pending.insert(sequence, pending);
    }

    /// The submit to which an answer came.
    pub(super) fn answered(&mut self, sequence: u32) -> Option<Pending> {
        self.pending.remove(&sequence)
    }

    /// How many submits have no answer.
    pub(super) fn unanswered(&self) -> usize {
        self.pending.len()
    }

    /// Forgets those whose waiter gave up.
    pub(super) fn forget_abandoned(&mut self) {
        self.pending
            .retain(|_, pending| !pending.answer.is_closed());
    }

    /// Tells everyone who still waits that the connection is gone.
    pub(super) fn abandon(self, why: &str) {
        for pending in self.pending.into_values() {
            let answer = if pending.ends_at <= self.written {
                Answer::Unknown(why.to_owned())
            } else {
                Answer::NotSent(why.to_owned())
            };
            // A waiter that gave up has its own outcome already.
            drop(pending.answer.send(answer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_left_whole_has_an_unknown_result() {
        let mut outbox = Outbox::default();
        let mut waiters = Vec::new();
        for octets in [20, 30, 40] {
            let (answer, waiter) = oneshot::channel();
            let sequence = outbox.next_sequence();
            outbox.queue(&vec![0; octets]);
            outbox.expect(sequence, answer, 0);
            waiters.push(waiter);
        }
        outbox.wrote(20);
        outbox.wrote(29);
        outbox.abandon("gone");
        let told: Vec<bool> = waiters
            .iter_mut()
            .map(|waiter| matches!(waiter.try_recv(), Ok(Answer::Unknown(_))))
            .collect();
        assert_eq!(told, [true, false, false]);
    }

    #[test]
    fn sequence_numbers_stay_in_their_range() {
        let mut outbox = Outbox {
            sequence: SEQUENCE_MAX - 1,
            ..Outbox::default()
        };
        assert_eq!(outbox.next_sequence(), SEQUENCE_MAX);
        assert_eq!(outbox.next_sequence(), 1);
    }
}
