//! What was pulled, on disk, so that a host starts without its registry.
//!
//! ```text
//! data/pulled/sha256-<hash of the file>.json    a manifest
//! data/pulled/sha256-<hash of the file>.wasm    a component
//! data/pulled/tag-<hash of the reference>       digest of the manifest that a tag meant last
//! ```
//! A file is named by its content and compared with its name at each use, so a damaged one is
//! fetched again. Files are written beside their place, flushed and renamed; what a crash left
//! unfinished is removed at the next start. The folder is for the host's user alone.
//! Together the files keep below [`BYTES_MAX`]; what was written longest ago goes first, and is
//! fetched again when it is used.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::registry::{COMPONENT_BYTES_MAX, MANIFEST_BYTES_MAX};
use crate::{Reference, Sha256};

/// Most bytes of all files together.
const BYTES_MAX: u64 = 1 << 30;

/// End of the name of a file that is being written.
const UNFINISHED: &str = ".part";

/// A folder of what was pulled. All calls block.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    bytes_max: u64,
}

/// The disk refused.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {} failed; check the rights and the space in the data folder", path.display())]
pub struct CacheError {
    operation: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Manifest,
    Component,
}

impl Kind {
    const fn ending(self) -> &'static str {
        match self {
            Self::Manifest => "json",
            Self::Component => "wasm",
        }
    }

    const fn bytes_max(self) -> u64 {
        match self {
            Self::Manifest => MANIFEST_BYTES_MAX,
            Self::Component => COMPONENT_BYTES_MAX,
        }
    }
}

impl Cache {
    /// Opens the folder, and makes it if it is missing.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(folder: PathBuf) -> Result<Self, CacheError> {
        make(&folder).map_err(|error| refused("make folder", &folder, error))?;
        Ok(Self {
            folder,
            bytes_max: BYTES_MAX,
        })
    }

    /// Removes what a crash left unfinished. For the host at its start: a command may run beside a
    /// host that is writing.
    ///
    /// # Errors
    /// The disk refused.
    pub fn remove_unfinished(&self) -> Result<(), CacheError> {
        for (path, _) in self.files()? {
            if path.to_string_lossy().ends_with(UNFINISHED) {
                fs::remove_file(&path).map_err(|error| refused("remove", &path, error))?;
            }
        }
        Ok(())
    }

    /// The bytes with this hash; `None` if they are not there whole.
    pub(crate) fn read(&self, kind: Kind, hash: &Sha256) -> Option<Vec<u8>> {
        let path = self.path(kind, hash);
        let mut bytes = Vec::new();
        let file = File::open(&path).ok()?;
        let read = file.take(kind.bytes_max() + 1).read_to_end(&mut bytes);
        let whole = read.is_ok() && Sha256::of(&bytes) == *hash;
        if !whole {
            tracing::warn!(path = %path.display(), "a pulled file is damaged; it is fetched again");
        }
        whole.then_some(bytes)
    }

    /// Keeps bytes under their hash.
    ///
    /// # Errors
    /// The disk refused; what was there before stays.
    pub(crate) fn write(&self, kind: Kind, hash: &Sha256, bytes: &[u8]) -> Result<(), CacheError> {
        self.put(&self.path(kind, hash), bytes)
    }

    /// What a tag meant last.
    pub(crate) fn tagged(&self, reference: &Reference) -> Option<Sha256> {
        let mut text = String::new();
        let file = File::open(self.tag_path(reference)).ok()?;
        file.take(200).read_to_string(&mut text).ok()?;
        Sha256::parse(&text).ok()
    }

    /// Keeps what a tag means.
    ///
    /// # Errors
    /// The disk refused; what was there before stays.
    pub(crate) fn tag(&self, reference: &Reference, digest: &Sha256) -> Result<(), CacheError> {
        self.put(&self.tag_path(reference), digest.to_string().as_bytes())
    }

    fn path(&self, kind: Kind, hash: &Sha256) -> PathBuf {
        let name = format!("sha256-{}.{}", hash.hex(), kind.ending());
        self.folder.join(name)
    }

    fn tag_path(&self, reference: &Reference) -> PathBuf {
        let hash = Sha256::of(reference.to_string().as_bytes());
        self.folder.join(format!("tag-{}", hash.hex()))
    }

    fn put(&self, target: &Path, bytes: &[u8]) -> Result<(), CacheError> {
        let mut unfinished = target.as_os_str().to_owned();
        // A command may pull the same while the host does.
        unfinished.push(format!(".{}{UNFINISHED}", std::process::id()));
        let unfinished = PathBuf::from(unfinished);
        File::create(&unfinished)
            .and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            })
            .map_err(|error| refused("write", &unfinished, error))?;
        fs::rename(&unfinished, target).map_err(|error| refused("rename", &unfinished, error))?;
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| refused("flush folder", &self.folder, error))?;
        self.trim(target)
    }

    /// Removes the oldest files beyond the bound, never the one that was just written.
    fn trim(&self, newest: &Path) -> Result<(), CacheError> {
        let mut files = self.files()?;
        let mut bytes: u64 = files.iter().map(|(_, about)| about.bytes).sum();
        files.sort_by_key(|(_, about)| about.written);
        for (path, about) in files {
            if bytes <= self.bytes_max {
                break;
            }
            if path != newest {
                fs::remove_file(&path).map_err(|error| refused("remove", &path, error))?;
                bytes -= about.bytes;
            }
        }
        Ok(())
    }

    fn files(&self) -> Result<Vec<(PathBuf, About)>, CacheError> {
        let refused = |error| refused("list folder", &self.folder, error);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            // One that has just gone is no file of ours any more.
            if let Ok(metadata) = entry.metadata()
                && metadata.is_file()
            {
                let about = About {
                    bytes: metadata.len(),
                    written: metadata.modified().ok(),
                };
                files.push((entry.path(), about));
            }
        }
        Ok(files)
    }
}

