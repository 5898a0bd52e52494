//! The readers against a PLC that others wrote: pymodbus.
//!
//! Runs where an interpreter with pymodbus is there: the one that `ANDON_PYTHON` names, else
//! `python3`. Elsewhere it says that it was skipped, and why.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on panics, and one that is skipped says so"
)]

mod rig;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use andon_model::Quality;
use andon_tags::Link;
use andon_tags::modbus::TcpDial;
use rig::{Rig, tag};

const GOOD: Quality = Quality::GOOD;

struct Pymodbus {
    child: Child,
    port: u16,
}

impl Pymodbus {
    fn start(python: &str, port: u16) -> Self {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/counterparts/pymodbus_plc.py"
        );
        let mut child = Command::new(python)
            .args([script, &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line
            .trim()
            .parse()
            .unwrap_or_else(|_| panic!("pymodbus said `{line}`"));
        Self { child, port }
    }

    /// The script changes a register when a line comes in: unit, function, address, value.
    fn set(&mut self, unit: u8, function: u8, address: u16, value: u16) {
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{unit} {function} {address} {value}").unwrap();
    }
}

impl Drop for Pymodbus {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn python_with_pymodbus() -> Result<String, String> {
    let python = std::env::var("ANDON_PYTHON").unwrap_or_else(|_| "python3".into());
    let import = Command::new(&python)
        .args(["-c", "import pymodbus"])
        .stderr(Stdio::null())
        .status();
    match import {
        Ok(status) if status.success() => Ok(python),
        Ok(_) => Err(format!(
            "`{python}` cannot import pymodbus; set ANDON_PYTHON to one that can"
        )),
        Err(error) => Err(format!("`{python}` does not start: {error}")),
    }
}

fn settings(port: u16) -> String {
    let device = format!(
        "[[devices]]\nname = \"plc\"\naddress = \"127.0.0.1:{}\"\nreconnect_max = \"100ms\"\n\
         reconnect_min = \"50ms\"\n[poll.default]\ninterval = \"20ms\"\n",
        port
    );
    device
        + &tag("coil", "coil:1", "")
        + &tag("discrete", "discrete:0", "")
        + &tag("word", "40006", "")
        + &tag("input", "30006", "unit_id = 2\nscale = 0.5")
        + &tag("float", "holding:20", "type = \"f32\"")
        + &tag(
            "long",
            "holding:30",
            "type = \"i64\"\nword_order = \"little\"",
        )
        + &tag("text", "holding:40", "type = \"text\"\nlength = 6")
        + &tag("beyond", "holding:105", "")
        + &tag("bit", "holding:5.2", "")
}

#[tokio::test]
async fn a_plc_by_pymodbus_is_read_lost_and_found_again() {
    let python = match python_with_pymodbus() {
        Ok(python) => python,
        Err(why) => {
            println!("SKIPPED: test against pymodbus: {why}");
            return;
        }
    };
    let mut plc = Pymodbus::start(&python, 0);
    let mut rig = Rig::start(&settings(plc.port), Arc::new(TcpDial));
    let mut first = rig.next_batch().await;
    first.extend(rig.next_batch().await);
    first.sort_by(|a, b| a.tag.cmp(&b.tag));
    let told: Vec<_> = first
        .iter()
        .map(|s| (s.tag.as_str(), s.value, s.quality))
        .collect();
    assert_eq!(
        told[1..7],
        [
            ("bit", 1.0, GOOD),
            ("coil", 1.0, GOOD),
            ("discrete", 0.0, GOOD),
            ("float", 1.5, GOOD),
            ("input", 502.5, GOOD),
            ("long", -2.0, GOOD),
        ]
    );
    assert_eq!(
        (told[0].0, told[0].2),
        ("beyond", Quality::BAD_CONFIGURATION_ERROR)
    );
    assert_eq!(
        (told[7].0, first[7].text.as_deref()),
        ("text", Some("Pump 1"))
    );
    assert_eq!(told[8], ("word", 5.0, GOOD));
    assert_eq!(rig.events_now(), [(1, Link::Up), (2, Link::Up)]);

    plc.set(1, 3, 5, 77);
    let changed = rig.next_batch().await;
    let word = changed.iter().find(|s| s.tag == "word").unwrap();
    assert_eq!(word.value, 77.0);

    let port = plc.port;
    drop(plc);
    let mut lost = Vec::new();
    while lost.len() < 9 {
        lost.extend(rig.next_batch().await);
    }
    assert!(lost.iter().all(|s| s.quality == Quality::BAD_COMM_FAILURE));
    let _plc = Pymodbus::start(&python, port);
    let mut back = Vec::new();
    while back.len() < 9 {
        back.extend(rig.next_batch().await);
    }
    assert_eq!(back.iter().filter(|s| s.quality == GOOD).count(), 8);
}
