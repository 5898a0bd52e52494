//! The host as the API asks it: alarms and tags of the engine, journal and deliveries of the
//! store.
//!
//! The store is read off the runtime's threads, by [`READERS_MAX`] readers at once; a question that
//! finds none free waits its turn.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use andon_model::{
    AlarmRecord, Delivery, DeliveryId, JournalEntry, JournalKind, Reason, Timestamp, Why,
};
use andon_store::{DeliveryFilter, JournalFilter, JournalRow, Reader, Store, StoreError};
use andon_web::{
    Books, ContactView, DeliveryQuestion, JournalLine, JournalQuestion, Page, Refusal, Story,
    TagQuestion, TagView, TokenCommand, TokenRecord,
};
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

use crate::commands::explain::{self, ExplainError};
use crate::engine::{Request, Stopping};
use crate::host_view::HostView;
use crate::workshop::chain;

/// Questions to the store that are answered at once.
const READERS_MAX: usize = 4;

/// Connections to the store that are kept open between questions.
#[derive(Debug)]
pub(crate) struct Readers {
    store: Store,
    idle: Mutex<Vec<Reader>>,
    turns: Semaphore,
}

impl Readers {
    /// No connection yet.
    pub(crate) fn of(store: &Store) -> Arc<Self> {
        Arc::new(Self {
            store: store.clone(),
            idle: Mutex::default(),
            turns: Semaphore::new(READERS_MAX),
        })
    }

    /// Asks the store.
    async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&Reader) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let stopping = || Refusal::unable(Stopping.to_string());
        let _turn = self.turns.acquire().await.map_err(|_| stopping())?;
        let readers = Arc::clone(self);
        let work = move || {
            let reader = match readers.take() {
                Some(reader) => reader,
                None => readers.store.reader().map_err(|error| unreadable(&error))?,
            };
            let answer = question(&reader);
            readers.put(reader);
            answer
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| stopping())?
    }

    fn take(&self) -> Option<Reader> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn put(&self, reader: Reader) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < READERS_MAX {
            idle.push(reader);
        }
    }
}

fn unreadable(error: &StoreError) -> Refusal {
    Refusal::unable(chain(error))
}

fn lines(rows: Vec<JournalRow>) -> Vec<JournalLine> {
    let line = |row: JournalRow| JournalLine {
        number: row.number,
        entry: row.entry,
    };
    rows.into_iter().map(line).collect()
}

#[async_trait]
impl Books for HostView {
    async fn standing(&self) -> Result<Vec<AlarmRecord>, Refusal> {
        let snapshot = self.door.look().await.map_err(unable)?;
        Ok(snapshot.alarms)
    }

    async fn story(&self, alarm: String) -> Result<Story, Refusal> {
        let question = move |reader: &Reader| -> Result<Story, Refusal> {
            let explained = explain::collect(reader, &alarm).map_err(|error| match &error {
                ExplainError::Unknown(_) => Refusal::unknown(error.to_string()),
                ExplainError::Store(cause) => unreadable(cause),
            })?;
            let filter = JournalFilter {
                occurrence: Some(explained.occurrence),
                limit: JournalFilter::LIMIT_MAX,
                ..JournalFilter::default()
            };
            let mut rows = reader
                .journal(&filter)
                .map_err(|error| unreadable(&error))?;
            rows.reverse();
            Ok(Story {
                occurrence: explained.occurrence,
                journal: lines(rows),
                deliveries: explained.deliveries,
            })
        };
        self.readers.ask(question).await
    }

    async fn journal(&self, question: JournalQuestion) -> Result<Page<JournalLine>, Refusal> {
        let filter = JournalFilter {
            occurrence: question.occurrence,
            kind: question.kind,
            subject: question.subject,
            since: question.since,
            before: question.before,
            limit: question.limit,
        };
        let until = question.until;
        let ask = move |reader: &Reader| {
            reader
                .journal_page(&filter, until)
                .map_err(|error| unreadable(&error))
        };
        let page = self.readers.ask(ask).await?;
        Ok(Page {
            rows: lines(page.rows),
            next: page.next.map(|number| number.to_string()),
        })
    }

    async fn journal_after(&self, number: u64, limit: usize) -> Result<Vec<JournalLine>, Refusal> {
        let ask = move |reader: &Reader| {
            reader
                .journal_after(number, limit)
                .map_err(|error| unreadable(&error))
        };
        self.readers.ask(ask).await.map(lines)
    }

