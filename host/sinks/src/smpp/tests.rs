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

fn settings(more: &str) -> super::SmppSettings {
    let least = "name = 'sms'\naddress = 'smsc.example.net:2775'\nsystem_id = 'andon'\npassword = 'secret'\n";
    toml::from_str(&format!("{least}{more}")).expect("settings")
}

#[test]
fn the_least_settings_are_good_and_say_what_the_defaults_are() {
    let settings = settings("");
    assert_eq!(super::check(&settings, "/sinks/0"), []);
    assert_eq!((settings.window, settings.throughput), (10, 10));
    assert_eq!(settings.enquire_link_interval.to_string(), "30s");
    assert!(!format!("{settings:?}").contains("secret"));
}

#[test]
fn every_wrong_setting_is_found_with_its_place() {
    let mut wrong = settings(
        "source = '+12'\nsystem_type = 'much too long for it'\nservice_type = 'Ωmega'\n\
         window = 0\nthroughput = 100000\nsegments_max = 0\nresponse_timeout = '0s'",
    );
    wrong.address = "smsc.example.net".to_owned();
    wrong.system_id = String::new();
    wrong.password = andon_model::Secret::new("longer-than-eight");
    let findings = super::check(&wrong, "/sinks/0");
    let mut places: Vec<&str> = findings.iter().map(|found| found.path.as_str()).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(
        places,
        [
            "/sinks/0/address",
            "/sinks/0/password",
            "/sinks/0/response_timeout",
            "/sinks/0/segments_max",
            "/sinks/0/service_type",
            "/sinks/0/source",
            "/sinks/0/system_id",
            "/sinks/0/system_type",
            "/sinks/0/throughput",
            "/sinks/0/window",
        ]
    );
    let clock = std::sync::Arc::new(andon_model::ManualClock::default());
    let refused = super::build(&wrong, clock).err().expect("not built");
    assert!(refused.to_string().starts_with("SMPP sink `sms`"));
}

#[test]
fn unknown_settings_are_refused() {
    let text = "name = 's'\naddress = 'a:1'\nsystem_id = 'x'\npassword = 'y'\nthrouhgput = 5";
    assert!(toml::from_str::<super::SmppSettings>(text).is_err());
}
