//! Reads a recording, batch after batch: never more than one batch of it is in memory.
//!
//! | bound | what happens there |
//! |---|---|
//! | a line of 64 KiB | it is unreadable and left out |
//! | 100,000 rows of one batch | the rest is a batch of its own, and a note says so |
//! | 100 places of problems | further ones are only counted |
//! | a million names | rows of further ones are unreadable |

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use andon_model::{Origin, Quality, SampleBatch, Timestamp};

use crate::error::RecordingError;
use crate::files::files_of;
use crate::line::{Layout, Mark, Moments, Row};
use crate::names::{Known, Names};
use crate::notes::{Notes, ProblemKind};

/// Longest line, bytes.
const LINE_BYTES_MAX: u64 = 64 << 10;
/// Most rows of one batch.
const BATCH_ROWS_MAX: usize = 100_000;
/// Bytes that are read from a file at once.
const BUFFER: usize = 256 << 10;

/// What comes next in a recording.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A batch that was taken at this moment; the rows are in the batch that was handed in.
    Batch(Timestamp),
    /// Rows were lost before this moment.
    Gap {
        /// When it was noticed.
        now: Timestamp,
        /// How many rows.
        rows: u64,
    },
    /// Nothing more was recorded from this moment on; another file may follow.
    End(Timestamp),
}

/// A recording that is being read: one file, or all of a folder in the order of their names.
pub struct Recording {
    waiting: VecDeque<PathBuf>,
    source: Option<Source>,
    names: Names,
    notes: Notes,
    /// The first line of what comes next.
    held: Option<Line>,
    moments: Moments,
    spare: csv::ByteRecord,
}

/// One file.
struct Source {
    file: Arc<str>,
    input: Box<dyn BufRead + Send>,
    layout: Layout,
    line: Vec<u8>,
    lines: u64,
    ended: bool,
}

/// A line that was understood.
#[derive(Debug, Clone)]
struct Line {
    now: Timestamp,
    batch: Option<u64>,
    name: usize,
    value: f64,
    text: Option<Arc<str>>,
    quality: u8,
    time: Timestamp,
    mark: Mark,
    number: u64,
}

