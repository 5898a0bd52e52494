//! The thread that writes: all that waits goes into one transaction, and each ticket is answered
//! when that is on the disk.
//!
//! When the disk fails, the group stays in the backlog, its tickets and later ones are answered
//! "deferred" at once, and it is tried again with growing pauses; order is kept throughout.
//! A full disk first costs the reserve, once.
//! When a group fails because of its rows, its commits are written one by one, and only the one at
//! fault is refused.
//!
//! The thread runs a small runtime of its own, for waiting; SQLite's calls block it and nobody else.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Clock, Commit, JournalEntry, JournalKind, Reason, Why};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Interval, MissedTickBehavior, Sleep, interval, sleep};

use crate::backlog::{Backlog, Pending, answer};
use crate::ballast::Ballast;
use crate::check::Lock;
use crate::error::CommitError;
use crate::open;
use crate::options::StoreOptions;
use crate::retention::{self, Tidied};
use crate::schema;
use crate::status::{Health, StoreStatus};
use crate::write::{WriteError, write};

/// Most requests taken from the queue at once.
const TAKE_MAX: usize = 256;
/// Rows above which a further commit goes into the next transaction.
const GROUP_ROWS_MAX: usize = 20_000;
/// How often the writer looks for what is too old, and for a reserve that was given up.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// Pause between two steps when the first did not find the end.
const TIDY_AGAIN: Duration = Duration::from_secs(1);

/// What the writer is asked.
#[derive(Debug)]
pub(crate) enum Request {
    Commit(Commit, oneshot::Sender<Result<(), CommitError>>),
    Tidy(oneshot::Sender<Result<Tidied, CommitError>>),
    Close(oneshot::Sender<Result<(), CommitError>>),
}

/// Whether the writer goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Work,
    End,
}

pub(crate) struct Writer {
    path: PathBuf,
    connection: Connection,
    ballast: Ballast,
    options: StoreOptions,
    clock: Arc<dyn Clock>,
    backlog: Backlog,
    status: StoreStatus,
    published: watch::Sender<StoreStatus>,
    /// Pause before the next try; `None` while the disk answers.
    pause: Option<Duration>,
    journal_dropped_told: u64,
    closing: Option<oneshot::Sender<Result<(), CommitError>>>,
    /// Held as long as this host may write.
    _lock: Lock,
}

