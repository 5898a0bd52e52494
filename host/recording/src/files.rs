//! The files of a recording that goes on for days: their names, their order, and which are removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use andon_model::Timestamp;

use crate::error::RecordingError;
use crate::moment::{read_moment, show_moment};

/// Most files that one replay reads.
const FILES_MAX: usize = 10_000;

/// How the name of a file begins that is removed when it is too old; no other file ever is.
const PREFIX: &str = "recording-";

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// All files of the folder together, bytes. The oldest go first.
    pub bytes_max: u64,
    /// Files that were begun longer ago go.
    pub age_max: Duration,
}

/// The files of a recording: the file itself, or all `*.csv` of a folder in the order of their
/// names, which is that of their times.
///
/// # Errors
/// The folder cannot be read, holds none, or more than 10,000.
pub fn files_of(path: &Path) -> Result<Vec<PathBuf>, RecordingError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = listed(path).map_err(|source| RecordingError::Read {
        path: path.to_owned(),
        source,
    })?;
    files.retain(|file| file.extension().is_some_and(|kind| kind == "csv"));
    if files.is_empty() {
        return Err(RecordingError::Nothing {
            path: path.to_owned(),
        });
    }
    if files.len() > FILES_MAX {
        return Err(RecordingError::TooMany {
            path: path.to_owned(),
            max: FILES_MAX,
        });
    }
    Ok(files)
}

fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?;
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    Ok(files)
}

/// The name of a file that is begun now: `recording-20261123T021405.120456789Z.csv`.
#[must_use]
pub fn stamp(now: Timestamp) -> String {
    let moment: String = show_moment(now)
        .chars()
        .filter(|sign| !matches!(sign, '-' | ':'))
        .collect();
    format!("{PREFIX}{moment}.csv")
}

/// When the file of this name was begun.
fn begun(name: &str) -> Option<Timestamp> {
    let moment = name.strip_prefix(PREFIX)?.strip_suffix(".csv")?;
    let part = |from: usize, to: usize| moment.get(from..to);
    let text = format!(
        "{}-{}-{}T{}:{}:{}",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(9, 11)?,
        part(11, 13)?,
        moment.get(13..)?
    );
    read_moment(text.as_bytes())
}

/// Removes the oldest files of a recording until what is left is within the bounds; answers their
/// names. `current` is being written and stays.
///
/// # Errors
/// The folder cannot be read, or a file cannot be removed.
pub fn tidy(folder: &Path, current: &Path, kept: Kept, now: Timestamp) -> io::Result<Vec<PathBuf>> {
    let mut own: Vec<(Timestamp, PathBuf, u64)> = Vec::new();
    for path in listed(folder)? {
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(begun) = name.and_then(begun) {
            let bytes = fs::metadata(&path)?.len();
            own.push((begun, path, bytes));
        }
    }
    let mut total: u64 = own.iter().map(|(_, _, bytes)| *bytes).sum();
    let mut removed = Vec::new();
    for (begun, path, bytes) in own {
        let is_old = now.since(begun) > kept.age_max;
        if path == current || !(is_old || total > kept.bytes_max) {
            continue;
        }
        fs::remove_file(&path)?;
        total = total.saturating_sub(bytes);
        removed.push(path);
    }
    Ok(removed)
}
