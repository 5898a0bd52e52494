//! Delivery reports: matched by the provider's id, only ever forward.
//!
//! A message in several segments has arrived when each segment has. The ids that a row still waits
//! for are the ones in its state, so that a restart between two segments loses nothing.
//! A report can be faster than the answer to the send; it is then kept for ten minutes.

use std::collections::VecDeque;

use andon_model::{
    DeliveryState, JournalEntry, JournalKind, Reason, Receipt, ReceiptStatus, Timestamp, Why,
};
use serde_json::json;

use crate::desk::{Decision, Desk};
use crate::limits::{EARLY_RECEIPT_AGE, EARLY_RECEIPTS_MAX};

/// Receipts of messages that the host does not know yet, oldest first; at most 1,000 and for ten
/// minutes. One that is given up becomes a line of the journal.
#[derive(Debug, Default)]
pub(crate) struct EarlyReceipts(VecDeque<(Timestamp, String, Receipt)>);

impl EarlyReceipts {
    fn keep(&mut self, sink: &str, receipt: Receipt, now: Timestamp, out: &mut Decision) {
        if self.0.len() >= EARLY_RECEIPTS_MAX
            && let Some((_, sink, oldest)) = self.0.pop_front()
        {
            out.journal.push(unmatched(&sink, &oldest, now));
        }
        self.0.push_back((now, sink.to_owned(), receipt));
    }

    /// Takes out what belongs to a message that the sink has just sent.
    pub(crate) fn take(&mut self, sink: &str, ids: &[String]) -> Vec<(String, Receipt)> {
        let (mine, others) = self
            .0
            .drain(..)
            .partition::<Vec<_>, _>(|(_, from, receipt)| {
                from == sink && ids.contains(&receipt.provider_id)
            });
        self.0 = others.into();
        mine.into_iter()
            .map(|(_, sink, receipt)| (sink, receipt))
            .collect()
    }

    /// Gives up what is too old.
    pub(crate) fn tidy(&mut self, now: Timestamp, out: &mut Decision) {
        while let Some((at, sink, receipt)) = self.0.front() {
            if now.since(*at) <= EARLY_RECEIPT_AGE {
                break;
            }
            out.journal.push(unmatched(sink, receipt, now));
            self.0.pop_front();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn unmatched(sink: &str, receipt: &Receipt, at: Timestamp) -> JournalEntry {
    let detail = format!(
        "sink {sink} reported on message {}, which the host did not send",
        receipt.provider_id
    );
    JournalEntry {
        at,
        kind: JournalKind::Delivery,
        occurrence: None,
        subject: sink.to_owned(),
        event: "unknown receipt".to_owned(),
        why: Why::new(Reason::LimitReached, detail),
        data: json!({ "provider_id": receipt.provider_id, "detail": receipt.detail }),
    }
}

impl Desk {
    /// A delivery report from a sink. The provider's id must be written as the sink wrote it in
    /// its outcome. Reports of what is settled already change nothing.
    pub fn on_receipt(&mut self, sink: &str, receipt: &Receipt, now: Timestamp) -> Decision {
        let mut out = self.begin(now);
        if receipt.status == ReceiptStatus::Underway {
            return out;
        }
        if self
            .ledger
            .by_provider_id(sink, &receipt.provider_id)
            .is_some()
        {
            self.apply_receipt(sink, receipt, now, &mut out);
        } else {
            self.early.keep(sink, receipt.clone(), now, &mut out);
        }
        out
    }

    pub(crate) fn apply_receipt(
        &mut self,
        sink: &str,
        receipt: &Receipt,
        now: Timestamp,
        out: &mut Decision,
    ) {
        let Some(row) = self.ledger.by_provider_id(sink, &receipt.provider_id) else {
            return;
        };
        let mut row = row.clone();
        let DeliveryState::Sent { provider_ids } = &mut row.state else {
            return;
        };
        let awaited = provider_ids.len();
        provider_ids.retain(|id| *id != receipt.provider_id);
        if provider_ids.len() == awaited {
            return;
        }
        let rest = provider_ids.len();
        let said = if receipt.detail.is_empty() {
            String::new()
        } else {
            format!(": {}", receipt.detail)
        };
        match receipt.status {
            ReceiptStatus::Underway => {}
            ReceiptStatus::Delivered if rest > 0 => {
                let detail = format!("a part has arrived, {rest} more awaited{said}");
                row.why = Why::new(Reason::ProviderAccepted, detail);
                self.keep(row, now, out);
            }
            ReceiptStatus::Delivered => {
                row.state = DeliveryState::Delivered;
                row.why = Why::new(
                    Reason::ReceiptDelivered,
                    format!("{sink} says that it arrived{said}"),
                );
                self.arrived(row, now, out);
            }
            ReceiptStatus::Failed => {
                row.why = Why::new(
                    Reason::ReceiptFailed,
                    format!("{sink} says that it will not arrive{said}"),
                );
                self.give_up(row, now, out);
            }
        }
    }
}
