//! The sink against the npm package `smpp` in `tests/counterparts/smsc.js`.
//!
//! Runs where `ANDON_NODE_MODULES` names a folder whose `node_modules` holds `smpp`; says so and
//! does nothing otherwise.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use andon_model::{Outcome, Reason, ReceiptStatus, SinkEvent};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::plant::{Plant, outcome, settings};
use crate::smsc::soon;

struct NpmSmsc {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl NpmSmsc {
    /// The program, started; nothing where the machine does not have it.
    async fn start() -> Option<Self> {
        let Some(folder) = std::env::var_os("ANDON_NODE_MODULES").map(PathBuf::from) else {
            println!("SKIPPED: ANDON_NODE_MODULES is not set, so no SMSC of npm's `smpp` is tried");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/counterparts/smsc.js");
        let mut child = Command::new("node")
            .arg(script)
            .env("NODE_PATH", folder.join("node_modules"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let output = child.stdout.take().expect("piped");
        let mut lines = BufReader::new(output).lines();
        let port = soon("the port", lines.next_line())
            .await
            .expect("readable")
            .expect("a port");
        Some(Self {
            _child: child,
            lines,
            address: format!("127.0.0.1:{port}"),
        })
    }

    /// The next thing that it saw and that has this key.
    async fn saw(&mut self, key: &str) -> serde_json::Value {
        loop {
            let line = soon(key, self.lines.next_line()).await;
            let line = line.expect("readable").expect("the SMSC runs");
            let seen: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            assert!(seen.get("error").is_none(), "{seen}");
            if seen.get(key).is_some() {
                return seen;
            }
        }
    }
}

#[tokio::test]
async fn texts_receipts_and_replies_pass_through_an_smsc_that_others_wrote() {
    let Some(mut smsc) = NpmSmsc::start().await else {
        return;
    };
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    assert_eq!(smsc.saw("bind").await["accepted"], true);
    plant.up().await;
    let long = "lang æøå [1] ".repeat(40);
    for (text, coding, segments) in [
        ("echo Tank 3 high €5 [A7]", 0, 1),
        (long.as_str(), 0, 4),
        ("echo Насос 3: 81 °C", 8, 1),
    ] {
        let waiting = plant.send(text);
        let mut delivered = 0;
        let mut echoed = None;
        while delivered < segments || (text.starts_with("echo ") && echoed.is_none()) {
            match plant.event().await {
                SinkEvent::Receipt { receipt, .. } => {
                    assert_eq!(receipt.status, ReceiptStatus::Delivered);
                    delivered += 1;
                }
                SinkEvent::Incoming { message, .. } => echoed = Some(message),
                other => panic!("{other:?}"),
            }
        }
        match outcome(waiting).await {
            Outcome::Sent { provider_ids } => assert_eq!(provider_ids.len(), segments),
            other => panic!("{other:?}"),
        }
        let seen = smsc.saw("text").await;
        assert_eq!(
            (&seen["text"], &seen["coding"]),
            (&text.into(), &coding.into())
        );
        if let Some(message) = echoed {
            assert_eq!(Some(message.text.as_str()), text.strip_prefix("echo "));
            assert_eq!(message.from, "+4790000001");
        }
    }
    match outcome(plant.send_to("+4790000008", "text")).await {
        Outcome::Dead { why } => assert_eq!(why.reason, Reason::RecipientRefused),
        other => panic!("{other:?}"),
    }
    plant.stop.cancel();
    smsc.saw("unbind").await;
    plant.stopped().await;
}

#[tokio::test]
async fn a_wrong_password_is_told_by_an_smsc_that_others_wrote() {
    let Some(smsc) = NpmSmsc::start().await else {
        return;
    };
    let mut plant = Plant::start(&settings(&smsc.address, "password = 'wrong'"));
    assert_eq!(plant.down().await.reason, Reason::SinkMisconfigured);
}
