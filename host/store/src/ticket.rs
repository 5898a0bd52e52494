//! The promise that a commit becomes durable.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::error::CommitError;

/// Resolves once the commit is on the disk, or with the reason why it is not. It may be dropped:
/// the commit is written all the same.
#[derive(Debug)]
#[must_use = "only a ticket that resolved says that the commit is on the disk"]
pub struct Ticket(State);

#[derive(Debug)]
enum State {
    Known(Result<(), CommitError>),
    Waiting(oneshot::Receiver<Result<(), CommitError>>),
}

impl Ticket {
    pub(crate) const fn known(result: Result<(), CommitError>) -> Self {
        Self(State::Known(result))
    }

    pub(crate) const fn waiting(answer: oneshot::Receiver<Result<(), CommitError>>) -> Self {
        Self(State::Waiting(answer))
    }
}

impl Future for Ticket {
    type Output = Result<(), CommitError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Known(result) => Poll::Ready(result.clone()),
            State::Waiting(answer) => Pin::new(answer)
                .poll(context)
                .map(|answer| answer.unwrap_or(Err(CommitError::Closed))),
        }
    }
}
