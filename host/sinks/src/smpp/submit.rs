//! From a delivery to its `submit_sm`s. Pure.

use std::time::Duration;

use andon_model::{Delivery, PhoneNumber, Reason, Timestamp, Why};

use super::pdu::{Address, Submit, Tlv, tag};
use super::settings::{DefaultAlphabet, LongMessages, SmppSettings, Validity};
use crate::text::{
    Alphabet, Concatenation, Plan, PlanOptions, ReferenceWidth, Transliteration, plan,
    user_data_header,
};

/// `esm_class` of a message whose user data starts with a header.
const UDH_INDICATOR: u8 = 0x40;
/// `data_coding` of the SMSC's default alphabet and of UCS-2 (section 5.2.19).
const DEFAULT_CODING: u8 = 0;
const UCS2_CODING: u8 = 8;
/// The validity that is asked for, at least and at most. Some SMSCs count in minutes, and none
/// keeps a message for more than a month.
const VALIDITY_MIN: Duration = Duration::from_secs(60);
const VALIDITY_MAX: Duration = Duration::from_secs(30 * 86_400);

/// The segments of a delivery in their order; or why it can never go by SMS.
/// `reference` is told to the phone in each part, so that it can join them.
pub(super) fn submits(
    delivery: &Delivery,
    settings: &SmppSettings,
    reference: u8,
    now: Timestamp,
) -> Result<Vec<Submit>, Why> {
    let recipient: PhoneNumber = delivery
        .channel
        .address
        .parse()
        .map_err(|error| Why::new(Reason::RecipientRefused, format!("{error}")))?;
    let planned = plan(&delivery.wire_text(), &options(settings));
    if planned.characters_cut > 0 {
        tracing::warn!(
            sink = settings.name,
            delivery = %delivery.id,
            characters = planned.characters_cut,
            "text cut to the longest message that the settings allow"
        );
    }
    let template = Submit {
        service_type: settings.service_type.clone(),
        source: source(settings),
        destination: Address {
            ton: settings.dest_ton,
            npi: settings.dest_npi,
            digits: recipient.digits().to_owned(),
        },
        esm_class: 0,
        validity_period: match settings.validity {
            Validity::Relative => relative_time(delivery.expires_at.since(now)),
            Validity::None => String::new(),
        },
        registered_delivery: settings.receipts.bits(),
        data_coding: match planned.alphabet {
            Alphabet::Ucs2 => UCS2_CODING,
            Alphabet::Gsm7 | Alphabet::Latin1 | Alphabet::Binary => DEFAULT_CODING,
        },
        short_message: Vec::new(),
        tlvs: Vec::new(),
    };
    Ok(spread(
        planned,
        &template,
        settings.long_messages,
        reference,
    ))
}

fn options(settings: &SmppSettings) -> PlanOptions {
    PlanOptions {
        spelling: match settings.alphabet {
            DefaultAlphabet::Gsm => Alphabet::Gsm7,
            DefaultAlphabet::Latin1 => Alphabet::Latin1,
        },
        transliteration: if settings.transliterate {
            Transliteration::Allowed
        } else {
            Transliteration::Off
        },
        reference: ReferenceWidth::Bits8,
        segments_max: settings.segments_max,
    }
}

/// The sender: type and plan by its form unless the settings name them.
fn source(settings: &SmppSettings) -> Address {
    let source = settings.source.trim();
    let (ton, npi) = if source.starts_with('+') {
        (1, 1)
    } else if source.bytes().all(|octet| octet.is_ascii_digit()) {
        (0, 0)
    } else {
        (5, 0)
    };
    Address {
        ton: settings.source_ton.unwrap_or(ton),
        npi: settings.source_npi.unwrap_or(npi),
        digits: source
            .parse::<PhoneNumber>()
            .map_or_else(|_| source.to_owned(), |number| number.digits().to_owned()),
    }
}

fn spread(planned: Plan, template: &Submit, how: LongMessages, reference: u8) -> Vec<Submit> {
    let total = u8::try_from(planned.segments.len()).unwrap_or(u8::MAX);
    if how == LongMessages::Payload && total > 1 {
        let payload = Tlv {
            tag: tag::MESSAGE_PAYLOAD,
            value: planned.segments.concat(),
        };
        return vec![Submit {
            tlvs: vec![payload],
            ..template.clone()
        }];
    }
    (1..=total)
        .zip(planned.segments)
        .map(|(index, octets)| {
            let mut submit = Submit {
                short_message: octets,
                ..template.clone()
            };
            if total > 1 {
                mark_part(
                    &mut submit,
                    how,
                    Concatenation {
                        reference: u16::from(reference),
                        total,
                        index,
                    },
                );
            }
            submit
        })
        .collect()
}

fn mark_part(submit: &mut Submit, how: LongMessages, place: Concatenation) {
    if how == LongMessages::Sar {
        submit.tlvs = vec![
            Tlv {
                tag: tag::SAR_MSG_REF_NUM,
                value: place.reference.to_be_bytes().to_vec(),
            },
            Tlv {
                tag: tag::SAR_TOTAL_SEGMENTS,
                value: vec![place.total],
            },
            Tlv {
                tag: tag::SAR_SEGMENT_SEQNUM,
                value: vec![place.index],
            },
        ];
    } else {
        let mut octets = user_data_header(place, ReferenceWidth::Bits8);
        octets.append(&mut submit.short_message);
        submit.short_message = octets;
        submit.esm_class |= UDH_INDICATOR;
    }
}

/// A time from now in the form `YYMMDDhhmmsstnnR` (section 7.1.1.2).
fn relative_time(span: Duration) -> String {
    let seconds = span.clamp(VALIDITY_MIN, VALIDITY_MAX).as_secs();
    format!(
        "0000{:02}{:02}{:02}{:02}000R",
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validity_is_written_as_the_standard_shows_it() {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        assert_eq!(relative_time(minutes(10)), "000000001000000R");
        assert_eq!(relative_time(minutes(26 * 60 + 3)), "000001020300000R");
        assert_eq!(relative_time(Duration::ZERO), "000000000100000R");
        assert_eq!(relative_time(Duration::MAX), "000030000000000R");
    }
}
