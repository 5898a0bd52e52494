//! Submits and their answers.

use rusmpp::values::{DataCoding, Npi, Ton};

use crate::plant::{Plant, outcome, sent, settings};
use crate::smsc::Smsc;

#[tokio::test]
async fn a_text_goes_out_as_one_submit_and_comes_back_with_the_smscs_id() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let mut peer = smsc.bound().await;
    plant.up().await;
    let waiting = plant.send("Tank 3 high [A7]");
    let (sequence, submit) = peer.submit().await;
    assert_eq!(submit.source_addr_ton, Ton::Alphanumeric);
    assert_eq!(submit.source_addr_npi, Npi::Unknown);
    assert_eq!(submit.source_addr.as_str(), "Andon");
    assert_eq!(submit.dest_addr_ton, Ton::International);
    assert_eq!(submit.dest_addr_npi, Npi::Isdn);
    assert_eq!(submit.destination_addr.as_str(), "4790000001");
    assert_eq!(u8::from(submit.esm_class), 0);
    assert_eq!(u8::from(submit.registered_delivery), 1);
    assert_eq!(submit.validity_period.as_str(), "000000001000000R");
    assert_eq!(submit.data_coding, DataCoding::McSpecific);
    assert_eq!(submit.short_message().as_ref(), b"Tank 3 high \x1B<A7\x1B>");
    peer.take(sequence, "id-1").await;
    assert_eq!(outcome(waiting).await, sent(&["id-1"]));
}
