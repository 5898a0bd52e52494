//! Delivery receipts (SMPP 3.4 appendix B and sections 5.3.2.12, 5.3.2.35).
//!
//! The TLVs `receipted_message_id` and `message_state` are asked first; without them the text is
//! read, whose form the standard gives only as an example:
//! `id:… sub:001 dlvrd:001 submit date:… done date:… stat:DELIVRD err:000 text:…`.
//!
//! **The trap of ids:** some SMSCs answer `submit_sm` with an id in hexadecimal and name it in
//! receipts in decimal, or the reverse. [`MessageIdBase`] says so, and both ways the id comes out
//! in the form of the submit's answer.

use andon_model::{Receipt, ReceiptStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pdu::{Deliver, tag, text_of};

/// How ids in receipts differ from those in answers to `submit_sm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MessageIdBase {
    /// Not at all.
    #[default]
    AsIs,
    /// Receipts have them in hexadecimal, answers in decimal: `1F` is turned into `31`.
    HexToDec,
    /// Receipts have them in decimal, answers in hexadecimal: `31` is turned into `1f`.
    DecToHex,
}

impl MessageIdBase {
    /// The id of a `submit_sm_resp` in the form that is stored.
    pub(super) fn of_answer(self, id: &str) -> String {
        match self {
            Self::AsIs => id.trim().to_owned(),
            Self::HexToDec => rebase(id, 10, 10),
            Self::DecToHex => rebase(id, 16, 16),
        }
    }

    /// The id of a receipt in the same form.
    pub(super) fn of_receipt(self, id: &str) -> String {
        match self {
            Self::AsIs => id.trim().to_owned(),
            Self::HexToDec => rebase(id, 16, 10),
            Self::DecToHex => rebase(id, 10, 16),
        }
    }
}

/// The number without leading zeros, in lower case; what is no number in its base stays.
fn rebase(id: &str, from: u32, to: u32) -> String {
    match u128::from_str_radix(id.trim(), from) {
        Ok(number) if to == 16 => format!("{number:x}"),
        Ok(number) => number.to_string(),
        Err(_) => id.trim().to_owned(),
    }
}

/// Whether a `deliver_sm` or `data_sm` is a receipt: by its message type (bits 5 to 2 of
/// `esm_class`: receipt, intermediate notification), or by a TLV that
/// only receipts have. Never by its text: anybody can send a text that looks like one. An
/// acknowledgement by the phone itself (types 2 and 4) is a message of a person.
pub(super) fn is_receipt(deliver: &Deliver) -> bool {
    matches!(deliver.esm_class & 0x3C, 0x04 | 0x20)
        || deliver.tlv(tag::RECEIPTED_MESSAGE_ID).is_some()
}

/// Reads a receipt; nothing if it names no message.
pub(super) fn read(deliver: &Deliver, text: &str, base: MessageIdBase) -> Option<Receipt> {
    let by_tlv = deliver
        .tlv(tag::RECEIPTED_MESSAGE_ID)
        .map(text_of)
        .filter(|id| !id.trim().is_empty());
    let id = by_tlv.or_else(|| field(text, "id").map(str::to_owned))?;
    let state = deliver.tlv_number(tag::MESSAGE_STATE);
    let word = field(text, "stat");
    let status = state
        .and_then(status_of_state)
        .or_else(|| word.map(status_of_word))
        .unwrap_or(ReceiptStatus::Underway);
    Some(Receipt {
        provider_id: base.of_receipt(&id),
        status,
        detail: detail(deliver, text, state, word),
    })
}

/// The provider's words: state and error code.
fn detail(deliver: &Deliver, text: &str, state: Option<u64>, word: Option<&str>) -> String {
    let named = state.map(|state| name_of_state(state).to_owned());
    let mut detail = word
        .map(str::to_owned)
        .or(named)
        .unwrap_or_else(|| "no state".to_owned());
    let network = deliver
        .tlv(tag::NETWORK_ERROR_CODE)
        .and_then(|value| value.get(1..)?.first_chunk::<2>())
        .map(|code| u16::from_be_bytes(*code).to_string());
    let error = field(text, "err").map(str::to_owned).or(network);
    if let Some(error) = error.filter(|error| !error.trim_matches('0').is_empty()) {
        detail.push_str(&format!(", error {error}"));
    }
    detail
}

