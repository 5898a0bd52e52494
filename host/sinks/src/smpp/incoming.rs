//! From a `deliver_sm` or `data_sm` to what the host is told. Pure; keeps the parts of
//! concatenated messages between calls, also over a reconnect.

use andon_model::{Incoming, SinkEvent, Timestamp};

use super::pdu::{Address, Deliver, tag};
use super::receipt;
use super::settings::{DefaultAlphabet, SmppSettings};
use crate::text::{Alphabet, Assembled, Concatenation, Part, Reassembly, decode, split_header};

/// `esm_class` bit: user data starts with a header.
const UDH_INDICATOR: u8 = 0x40;

/// A part is at most so long: on the air it has 140 octets, unpacked 160. Anything longer is no
/// part and is handed on by itself, so that parts which never become whole hold at most 16 MiB.
const PART_OCTETS_MAX: usize = 1024;

/// Reads what the SMSC delivers.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    parts: Reassembly,
}

impl Inbox {
    /// What one PDU tells: a receipt, a message, or nothing until more parts come.
    pub(super) fn read(
        &mut self,
        deliver: Deliver,
        settings: &SmppSettings,
        now: Timestamp,
    ) -> Vec<SinkEvent> {
        let (by_header, octets) = if deliver.esm_class & UDH_INDICATOR == 0 {
            (None, deliver.octets.as_slice())
        } else {
            split_header(&deliver.octets)
        };
        let alphabet = alphabet_of(deliver.data_coding, settings.alphabet, octets);
        if receipt::is_receipt(&deliver) {
            let text = decode(alphabet, octets);
            return read_receipt(&deliver, &text, settings, now);
        }
        let place = by_header.or_else(|| by_tlvs(&deliver));
        let from = sender(&deliver.source);
        let to = deliver.destination.digits.clone();
        let messages = match place {
            Some(place) if place.total > 1 && octets.len() <= PART_OCTETS_MAX => self.parts.add(
                Part {
                    from,
                    to,
                    place,
                    alphabet,
                    octets: octets.to_vec(),
                },
                now,
            ),
            _ => vec![Assembled {
                from,
                to,
                text: decode(alphabet, octets),
            }],
        };
        as_events(messages, settings, now)
    }

    /// What came of all messages that are not whole, as the host stops: the SMSC was told that their
    /// parts arrived.
    pub(super) fn give_up(&mut self, settings: &SmppSettings, now: Timestamp) -> Vec<SinkEvent> {
        as_events(self.parts.expire(Timestamp::MAX), settings, now)
    }

    /// What came of messages that stayed incomplete for too long.
    pub(super) fn expire(&mut self, settings: &SmppSettings, now: Timestamp) -> Vec<SinkEvent> {
        as_events(self.parts.expire(now), settings, now)
    }
}

fn read_receipt(
    deliver: &Deliver,
    text: &str,
    settings: &SmppSettings,
    now: Timestamp,
) -> Vec<SinkEvent> {
    let Some(receipt) = receipt::read(deliver, text, settings.receipt_id_base) else {
        tracing::warn!(sink = settings.name, text, "receipt that names no message");
        return Vec::new();
    };
    vec![SinkEvent::Receipt {
        sink: settings.name.clone(),
        receipt,
        at: now,
    }]
}

/// SMPP gives an incoming message no id of its own, so `provider_id` stays empty.
fn as_events(messages: Vec<Assembled>, settings: &SmppSettings, now: Timestamp) -> Vec<SinkEvent> {
    messages
        .into_iter()
        .map(|message| SinkEvent::Incoming {
            sink: settings.name.clone(),
            message: Incoming {
                provider_id: String::new(),
                from: message.from,
                to: message.to,
                text: message.text,
            },
            at: now,
        })
        .collect()
}

fn by_tlvs(deliver: &Deliver) -> Option<Concatenation> {
    let number = |tag| deliver.tlv_number(tag);
    Concatenation::checked(
        u16::try_from(number(tag::SAR_MSG_REF_NUM)?).ok()?,
        u8::try_from(number(tag::SAR_TOTAL_SEGMENTS)?).ok()?,
        u8::try_from(number(tag::SAR_SEGMENT_SEQNUM)?).ok()?,
    )
}

/// The sender in E.164 where its form says that it is: an international type of number, or an
/// untyped one of at least 8 digits without a national leading zero.
fn sender(source: &Address) -> String {
    let digits = source.digits.trim();
    let bare = digits.strip_prefix('+').unwrap_or(digits);
    let bare = bare.strip_prefix("00").unwrap_or(bare);
    let is_number = !bare.is_empty() && bare.bytes().all(|octet| octet.is_ascii_digit());
    let is_international = source.ton == 1
        || digits.starts_with('+')
        || digits.starts_with("00")
        || (source.ton == 0 && (8..=15).contains(&bare.len()) && !bare.starts_with('0'));
    if is_number && is_international {
        format!("+{bare}")
    } else {
        digits.to_owned()
    }
}

/// The alphabet of a `data_coding` (SMPP 3.4 section 5.2.19, 3GPP TS 23.038 section 4).
///
/// Some SMSCs call GSM text IA5. Escapes and other control codes tell it: IA5 text has only line
/// ends and tabs of them.
fn alphabet_of(coding: u8, default: DefaultAlphabet, octets: &[u8]) -> Alphabet {
    let is_control = |octet: &u8| *octet < 0x20 && !matches!(octet, b'\n' | b'\r' | b'\t');
    match coding {
        0x00 => match default {
            DefaultAlphabet::Gsm => Alphabet::Gsm7,
            DefaultAlphabet::Latin1 => Alphabet::Latin1,
        },
        0x01 if octets.iter().any(is_control) => Alphabet::Gsm7,
        0x02 | 0x04 => Alphabet::Binary,
        0x08 | 0xE0..=0xEF => Alphabet::Ucs2,
        // IA5, Latin-1; the others of this group come out as the octets that they are.
        0x01 | 0x03 | 0x05..=0x0F => Alphabet::Latin1,
        // General data coding of GSM, with or without message class: bits 3 and 2.
        0x10..=0xBF => match (coding >> 2) & 3 {
            0 => Alphabet::Gsm7,
            2 => Alphabet::Ucs2,
            _ => Alphabet::Binary,
        },
        0xC0..=0xDF => Alphabet::Gsm7,
        0xF0..=0xFF if coding & 4 == 0 => Alphabet::Gsm7,
        0xF0..=0xFF => Alphabet::Binary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_international_where_its_form_says_so() {
        let from = |ton, digits: &str| {
            sender(&Address {
                ton,
                npi: 1,
                digits: digits.to_owned(),
            })
        };
        assert_eq!(from(1, "4790000001"), "+4790000001");
        assert_eq!(from(0, "4790000001"), "+4790000001");
        assert_eq!(from(0, "+4790000001"), "+4790000001");
        assert_eq!(from(0, "004790000001"), "+4790000001");
        assert_eq!(from(2, "90000001"), "90000001");
        assert_eq!(from(0, "0900000012"), "0900000012");
        assert_eq!(from(0, "1999"), "1999");
        assert_eq!(from(5, "BANK"), "BANK");
    }
}
