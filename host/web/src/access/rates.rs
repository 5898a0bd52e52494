//! How often somebody may ask: a bucket for each address and each caller. Pure: `now` is an
//! argument.
//!
//! A bucket holds [`BURST`]'s worth of requests and fills at the rate of the settings. At most
//! [`BUCKETS_MAX`] are kept; beyond that the older half is forgotten, which starts with a full
//! bucket again whoever has not asked for longest.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use andon_model::Timestamp;

/// Most buckets.
const BUCKETS_MAX: usize = 10_000;
/// How long a bucket takes to fill.
const BURST: Duration = Duration::from_secs(10);

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asker {
    /// An address; of IPv6 the network of 64 bits, which one machine has to itself.
    Address(IpAddr),
    /// A user or a token, by name.
    Caller(String),
}

impl Asker {
    pub(crate) fn at(address: IpAddr) -> Self {
        Self::Address(network(address))
    }
}

/// The address, or what stands for all addresses of one machine.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(long) => {
            let bits = long.to_bits() >> 64 << 64;
            IpAddr::V6(bits.into())
        }
        short @ IpAddr::V4(_) => short,
    }
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

/// All buckets.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    buckets: BTreeMap<Asker, Bucket>,
}

impl Rates {
    /// Takes one request out of the asker's bucket.
    ///
    /// # Errors
    /// How long until there is one again.
    pub(crate) fn take(
        &mut self,
        asker: Asker,
        per_minute: u32,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let rate = f64::from(per_minute.max(1)) / 60.0;
        let full = (rate * BURST.as_secs_f64()).max(1.0);
        if !self.buckets.contains_key(&asker) && self.buckets.len() >= BUCKETS_MAX {
            self.forget_older_half();
        }
        let bucket = self.buckets.entry(asker).or_insert(Bucket {
            left: full,
            at: now,
        });
        let passed = now.since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + passed * rate).min(full);
        bucket.at = bucket.at.max(now);
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            Ok(())
        } else {
            Err(Duration::from_secs_f64((1.0 - bucket.left) / rate))
        }
    }

    fn forget_older_half(&mut self) {
        let mut times: Vec<Timestamp> = self.buckets.values().map(|bucket| bucket.at).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        let mut surplus = self.buckets.len().saturating_sub(BUCKETS_MAX / 2);
        self.buckets.retain(|_, bucket| {
            let goes = surplus > 0 && bucket.at <= median;
            surplus -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn asker(text: &str) -> Asker {
        Asker::at(text.parse().unwrap())
    }

    #[test]
    fn ten_seconds_worth_may_come_at_once_and_then_the_rate_counts() {
        let mut rates = Rates::default();
        let mut take = |now| rates.take(asker("10.0.0.1"), 60, at(now));
        for _ in 0..10 {
            assert_eq!(take(100), Ok(()));
        }
        assert_eq!(take(100), Err(Duration::from_secs(1)));
        assert_eq!(take(101), Ok(()));
        assert!(take(101).is_err());
        // A clock that goes back gives nothing away.
        assert!(take(50).is_err());
        assert!(take(101).is_err());
    }

    #[test]
    fn one_asker_does_not_use_up_what_another_has() {
        let mut rates = Rates::default();
        while rates.take(asker("10.0.0.1"), 6, at(0)).is_ok() {}
        assert!(rates.take(asker("10.0.0.2"), 6, at(0)).is_ok());
        assert!(rates.take(Asker::Caller("anna".into()), 6, at(0)).is_ok());
    }

    #[test]
    fn a_machine_with_many_addresses_is_one() {
        assert_eq!(asker("2001:db8::1"), asker("2001:db8::ffff:1"));
        assert_ne!(asker("2001:db8::1"), asker("2001:db8:0:1::1"));
        assert_eq!(asker("::ffff:10.0.0.1"), asker("10.0.0.1"));
    }

    #[test]
    fn the_table_never_grows_beyond_its_bound() {
        let mut rates = Rates::default();
        for number in 0..(3 * BUCKETS_MAX) {
            let caller = Asker::Caller(format!("{number}"));
            assert!(rates.take(caller, 60, at(0)).is_ok());
            assert!(rates.buckets.len() <= BUCKETS_MAX);
        }
    }
}
