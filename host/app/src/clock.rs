//! The one clock of the host.
//!
//! It counts with the machine's monotonic clock from the wall clock at start, so it never runs
//! backwards and a wall clock that is set does not jump any timer. It follows the wall clock
//! slowly: at most one part in twenty, so an hour's difference is made up within a day.

use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use andon_model::{Clock, Timestamp};

/// Share of the passed time by which the clock may follow the wall clock.
const SLEW: i64 = 20;

/// The machine's time as the host sees it.
#[derive(Debug)]
pub(crate) struct SystemClock {
    origin: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Nanoseconds since the origin at the last look.
    elapsed: i64,
    /// What was told then.
    told: i64,
}

impl SystemClock {
    /// A clock that starts from the wall clock.
    pub(crate) fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
        let origin = Instant::now();
        Self {
            origin,
            state: Mutex::new(State {
                elapsed: 0,
                told: wall(),
            }),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = next(&state, elapsed, wall());
        Timestamp::from_nanos(state.told)
    }
}

/// What the clock tells, given how long it runs and what the wall clock says.
fn next(state: &State, elapsed: i64, wall: i64) -> State {
    let passed = elapsed.saturating_sub(state.elapsed).max(0);
    let steady = state.told.saturating_add(passed);
    let reach = passed / SLEW;
    let told = steady.saturating_add(wall.saturating_sub(steady).clamp(-reach, reach));
    State {
        elapsed: state.elapsed.max(elapsed),
        told,
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
fn wall() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_wall_clock_that_is_set_back_does_not_turn_time_back() {
        let state = State {
            elapsed: 0,
            told: 1_000 * SECOND,
        };
        let state = next(&state, SECOND, 10 * SECOND);
        assert_eq!(state.told, 1_000 * SECOND + SECOND - SECOND / 20);
    }

    #[test]
    fn a_wall_clock_that_jumps_ahead_is_followed_slowly() {
        let state = State {
            elapsed: 0,
            told: 0,
        };
        let state = next(&state, SECOND, 3_600 * SECOND);
        assert_eq!(state.told, SECOND + SECOND / 20);
    }

    #[test]
    fn without_a_jump_the_wall_clock_is_told() {
        let state = State {
            elapsed: 0,
            told: 50 * SECOND,
        };
        assert_eq!(next(&state, 7 * SECOND, 57 * SECOND).told, 57 * SECOND);
    }
}
