//! What a `command_status` means for a delivery (SMPP 3.4 section 5.1.3, and what is known of SMSCs).
//!
//! | class | codes | outcome |
//! |---|---|---|
//! | throttled | 58 | retry, and the rate is halved |
//! | queue full | 14 | retry later, and the rate is halved |
//! | recipient | 0B, 50, 51, 101, 103 | dead: recipient refused |
//! | message | 01, 02, 33, 42, 44, 63, 65, 66, 104 | dead: message refused |
//! | sender and settings | 06, 07, 0A, 15, 34, 40, 43, 48, 49, 53, 54, 55, 61, 62, 100, C0 to C4 | sink failed: misconfigured |
//! | account | 0D, 0E, 0F, 102 | sink failed: misconfigured |
//! | provider | 03, 04, 05, 08, 0C, 11, 13, 45, 64, 67, FE, FF | retry |
//! | any other | 400 to 4FF are the SMSC maker's own | retry; the courier bounds the tries |
//!
//! A wrong guess towards "retry" costs time that the courier bounds; a wrong guess towards "dead"
//! costs the alert. So only codes that surely speak of this message or recipient are dead.

use std::time::Duration;

use andon_model::{Outcome, Reason, Why};

/// What to do after a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// ESME_ROK.
    Taken,
    /// Too fast: slow down, try again.
    Throttled,
    /// The SMSC's queue is full: slow down, try again later.
    QueueFull,
    /// This number cannot be reached.
    Recipient,
    /// This text or this form of message is refused.
    Message,
    /// Settings of the connection are wrong.
    Settings,
    /// The SMSC cannot now.
    Provider,
}

/// Status "throttling limits exceeded".
pub(super) const THROTTLED: u32 = 0x58;
/// Status "invalid command length".
pub(super) const INVALID_COMMAND_LENGTH: u32 = 0x02;
/// Status "invalid command id".
pub(super) const INVALID_COMMAND_ID: u32 = 0x03;
/// Status "temporary application error of the receiver": the SMSC keeps the message for later.
pub(super) const RECEIVER_TEMPORARY: u32 = 0x64;
/// Status "permanent application error of the receiver".
pub(super) const RECEIVER_PERMANENT: u32 = 0x65;

/// How long to wait after the SMSC throttled. The halved rate does most of the slowing.
const AFTER_THROTTLE: Duration = Duration::from_secs(1);
/// How long to wait after a full queue; it empties slowly.
const AFTER_QUEUE_FULL: Duration = Duration::from_secs(10);

