//! Which messages are on their way, and when to ask for each: pure, `now` is an argument.
//!
//! Bounds: [`WATCHED_MAX`] messages, above which the one watched longest is forgotten; each is
//! asked for at growing distances and no longer than [`WATCH_TIME_MAX`].

use std::collections::BTreeMap;
use std::time::Duration;

use andon_model::{Receipt, Timestamp};

use super::message::{Message, Progress};

/// Most messages that are asked for.
pub(super) const WATCHED_MAX: usize = 10_000;

/// Twilio queues a message for at most ten hours; a day later nothing more will be known.
const WATCH_TIME_MAX: Duration = Duration::from_secs(24 * 3600);

const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(300);

#[derive(Debug)]
struct Watch {
    since: Timestamp,
    next_at: Timestamp,
    wait: Duration,
    progress: Progress,
}

/// Messages that left and have no final status.
#[derive(Debug, Default)]
pub(super) struct Watched {
    by_sid: BTreeMap<String, Watch>,
}

impl Watched {
    /// Watches a message from now on.
    pub(super) fn add(&mut self, sid: &str, now: Timestamp) {
        if self.by_sid.contains_key(sid) {
            return;
        }
        if self.by_sid.len() >= WATCHED_MAX {
            let oldest = self.by_sid.iter().min_by_key(|(_, watch)| watch.since);
            if let Some(oldest) = oldest.map(|(sid, _)| sid.clone()) {
                tracing::warn!(
                    sid = oldest,
                    "too many messages on their way; the status of this one is not asked for"
                );
                self.by_sid.remove(&oldest);
            }
        }
        let watch = Watch {
            since: now,
            next_at: now.plus(FIRST_WAIT),
            wait: FIRST_WAIT,
            progress: Progress::None,
        };
        self.by_sid.insert(sid.to_owned(), watch);
    }

    /// Up to `count` messages to ask for now, those that wait longest first. Each is due again
    /// only after twice the wait before.
    pub(super) fn due(&mut self, now: Timestamp, count: usize) -> Vec<String> {
        self.by_sid
            .retain(|_, watch| now.since(watch.since) < WATCH_TIME_MAX);
        let mut due: Vec<(Timestamp, String)> = self
            .by_sid
            .iter()
            .filter(|(_, watch)| watch.next_at <= now)
            .map(|(sid, watch)| (watch.next_at, sid.clone()))
            .collect();
        due.sort_unstable();
        due.truncate(count);
        for (_, sid) in &due {
            if let Some(watch) = self.by_sid.get_mut(sid) {
                watch.wait = watch.wait.saturating_mul(2).min(LONGEST_WAIT);
                watch.next_at = now.plus(watch.wait);
            }
        }
        due.into_iter().map(|(_, sid)| sid).collect()
    }

    /// Takes in what Twilio says of a watched message; answers a receipt if that is news.
    pub(super) fn learn(&mut self, message: &Message) -> Option<Receipt> {
        let (progress, receipt) = message.progress()?;
        let watch = self.by_sid.get_mut(message.sid()?)?;
        if progress <= watch.progress {
            return None;
        }
        watch.progress = progress;
        if progress == Progress::Final {
            self.by_sid.remove(&receipt.provider_id);
        }
        Some(receipt)
    }

    /// Stops asking for a message: Twilio does not know it.
    pub(super) fn forget(&mut self, sid: &str) {
        self.by_sid.remove(sid);
    }

    /// The messages that are watched, in the order of their ids.
    pub(super) fn sids(&self) -> Vec<String> {
        self.by_sid.keys().cloned().collect()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_sid.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(sid: &str, status: &str) -> Message {
        Message {
            sid: Some(sid.into()),
            status: Some(status.into()),
            ..Message::default()
        }
    }

    #[test]
    fn a_status_only_moves_forward() {
        let mut watched = Watched::default();
        watched.add("SM1", Timestamp::EPOCH);
        let mut news = Vec::new();
        for status in [
            "queued",
            "sent",
            "sending",
            "queued",
            "strange",
            "delivered",
            "sent",
            "failed",
        ] {
            news.extend(watched.learn(&message("SM1", status)).map(|r| r.detail));
        }
        assert_eq!(news, ["queued", "sent", "delivered"]);
        assert_eq!(watched.len(), 0);
    }

    #[test]
    fn a_message_is_asked_for_at_growing_distances_and_not_for_ever() {
        let mut watched = Watched::default();
        watched.add("SM1", Timestamp::EPOCH);
        let mut asked = Vec::new();
        for second in 0..200_000 {
            if !watched.due(Timestamp::from_secs(second), 20).is_empty() {
                asked.push(second);
            }
        }
        assert_eq!(asked[..6], [2, 6, 14, 30, 62, 126]);
        assert!(asked.windows(2).all(|pair| pair[1] - pair[0] <= 300));
        assert_eq!(watched.len(), 0);
    }

    #[test]
    fn the_message_watched_longest_makes_room() {
        let mut watched = Watched::default();
        for n in 0..=WATCHED_MAX {
            let at = Timestamp::from_secs(i64::try_from(n).unwrap());
            watched.add(&format!("SM{n}"), at);
        }
        assert_eq!(watched.len(), WATCHED_MAX);
        assert_eq!(watched.learn(&message("SM0", "sent")), None);
        assert!(watched.learn(&message("SM1", "sent")).is_some());
    }
}
