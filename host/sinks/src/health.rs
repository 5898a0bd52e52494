//! Whether a provider can send, judged by how its requests end. Sinks without a session of their own
//! use it.

use andon_model::{Outcome, Reason, Why};
use tokio::sync::watch;

/// So many requests in a row without an answer make the sink count as down.
const FAILURES_MAX: u32 = 3;

/// What is known of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) up: bool,
    pub(crate) why: Why,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    judgement: Option<Judgement>,
}

/// Counts how requests end. Whoever follows it sees the latest judgement, not every one.
#[derive(Debug)]
pub(crate) struct Health {
    state: watch::Sender<State>,
    /// What is said of a provider that works.
    good: &'static str,
}

impl Health {
    /// Nothing is known yet. `good` is what is said of a provider that works.
    pub(crate) fn new(good: &'static str) -> Self {
        let state = watch::Sender::new(State::default());
        Self { state, good }
    }

    /// The provider answered, and took the credentials.
    pub(crate) fn works(&self) {
        self.state.send_if_modified(|state| {
            state.failures = 0;
            if state.judgement.as_ref().is_some_and(|known| known.up) {
                return false;
            }
            state.judgement = Some(Judgement {
                up: true,
                why: Why::new(Reason::System, self.good),
            });
            true
        });
    }

    /// No answer came.
    pub(crate) fn unreachable(&self, says: &str) {
        self.state.send_if_modified(|state| {
            state.failures = state.failures.saturating_add(1);
            if state.failures < FAILURES_MAX {
                return false;
            }
            let why = Why::new(
                Reason::ProviderFailed,
                format!("{FAILURES_MAX} requests in a row failed, the last with: {says}"),
            );
            fail(state, why)
        });
    }

    /// The provider answered that the settings are wrong.
    pub(crate) fn refused(&self, why: &Why) {
        self.state.send_if_modified(|state| {
            state.failures = 0;
            fail(state, why.clone())
        });
    }

    /// Judges by an outcome that came from an answer.
    pub(crate) fn note(&self, outcome: &Outcome) {
        match outcome {
            Outcome::SinkFailed { why } => self.refused(why),
            Outcome::Retry { why, .. } if why.reason == Reason::ProviderFailed => {
                self.unreachable(&why.detail);
            }
            Outcome::Unknown { why } => self.unreachable(&why.detail),
            Outcome::Sent { .. }
            | Outcome::Retry { .. }
            | Outcome::Dead { .. }
            | Outcome::Expired { .. } => self.works(),
        }
    }

    /// Whether the last judgement is that the provider can send.
    pub(crate) fn is_up(&self) -> bool {
        let state = self.state.borrow();
        state.judgement.as_ref().is_some_and(|known| known.up)
    }

    /// The judgements from now on.
    pub(crate) fn follow(&self) -> Judgements {
        let mut states = self.state.subscribe();
        states.mark_changed();
        Judgements { states, told: None }
    }
}

/// Marks the sink as down; a further reason while it is down is no news.
fn fail(state: &mut State, why: Why) -> bool {
    if state.judgement.as_ref().is_some_and(|known| !known.up) {
        return false;
    }
    state.judgement = Some(Judgement { up: false, why });
    true
}

/// Judgements that differ from the one told before.
pub(crate) struct Judgements {
    states: watch::Receiver<State>,
    told: Option<bool>,
}

impl Judgements {
    /// The next change; never, if the provider goes on as it is.
    pub(crate) async fn next(&mut self) -> Judgement {
        loop {
            if self.states.changed().await.is_err() {
                return std::future::pending().await;
            }
            let judgement = self.states.borrow_and_update().judgement.clone();
            if let Some(judgement) = judgement
                && self.told != Some(judgement.up)
            {
                self.told = Some(judgement.up);
                return judgement;
            }
        }
    }
}
