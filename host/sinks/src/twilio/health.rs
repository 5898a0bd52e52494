//! Whether the account can send, judged by how its requests end.

use andon_model::{Outcome, Reason, Why};
use tokio::sync::watch;

/// So many requests in a row without an answer make the sink count as down.
const FAILURES_MAX: u32 = 3;

/// What is known of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) up: bool,
    pub(super) why: Why,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    judgement: Option<Judgement>,
}

/// Counts how requests end. Whoever follows it sees the latest judgement, not every one.
#[derive(Debug)]
pub(super) struct Health(watch::Sender<State>);

impl Health {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(State::default()))
    }

    /// Twilio answered, and took the credentials.
    pub(super) fn works(&self) {
        self.0.send_if_modified(|state| {
            state.failures = 0;
            if state.judgement.as_ref().is_some_and(|known| known.up) {
                return false;
            }
            state.judgement = Some(Judgement {
                up: true,
                why: Why::new(Reason::System, "Twilio answers and takes the credentials"),
            });
            true
        });
    }

    /// No answer came.
    pub(super) fn unreachable(&self, says: &str) {
        self.0.send_if_modified(|state| {
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

    /// Twilio answered that the settings are wrong.
    pub(super) fn refused(&self, why: &Why) {
        self.0.send_if_modified(|state| {
            state.failures = 0;
            fail(state, why.clone())
        });
    }

    /// Judges by an outcome that came from an answer.
    pub(super) fn note(&self, outcome: &Outcome) {
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

    /// Whether the last judgement is that the account can send.
    pub(super) fn is_up(&self) -> bool {
        let state = self.0.borrow();
        state.judgement.as_ref().is_some_and(|known| known.up)
    }

    /// The judgements from now on.
    pub(super) fn follow(&self) -> Judgements {
        let mut states = self.0.subscribe();
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
pub(super) struct Judgements {
    states: watch::Receiver<State>,
    told: Option<bool>,
}

impl Judgements {
    /// The next change; never, if the account goes on as it is.
    pub(super) async fn next(&mut self) -> Judgement {
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
