//! One recording that a person asked for: one file, with an end.

use std::fs::File;
use std::io;
use std::path::Path;

use andon_model::{SampleBatch, Timestamp};
use andon_recording::RecordingWriter;

use super::{Order, Status, Taken};

/// Why a gap is there.
pub(super) const TOO_SLOW: &str = "the disk was too slow";

/// A recording that goes on.
pub(super) struct Session {
    order: Order,
    writer: RecordingWriter<File>,
    lost: u64,
}

impl Session {
    /// Makes the file, which must not be there.
    pub(super) fn begin(order: Order) -> io::Result<Self> {
        let mut writer = RecordingWriter::new(File::create_new(&order.file)?)?;
        writer.flush()?;
        Ok(Self {
            order,
            writer,
            lost: 0,
        })
    }

    pub(super) fn file(&self) -> &Path {
        &self.order.file
    }

    /// Writes a batch, cut to the rows that still fit.
    pub(super) fn take(&mut self, taken: &Taken) -> io::Result<()> {
        write_gap(&mut self.writer, taken, &mut self.lost)?;
        let room = self.order.rows_max.saturating_sub(self.writer.rows());
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        if taken.batch.len() <= room {
            return self.writer.batch(taken.now, &taken.batch, &taken.tags);
        }
        let cut = first_rows(&taken.batch, room);
        self.writer.batch(taken.now, &cut, &taken.tags)
    }

    pub(super) fn is_full(&self) -> bool {
        self.writer.rows() >= self.order.rows_max
    }

    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        now >= self.order.until
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    pub(super) fn status(&self, ended: Option<String>) -> Status {
        Status {
            file: self.order.file.clone(),
            rows: self.writer.rows(),
            lost: self.lost,
            ended,
            failed: false,
        }
    }

    /// Writes the end and closes the file.
    pub(super) fn end(mut self, now: Timestamp, why: &str) -> Status {
        match self.writer.end(now, why) {
            Ok(()) => self.status(Some(why.to_owned())),
            Err(error) => self.failed(&error),
        }
    }

    /// How it ended because it could not be written.
    pub(super) fn failed(self, error: &io::Error) -> Status {
        Status {
            failed: true,
            ..self.status(Some(format!("it could not be written: {error}")))
        }
    }
}

/// Writes that rows were lost, if some were.
pub(super) fn write_gap(
    writer: &mut RecordingWriter<File>,
    taken: &Taken,
    lost: &mut u64,
) -> io::Result<()> {
    if taken.lost == 0 {
        return Ok(());
    }
    *lost += taken.lost;
    writer.gap(taken.now, taken.lost, TOO_SLOW)
}

fn first_rows(batch: &SampleBatch, count: usize) -> SampleBatch {
    let mut cut = batch.clone();
    cut.tag.truncate(count);
    cut.value.truncate(count);
    cut.quality.truncate(count);
    cut.time.truncate(count);
    cut.text.retain(|(row, _)| (*row as usize) < count);
    cut
}
