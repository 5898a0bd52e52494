//! Records samples of the running host: for a person who asked (`andon record`), and for as long as
//! the settings say (`[recording]`).
//!
//! ```text
//! engine ── Tap (never waits) ──▶ 256 messages ──▶ thread `recorder` ──▶ files
//! control door ── RecorderDoor ──▶     ┘
//! ```
//! The engine hands every batch over as it takes it, with its `now`. If the queue is full, the batch
//! is counted and left out: the plant is not kept waiting by the disk of a recording. The next batch
//! that finds room brings the count along, and the file says that there is a gap. A thread of its own
//! writes, so that a disk that hangs keeps no worker of the runtime, and no stop of the host either.

mod session;
mod standing;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use andon_model::{SampleBatch, TagTable, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use session::Session;
use standing::Standing;
pub(crate) use standing::StandingOrder;

/// Messages that wait for the disk; batches beyond it are counted as lost.
const MESSAGES_MAX: usize = 256;

/// How long a stopping host waits for the last rows.
const GRACE: Duration = Duration::from_secs(5);

/// What the thread is told.
enum Message {
    Batch(Taken),
    Start(Order, oneshot::Sender<Result<Status, String>>),
    Status(Timestamp, oneshot::Sender<Option<Status>>),
    Stop(Timestamp, oneshot::Sender<Option<Status>>),
    Standing(Option<StandingOrder>),
}

/// A batch on its way to the disk.
struct Taken {
    now: Timestamp,
    batch: SampleBatch,
    tags: Arc<TagTable>,
    /// Rows that found no room since the batch before.
    lost: u64,
}

/// What a person asks for.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// The file; it must not exist.
    pub(crate) file: PathBuf,
    /// When it begins.
    pub(crate) now: Timestamp,
    /// When it ends.
    pub(crate) until: Timestamp,
    /// Most rows.
    pub(crate) rows_max: u64,
}

/// How a recording that was asked for goes, or how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// The file.
    pub(crate) file: PathBuf,
    /// Rows in it.
    pub(crate) rows: u64,
    /// Rows that were lost because the disk was too slow.
    pub(crate) lost: u64,
    /// Why it ended; nothing while it goes on.
    pub(crate) ended: Option<String>,
    /// It ended because it could not be written.
    pub(crate) failed: bool,
}

/// The engine's end: hands batches over and never waits.
pub(crate) struct Tap {
    messages: mpsc::Sender<Message>,
    active: Arc<AtomicBool>,
    lost: Arc<AtomicU64>,
}

impl Tap {
    /// Hands a batch over if anything is recorded.
    pub(crate) fn take(&self, now: Timestamp, batch: &SampleBatch, tags: &Arc<TagTable>) {
        if !self.active.load(Ordering::Relaxed) || batch.is_empty() {
            return;
        }
        let rows = batch.len() as u64;
        let Ok(room) = self.messages.try_reserve() else {
            self.lost.fetch_add(rows, Ordering::Relaxed);
            return;
        };
        room.send(Message::Batch(Taken {
            now,
            batch: batch.clone(),
            tags: Arc::clone(tags),
            lost: self.lost.swap(0, Ordering::Relaxed),
        }));
    }
}

/// The other end: orders and questions.
#[derive(Clone)]
pub(crate) struct RecorderDoor {
    messages: mpsc::Sender<Message>,
    trouble: watch::Receiver<Option<String>>,
}

impl RecorderDoor {
    /// Begins a recording.
    ///
    /// # Errors
    /// One goes on already, or the file cannot be made.
    pub(crate) async fn start(&self, order: Order) -> Result<Status, String> {
        self.ask(|reply| Message::Start(order, reply))
            .await
            .unwrap_or_else(|| Err(GONE.to_owned()))
    }

    /// How the recording that was asked for last goes.
    pub(crate) async fn status(&self, now: Timestamp) -> Option<Status> {
        self.ask(|reply| Message::Status(now, reply))
            .await
            .flatten()
    }

    /// Ends the recording that was asked for.
    pub(crate) async fn stop(&self, now: Timestamp) -> Option<Status> {
        self.ask(|reply| Message::Stop(now, reply)).await.flatten()
    }

    /// What the settings say from now on.
    pub(crate) async fn stand(&self, order: Option<StandingOrder>) {
        if self.messages.send(Message::Standing(order)).await.is_err() {
            tracing::debug!("the recorder has ended; the host is stopping");
        }
    }

    /// Why the recording of the settings is not written, if it is not.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    async fn ask<T>(&self, message: impl FnOnce(oneshot::Sender<T>) -> Message) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.messages.send(message(reply)).await.ok()?;
        answer.await.ok()
    }
}

const GONE: &str = "the recorder has ended; the host is stopping";

/// A recorder that is ready.
pub(crate) struct Started {
    /// For the engine.
    pub(crate) tap: Tap,
    /// For all others.
    pub(crate) door: RecorderDoor,
    /// Tells that the thread has ended; see [`watch_end`].
    pub(crate) ended: oneshot::Receiver<()>,
}