/// `message_state` (section 5.2.28; 0 and 9 are of SMPP 5).
const fn status_of_state(state: u64) -> Option<ReceiptStatus> {
    match state {
        0 | 1 | 6 => Some(ReceiptStatus::Underway),
        2 => Some(ReceiptStatus::Delivered),
        3 | 4 | 5 | 7 | 8 | 9 => Some(ReceiptStatus::Failed),
        _ => None,
    }
}

const fn name_of_state(state: u64) -> &'static str {
    match state {
        0 => "SCHEDULED",
        1 => "ENROUTE",
        2 => "DELIVERED",
        3 => "EXPIRED",
        4 => "DELETED",
        5 => "UNDELIVERABLE",
        6 => "ACCEPTED",
        7 => "UNKNOWN",
        8 => "REJECTED",
        9 => "SKIPPED",
        _ => "a state that SMPP does not know",
    }
}

/// The word after `stat:`. "Unknown" is a final state, so it counts as failed: telling a person
/// twice is better than not at all. A word that nobody knows decides nothing.
fn status_of_word(word: &str) -> ReceiptStatus {
    let word = word.to_ascii_uppercase();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| word.starts_with(prefix));
    if starts(&["DELIV"]) {
        ReceiptStatus::Delivered
    } else if starts(&["EXPIR", "DELET", "UNDEL", "REJEC", "UNKNO", "FAIL", "SKIP"]) {
        ReceiptStatus::Failed
    } else {
        ReceiptStatus::Underway
    }
}

/// The value of a field of the text, which ends at a space. The name must start a word, so that
/// `id` is not found in `mid:`, and everything from `text:` on is the message itself.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split_ascii_whitespace()
        .take_while(|word| !starts_with_field(word, "text"))
        .find(|word| starts_with_field(word, name))
        .and_then(|word| word.split_once(':'))
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
}

fn starts_with_field(word: &str, name: &str) -> bool {
    word.split_once(':')
        .is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::super::pdu::Tlv;
    use super::*;

    fn with_tlvs(tlvs: &[(u16, &[u8])]) -> Deliver {
        Deliver {
            esm_class: 4,
            tlvs: tlvs
                .iter()
                .map(|(tag, value)| Tlv {
                    tag: *tag,
                    value: value.to_vec(),
                })
                .collect(),
            ..Deliver::default()
        }
    }

    const TEXT: &str = "id:0000004711 sub:001 dlvrd:000 submit date:2611230212 done date:2611230214 stat:UNDELIV err:034 text:id:9 stat:DELIVRD";

    #[test]
    fn the_tlvs_win_over_the_text() {
        let deliver = with_tlvs(&[
            (tag::RECEIPTED_MESSAGE_ID, b"4711\0"),
            (tag::MESSAGE_STATE, &[2]),
        ]);
        let receipt = read(&deliver, "id:9 stat:UNDELIV err:000", MessageIdBase::AsIs);
        assert_eq!(
            receipt,
            Some(Receipt {
                provider_id: "4711".to_owned(),
                status: ReceiptStatus::Delivered,
                detail: "UNDELIV".to_owned(),
            })
        );
    }

    #[test]
    fn the_text_is_read_up_to_the_quoted_message() {
        let receipt = read(&with_tlvs(&[]), TEXT, MessageIdBase::AsIs).expect("an id");
        assert_eq!(receipt.provider_id, "0000004711");
        assert_eq!(receipt.status, ReceiptStatus::Failed);
        assert_eq!(receipt.detail, "UNDELIV, error 034");
        assert_eq!(read(&with_tlvs(&[]), "hello", MessageIdBase::AsIs), None);
    }

    #[test]
    fn ids_come_out_in_the_form_of_the_answer() {
        let hex = MessageIdBase::HexToDec;
        assert_eq!(hex.of_receipt("0000001F"), hex.of_answer("31"));
        let dec = MessageIdBase::DecToHex;
        assert_eq!(dec.of_receipt("0000000031"), dec.of_answer("1F"));
        assert_eq!(dec.of_answer("not-a-number"), "not-a-number");
        assert_eq!(MessageIdBase::AsIs.of_receipt(" aB01 "), "aB01");
    }

    #[test]
    fn states_on_the_way_decide_nothing() {
        for word in ["ENROUTE", "ACCEPTD", "BUFFERED", "???"] {
            let text = format!("id:1 stat:{word}");
            let receipt = read(&with_tlvs(&[]), &text, MessageIdBase::AsIs);
            assert_eq!(
                receipt.map(|r| r.status),
                Some(ReceiptStatus::Underway),
                "{word}"
            );
        }
    }
}