impl Recording {
    /// Opens a file, or all `*.csv` of a folder.
    ///
    /// # Errors
    /// There is none, it cannot be read, or its first line does not name the columns.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let mut recording = Self::empty();
        recording.waiting = files_of(path)?.into();
        recording.next_source()?;
        Ok(recording)
    }

    /// Reads from memory or any other stream; `file` is for messages.
    ///
    /// # Errors
    /// The first line does not name the columns.
    pub fn from_stream(
        file: &str,
        input: impl BufRead + Send + 'static,
    ) -> Result<Self, RecordingError> {
        let mut recording = Self::empty();
        recording.source = Some(Source::open(file, Box::new(input))?);
        Ok(recording)
    }

    fn empty() -> Self {
        Self {
            waiting: VecDeque::new(),
            source: None,
            names: Names::default(),
            notes: Notes::default(),
            held: None,
            moments: Moments::default(),
            spare: csv::ByteRecord::new(),
        }
    }

    /// Reads the next batch into `batch`, which is emptied before. `find` is asked once for each
    /// name of a tag; samples of tags that it does not know are left out and counted.
    ///
    /// # Errors
    /// A file cannot be read, or a further file does not name its columns.
    pub fn next(
        &mut self,
        batch: &mut SampleBatch,
        find: &mut dyn FnMut(&str) -> Option<Known>,
    ) -> Result<Option<Item>, RecordingError> {
        batch.clear();
        let Some(first) = self.line(find)? else {
            return Ok(None);
        };
        let now = self.moment_of(&first);
        match first.mark {
            Mark::Gap => return Ok(Some(self.gap(now, &first))),
            Mark::End => {
                if let Some(source) = &mut self.source {
                    source.ended = true;
                }
                return Ok(Some(Item::End(now)));
            }
            Mark::Test => batch.origin = Origin::Test,
            Mark::Device => {}
        }
        self.notes.batches += 1;
        self.notes.from.get_or_insert(now);
        let (key, mut rows) = ((first.now, first.batch, first.mark), 1);
        self.push(first, batch);
        while let Some(line) = self.line(find)? {
            if (line.now, line.batch, line.mark) != key {
                self.held = Some(line);
                break;
            }
            if rows >= BATCH_ROWS_MAX {
                let says = format!(
                    "more than {BATCH_ROWS_MAX} rows belong together; from here on they are taken as another batch"
                );
                self.note(ProblemKind::Split, line.number, says);
                self.held = Some(line);
                break;
            }
            rows += 1;
            self.push(line, batch);
        }
        Ok(Some(Item::Batch(now)))
    }

    /// What there is to say so far.
    #[must_use]
    pub const fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Tags of the recording that `find` did not know, with how many samples of them were left
    /// out, by name.
    #[must_use]
    pub fn unknown_tags(&self) -> Vec<(String, u64)> {
        let unknown = self.names.iter().filter(|name| name.known.is_none());
        let mut named: Vec<(String, u64)> = unknown
            .map(|name| (name.text.to_string(), name.left_out))
            .collect();
        named.sort();
        named
    }

    /// Tags of the recording that `find` knew.
    pub fn known_tags(&self) -> impl Iterator<Item = Known> + '_ {
        self.names.iter().filter_map(|name| name.known)
    }

    /// The moment at which a line counts: time never goes backwards in a replay.
    fn moment_of(&mut self, line: &Line) -> Timestamp {
        let before = self.notes.to.unwrap_or(line.now);
        if line.now < before {
            let says = format!(
                "now is {} here and was {} before; this counts as of the later moment",
                crate::show_moment(line.now),
                crate::show_moment(before)
            );
            self.note(ProblemKind::Backwards, line.number, says);
        }
        let now = line.now.max(before);
        self.notes.to = Some(now);
        now
    }

    fn gap(&mut self, now: Timestamp, line: &Line) -> Item {
        // A count that is no count is shown as none; the place is told all the same.
        let rows = if line.value.is_finite() && line.value > 0.0 {
            format!("{:.0}", line.value).parse().unwrap_or(0)
        } else {
            0
        };
        self.notes.lost += rows;
        let why = line.text.as_deref().unwrap_or("no reason is given");
        let says = format!("{rows} rows were lost while this was recorded: {why}");
        self.note(ProblemKind::Lost, line.number, says);
        Item::Gap { now, rows }
    }

    fn push(&mut self, line: Line, batch: &mut SampleBatch) {
        let Some(name) = self.names.get_mut(line.name) else {
            return;
        };
        let Some(known) = name.known else {
            name.left_out += 1;
            return;
        };
        self.notes.samples += 1;
        let quality = Quality(line.quality);
        match line.text {
            Some(text) => batch.push_text(known.tag, text, quality, line.time),
            None => batch.push(known.tag, line.value, quality, line.time),
        }
    }

    fn note(&mut self, kind: ProblemKind, line: u64, says: String) {
        let file = self
            .source
            .as_ref()
            .map_or_else(Arc::default, |source| Arc::clone(&source.file));
        self.notes.add(kind, &file, line, says);
    }

    /// The next line that can be read, of this file or the next one.
    fn line(
        &mut self,
        find: &mut dyn FnMut(&str) -> Option<Known>,
    ) -> Result<Option<Line>, RecordingError> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        loop {
            let Some(source) = &mut self.source else {
                return Ok(None);
            };
            match source.read()? {
                Read::End => self.finish()?,
                Read::Blank => {}
                Read::TooLong => {
                    let number = source.lines;
                    let says =
                        format!("the line is longer than {LINE_BYTES_MAX} bytes; it is left out");
                    self.note(ProblemKind::Unreadable, number, says);
                }
                Read::CutOff => {
                    let number = source.lines;
                    source.ended = true;
                    let says = "the recording was cut off in the middle of this line; what is before it counts".to_owned();
                    self.note(ProblemKind::Unfinished, number, says);
                }
                Read::Line => match self.understand(find) {
                    Ok(line) => return Ok(Some(line)),
                    Err((number, says)) => {
                        let says = format!("{says}; the row is left out");
                        self.note(ProblemKind::Unreadable, number, says);
                    }
                },
            }
        }
    }

    fn understand(
        &mut self,
        find: &mut dyn FnMut(&str) -> Option<Known>,
    ) -> Result<Line, (u64, String)> {
        let Some(source) = &self.source else {
            return Err((0, "there is no file".to_owned()));
        };
        let number = source.lines;
        let row = source
            .layout
            .row(&source.line, &mut self.spare, &mut self.moments)
            .map_err(|says| (number, says))?;
        let name = match row.mark {
            Mark::Gap | Mark::End => 0,
            Mark::Device | Mark::Test => self
                .names
                .number(row.tag, find)
                .map_err(|says| (number, says.to_owned()))?,
        };
        let line = owned(row, name, number);
        self.fits(line).map_err(|says| (number, says))
    }

    /// Holds the value against the type of its tag.
    fn fits(&mut self, mut line: Line) -> Result<Line, String> {
        if matches!(line.mark, Mark::Gap | Mark::End) {
            return Ok(line);
        }
        let Some(name) = self.names.get_mut(line.name) else {
            return Ok(line);
        };
        match (name.known.map(|known| known.is_text), &line.text) {
            (Some(true), None) => {
                // A spreadsheet may have taken a text that looks like a number for one.
                line.text = Some(line.value.to_string().into());
                line.value = f64::NAN;
                Ok(line)
            }
            (Some(false), Some(text)) => {
                let shown: String = text.chars().take(40).collect();
                Err(format!(
                    "`{}` is a number, and the row has the text `{shown}`",
                    name.text
                ))
            }
            _ => Ok(line),
        }
    }

    /// The end of a file: says what is to be said of it, and goes on to the next.
    fn finish(&mut self) -> Result<(), RecordingError> {
        if let Some(source) = &self.source
            && !source.ended
            && source.has_marks()
        {
            let number = source.lines;
            let says = "the recording has no line `end`: it was cut off, and rows of its last seconds may be missing".to_owned();
            self.note(ProblemKind::Unfinished, number, says);
        }
        self.next_source()
    }

    fn next_source(&mut self) -> Result<(), RecordingError> {
        self.source = match self.waiting.pop_front() {
            None => None,
            Some(path) => {
                let file = File::open(&path).map_err(|source| RecordingError::Read {
                    path: path.clone(),
                    source,
                })?;
                let input = Box::new(BufReader::with_capacity(BUFFER, file));
                Some(Source::open(&path.display().to_string(), input)?)
            }
        };
        Ok(())
    }
}

