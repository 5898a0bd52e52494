//! Compiled code on disk, so that a restart does not compile again.
//!
//! wasmtime's own cache does the work: its key is a hash of the file, the engine's settings and
//! its version; it writes atomically and removes what was not used for longest. A damaged file is
//! compiled again.
//!
//! Compiled code is run as it is read, so who can write the files can run anything as the host.
//! The cache is therefore a folder of its own, `compiled`, readable and writable by the host's user
//! alone. If it belongs to somebody else or others can write it, it is not used.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use wasmtime::{Cache, CacheConfig};

/// Time between two looks at the size of the cache.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(60);

/// The folder of the cache in the one that it is given.
const FOLDER: &str = "compiled";

/// Fast to write, and still a third of the size.
const COMPRESSION: i32 = 1;

/// How the cache did so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheCounts {
    /// Loads that took compiled code from the cache.
    pub hits: usize,
    /// Loads that compiled and stored.
    pub misses: usize,
}

impl CacheCounts {
    pub(crate) fn of(cache: &Cache) -> Self {
        Self {
            hits: cache.cache_hits(),
            misses: cache.cache_misses(),
        }
    }
}

/// Opens the cache, or says in the log why it cannot be used.
pub(crate) fn open(folder: &Path, bytes_max: u64) -> Option<Cache> {
    private_folder(folder)
        .and_then(|folder| cache(folder, bytes_max))
        .inspect_err(|why| {
            tracing::warn!(
                folder = %folder.display(),
                why,
                "compiled plugins are not cached, so loading is slow"
            );
        })
        .ok()
}

/// Removes what was not used for longest from a cache that is too large. The engine does so after
/// what it writes itself; a compiler in another process ends before it would.
pub(crate) fn trim(parent: &Path, bytes_max: u64) {
    let mut files = Vec::new();
    collect(&parent.join(FOLDER), &mut files);
    let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
    files.sort_by_key(|file| file.used);
    for file in files {
        if bytes <= bytes_max {
            return;
        }
        if std::fs::remove_file(&file.path).is_ok() {
            bytes -= file.bytes;
        }
    }
}

/// A file of compiled code.
struct Code {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// All code in a folder. Beside each file the engine keeps one with statistics, which it writes
/// when it uses the code.
fn collect(folder: &Path, files: &mut Vec<Code>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        let path = entry.path();
        if metadata.is_dir() {
            collect(&path, files);
        } else if path.extension().is_none() {
            let time = |metadata: std::fs::Metadata| metadata.modified().ok();
            let statistics = std::fs::metadata(path.with_extension("stats")).ok();
            let used = statistics.and_then(time).max(time(metadata.clone()));
            files.push(Code {
                path,
                bytes: metadata.len(),
                used: used.unwrap_or(SystemTime::UNIX_EPOCH),
            });
        }
    }
}

fn cache(folder: PathBuf, bytes_max: u64) -> Result<Cache, String> {
    let mut config = CacheConfig::new();
    config
        .with_directory(folder)
        .with_files_total_size_soft_limit(bytes_max)
        .with_cleanup_interval(CLEANUP_INTERVAL)
        .with_baseline_compression_level(COMPRESSION)
        // The same level: nothing is compressed again in the background.
        .with_optimized_compression_level(COMPRESSION);
    Cache::new(config).map_err(|error| format!("{error:#}"))
}

/// Makes the folder if it is missing, and checks that only the host's user can write it.
fn private_folder(parent: &Path) -> Result<PathBuf, String> {
    let told = |what: &str, error: std::io::Error| format!("cannot {what} the folder: {error}");
    std::fs::create_dir_all(parent).map_err(|error| told("make", error))?;
    let parent = parent.canonicalize().map_err(|error| told("find", error))?;
    let folder = parent.join(FOLDER);
    make_private(&folder).map_err(|error| told("make", error))?;
    check_private(&folder)?;
    Ok(folder)
}

#[cfg(unix)]
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().mode(0o700).create(folder);
    match made {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// The folder must be a real one, of the user that files made now get, and closed to others.
#[cfg(unix)]
fn check_private(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let told = |error: std::io::Error| format!("cannot look at the folder: {error}");
    let found = std::fs::symlink_metadata(folder).map_err(told)?;
    if !found.is_dir() {
        return Err("`compiled` in it is not a folder: remove it".to_owned());
    }
    if found.mode() & 0o022 != 0 {
        return Err("others can write `compiled` in it: run `chmod 700` on that".to_owned());
    }
    // The standard library does not tell the user; the owner of a new file does.
    let probe = folder.join(".owner");
    std::fs::write(&probe, b"").map_err(told)?;
    let owner = std::fs::symlink_metadata(&probe).map_err(told)?.uid();
    std::fs::remove_file(&probe).map_err(told)?;
    if found.uid() == owner {
        Ok(())
    } else {
        Err("`compiled` in it belongs to another user: remove it".to_owned())
    }
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Elsewhere a folder of a user's data is private by inheritance.
#[cfg(not(unix))]
fn check_private(_folder: &Path) -> Result<(), String> {
    Ok(())
}
