//! Compiled components, shared by all tests: a debug build takes seconds to compile one, and none
//! of these tests is about that. The host wants a folder of its own, so files are copied.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

fn shared() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("whole-compiled")
}

/// Gives a data folder what earlier tests compiled.
pub(crate) fn give(data: &Path) {
    fs::create_dir_all(data).expect("a folder");
    // A test that is the first finds nothing, and the host compiles.
    copy(&shared(), &data.join("compiled")).unwrap_or_default();
}

/// Takes over what the host of this data folder compiled.
pub(crate) fn take(data: &Path) {
    // Without it the next test compiles again.
    copy(&data.join("compiled"), &shared()).unwrap_or_default();
}

/// Copies files that are not there yet, each whole or not at all.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let entries: Vec<_> = fs::read_dir(from)?.collect::<Result<_, _>>()?;
    DirBuilder::new().recursive(true).mode(0o700).create(to)?;
    for entry in entries {
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if !target.exists() {
            let part = NamedTempFile::new_in(to)?;
            fs::copy(entry.path(), part.path())?;
            part.persist(target)?;
        }
    }
    Ok(())
}