/// What counts for the bound.
struct About {
    bytes: u64,
    written: Option<SystemTime>,
}

#[cfg(unix)]
fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

fn refused(operation: &'static str, path: &Path, source: io::Error) -> CacheError {
    CacheError {
        operation,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path, bytes_max: u64) -> Cache {
        let cache = Cache::open(folder.to_owned()).expect("a folder");
        Cache { bytes_max, ..cache }
    }

    fn put(cache: &Cache, bytes: &[u8]) -> Sha256 {
        let hash = Sha256::of(bytes);
        cache.write(Kind::Component, &hash, bytes).expect("written");
        hash
    }

    #[test]
    fn a_damaged_file_is_as_if_it_were_not_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = open(folder.path(), BYTES_MAX);
        let hash = put(&cache, b"component");
        assert_eq!(
            cache.read(Kind::Component, &hash).as_deref(),
            Some(&b"component"[..])
        );
        assert_eq!(cache.read(Kind::Manifest, &hash), None);
        for damaged in [&b"componenT"[..], b"comp", b"", b"component and more"] {
            fs::write(cache.path(Kind::Component, &hash), damaged).expect("written");
            assert_eq!(cache.read(Kind::Component, &hash), None);
        }
    }

    #[test]
    fn what_a_crash_left_unfinished_is_removed_and_never_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = open(folder.path(), BYTES_MAX);
        let hash = Sha256::of(b"component");
        let mut part = cache.path(Kind::Component, &hash).into_os_string();
        part.push(".123.part");
        fs::write(&part, b"component").expect("written");
        assert_eq!(cache.read(Kind::Component, &hash), None);
        let again = open(folder.path(), BYTES_MAX);
        again.remove_unfinished().expect("removed");
        assert!(!Path::new(&part).exists());
        assert_eq!(again.read(Kind::Component, &hash), None);
    }

    #[test]
    fn the_oldest_goes_when_there_is_too_much_and_the_newest_never() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = open(folder.path(), 100);
        let first = put(&cache, &[1; 60]);
        let old = SystemTime::UNIX_EPOCH;
        File::options()
            .write(true)
            .open(cache.path(Kind::Component, &first))
            .and_then(|file| file.set_modified(old))
            .expect("its time is set");
        let second = put(&cache, &[2; 60]);
        assert_eq!(cache.read(Kind::Component, &first), None);
        assert!(cache.read(Kind::Component, &second).is_some());
        let large = put(&cache, &[3; 200]);
        assert!(cache.read(Kind::Component, &large).is_some());
    }

    #[test]
    fn a_tag_is_kept_by_its_whole_reference() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = open(folder.path(), BYTES_MAX);
        let [one, other] = ["a", "b"].map(|name| {
            Reference::parse(&format!("oci://registry.example.org/{name}:1")).expect("a reference")
        });
        cache.tag(&one, &Sha256::of(b"x")).expect("written");
        assert_eq!(cache.tagged(&one), Some(Sha256::of(b"x")));
        assert_eq!(cache.tagged(&other), None);
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_is_for_one_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let pulled = folder.path().join("data").join("pulled");
        let _cache = open(&pulled, BYTES_MAX);
        let mode = fs::metadata(&pulled)
            .expect("a folder")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
