//! Strikes, quarantine and back-off of one instance: a state machine over plain values.
//!
//! ```text
//!             strike                        strikes_max within 10 min
//!  Running ───────────▶ Struck (pause) ───────────────────────────────▶ Quarantined (back-off)
//!     ▲ ◀── success ────────┘  ▲                                            │ end of back-off:
//!     └──────── success ───────┼────────────────────────────────────────────┤ one trial call
//!                              └ strike                failure: doubled ────┘
//! ```
//!
//! A strike is a trap, a limit that was exceeded, an answer that makes no sense, or a guest that
//! could not be made. A guest that *declines* keeps its good health: it lives on, is called with
//! every batch, and asks for no pause. If it does nothing but decline for [`DECLINES_DOWN_AFTER`]
//! and at least [`DECLINES_DOWN_MIN`] times, it counts as down, because nobody watches its inputs
//! then. A decline during a trial call counts as a strike.

use std::collections::VecDeque;
use std::time::Duration;

use andon_model::{CallErrorKind, Timestamp};

/// Strikes older than this are forgotten; a level of back-off too, once an instance did well for so long.
pub(crate) const STRIKE_WINDOW: Duration = Duration::from_secs(600);
/// The first stay in quarantine; each further one is twice as long.
pub(crate) const BACK_OFF_FIRST: Duration = Duration::from_secs(30);
/// The longest stay in quarantine.
pub(crate) const BACK_OFF_MAX: Duration = Duration::from_secs(3600);
/// The pause after a first strike; ten times longer after each further one within the window.
pub(crate) const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// The longest pause after a strike.
pub(crate) const PAUSE_MAX: Duration = Duration::from_secs(10);
/// An instance that only declines for so long is down.
pub(crate) const DECLINES_DOWN_AFTER: Duration = Duration::from_secs(60);
/// And it declined at least so often.
pub(crate) const DECLINES_DOWN_MIN: u64 = 3;
/// A declining instance is asked again after this time, then after twice as long, and so on.
pub(crate) const ASK_AGAIN_FIRST: Duration = Duration::from_secs(1);
/// The longest time until a declining instance is asked again.
pub(crate) const ASK_AGAIN_MAX: Duration = Duration::from_secs(60);

/// How an instance does.
#[derive(Debug, Default)]
pub(crate) struct Health {
    phase: Phase,
    /// Times of the strikes within the window; at most `strikes_max` of them.
    strikes: VecDeque<Timestamp>,
    /// How often in a row it was quarantined without doing well for a while.
    level: u32,
    /// Since when it does well, after a strike.
    well_since: Option<Timestamp>,
    declining: Option<Declining>,
    down_since: Option<Timestamp>,
    /// Whether people know it of this guest, not only of the one before it.
    told: News,
}

/// Whether an instance is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Phase {
    /// With every batch.
    #[default]
    Running,
    /// Not before this moment; its samples wait.
    Struck { until: Timestamp },
    /// Not before this moment; it then sees the latest sample of each input.
    Quarantined { until: Timestamp },
}

#[derive(Debug, Clone, Copy)]
struct Declining {
    since: Timestamp,
    count: u64,
}

/// Whether people must be told that the instance is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum News {
    /// It went down.
    WentDown,
    /// Nothing that they don't know.
    #[default]
    None,
}

/// What a failed call means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It declined; ask again at the latest at this moment.
    Declined {
        count: u64,
        ask_again: Timestamp,
        news: News,
    },
    /// A strike: a pause.
    Struck { count: u32, until: Timestamp },
    /// A strike too many: quarantine.
    Quarantined { until: Timestamp, news: News },
}

impl Health {
    pub(crate) const fn phase(&self) -> Phase {
        self.phase
    }

    /// Since when it is known to be down.
    pub(crate) const fn down_since(&self) -> Option<Timestamp> {
        self.down_since
    }

