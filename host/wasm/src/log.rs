//! The bounded log of one instance: what it writes by `log.write`, and what it prints.
//!
//! Each line becomes one event of `tracing` with target `plugin` and the fields `instance` and
//! `text`. Lines beyond the bound of a minute are counted and dropped; that this begins is said at
//! once, and how many they were with the first line of a later minute. Minutes are those of the
//! `now` of the calls, so the same inputs give the same log.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Limits, Timestamp};

use crate::text::clean;

const MINUTE: Duration = Duration::from_secs(60);

/// Lines on stderr that are kept for the sentence about a trap.
const LAST_WORDS: usize = 3;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// Where a guest prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// The log of one instance.
#[derive(Debug)]
pub(crate) struct GuestLog {
    instance: Arc<str>,
    gate: Gate,
    chars_max: usize,
    /// Printed lines that have no end yet, at most `chars_max` times four bytes each.
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// The last lines on stderr, where languages say why they panic; at most [`LAST_WORDS`].
    last_words: VecDeque<String>,
}

impl GuestLog {
    /// An empty log.
    pub(crate) fn new(instance: Arc<str>, limits: &Limits) -> Self {
        Self {
            instance,
            gate: Gate::new(limits.log_lines_per_minute),
            chars_max: limits.message_chars,
            stdout: Vec::new(),
            stderr: Vec::new(),
            last_words: VecDeque::new(),
        }
    }

    /// Writes one line.
    pub(crate) fn write(&mut self, now: Timestamp, level: Level, text: String) {
        match self.gate.admit(now) {
            Admission::Pass => {}
            Admission::PassAfter { dropped } => {
                tracing::warn!(target: "plugin", instance = &*self.instance, dropped, "lines of the plugin's log were dropped");
            }
            Admission::FirstDropped => {
                tracing::warn!(target: "plugin", instance = &*self.instance, lines_per_minute = self.gate.lines_max, "the plugin logs too much: further lines of this minute are dropped");
                return;
            }
            Admission::Dropped => return,
        }
        let text = clean(text, self.chars_max);
        let instance = &*self.instance;
        match level {
            Level::Debug => tracing::debug!(target: "plugin", instance, text, "plugin says"),
            Level::Info => tracing::info!(target: "plugin", instance, text, "plugin says"),
            Level::Warn => tracing::warn!(target: "plugin", instance, text, "plugin says"),
            Level::Error => tracing::error!(target: "plugin", instance, text, "plugin says"),
        }
    }

    /// Takes what a guest prints; whole lines are written, the rest waits for its end.
    pub(crate) fn print(&mut self, now: Timestamp, stream: Stream, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = self.chars_max.saturating_mul(4);
            let partial = self.partial(stream);
            // The rest of a line that is too long already is not held.
            let held = room.saturating_sub(partial.len()).min(piece.len());
            partial.extend(piece.iter().take(held));
            if piece.ends_with(b"\n") {
                self.end_line(now, stream);
            }
        }
    }

    /// Ends the lines that have no end, when the call is over.
    pub(crate) fn flush(&mut self, now: Timestamp) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            if !self.partial(stream).is_empty() {
                self.end_line(now, stream);
            }
        }
    }

    /// The last lines on stderr, in one.
    pub(crate) fn take_last_words(&mut self) -> String {
        let words = Vec::from(std::mem::take(&mut self.last_words));
        words.join(" ")
    }

    fn partial(&mut self, stream: Stream) -> &mut Vec<u8> {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    /// Keeps a line as last words; Rust's hint how to see more is of no use here.
    fn hear(&mut self, line: &str) {
        if line.starts_with("note: run with `RUST_BACKTRACE") {
            return;
        }
        if self.last_words.len() == LAST_WORDS {
            self.last_words.pop_front();
        }
        self.last_words.push_back(line.to_owned());
    }

    fn end_line(&mut self, now: Timestamp, stream: Stream) {
        let line = std::mem::take(self.partial(stream));
        let text = clean(String::from_utf8_lossy(&line).into_owned(), self.chars_max);
        if text.is_empty() {
            return;
        }
        let level = match stream {
            Stream::Stdout => Level::Info,
            Stream::Stderr => {
                self.hear(&text);
                Level::Warn
            }
        };
        self.write(now, level, text);
    }
}

/// Counts lines by the minute.
#[derive(Debug)]
struct Gate {
    lines_max: u32,
    minute: Option<Timestamp>,
    lines: u32,
    dropped: u64,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
enum Admission {
    Pass,
    PassAfter { dropped: u64 },
    FirstDropped,
    Dropped,
}

impl Gate {
    fn new(lines_max: u32) -> Self {
        Self {
            lines_max,
            minute: None,
            lines: 0,
            dropped: 0,
        }
    }

    fn admit(&mut self, now: Timestamp) -> Admission {
        let over = self.minute.is_none_or(|began| now.since(began) >= MINUTE);
        if over && self.lines_max > 0 {
            self.minute = Some(now);
            self.lines = 0;
        }
        if self.lines >= self.lines_max {
            self.dropped += 1;
            return match self.dropped {
                1 => Admission::FirstDropped,
                _ => Admission::Dropped,
            };
        }
        self.lines += 1;
        match std::mem::take(&mut self.dropped) {
            0 => Admission::Pass,
            dropped => Admission::PassAfter { dropped },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_its_lines_and_then_says_that_it_drops() {
        let mut gate = Gate::new(2);
        let at = Timestamp::from_secs;
        let told: Vec<Admission> = [0, 1, 2, 59, 60, 61].map(|s| gate.admit(at(s))).into();
        let expected = [
            Admission::Pass,
            Admission::Pass,
            Admission::FirstDropped,
            Admission::Dropped,
            Admission::PassAfter { dropped: 2 },
            Admission::Pass,
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_open_a_new_minute() {
        let mut gate = Gate::new(1);
        assert_eq!(gate.admit(Timestamp::from_secs(100)), Admission::Pass);
        assert_eq!(gate.admit(Timestamp::from_secs(1)), Admission::FirstDropped);
    }
}
