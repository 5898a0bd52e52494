//! The machine as settings see it: its environment and its files.

use std::path::{Path, PathBuf};

use andon_config::Surroundings;
use andon_model::{Clock as _, Timestamp};

use crate::clock::SystemClock;

/// Largest file that settings may name, bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// The real machine; relative paths start at the folder of the settings.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    folder: PathBuf,
}

impl Machine {
    /// The machine as seen from the folder of a settings file.
    pub(crate) fn around(settings: &Path) -> Self {
        Self {
            folder: folder_of(settings),
        }
    }
}

/// The folder of a file; the working folder for a bare name.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

impl Surroundings for Machine {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn read(&self, path: &str) -> Result<String, String> {
        let path = self.folder.join(path);
        let about = std::fs::metadata(&path).map_err(|error| error.to_string())?;
        if about.len() > FILE_BYTES_MAX {
            return Err(format!(
                "it has {} bytes, more than the {FILE_BYTES_MAX} that are read",
                about.len()
            ));
        }
        std::fs::read_to_string(&path).map_err(|error| error.to_string())
    }

    fn now(&self) -> Option<Timestamp> {
        Some(SystemClock::start().now())
    }
}
