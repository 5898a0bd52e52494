//! The readers against a PLC that misbehaves, on stopped time.

mod rig;

use std::time::Duration;

use andon_model::Quality;
use andon_tags::Link;
use andon_tags::modbus::TcpDial;
use rig::plc::{Act, Plc};
use rig::{Rig, short};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const GOOD: Quality = Quality::GOOD;
const LOST: Quality = Quality::BAD_COMM_FAILURE;

fn device(more: &str) -> String {
    format!("[[devices]]\nname = \"plc\"\naddress = \"plc.test\"\n{more}\n")
}

fn tag(name: &str, address: &str, more: &str) -> String {
    format!("[[tags]]\nname = \"{name}\"\ndevice = \"plc\"\naddress = \"{address}\"\n{more}\n")
}

#[tokio::test]
async fn a_device_on_tcp_is_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let plc = Plc::default();
    let mut tasks = JoinSet::new();
    let server = plc.clone();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            server.clone().serve(stream).await;
        }
    });
    plc.set(10, 0x42F6);
    plc.set(11, 0xE979);
    let settings = format!("[[devices]]\nname = \"plc\"\naddress = \"{address}\"\n")
        + &tag("a", "holding:10", "type = \"f32\"")
        + &tag("b", "40013", "scale = 0.1\noffset = -1.0");
    let mut rig = Rig::start(&settings, std::sync::Arc::new(TcpDial));
    let samples = rig.next_batch().await;
    assert_eq!(
        short(&samples),
        [
            ("a", f64::from(123.456_f32), GOOD),
            ("b", 12.0 * 0.1 - 1.0, GOOD)
        ]
    );
    assert_eq!(plc.take_asked(), [(3, 10, 3)]);
    assert_eq!(rig.events_now(), [(1, Link::Up)]);
}
