//! Hostile octets into framing and reading: never a panic, never more memory than one PDU.

use proptest::prelude::*;
use tokio_util::bytes::BytesMut;

use super::framing::{PDU_OCTETS_MAX, next_frame};
use super::pdu::{self, Deliver};

/// Feeds octets in pieces, as a socket does; the frames, and whether the framing was lost.
fn feed(pieces: &[Vec<u8>]) -> (usize, bool) {
    let mut received = BytesMut::new();
    let mut frames = 0;
    for piece in pieces {
        received.extend_from_slice(piece);
        loop {
            match next_frame(&mut received) {
                Ok(Some(frame)) => {
                    frames += 1;
                    assert!(frame.body.len() + 16 <= PDU_OCTETS_MAX);
                    Deliver::read_deliver_sm(&frame.body);
                    Deliver::read_data_sm(&frame.body);
                    pdu::first_string(&frame.body);
                }
                Ok(None) => break,
                Err(_) => return (frames, true),
            }
        }
        assert!(received.capacity() <= 4 * (PDU_OCTETS_MAX + piece.len()));
    }
    (frames, false)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_octets_are_cut_without_panic(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..600), 0..20)
    ) {
        feed(&pieces);
    }

    #[test]
    fn random_bodies_of_the_right_length_never_lose_the_framing(
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..20),
        id in any::<u32>(),
        cut in 1_usize..50,
    ) {
        let mut stream = Vec::new();
        for body in &bodies {
            stream.extend(u32::try_from(16 + body.len()).unwrap().to_be_bytes());
            stream.extend(id.to_be_bytes());
            stream.extend([0; 8]);
            stream.extend(body);
        }
        let pieces: Vec<Vec<u8>> = stream.chunks(cut).map(<[u8]>::to_vec).collect();
        prop_assert_eq!(feed(&pieces), (bodies.len(), false));
    }
}

#[test]
fn a_length_that_no_pdu_has_loses_the_framing_at_once() {
    for length in [0_u32, 15, 70_000, u32::MAX] {
        let mut octets = length.to_be_bytes().to_vec();
        octets.extend([0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9]);
        let mut received = BytesMut::from(octets.as_slice());
        let lost = next_frame(&mut received).expect_err("no such length");
        assert_eq!((lost.octets, lost.sequence), (length, 9));
    }
}
