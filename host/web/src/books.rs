//! What the API asks of the host beside what the page shows: questions with bounds, and answers
//! as values of the model.

use andon_model::{AlarmRecord, Delivery, JournalEntry, JournalKind, OccurrenceId, Timestamp};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{Host, Refusal, TagView};

/// Most rows of one page of anything.
pub const PAGE_MAX: usize = 1_000;

/// What the API needs of the host. The app implements it.
#[async_trait]
pub trait Books: Host {
    /// Standing alarms, most urgent first.
    ///
    /// # Errors
    /// The host is stopping.
    async fn standing(&self) -> Result<Vec<AlarmRecord>, Refusal>;
    /// All that is known of one occurrence, named by code, number or `INSTANCE/KEY`.
    ///
    /// # Errors
    /// Nobody knows that name, or the journal cannot be read.
    async fn story(&self, alarm: String) -> Result<Story, Refusal>;
    /// A page of the journal, the newest line first.
    ///
    /// # Errors
    /// The journal cannot be read.
    async fn journal(&self, question: JournalQuestion) -> Result<Page<JournalLine>, Refusal>;
    /// Lines of the journal after this one, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// The journal cannot be read.
    async fn journal_after(&self, number: u64, limit: usize) -> Result<Vec<JournalLine>, Refusal>;
    /// Number of the newest line of the journal; 0 if there is none.
    ///
    /// # Errors
    /// The journal cannot be read.
    async fn journal_end(&self) -> Result<u64, Refusal>;
    /// A page of the deliveries, the newest first.
    ///
    /// # Errors
    /// The deliveries cannot be read.
    async fn deliveries(&self, question: DeliveryQuestion) -> Result<Page<Delivery>, Refusal>;
    /// One delivery by its key.
    ///
    /// # Errors
    /// The deliveries cannot be read.
    async fn delivery(&self, id: String) -> Result<Option<Delivery>, Refusal>;
    /// Tags by name.
    ///
    /// # Errors
    /// The host is stopping.
    async fn tags(&self, question: TagQuestion) -> Result<Page<TagView>, Refusal>;
    /// Contacts by name.
    ///
    /// # Errors
    /// The host is stopping.
    async fn contacts(&self) -> Result<Vec<ContactView>, Refusal>;
    /// Writes a line into the journal; answered once it is on the disk.
    ///
    /// # Errors
    /// The host is stopping.
    async fn note(&self, line: JournalEntry) -> Result<(), Refusal>;
    /// Changes whenever lines of the journal reached the disk.
    fn news(&self) -> watch::Receiver<u64>;
}

/// Some rows, and where the next ones begin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Ask with this for the rows after these; `None` if there are no more.
    pub next: Option<String>,
}

/// A line of the journal with its number.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalLine {
    /// Its number, in the order of commits.
    pub number: u64,
    /// The line.
    pub entry: JournalEntry,
}

/// Everything that is known of one occurrence.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Its number.
    pub occurrence: OccurrenceId,
    /// What happened, oldest first.
    pub journal: Vec<JournalLine>,
    /// What was owed to whom.
    pub deliveries: Vec<Delivery>,
}

/// Which lines of the journal are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalQuestion {
    /// Only of this occurrence.
    pub occurrence: Option<OccurrenceId>,
    /// Only of this kind.
    pub kind: Option<JournalKind>,
    /// Only of this alarm, delivery, plugin, device or person.
    pub subject: Option<String>,
    /// Not earlier.
    pub since: Option<Timestamp>,
    /// Earlier than this.
    pub until: Option<Timestamp>,
    /// Only lines before this one.
    pub before: Option<u64>,
    /// At most so many, and never more than [`PAGE_MAX`].
    pub limit: usize,
}

/// Which deliveries are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryQuestion {
    /// Only of this occurrence.
    pub occurrence: Option<OccurrenceId>,
    /// Only in this state: `queued`, `sent`, …
    pub state: Option<String>,
    /// Only to this contact.
    pub contact: Option<String>,
    /// Only those before this one.
    pub before: Option<u64>,
    /// At most so many, and never more than [`PAGE_MAX`].
    pub limit: usize,
}

/// Which tags are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagQuestion {
    /// Only those whose name holds this.
    pub holds: String,
    /// Only those whose name comes after this one.
    pub after: String,
    /// At most so many, and never more than [`PAGE_MAX`].
    pub limit: usize,
}

/// A contact as others may see it: no addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactView {
    /// Name in the settings.
    pub name: String,
    /// What other people call this person.
    pub display_name: String,
    /// Sinks of the channels, in the order in which they are tried.
    pub channels: Vec<String>,
}
