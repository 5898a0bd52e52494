//! Cuts the stream of octets from the SMSC into PDUs.
//!
//! Limit: [`PDU_OCTETS_MAX`] a PDU, which leaves room for the longest `message_payload` (65,535
//! octets). A length outside 16 to that limit means that the place of the next PDU is unknown: the
//! session says so with a `generic_nack` and drops the connection.

use tokio_util::bytes::{Buf, BytesMut};

use super::pdu::Header;

/// No PDU is longer.
pub(super) const PDU_OCTETS_MAX: usize = 68 * 1024;

/// One PDU cut out of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) header: Header,
    pub(super) body: Vec<u8>,
}

/// The stream cannot be cut any further.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the SMSC sent a PDU that says it is {octets} octets long; 16 to {PDU_OCTETS_MAX} are possible"
)]
pub(super) struct FramingLost {
    /// What the PDU says.
    pub(super) octets: u32,
    /// Its sequence number, as far as that can be believed; 0 if it did not come.
    pub(super) sequence: u32,
}

/// Takes the next whole PDU out of what was received; nothing if more must come first.
/// Between calls at most one incomplete PDU stays in `received`.
pub(super) fn next_frame(received: &mut BytesMut) -> Result<Option<Frame>, FramingLost> {
    let Some(octets) = number_at(received, 0) else {
        return Ok(None);
    };
    let length = usize::try_from(octets).unwrap_or(usize::MAX);
    if !(16..=PDU_OCTETS_MAX).contains(&length) {
        return Err(FramingLost {
            octets,
            sequence: number_at(received, 12).unwrap_or(0),
        });
    }
    if received.len() < length {
        received.reserve(length - received.len());
        return Ok(None);
    }
    let mut pdu = received.split_to(length);
    pdu.advance(4);
    let header = Header {
        id: pdu.get_u32(),
        status: pdu.get_u32(),
        sequence: pdu.get_u32(),
    };
    Ok(Some(Frame {
        header,
        body: pdu.to_vec(),
    }))
}

fn number_at(octets: &[u8], place: usize) -> Option<u32> {
    octets
        .get(place..)?
        .first_chunk::<4>()
        .map(|number| u32::from_be_bytes(*number))
}