    /// An instance that was down when the host stopped, or when a new version took its place: its
    /// first success is news, and so is that it goes down again.
    pub(crate) fn was_down(&mut self, since: Timestamp) {
        self.down_since = Some(since);
    }

    /// Strikes that still count at this moment.
    pub(crate) fn strikes(&self, now: Timestamp) -> u32 {
        let count = self.strikes.iter().filter(|at| recent(now, **at)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Takes a call that went well; answers since when the instance was down, if it was.
    pub(crate) fn succeed(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.phase = Phase::Running;
        self.declining = None;
        self.told = News::None;
        if self.level > 0 {
            self.well_since.get_or_insert(now);
        }
        self.down_since.take()
    }

    /// Takes a call that failed.
    pub(crate) fn fail(
        &mut self,
        now: Timestamp,
        kind: CallErrorKind,
        strikes_max: u32,
    ) -> Verdict {
        if kind == CallErrorKind::Declined && self.phase == Phase::Running {
            self.decline(now)
        } else {
            self.strike(now, strikes_max)
        }
    }

    /// Quarantines at once: an instance whose guest could not even be made.
    pub(crate) fn quarantine(&mut self, now: Timestamp) -> Verdict {
        let back_off = doubled(BACK_OFF_FIRST, self.level, BACK_OFF_MAX);
        let until = now.plus(back_off);
        self.level = self.level.saturating_add(1);
        self.phase = Phase::Quarantined { until };
        self.strikes.clear();
        self.declining = None;
        self.well_since = None;
        let news = self.go_down(now);
        Verdict::Quarantined { until, news }
    }

    fn decline(&mut self, now: Timestamp) -> Verdict {
        let mut streak = self.declining.unwrap_or(Declining {
            since: now,
            count: 0,
        });
        streak.count = streak.count.saturating_add(1);
        self.declining = Some(streak);
        let long = now.since(streak.since) >= DECLINES_DOWN_AFTER;
        let news = if long && streak.count >= DECLINES_DOWN_MIN {
            self.go_down(streak.since)
        } else {
            News::None
        };
        let doublings = u32::try_from(streak.count - 1).unwrap_or(u32::MAX);
        Verdict::Declined {
            count: streak.count,
            ask_again: now.plus(doubled(ASK_AGAIN_FIRST, doublings, ASK_AGAIN_MAX)),
            news,
        }
    }

    fn strike(&mut self, now: Timestamp, strikes_max: u32) -> Verdict {
        if self
            .well_since
            .is_some_and(|since| now.since(since) >= STRIKE_WINDOW)
        {
            self.level = 0;
        }
        self.well_since = None;
        self.declining = None;
        while self.strikes.front().is_some_and(|at| !recent(now, *at)) {
            self.strikes.pop_front();
        }
        self.strikes.push_back(now);
        let count = u32::try_from(self.strikes.len()).unwrap_or(u32::MAX);
        let on_trial = matches!(self.phase, Phase::Quarantined { .. });
        if on_trial || count >= strikes_max.max(1) {
            return self.quarantine(now);
        }
        let pause = PAUSE_FIRST
            .saturating_mul(10_u32.saturating_pow(count - 1))
            .min(PAUSE_MAX);
        let until = now.plus(pause);
        self.phase = Phase::Struck { until };
        Verdict::Struck { count, until }
    }

    fn go_down(&mut self, since: Timestamp) -> News {
        self.down_since.get_or_insert(since);
        match std::mem::replace(&mut self.told, News::WentDown) {
            News::None => News::WentDown,
            News::WentDown => News::None,
        }
    }
}

fn recent(now: Timestamp, at: Timestamp) -> bool {
    now.since(at) < STRIKE_WINDOW
}

fn doubled(first: Duration, doublings: u32, max: Duration) -> Duration {
    first
        .saturating_mul(2_u32.saturating_pow(doublings.min(30)))
        .min(max)
}