/// Starts the thread. It ends, and closes its files, once the tap and all doors are gone.
///
/// # Errors
/// The system gives no thread.
pub(crate) fn start() -> io::Result<Started> {
    let (messages, messages_out) = mpsc::channel(MESSAGES_MAX);
    let (trouble, trouble_out) = watch::channel(None);
    let (active, lost) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let (ending, ended) = oneshot::channel();
    let recorder = Recorder {
        active: Arc::clone(&active),
        lost: Arc::clone(&lost),
        trouble,
        asked: None,
        last: None,
        standing: None,
    };
    std::thread::Builder::new()
        .name("recorder".to_owned())
        .spawn(move || {
            recorder.run(messages_out);
            drop(ending);
        })?;
    Ok(Started {
        tap: Tap {
            messages: messages.clone(),
            active,
            lost,
        },
        door: RecorderDoor {
            messages,
            trouble: trouble_out,
        },
        ended,
    })
}

/// Waits for the thread; not longer than the grace after the stop.
pub(crate) async fn watch_end(ended: oneshot::Receiver<()>, stop: CancellationToken) {
    let patience = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        // The sender is dropped at the end; nothing is ever sent.
        _ = ended => {}
        () = patience => tracing::error!("the disk of the recording does not answer; its last rows are lost"),
    }
}

/// The thread's own.
struct Recorder {
    active: Arc<AtomicBool>,
    lost: Arc<AtomicU64>,
    trouble: watch::Sender<Option<String>>,
    asked: Option<Session>,
    /// How the last one that was asked for ended.
    last: Option<Status>,
    standing: Option<Standing>,
}

impl Recorder {
    fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut now = Timestamp::EPOCH;
        while let Some(message) = messages.blocking_recv() {
            match message {
                Message::Batch(taken) => {
                    now = now.max(taken.now);
                    self.take(&taken);
                }
                // Whoever asked may have gone away; then there is nobody to tell.
                Message::Start(order, reply) => {
                    now = now.max(order.now);
                    drop(reply.send(self.begin(order)));
                }
                Message::Status(at, reply) => {
                    now = now.max(at);
                    self.end_if_over(now);
                    drop(reply.send(self.status()));
                }
                Message::Stop(at, reply) => {
                    now = now.max(at);
                    self.end_asked(now, "somebody asked for the end");
                    drop(reply.send(self.status()));
                }
                Message::Standing(order) => self.stand(now, order),
            }
            if messages.is_empty() {
                self.flush(now);
            }
            let active = self.asked.is_some() || self.standing.is_some();
            self.active.store(active, Ordering::Relaxed);
        }
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            self.take(&Taken {
                now,
                batch: SampleBatch::default(),
                tags: Arc::default(),
                lost,
            });
        }
        self.end_asked(now, "the host stopped");
        self.stand(now, None);
    }

    fn begin(&mut self, order: Order) -> Result<Status, String> {
        self.end_if_over(order.now);
        if let Some(session) = &self.asked {
            return Err(format!(
                "a recording goes on already, into {}: wait for its end, or stop it with Ctrl-C where it was asked for",
                session.file().display()
            ));
        }
        let file = order.file.clone();
        let session = Session::begin(order).map_err(|error| {
            format!(
                "cannot make {}: {error}; name a new file in a folder that the host's user may write",
                file.display()
            )
        })?;
        let status = session.status(None);
        self.asked = Some(session);
        self.last = None;
        Ok(status)
    }

    fn take(&mut self, taken: &Taken) {
        self.end_if_over(taken.now);
        if let Some(session) = &mut self.asked {
            match session.take(taken) {
                Ok(()) if session.is_full() => {
                    self.end_asked(taken.now, "as many rows as were asked for are recorded");
                }
                Ok(()) => {}
                Err(error) => self.fail_asked(&error),
            }
        }
        if let Some(standing) = &mut self.standing {
            standing.take(taken);
            self.tell_trouble();
        }
    }

    fn flush(&mut self, now: Timestamp) {
        if let Some(Err(error)) = self.asked.as_mut().map(Session::flush) {
            self.fail_asked(&error);
        }
        if let Some(standing) = &mut self.standing {
            standing.flush(now);
            self.tell_trouble();
        }
    }

    fn stand(&mut self, now: Timestamp, order: Option<StandingOrder>) {
        if self.standing.as_ref().map(Standing::order) == order.as_ref() {
            return;
        }
        if let Some(standing) = self.standing.take() {
            standing.end(now);
        }
        self.standing = order.map(Standing::new);
        self.tell_trouble();
    }

    fn tell_trouble(&self) {
        let trouble = self.standing.as_ref().and_then(Standing::trouble);
        self.trouble.send_if_modified(|told| {
            let is_news = told.as_deref() != trouble;
            if is_news {
                *told = trouble.map(str::to_owned);
            }
            is_news
        });
    }

    fn end_if_over(&mut self, now: Timestamp) {
        if self.asked.as_ref().is_some_and(|one| one.is_over(now)) {
            self.end_asked(now, "the time that was asked for is over");
        }
    }

    fn end_asked(&mut self, now: Timestamp, why: &str) {
        if let Some(session) = self.asked.take() {
            self.last = Some(session.end(now, why));
        }
    }

    fn fail_asked(&mut self, error: &io::Error) {
        if let Some(session) = self.asked.take() {
            let status = session.failed(error);
            tracing::error!(file = %status.file.display(), %error, "a recording cannot be written and ends");
            self.last = Some(status);
        }
    }

    fn status(&self) -> Option<Status> {
        match &self.asked {
            Some(session) => Some(session.status(None)),
            None => self.last.clone(),
        }
    }
}
