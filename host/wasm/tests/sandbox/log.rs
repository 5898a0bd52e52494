//! The bounded log of a guest, as it arrives in the host's.

use std::io::Write;
use std::sync::{Arc, Mutex};

use andon_model::{Columns, Setup, Timestamp};
use tracing_subscriber::fmt::MakeWriter;

use crate::guests::{NOW, setup, start};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The lines that calls at these moments leave in the host's log.
async fn lines(setup: Setup, moments: &[Timestamp]) -> Vec<String> {
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(kept.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    let mut guest = start(setup).await;
    let guard = tracing::subscriber::set_default(subscriber);
    for now in moments {
        guest.call(*now, &Columns::default()).await.ok();
    }
    drop(guard);
    let bytes = kept.0.lock().expect("no panic").clone();
    let text = String::from_utf8(bytes).expect("it is text");
    text.lines()
        .filter(|line| line.contains("plugin:"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn a_line_names_its_instance() {
    let lines = lines(setup("plain", 0), &[NOW]).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("instance=\"pump\""), "{lines:?}");
    assert!(lines[0].contains("text=\"0 samples so far\""), "{lines:?}");
}

#[tokio::test]
async fn lines_beyond_the_bound_are_counted_and_dropped() {
    let mut setup = setup("log", 5);
    setup.limits.log_lines_per_minute = 3;
    let minute_later = Timestamp::from_nanos(NOW.nanos() + 60_000_000_000);
    let lines = lines(setup, &[NOW, NOW, minute_later]).await;
    assert_eq!(lines.len(), 3 + 1 + 1 + 3 + 1, "{lines:#?}");
    assert!(lines[3].contains("logs too much"), "{lines:#?}");
    assert!(lines[4].contains("dropped=7"), "{lines:#?}");
}

#[tokio::test]
async fn what_is_printed_ends_in_the_log() {
    let printed = lines(setup("print", 2), &[NOW]).await;
    assert_eq!(printed.len(), 2, "{printed:?}");
    assert!(printed[1].contains("text=\"printed 1\""), "{printed:?}");
    let panicked = lines(setup("trap", 0), &[NOW]).await;
    assert!(
        panicked
            .iter()
            .any(|line| line.contains("WARN") && line.contains("the rule gives up")),
        "{panicked:?}"
    );
}

#[tokio::test]
async fn a_line_without_end_is_cut() {
    let lines = lines(setup("print-endless-line", 100_000), &[NOW]).await;
    assert_eq!(lines.len(), 1);
    assert!(lines[0].chars().count() < 1_200, "{}", lines[0].len());
    assert!(lines[0].contains('…'));
}
