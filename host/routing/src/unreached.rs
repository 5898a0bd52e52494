//! Contacts whom no channel reaches, and the host's alarms about them.
//!
//! An alarm about an unreachable contact is told to others. If that fails in turn it is journalled
//! and raises nothing further, so that two silent phones cannot alarm about each other for ever.

use std::collections::BTreeMap;

use andon_model::{AlarmId, AlarmRecord, AlarmRequest, Delivery, Priority, Reason, Why};

use crate::text;

/// Start of the key of these alarms; the name of the contact follows.
const KEY: &str = "unreached.";
/// Attribute with the code of the reason for which the last channel failed.
const CAUSE: &str = "cause";

/// Who is unreachable, and whether only a receipt proves the opposite.
#[derive(Debug, Default)]
pub(crate) struct Unreached(BTreeMap<String, Proof>);

/// What shows that a contact can be reached again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// A provider took a message.
    Taken,
    /// A receipt: the provider took the last message too, and it never arrived.
    Receipt,
}

/// How a message fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    /// The provider took it.
    Taken,
    /// It arrived.
    Arrived,
}

impl Unreached {
    /// Remembers the contact and answers the alarm to raise.
    pub(crate) fn note(&mut self, row: &Delivery, why: &Why) -> AlarmRequest {
        let proof = proof(why.reason.code());
        self.0.insert(row.contact.clone(), proof);
        let message = format!(
            "{} was not reached by any channel ({}): {}",
            row.contact, why, row.text
        );
        AlarmRequest {
            key: key(&row.contact),
            priority: row.priority.max(Priority::High),
            message: text::shortened(&message, 500),
            attributes: vec![
                ("contact".to_owned(), row.contact.clone()),
                (CAUSE.to_owned(), why.reason.code().to_owned()),
            ],
        }
    }

    /// Whether this ends the contact's alarm.
    pub(crate) fn reached(&mut self, contact: &str, how: Reached) -> bool {
        let ends = match (self.0.get(contact), how) {
            (None, _) | (Some(Proof::Receipt), Reached::Taken) => false,
            (Some(_), Reached::Arrived) | (Some(Proof::Taken), Reached::Taken) => true,
        };
        if ends {
            self.0.remove(contact);
        }
        ends
    }

    /// Takes over an alarm that stood before the restart.
    pub(crate) fn restore(&mut self, record: &AlarmRecord) {
        if let Some(contact) = about(record) {
            let cause = record.labels.get(CAUSE).map_or("", String::as_str);
            self.0.insert(contact.to_owned(), proof(cause));
        }
    }

    /// Forgets contacts who are no longer in the settings and names them.
    pub(crate) fn without(&mut self, known: impl Fn(&str) -> bool) -> Vec<String> {
        let gone: Vec<String> = self.0.keys().filter(|name| !known(name)).cloned().collect();
        self.0.retain(|name, _| known(name));
        gone
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn proof(cause: &str) -> Proof {
    if cause == Reason::ReceiptFailed.code() {
        Proof::Receipt
    } else {
        Proof::Taken
    }
}

/// The contact whom this alarm calls unreachable.
pub(crate) fn about(record: &AlarmRecord) -> Option<&str> {
    if record.id.instance == AlarmId::HOST {
        record.id.key.strip_prefix(KEY)
    } else {
        None
    }
}

/// Key of the alarm about this contact.
pub(crate) fn key(contact: &str) -> String {
    format!("{KEY}{contact}")
}
