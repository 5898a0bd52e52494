//! Wrong tries to get in: how many an address has, and when it must wait. Pure: `now` is an
//! argument.
//!
//! After [`TRIES_MAX`] wrong tries within [`WINDOW`] an address may try passwords again only when
//! the window is over. What goes to the journal is bounded as well: the first wrong try of a
//! window and the one that locks, at most [`LINES_MAX`] a window over all addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use andon_model::Timestamp;

use super::rates::network;

/// Wrong tries after which an address waits.
pub(crate) const TRIES_MAX: u32 = 5;
/// Within this time.
const WINDOW: Duration = Duration::from_secs(60);
/// Most addresses that are remembered; beyond that the one whose window began first is forgotten.
const ADDRESSES_MAX: usize = 10_000;
/// Most lines for the journal in one window, over all addresses.
const LINES_MAX: u32 = 60;

#[derive(Debug, Clone, Copy)]
struct Tally {
    began: Timestamp,
    wrong: u32,
}

/// Whether a wrong try is worth a line of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    /// The first of its address for a while.
    First,
    /// The address must wait now.
    Locked,
    /// Others said enough.
    Silent,
}

/// All addresses with wrong tries.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    tallies: BTreeMap<IpAddr, Tally>,
    lines_began: Timestamp,
    lines: u32,
}

impl Tries {
    /// How long this address must still wait before it may try a password.
    pub(crate) fn wait(&self, from: IpAddr, now: Timestamp) -> Option<Duration> {
        let tally = self.tallies.get(&network(from))?;
        let over = tally.began.plus(WINDOW);
        (tally.wrong >= TRIES_MAX && now < over).then(|| over.since(now))
    }

    /// Counts a wrong try.
    pub(crate) fn wrong(&mut self, from: IpAddr, now: Timestamp) -> Telling {
        let from = network(from);
        if !self.tallies.contains_key(&from) && self.tallies.len() >= ADDRESSES_MAX {
            self.make_room(now);
        }
        let tally = self.tallies.entry(from).or_insert(Tally {
            began: now,
            wrong: 0,
        });
        if tally.began.plus(WINDOW) <= now {
            *tally = Tally {
                began: now,
                wrong: 0,
            };
        }
        tally.wrong = tally.wrong.saturating_add(1);
        let telling = match tally.wrong {
            1 => Telling::First,
            TRIES_MAX => Telling::Locked,
            _ => Telling::Silent,
        };
        if self.lines_began.plus(WINDOW) <= now {
            (self.lines_began, self.lines) = (now, 0);
        }
        if telling == Telling::Silent || self.lines >= LINES_MAX {
            return Telling::Silent;
        }
        self.lines += 1;
        telling
    }

    fn make_room(&mut self, now: Timestamp) {
        self.tallies
            .retain(|_, tally| now < tally.began.plus(WINDOW));
        if self.tallies.len() < ADDRESSES_MAX {
            return;
        }
        let oldest = self.tallies.iter().min_by_key(|(_, tally)| tally.began);
        if let Some(address) = oldest.map(|(address, _)| *address) {
            self.tallies.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn from(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(number).into()
    }

    #[test]
    fn five_wrong_tries_and_the_address_waits_until_the_minute_is_over() {
        let mut tries = Tries::default();
        let told: Vec<Telling> = (0..5)
            .map(|second| tries.wrong(from(1), at(100 + second)))
            .collect();
        assert_eq!(
            told,
            [
                Telling::First,
                Telling::Silent,
                Telling::Silent,
                Telling::Silent,
                Telling::Locked
            ]
        );
        assert_eq!(tries.wait(from(1), at(110)), Some(Duration::from_secs(50)));
        assert_eq!(tries.wait(from(2), at(110)), None);
        assert_eq!(tries.wait(from(1), at(160)), None);
        assert_eq!(tries.wrong(from(1), at(160)), Telling::First);
        assert_eq!(tries.wait(from(1), at(160)), None);
    }

    #[test]
    fn many_addresses_fill_neither_memory_nor_the_journal() {
        let mut tries = Tries::default();
        let told = (0..20_000)
            .filter(|number| tries.wrong(from(*number), at(100)) != Telling::Silent)
            .count();
        assert_eq!(told, 60);
        assert_eq!(tries.tallies.len(), ADDRESSES_MAX);
    }
}