impl Writer {
    pub(crate) fn new(
        path: &Path,
        connection: Connection,
        lock: Lock,
        ballast: Ballast,
        options: StoreOptions,
        clock: Arc<dyn Clock>,
        published: watch::Sender<StoreStatus>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            connection,
            ballast,
            backlog: Backlog::new(options.backlog_rows_max, options.backlog_bytes_max),
            options,
            clock,
            status: StoreStatus::default(),
            published,
            pause: None,
            journal_dropped_told: 0,
            closing: None,
            _lock: lock,
        }
    }

    /// Starts the thread. It ends when it is told to close or all stores are dropped.
    pub(crate) fn start(self, queue: mpsc::Receiver<Request>) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || runtime.block_on(self.run(queue)))?;
        Ok(())
    }

    async fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        self.hold_reserve();
        let mut taken = Vec::with_capacity(TAKE_MAX);
        let mut tidy = interval(TIDY_EVERY);
        tidy.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tidy.reset();
        let mut retry: Option<Pin<Box<Sleep>>> = None;
        loop {
            let next = tokio::select! {
                count = queue.recv_many(&mut taken, TAKE_MAX) => {
                    if count == 0 { Next::End } else { self.take(&mut taken) }
                }
                () = wait(&mut retry) => {
                    self.flush();
                    retry = None;
                    Next::Work
                }
                _ = tidy.tick() => {
                    self.look_after(&mut tidy);
                    Next::Work
                }
            };
            if next == Next::End {
                break;
            }
            match self.pause {
                None => retry = None,
                Some(pause) if retry.is_none() => retry = Some(Box::pin(sleep(pause))),
                Some(_) => {}
            }
        }
        let finished = self.finish();
        if let Some(ticket) = self.closing.take() {
            // The files are closed and unlocked before anybody hears that they are.
            drop(self);
            drop(ticket.send(finished));
        }
    }

    /// Takes what was queued, and writes it unless the disk is known to fail.
    fn take(&mut self, taken: &mut Vec<Request>) -> Next {
        for request in taken.drain(..) {
            match request {
                Request::Commit(commit, ticket) => self.queue(commit, ticket),
                Request::Tidy(ticket) => {
                    if self.pause.is_none() {
                        self.flush();
                    }
                    let tidied = self.tidy();
                    drop(ticket.send(tidied));
                }
                Request::Close(ticket) => {
                    self.closing = Some(ticket);
                    return Next::End;
                }
            }
        }
        if self.pause.is_none() {
            self.flush();
        } else {
            self.publish();
        }
        Next::Work
    }

    fn queue(&mut self, commit: Commit, ticket: oneshot::Sender<Result<(), CommitError>>) {
        let pending = Pending::new(commit, Some(ticket));
        if self.pause.is_none() && !self.backlog.has_room_for(&pending) {
            self.flush();
        }
        match self.backlog.push(pending) {
            Ok(()) if self.pause.is_some() => {
                let deferred = self.deferred();
                self.backlog.answer_newest(Err(deferred));
            }
            Ok(()) => {}
            Err(pending) => self.lose(*pending),
        }
    }

    /// A commit for which there is no room even in memory.
    fn lose(&mut self, mut pending: Pending) {
        self.status.commits_lost = self.status.commits_lost.saturating_add(1);
        let why = format!(
            "{} rows wait in memory for the disk, the most that may",
            self.backlog.rows()
        );
        tracing::error!(why, "a commit was not kept");
        self.publish();
        answer(&mut pending.answer, Err(CommitError::Full(why)));
    }

    /// Writes all that waits, group by group, until it is done or the disk fails.
    fn flush(&mut self) {
        while !self.backlog.is_empty() {
            let count = self.backlog.group(GROUP_ROWS_MAX);
            match self.write_first(count) {
                Ok(()) => self.answer_first(count, &Ok(())),
                Err(error) if error.blames_the_rows() => {
                    if !self.write_one_by_one(count) {
                        return;
                    }
                }
                Err(error) => {
                    self.fail(&error);
                    return;
                }
            }
        }
        self.recover();
    }

    fn write_first(&mut self, count: usize) -> Result<(), WriteError> {
        let now = self.clock.now();
        let result = write(&mut self.connection, now, self.backlog.first(count));
        let full = result
            .as_ref()
            .is_err_and(|error| error.code() == Some(ErrorCode::DiskFull));
        if full && self.ballast.release() {
            tracing::warn!("disk is full: the reserve is given up");
            let why = self.on_reserve();
            self.set(Health::OnReserve, Some(why));
            return write(&mut self.connection, now, self.backlog.first(count));
        }
        result
    }

    fn answer_first(&mut self, count: usize, result: &Result<(), CommitError>) {
        for _ in 0..count {
            if let Some(mut pending) = self.backlog.pop() {
                answer(&mut pending.answer, result.clone());
            }
        }
    }

    /// Finds the commits that the database refuses. Answers whether the disk still answers.
    fn write_one_by_one(&mut self, count: usize) -> bool {
        for _ in 0..count {
            match self.write_first(1) {
                Ok(()) => self.answer_first(1, &Ok(())),
                Err(error) if error.blames_the_rows() => {
                    let why = chain(&error);
                    tracing::error!(error = why, "the database refuses a commit");
                    self.status.commits_lost = self.status.commits_lost.saturating_add(1);
                    self.publish();
                    self.answer_first(1, &Err(CommitError::Refused(why)));
                }
                Err(error) => {
                    self.fail(&error);
                    return false;
                }
            }
        }
        true
    }

    fn fail(&mut self, error: &WriteError) {
        let pause = self
            .pause
            .map_or(self.options.retry_min, |pause| pause.saturating_mul(2));
        self.pause = Some(pause.min(self.options.retry_max));
        let why = self.failing(&chain(error));
        if self.status.health != Health::Deferring {
            tracing::error!(error = chain(error), "commits wait in memory");
        }
        self.set(Health::Deferring, Some(why));
        self.backlog.answer_all(&Err(self.deferred()));
        if matches!(
            error.code(),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly)
        ) {
            self.reopen();
        }
    }

    /// A file system that went and came back needs a new connection. One that cannot be made now is
    /// tried again with the next failure.
    fn reopen(&mut self) {
        let opened = open::for_writing(&self.path, self.options.busy_timeout);
        if let Ok(connection) = opened
            && schema::version(&connection, &self.path).is_ok_and(|found| found == schema::VERSION)
        {
            self.connection = connection;
        }
    }

    /// The backlog is empty: the disk answers.
    fn recover(&mut self) {
        if self.pause.take().is_some() {
            tracing::info!("commits reach the disk again");
        }
        self.tell_dropped();
        if self.status.health == Health::Deferring {
            let health = if self.ballast.is_held() {
                Health::Good
            } else {
                Health::OnReserve
            };
            let why = (health == Health::OnReserve).then(|| self.on_reserve());
            self.set(health, why);
        }
        if self.published.borrow().backlog_rows != 0 {
            self.publish();
        }
    }

    /// Journals how many lines of the journal were given up.
    fn tell_dropped(&mut self) {
        let dropped = self.backlog.journal_dropped();
        let more = dropped.saturating_sub(self.journal_dropped_told);
        if more == 0 {
            return;
        }
        let line = JournalEntry {
            at: self.clock.now(),
            kind: JournalKind::System,
            occurrence: None,
            subject: "journal".to_owned(),
            event: "lines given up".to_owned(),
            why: Why::new(
                Reason::LimitReached,
                format!("{more} lines had no room in memory while the disk failed"),
            ),
            data: serde_json::json!({ "lines": more }),
        };
        let commit = Commit {
            journal: vec![line],
            ..Commit::default()
        };
        let now = self.clock.now();
        match write(&mut self.connection, now, std::iter::once(&commit)) {
            Ok(()) => self.journal_dropped_told = dropped,
            Err(error) => tracing::warn!(error = chain(&error), "tells it with the next write"),
        }
    }

    /// Now and then: what is too old goes, and a reserve that was given up is taken again.
    fn look_after(&mut self, tidy: &mut Interval) {
        if self.pause.is_some() {
            return;
        }
        match self.tidy() {
            Ok(tidied) if tidied.more => tidy.reset_after(TIDY_AGAIN),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot tidy"),
        }
        self.hold_reserve();
    }

    fn hold_reserve(&mut self) {
        match self.ballast.hold() {
            Ok(()) if self.status.health == Health::OnReserve => self.set(Health::Good, None),
            Ok(()) => {}
            Err(error) if self.status.health == Health::Good => {
                tracing::warn!(%error, "there is no room for the reserve");
                let why = self.on_reserve();
                self.set(Health::OnReserve, Some(why));
            }
            Err(_) => {}
        }
    }

    fn tidy(&mut self) -> Result<Tidied, CommitError> {
        let now = self.clock.now();
        let options = &self.options;
        retention::step(
            &mut self.connection,
            now,
            &options.retention,
            options.receipts_for,
        )
        .map_err(|error| CommitError::Deferred(chain(&error)))
    }

    /// The last try.
    fn finish(&mut self) -> Result<(), CommitError> {
        self.flush();
        if self.backlog.is_empty() {
            return Ok(());
        }
        let why = format!(
            "{} rows could not be written before the end: {}",
            self.backlog.rows(),
            self.status.why.as_deref().unwrap_or("the disk fails")
        );
        tracing::error!(why, "commits are lost");
        Err(CommitError::Deferred(why))
    }

    fn failing(&self, what: &str) -> String {
        format!(
            "cannot write to {}: {what}. Free or repair its disk; until then commits wait in memory",
            self.path.display()
        )
    }

    fn on_reserve(&self) -> String {
        format!(
            "the disk of {} is full or nearly so. Free some of it soon: commits are still written, but the reserve for a full disk is gone",
            self.path.display()
        )
    }

    fn deferred(&self) -> CommitError {
        let why = self.status.why.as_deref().unwrap_or("the disk fails");
        CommitError::Deferred(why.to_owned())
    }

    fn set(&mut self, health: Health, why: Option<String>) {
        self.status.since = match (self.status.health, health) {
            (_, Health::Good) => None,
            (Health::Good, _) => Some(self.clock.now()),
            (Health::OnReserve | Health::Deferring, _) => self.status.since,
        };
        self.status.health = health;
        self.status.why = why;
        self.publish();
    }

    fn publish(&mut self) {
        self.status.backlog_rows = self.backlog.rows();
        self.status.backlog_bytes = self.backlog.bytes();
        self.status.journal_dropped = self.backlog.journal_dropped();
        self.published.send_if_modified(|published| {
            let differs = *published != self.status;
            if differs {
                published.clone_from(&self.status);
            }
            differs
        });
    }
}

/// Waits for the moment of the next try, for ever if there is none.
async fn wait(retry: &mut Option<Pin<Box<Sleep>>>) {
    match retry {
        Some(retry) => retry.as_mut().await,
        None => std::future::pending().await,
    }
}

/// An error with its causes, in one line.
fn chain(error: &WriteError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let says = next.to_string();
        if !text.contains(&says) {
            text = format!("{text}: {says}");
        }
        cause = next.source();
    }
    text
}