/// The class and the name of a status.
pub(super) const fn classify(status: u32) -> (Class, &'static str) {
    match status {
        0x00 => (Class::Taken, "accepted"),
        0x01 => (Class::Message, "message length is invalid"),
        0x02 => (Class::Message, "command length is invalid"),
        0x03 => (Class::Provider, "command is unknown"),
        0x04 => (Class::Provider, "not bound for this command"),
        0x05 => (Class::Provider, "already bound"),
        0x06 => (Class::Settings, "priority flag is invalid"),
        0x07 => (Class::Settings, "registered_delivery is invalid"),
        0x08 => (Class::Provider, "system error"),
        0x0A => (Class::Settings, "source address is invalid"),
        0x0B => (Class::Recipient, "destination address is invalid"),
        0x0C => (Class::Provider, "message id is invalid"),
        0x0D => (Class::Settings, "bind failed"),
        0x0E => (Class::Settings, "password is invalid"),
        0x0F => (Class::Settings, "system_id is invalid"),
        0x11 => (Class::Provider, "cancel failed"),
        0x13 => (Class::Provider, "replace failed"),
        0x14 => (Class::QueueFull, "message queue is full"),
        0x15 => (Class::Settings, "service_type is invalid"),
        0x33 => (Class::Message, "number of destinations is invalid"),
        0x34 => (Class::Settings, "distribution list is invalid"),
        0x40 => (Class::Settings, "destination flag is invalid"),
        0x42 => (Class::Message, "submit with replace is not possible"),
        0x43 => (Class::Settings, "esm_class is invalid"),
        0x44 => (Class::Message, "cannot submit to a distribution list"),
        0x45 => (Class::Provider, "submit failed"),
        0x48 => (Class::Settings, "source_ton is invalid"),
        0x49 => (Class::Settings, "source_npi is invalid"),
        0x50 => (Class::Recipient, "destination type of number is invalid"),
        0x51 => (Class::Recipient, "destination numbering plan is invalid"),
        0x53 => (Class::Settings, "system_type is invalid"),
        0x54 => (Class::Settings, "replace_if_present is invalid"),
        0x55 => (Class::Settings, "number of messages is invalid"),
        THROTTLED => (Class::Throttled, "throttling limit exceeded"),
        0x61 => (Class::Settings, "scheduled delivery time is invalid"),
        0x62 => (Class::Settings, "validity period is invalid"),
        0x63 => (Class::Message, "predefined message is unknown"),
        0x64 => (Class::Provider, "temporary error of the receiver"),
        0x65 => (Class::Message, "permanent error of the receiver"),
        0x66 => (Class::Message, "receiver rejects the message"),
        0x67 => (Class::Provider, "query failed"),
        0xC0 => (Class::Settings, "optional part of the PDU is invalid"),
        0xC1 => (Class::Settings, "optional parameter is not allowed"),
        0xC2 => (Class::Settings, "parameter length is invalid"),
        0xC3 => (Class::Settings, "an optional parameter is missing"),
        0xC4 => (Class::Settings, "value of an optional parameter is invalid"),
        0xFE => (Class::Provider, "delivery failure"),
        0xFF => (Class::Provider, "unknown error"),
        0x100 => (Class::Settings, "not authorised for this service_type"),
        0x101 => (Class::Recipient, "prohibited"),
        0x102 => (Class::Settings, "service_type is unavailable"),
        0x103 => (Class::Recipient, "service_type is denied"),
        0x104 => (Class::Message, "data_coding is invalid"),
        0x400..=0x4FF => (Class::Provider, "an error of the SMSC's maker"),
        _ => (Class::Provider, "a status that SMPP 3.4 does not know"),
    }
}

/// A status in words, with its code for the provider's hotline.
pub(super) fn describe(status: u32) -> String {
    let (_, name) = classify(status);
    format!("{name} (SMPP status 0x{status:02X})")
}

/// The outcome of a message of which nothing was taken and whose submit got this status.
/// `Taken` is not asked here; the caller has the ids.
pub(super) fn refused(status: u32) -> Outcome {
    let (class, _) = classify(status);
    let said = format!("the SMSC refused the message: {}", describe(status));
    match class {
        Class::Throttled => Outcome::Retry {
            after: Some(AFTER_THROTTLE),
            why: Why::new(Reason::Throttled, said),
        },
        Class::QueueFull => Outcome::Retry {
            after: Some(AFTER_QUEUE_FULL),
            why: Why::new(Reason::Throttled, said),
        },
        Class::Recipient => Outcome::Dead {
            why: Why::new(Reason::RecipientRefused, said),
        },
        Class::Message => Outcome::Dead {
            why: Why::new(Reason::MessageRefused, said),
        },
        Class::Settings => Outcome::SinkFailed {
            why: Why::new(Reason::SinkMisconfigured, said),
        },
        Class::Taken | Class::Provider => Outcome::Retry {
            after: None,
            why: Why::new(Reason::RetryLater, said),
        },
    }
}

/// Whether a refused bind is a matter of settings: then the next try waits for minutes, because
/// providers block who knocks with a wrong password.
pub(super) const fn bind_needs_a_person(status: u32) -> bool {
    matches!(status, 0x0D | 0x0E | 0x0F | 0x53 | INVALID_COMMAND_ID)
}
