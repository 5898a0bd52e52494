//! The reserve: a file that holds room on the disk, and is deleted when the disk is full, so that
//! the alarm about the full disk, and those after it, still become durable.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::check::beside;

/// The file beside the database.
#[derive(Debug)]
pub(crate) struct Ballast {
    path: PathBuf,
    bytes: u64,
}

impl Ballast {
    pub(crate) fn beside(database: &Path, bytes: u64) -> Self {
        Self {
            path: beside(database, ".reserve"),
            bytes,
        }
    }

    /// Whether the room is held; always so for a reserve of no size.
    pub(crate) fn is_held(&self) -> bool {
        self.bytes == 0 || fs::metadata(&self.path).is_ok_and(|file| file.len() >= self.bytes)
    }

    /// Takes the room, whole or not at all. Zeros are really written, since a file with a hole
    /// holds nothing.
    pub(crate) fn hold(&self) -> io::Result<()> {
        if self.is_held() {
            return Ok(());
        }
        let held = self.write();
        if held.is_err() {
            self.release();
        }
        held
    }

    fn write(&self) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        let block = [0_u8; 64 << 10];
        let mut left = self.bytes;
        while left > 0 {
            let size = usize::try_from(left)
                .unwrap_or(block.len())
                .min(block.len());
            file.write_all(block.get(..size).unwrap_or(&block))?;
            left = left.saturating_sub(size as u64);
        }
        file.sync_all()
    }

    /// Gives the room up; answers whether there was some.
    pub(crate) fn release(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }
}
