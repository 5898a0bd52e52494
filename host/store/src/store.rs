//! The writing side as the host holds it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use andon_model::{Clock, Commit};
use tokio::sync::{mpsc, oneshot, watch};

use crate::ballast::Ballast;
use crate::check;
use crate::error::{CommitError, StoreError};
use crate::loaded::{self, Loaded};
use crate::open;
use crate::options::StoreOptions;
use crate::reader::Reader;
use crate::retention::Tidied;
use crate::schema::{self, Prepared};
use crate::status::StoreStatus;
use crate::ticket::Ticket;
use crate::writer::{Request, Writer};

/// The database of one host. Clones share it; the last one that is dropped lets the writer finish
/// what is queued and end, [`Store::close`] also waits for it.
#[derive(Debug, Clone)]
pub struct Store {
    requests: mpsc::Sender<Request>,
    status: watch::Receiver<StoreStatus>,
    /// Messages from phones that may not be committed yet, the newest last, at most
    /// [`RECENT_MAX`]; by the time the oldest leaves it is long in the database.
    recent: Arc<Mutex<VecDeque<(String, String)>>>,
    path: Arc<PathBuf>,
}

/// Messages from phones that are remembered beside the database.
const RECENT_MAX: usize = 10_000;

impl Store {
    /// Opens the database, or makes it, brings it to this version, and reads what stands in it.
    /// Blocks while it does.
    ///
    /// `clock` dates what the store itself has to say, and tells how old things are.
    ///
    /// # Errors
    /// See [`StoreError`]; the file is then as it was.
    pub fn open(
        path: &Path,
        options: StoreOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Loaded), StoreError> {
        let lock = check::lock(path)?;
        check::admissible(path, options.check_bytes_max)?;
        check::make_if_missing(path)?;
        let mut connection = open::for_writing(path, options.busy_timeout)
            .map_err(|error| StoreError::open(path, error))?;
        let prepared = schema::prepare(&mut connection, path)?;
        let mut loaded = loaded::load(&connection, path, clock.now(), options.receipts_for)?;
        match prepared {
            Prepared::Created => loaded.created = true,
            Prepared::AsItWas => {}
            Prepared::Migrated { from } => loaded.migrated_from = Some(from),
        }
        let ballast = Ballast::beside(path, options.reserve_bytes);
        let (requests, queue) = mpsc::channel(options.queue_max.max(1));
        let (published, status) = watch::channel(StoreStatus::default());
        Writer::new(path, connection, lock, ballast, options, clock, published)
            .start(queue)
            .map_err(|error| StoreError::open(path, error))?;
        let store = Self {
            requests,
            status,
            recent: Arc::default(),
            path: Arc::new(path.to_owned()),
        };
        Ok((store, loaded))
    }

    /// A reader of a database, from this or another process.
    ///
    /// # Errors
    /// See [`Reader::open`].
    pub fn read_only(path: &Path) -> Result<Reader, StoreError> {
        Reader::open(path)
    }

    /// A reader of this database.
    ///
    /// # Errors
    /// See [`Reader::open`].
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.path)
    }

    /// Hands a commit to the writer; waits only while the queue is full. Commits are written in the
    /// order in which they were queued. An empty commit touches no disk.
    pub async fn commit(&self, commit: Commit) -> Ticket {
        if commit.is_empty() {
            return Ticket::known(Ok(()));
        }
        self.remember(&commit.incoming);
        let (answer, ticket) = oneshot::channel();
        match self.requests.send(Request::Commit(commit, answer)).await {
            Ok(()) => Ticket::waiting(ticket),
            Err(_) => Ticket::known(Err(CommitError::Closed)),
        }
    }

    /// Whether a message from a phone was taken in before, committed or on its way.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn incoming_seen(&self, reader: &Reader, sink: &str, id: &str) -> Result<bool, StoreError> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let on_its_way = recent.iter().rev().any(|(s, i)| s == sink && i == id);
        drop(recent);
        if on_its_way {
            return Ok(true);
        }
        reader.incoming_seen(sink, id)
    }

    /// How the disk is, and a way to wait for a change.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<StoreStatus> {
        self.status.clone()
    }

    /// Deletes some of what is too old or too much now; the writer does so by itself now and then.
    ///
    /// # Errors
    /// The disk failed, or the store is closed.
    pub async fn tidy(&self) -> Result<Tidied, CommitError> {
        let (answer, tidied) = oneshot::channel();
        let sent = self.requests.send(Request::Tidy(answer)).await;
        sent.map_err(|_| CommitError::Closed)?;
        tidied.await.unwrap_or(Err(CommitError::Closed))
    }

    /// Writes what is queued and ends the writer, also for all clones.
    ///
    /// # Errors
    /// [`CommitError::Deferred`] if the disk still fails: what waited in memory is lost.
    pub async fn close(&self) -> Result<(), CommitError> {
        let (answer, closed) = oneshot::channel();
        let sent = self.requests.send(Request::Close(answer)).await;
        sent.map_err(|_| CommitError::Closed)?;
        closed.await.unwrap_or(Err(CommitError::Closed))
    }

    fn remember(&self, incoming: &[(String, String)]) {
        if incoming.is_empty() {
            return;
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.extend(incoming.iter().cloned());
        let surplus = recent.len().saturating_sub(RECENT_MAX);
        recent.drain(..surplus);
    }
}