fn owned(row: Row<'_>, name: usize, number: u64) -> Line {
    Line {
        now: row.now,
        batch: row.batch,
        name,
        value: row.value,
        text: row.text,
        quality: row.quality,
        time: row.time,
        mark: row.mark,
        number,
    }
}

/// What a look at the next line gave.
enum Read {
    /// It is in `line`, without its end.
    Line,
    /// It is empty.
    Blank,
    /// It is longer than the bound, and was passed over.
    TooLong,
    /// The file ends in the middle of it.
    CutOff,
    /// There is none.
    End,
}

impl Source {
    fn open(file: &str, input: Box<dyn BufRead + Send>) -> Result<Self, RecordingError> {
        let columns = |says: String| RecordingError::Columns {
            file: file.to_owned(),
            says,
        };
        let mut source = Self {
            file: file.into(),
            input,
            layout: Layout::default(),
            line: Vec::new(),
            lines: 0,
            ended: false,
        };
        match source.read()? {
            Read::Line => {}
            Read::End => return Err(columns("the file is empty".to_owned())),
            Read::Blank | Read::TooLong | Read::CutOff => {
                return Err(columns("the line does not name columns".to_owned()));
            }
        }
        source.layout = Layout::read(&source.line).map_err(columns)?;
        Ok(source)
    }

    /// A file that this program wrote, rather than one that was made by hand.
    const fn has_marks(&self) -> bool {
        self.layout.has_mark()
    }

    fn read(&mut self) -> Result<Read, RecordingError> {
        self.line.clear();
        let bound = LINE_BYTES_MAX + 1;
        let mut input = (&mut self.input).take(bound);
        let count =
            input
                .read_until(b'\n', &mut self.line)
                .map_err(|source| RecordingError::Read {
                    path: PathBuf::from(&*self.file),
                    source,
                })?;
        if count == 0 {
            return Ok(Read::End);
        }
        self.lines += 1;
        if self.line.pop_if(|last| *last == b'\n').is_none() {
            if count as u64 == bound {
                return self.pass_over();
            }
            return Ok(Read::CutOff);
        }
        self.line.pop_if(|last| *last == b'\r');
        Ok(if self.line.is_empty() {
            Read::Blank
        } else {
            Read::Line
        })
    }

    /// Reads on to the end of a line that is too long, without keeping it.
    fn pass_over(&mut self) -> Result<Read, RecordingError> {
        self.input
            .skip_until(b'\n')
            .map_err(|source| RecordingError::Read {
                path: PathBuf::from(&*self.file),
                source,
            })?;
        Ok(Read::TooLong)
    }
}
