//! The recording of the settings: file after file in a folder, the oldest removed.
//!
//! | bound | what happens there |
//! |---|---|
//! | 1,000,000 rows, an eighth of `bytes_max`, or a day in a file | the next one begins |
//! | `bytes_max` of all files, or `keep` since one was begun | the oldest are removed as a file begins |
//! | the disk refuses | tried again after a minute with a new file, which says how many rows are missing |

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use andon_model::Timestamp;
use andon_recording::{Kept, RecordingWriter, stamp, tidy};

use super::Taken;
use super::session::write_gap;

/// Most rows of one file: what spreadsheets open.
const FILE_ROWS_MAX: u64 = 1_000_000;
/// Longest time of one file.
const FILE_TIME_MAX: Duration = Duration::from_secs(86_400);
/// Parts in which all files together are written.
const FILE_PARTS: u64 = 8;
/// How long after a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// What the settings ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StandingOrder {
    /// The folder; it is made where it is missing.
    pub(crate) folder: PathBuf,
    /// All files together, bytes.
    pub(crate) bytes_max: u64,
    /// How long a file is kept.
    pub(crate) keep: Duration,
}

/// The recording of the settings.
pub(super) struct Standing {
    order: StandingOrder,
    file: Option<Current>,
    /// Rows that are in no file since it could not be written.
    missing: u64,
    again_at: Option<Timestamp>,
    trouble: Option<String>,
}

struct Current {
    path: PathBuf,
    begun: Timestamp,
    writer: RecordingWriter<File>,
    /// Rows that are with the system; those after them are gathered.
    safe_rows: u64,
}

impl Standing {
    pub(super) const fn new(order: StandingOrder) -> Self {
        Self {
            order,
            file: None,
            missing: 0,
            again_at: None,
            trouble: None,
        }
    }

    pub(super) const fn order(&self) -> &StandingOrder {
        &self.order
    }

    /// Why nothing is written now, if nothing is.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Writes a batch; one that cannot be written is counted, and told as soon as one can.
    pub(super) fn take(&mut self, taken: &Taken) {
        if self.again_at.is_some_and(|at| taken.now < at) {
            self.missing += taken.lost + taken.batch.len() as u64;
            return;
        }
        if let Err(error) = self.write(taken) {
            self.missing += taken.lost + taken.batch.len() as u64;
            self.fail(taken.now, &error);
        }
    }

    pub(super) fn flush(&mut self, now: Timestamp) {
        let Some(file) = &mut self.file else {
            return;
        };
        match file.writer.flush() {
            Ok(()) => file.safe_rows = file.writer.rows(),
            Err(error) => self.fail(now, &error),
        }
    }

    /// Writes the end.
    pub(super) fn end(mut self, now: Timestamp) {
        if let Some(mut file) = self.file.take()
            && let Err(error) = file.writer.end(now, "the recording of the settings ended")
        {
            tracing::error!(file = %file.path.display(), %error, "the end of a recording cannot be written");
        }
    }

    fn write(&mut self, taken: &Taken) -> io::Result<()> {
        let is_full = self.file.as_ref().is_some_and(|file| {
            file.writer.rows() >= FILE_ROWS_MAX
                || file.writer.bytes() >= self.order.bytes_max / FILE_PARTS
                || taken.now.since(file.begun) >= FILE_TIME_MAX
        });
        if is_full && let Some(mut full) = self.file.take() {
            full.writer.end(taken.now, "the next file goes on")?;
        }
        if self.file.is_none() {
            self.file = Some(self.begin(taken.now)?);
        }
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        if self.missing > 0 {
            let why = "the recording could not be written";
            file.writer.gap(taken.now, self.missing, why)?;
            self.missing = 0;
        }
        write_gap(&mut file.writer, taken, &mut 0)?;
        file.writer.batch(taken.now, &taken.batch, &taken.tags)?;
        self.again_at = None;
        self.trouble = None;
        Ok(())
    }

    fn begin(&self, now: Timestamp) -> io::Result<Current> {
        let order = &self.order;
        fs::create_dir_all(&order.folder)?;
        let path = order.folder.join(stamp(now));
        let kept = Kept {
            bytes_max: order.bytes_max - order.bytes_max / FILE_PARTS,
            age_max: order.keep,
        };
        for gone in tidy(&order.folder, &path, kept, now)? {
            tracing::info!(file = %gone.display(), "an old recording was removed");
        }
        let writer = RecordingWriter::new(File::create_new(&path)?)?;
        Ok(Current {
            path,
            begun: now,
            writer,
            safe_rows: 0,
        })
    }

    fn fail(&mut self, now: Timestamp, error: &io::Error) {
        let folder = self.order.folder.display();
        tracing::error!(%folder, %error, "samples are not recorded; it is tried again");
        self.trouble = Some(format!(
            "Samples are not recorded in {folder}, it is tried again in a minute: {error}"
        ));
        if let Some(file) = self.file.take() {
            self.missing += file.writer.rows() - file.safe_rows;
        }
        self.again_at = Some(now.plus(AGAIN));
    }
}
