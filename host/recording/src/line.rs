//! One line of a recording: from bytes to a row.
//!
//! A line without quotation marks, which nearly all are, is split where it lies. One with them is
//! split by the CSV reader. Numbers are read from the bytes; nothing is allocated but texts.

use std::sync::Arc;

use andon_model::{Quality, Timestamp};

use crate::COLUMNS;
use crate::moment::read_moment;

/// Where the columns stand in a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    /// For each of [`COLUMNS`], its place.
    places: [Option<usize>; 8],
    count: usize,
}

/// A row as it stands, before its tag is looked up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row<'a> {
    pub(crate) now: Timestamp,
    pub(crate) batch: Option<u64>,
    pub(crate) tag: &'a [u8],
    pub(crate) value: f64,
    pub(crate) text: Option<Arc<str>>,
    pub(crate) quality: u8,
    pub(crate) time: Timestamp,
    pub(crate) mark: Mark,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Device,
    Test,
    Gap,
    End,
}

/// Moments that were read last: rows of one batch repeat theirs.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    now: (Vec<u8>, Timestamp),
    time: (Vec<u8>, Timestamp),
}

fn moment(last: &mut (Vec<u8>, Timestamp), text: &[u8]) -> Option<Timestamp> {
    if last.0 == text {
        return Some(last.1);
    }
    let at = read_moment(text)?;
    last.0.clear();
    last.0.extend_from_slice(text);
    last.1 = at;
    Some(at)
}

impl Layout {
    /// Reads the line that names the columns.
    pub(crate) fn read(line: &[u8]) -> Result<Self, String> {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let text = str::from_utf8(line).map_err(|_| "it is not UTF-8 text".to_owned())?;
        let mut places = [None; 8];
        let mut count = 0;
        for (place, name) in text.split(',').enumerate() {
            let name = name.trim().trim_matches('"');
            let known = COLUMNS.iter().position(|column| *column == name);
            let Some(slot) = known.and_then(|column| places.get_mut(column)) else {
                return Err(format!("`{name}` is no column of a recording"));
            };
            if slot.replace(place).is_some() {
                return Err(format!("the column `{name}` is there twice"));
            }
            count = place + 1;
        }
        for (name, place) in COLUMNS.iter().zip(places) {
            if place.is_none() && ["now", "tag", "value"].contains(name) {
                return Err(format!("the column `{name}` is missing"));
            }
        }
        Ok(Self { places, count })
    }

    /// Reads a row, without the end of the line.
    pub(crate) fn row<'a>(
        &self,
        line: &'a [u8],
        spare: &'a mut csv::ByteRecord,
        moments: &mut Moments,
    ) -> Result<Row<'a>, String> {
        let mut fields: [&[u8]; 8] = [b""; 8];
        let mut count = 0;
        if line.contains(&b'"') {
            quoted(line, spare)?;
            for field in spare.iter() {
                if let Some(slot) = fields.get_mut(count) {
                    *slot = field;
                }
                count += 1;
            }
        } else {
            for field in line.split(|sign| *sign == b',') {
                if let Some(slot) = fields.get_mut(count) {
                    *slot = field;
                }
                count += 1;
            }
        }
        if count != self.count {
            return Err(format!("it has {count} fields, not {}", self.count));
        }
        self.fields(&fields, moments)
    }

    fn fields<'a>(&self, fields: &[&'a [u8]; 8], moments: &mut Moments) -> Result<Row<'a>, String> {
        let [now, batch, tag, value, text, quality, time, mark] = self
            .places
            .map(|place| place.and_then(|at| fields.get(at)).copied().unwrap_or(b""));
        let wrong = |name: &str, field: &[u8], wants: &str| {
            let shown: String = String::from_utf8_lossy(field).chars().take(40).collect();
            format!("{name} `{shown}` is not {wants}")
        };
        let wants_moment = "a moment like 2026-11-23T02:14:05.120Z";
        let now = moment(&mut moments.now, now).ok_or_else(|| wrong("now", now, wants_moment))?;
        let mark = match mark {
            b"" => Mark::Device,
            b"test" => Mark::Test,
            b"gap" => Mark::Gap,
            b"end" => Mark::End,
            other => return Err(wrong("mark", other, "empty, test, gap or end")),
        };
        let batch = match batch {
            b"" => None,
            digits => Some(number(digits).ok_or_else(|| wrong("batch", digits, "a number"))?),
        };
        let quality = match quality {
            b"" => Quality::GOOD.0,
            digits => {
                number(digits).ok_or_else(|| wrong("quality", digits, "a number from 0 to 255"))?
            }
        };
        let time = match time {
            b"" => now,
            text => {
                moment(&mut moments.time, text).ok_or_else(|| wrong("time", text, wants_moment))?
            }
        };
        let (value, text) = match (value, text, mark) {
            (b"", b"", Mark::Device | Mark::Test) if !self.has_text() => {
                return Err("it has no value".to_owned());
            }
            (b"", text, _) => (
                f64::NAN,
                Some(unescaped(text).ok_or("the text is not UTF-8")?),
            ),
            (value, b"", _) | (value, _, Mark::Gap) => {
                let number = number(value).ok_or_else(|| wrong("value", value, "a number"))?;
                let text = (mark == Mark::Gap).then(|| unescaped(text)).flatten();
                (number, text)
            }
            _ => return Err("it has a value and a text; a sample has one of them".to_owned()),
        };
        Ok(Row {
            now,
            batch,
            tag,
            value,
            text,
            quality,
            time,
            mark,
        })
    }

    const fn has_text(&self) -> bool {
        let [_, _, _, _, text, ..] = self.places;
        text.is_some()
    }

    /// Whether the file has the column that says where it ends.
    pub(crate) const fn has_mark(&self) -> bool {
        let [.., mark] = self.places;
        mark.is_some()
    }
}

/// Splits a line that has quotation marks.
fn quoted(line: &[u8], into: &mut csv::ByteRecord) -> Result<(), String> {
    // An odd number of them is a field that does not end in this line.
    if line.iter().filter(|sign| **sign == b'"').count() % 2 == 1 {
        return Err("a quotation mark is not closed".to_owned());
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(line.len().max(1))
        .from_reader(line);
    match reader.read_byte_record(into) {
        Ok(true) => Ok(()),
        Ok(false) => Err("it is empty".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    str::from_utf8(digits).ok()?.trim().parse().ok()
}

/// A text as it was, from how it is written.
fn unescaped(text: &[u8]) -> Option<Arc<str>> {
    let text = str::from_utf8(text).ok()?;
    if !text.contains('\\') {
        return Some(text.into());
    }
    let mut plain = String::with_capacity(text.len());
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match (sign, sign == '\\') {
            (_, true) => match signs.next() {
                Some('n') => plain.push('\n'),
                Some('r') => plain.push('\r'),
                Some('\\') => plain.push('\\'),
                // Not written by this program: it stays as it stands.
                other => {
                    plain.push('\\');
                    plain.extend(other);
                }
            },
            (sign, false) => plain.push(sign),
        }
    }
    Some(plain.into())
}

/// A text as it is written: one line, whatever is in it.
pub(crate) fn escaped(text: &str, into: &mut String) {
    into.clear();
    for sign in text.chars() {
        match sign {
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            other => into.push(other),
        }
    }
}