    async fn journal_end(&self) -> Result<u64, Refusal> {
        let ask = |reader: &Reader| reader.journal_end().map_err(|error| unreadable(&error));
        self.readers.ask(ask).await
    }

    async fn deliveries(&self, question: DeliveryQuestion) -> Result<Page<Delivery>, Refusal> {
        let filter = DeliveryFilter {
            occurrence: question.occurrence,
            state: question.state,
            contact: question.contact,
            before: question.before,
            limit: question.limit,
        };
        let ask = move |reader: &Reader| {
            reader
                .deliveries_page(&filter)
                .map_err(|error| unreadable(&error))
        };
        let page = self.readers.ask(ask).await?;
        Ok(Page {
            rows: page.rows,
            next: page.next.map(|number| number.to_string()),
        })
    }

    async fn delivery(&self, id: String) -> Result<Option<Delivery>, Refusal> {
        let ask = move |reader: &Reader| {
            reader
                .delivery(&DeliveryId::from_stored(id))
                .map_err(|error| unreadable(&error))
        };
        self.readers.ask(ask).await
    }

    async fn tags(&self, question: TagQuestion) -> Result<Page<TagView>, Refusal> {
        self.door.tags(question).await.map_err(unable)
    }

    async fn contacts(&self) -> Result<Vec<ContactView>, Refusal> {
        Ok(self.workshop.borrow().contacts.clone())
    }

    async fn note(&self, line: JournalEntry) -> Result<(), Refusal> {
        self.door.ask(Request::Note(Box::new(line))).await.map(drop)
    }

    fn news(&self) -> watch::Receiver<u64> {
        self.door.news.clone()
    }
}

impl HostView {
    /// Makes, lists and revokes tokens; each change is journalled with who asked for it.
    pub(crate) async fn tokens(&self, command: TokenCommand) -> Result<Value, Refusal> {
        let access = Arc::clone(&self.access);
        let work = move || -> Result<(Value, Option<TokenDeed>), Refusal> {
            match command {
                TokenCommand::New {
                    name,
                    role,
                    for_ms,
                    by,
                } => {
                    let valid_for = for_ms.map(Duration::from_millis);
                    let token = access.make_token(&name, role, valid_for)?;
                    let says = format!(
                        "{by} made the token {name} for {} at the command line",
                        role.word()
                    );
                    let deed = TokenDeed {
                        by,
                        does: "make token",
                        says,
                    };
                    Ok((
                        json!({ "name": name, "role": role, "token": token }),
                        Some(deed),
                    ))
                }
                TokenCommand::Revoke { name, by } => {
                    access.revoke_token(&name)?;
                    let says = format!("{by} revoked the token {name} at the command line");
                    let deed = TokenDeed {
                        by,
                        does: "revoke token",
                        says,
                    };
                    Ok((json!({ "revoked": name }), Some(deed)))
                }
                TokenCommand::List => Ok((json!(shown(access.tokens())), None)),
            }
        };
        // The tokens are a small file that is written and flushed.
        let (answer, deed) = tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| unable(Stopping))??;
        if let Some(deed) = deed {
            self.note(deed.line()).await?;
        }
        Ok(answer)
    }
}

/// What somebody did with a token.
struct TokenDeed {
    by: String,
    does: &'static str,
    says: String,
}

impl TokenDeed {
    fn line(self) -> JournalEntry {
        JournalEntry {
            at: Timestamp::EPOCH,
            kind: JournalKind::Operator,
            occurrence: None,
            subject: self.by,
            event: self.does.to_owned(),
            why: Why::new(Reason::OperatorAsked, self.says),
            data: Value::Null,
        }
    }
}

/// Tokens as the command line prints them.
fn shown(tokens: Vec<TokenRecord>) -> Vec<Value> {
    let show = |token: TokenRecord| {
        json!({
            "name": token.name,
            "role": token.role,
            "made_at": token.made_at.to_string(),
            "expires_at": token.expires_at.map(|at| at.to_string()),
        })
    };
    tokens.into_iter().map(show).collect()
}

fn unable(stopping: Stopping) -> Refusal {
    Refusal::unable(stopping.to_string())
}
