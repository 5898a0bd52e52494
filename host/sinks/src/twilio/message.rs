//! Twilio's message resource, as lists, single answers and callbacks give it.

use andon_model::{Receipt, ReceiptStatus, Timestamp};
use serde::Deserialize;

use super::classify::{is_sid, meaning};
use super::client::read_date;

/// The fields of a message that matter; any may be missing or null.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    pub(super) sid: Option<String>,
    pub(super) status: Option<String>,
    pub(super) error_code: Option<u32>,
    pub(super) direction: Option<String>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) body: Option<String>,
    pub(super) date_created: Option<String>,
    pub(super) date_sent: Option<String>,
}

/// A page of a list of messages.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Page {
    pub(super) messages: Vec<Message>,
    #[serde(default)]
    pub(super) next_page_uri: Option<String>,
}

/// How far a message is on its way. Statuses can come out of order, so only a later one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    /// Nothing is known.
    None,
    /// Accepted, scheduled, queued.
    Waiting,
    /// Sending.
    Leaving,
    /// The network took it.
    Sent,
    /// Delivered, undelivered, failed: nothing more will come.
    Final,
}

impl Message {
    /// The sid, if it is one that can be asked for.
    pub(super) fn sid(&self) -> Option<&str> {
        self.sid.as_deref().filter(|sid| is_sid(sid))
    }

    /// When Twilio made it, in Twilio's time.
    pub(super) fn date(&self) -> Option<Timestamp> {
        [&self.date_created, &self.date_sent]
            .into_iter()
            .flatten()
            .find_map(|date| read_date(date))
    }

    pub(super) fn is_inbound(&self) -> bool {
        self.direction.as_deref() == Some("inbound")
    }

    /// How far it is, and what a receipt says of that.
    pub(super) fn progress(&self) -> Option<(Progress, Receipt)> {
        let word = self.status.as_deref()?;
        let (progress, status) = match word {
            "accepted" | "scheduled" | "queued" => (Progress::Waiting, ReceiptStatus::Underway),
            "sending" => (Progress::Leaving, ReceiptStatus::Underway),
            "sent" => (Progress::Sent, ReceiptStatus::Underway),
            "delivered" | "read" => (Progress::Final, ReceiptStatus::Delivered),
            "undelivered" | "failed" | "canceled" => (Progress::Final, ReceiptStatus::Failed),
            _ => return None,
        };
        let receipt = Receipt {
            provider_id: self.sid()?.to_owned(),
            status,
            detail: self.detail(word),
        };
        Some((progress, receipt))
    }

    fn detail(&self, word: &str) -> String {
        let Some(code) = self.error_code.filter(|code| *code != 0) else {
            return word.to_owned();
        };
        meaning(code).map_or_else(
            || format!("{word}, code {code}"),
            |meaning| format!("{word}, code {code}: {meaning}"),
        )
    }
}
