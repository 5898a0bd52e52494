//! Why a recording cannot be read or written at all. A single row that cannot be read is no error:
//! see [`crate::Notes`].

use std::io;
use std::path::PathBuf;

/// A recording that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file or folder cannot be read.
    #[error("read the recording {}", path.display())]
    Read {
        /// File or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The first line does not name the columns.
    #[error("{file}, line 1: {says}; a recording begins with the line `{}`", crate::COLUMNS.join(","))]
    Columns {
        /// The file.
        file: String,
        /// What is wrong with them.
        says: String,
    },
    /// A folder without a recording.
    #[error("{} holds no recording (*.csv)", path.display())]
    Nothing {
        /// The folder.
        path: PathBuf,
    },
    /// A folder with more files than one replay reads.
    #[error("{} holds more than {max} files; replay them in parts", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// The bound.
        max: usize,
    },
}
