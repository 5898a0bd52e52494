//! Random numbers from a seed, and what is done to bytes with them.

use std::hash::{BuildHasher as _, DefaultHasher, Hash as _, Hasher as _, RandomState};

/// SplitMix64: the same numbers from the same seed on every machine.
pub(super) struct Random(u64);

/// Numbers at which arithmetic goes wrong.
const EDGES: [u32; 12] = [
    0,
    1,
    7,
    8,
    0x7f,
    0xff,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff8,
    0xffff_ffff,
];

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed that differs from run to run.
    pub(super) fn fresh_seed() -> u64 {
        RandomState::new().hash_one(0) >> 32
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below a bound, which is not zero.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).expect("below a usize")
    }

    /// True once in so many times.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn edge(&mut self) -> u32 {
        EDGES[self.below(EDGES.len())]
    }

    pub(super) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| (self.next() & 0xff) as u8).collect()
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Damages bytes in one to four places.
    pub(super) fn mutate(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..=self.below(4) {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            match self.below(8) {
                0..=2 => bytes[at] ^= 1 << self.below(8),
                3 => bytes[at] = (self.next() & 0xff) as u8,
                4 => bytes.truncate(at),
                5 => {
                    let end = (at + 1 + self.below(32)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
                6 if !other.is_empty() => {
                    let from = self.below(other.len());
                    let end = (from + 1 + self.below(256)).min(other.len());
                    let until = (at + self.below(64)).min(bytes.len());
                    bytes.splice(at..until, other[from..end].iter().copied());
                }
                _ => {
                    let edge = self.edge().to_le_bytes();
                    for (byte, edge) in bytes[at..].iter_mut().zip(edge) {
                        *byte = edge;
                    }
                }
            }
        }
    }
}

/// A number for a name.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
