//! Writes a recording, batch after batch. What is written is whole rows; whoever owns the writer
//! flushes it, and so decides how much a power cut may take.

use std::fmt::Write as _;
use std::io;

use andon_model::{Origin, SampleBatch, TagTable, Timestamp};

use crate::COLUMNS;
use crate::line::escaped;
use crate::moment::show_moment;

/// A recording that is being written.
#[derive(Debug)]
pub struct RecordingWriter<W: io::Write> {
    csv: csv::Writer<Counted<W>>,
    batch: u64,
    rows: u64,
    /// Room that is used again: the moment of the rows before, a number, a text.
    time: (Timestamp, String),
    number: String,
    text: String,
}

/// Counts what goes through.
#[derive(Debug)]
struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W: io::Write> io::Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Bytes that are gathered before they go to the file.
const BUFFER: usize = 256 << 10;

impl<W: io::Write> RecordingWriter<W> {
    /// Begins a recording: writes the line that names the columns.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(out: W) -> io::Result<Self> {
        let counted = Counted {
            inner: out,
            bytes: 0,
        };
        let mut csv = csv::WriterBuilder::new()
            .buffer_capacity(BUFFER)
            .from_writer(counted);
        csv.write_record(COLUMNS).map_err(io::Error::from)?;
        Ok(Self {
            csv,
            batch: 0,
            rows: 0,
            time: (Timestamp::EPOCH, show_moment(Timestamp::EPOCH)),
            number: String::new(),
            text: String::new(),
        })
    }

    /// Writes a batch that the host took at `now`; an empty one is not written.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn batch(
        &mut self,
        now: Timestamp,
        batch: &SampleBatch,
        tags: &TagTable,
    ) -> io::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        self.batch += 1;
        let (shown, number) = (show_moment(now), self.batch.to_string());
        let mark = match batch.origin {
            Origin::Device => "",
            Origin::Test => "test",
        };
        let mut texts = batch.text.iter().peekable();
        for (index, (tag, value, quality, time)) in (0_u32..).zip(batch.rows()) {
            self.number.clear();
            self.text.clear();
            match texts.next_if(|(row, _)| *row == index) {
                Some((_, text)) => escaped(text, &mut self.text),
                None => show_number(value, &mut self.number),
            }
            if self.time.0 != time {
                self.time = (time, show_moment(time));
            }
            let mut quality_text = String::with_capacity(3);
            // Writing to a String cannot fail.
            write!(quality_text, "{}", quality.0).unwrap_or_default();
            let row = [
                shown.as_str(),
                &number,
                tags.name(tag),
                &self.number,
                &self.text,
                &quality_text,
                &self.time.1,
                mark,
            ];
            self.csv.write_record(row).map_err(io::Error::from)?;
            self.rows += 1;
        }
        Ok(())
    }

    /// Writes that rows were lost before `now`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn gap(&mut self, now: Timestamp, rows: u64, why: &str) -> io::Result<()> {
        self.marked(now, &rows.to_string(), why, "gap")
    }

    /// Writes the end and hands everything over.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn end(&mut self, now: Timestamp, why: &str) -> io::Result<()> {
        self.marked(now, "", why, "end")?;
        self.flush()
    }

    /// Hands everything over that was gathered.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.csv.flush()
    }

    /// Rows of samples so far.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes that were handed over; at most 256 KiB more are gathered.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.csv.get_ref().bytes
    }

    fn marked(&mut self, now: Timestamp, value: &str, why: &str, mark: &str) -> io::Result<()> {
        escaped(why, &mut self.text);
        let now = show_moment(now);
        let row = [&now, "", "", value, &self.text, "", "", mark];
        self.csv.write_record(row).map_err(io::Error::from)
    }
}

/// A number so that the same one is read from it, and a person can read it where that is short.
fn show_number(value: f64, into: &mut String) {
    let size = value.abs();
    let plain = size == 0.0 || (1e-5..1e16).contains(&size) || !value.is_finite();
    let shown = if plain {
        write!(into, "{value}")
    } else {
        write!(into, "{value:e}")
    };
    // Writing to a String cannot fail.
    shown.unwrap_or_default();
}
