//! From bytes to code, off the hot path, and where possible in a process of its own.
//!
//! Compiling takes tens of megabytes, some of which an allocator never gives back, and cannot be
//! interrupted. So the host starts a compiler (itself, with other arguments), hands it the file on
//! its standard input, and lets it fill the cache; loading then finds the code there. A compiler
//! has bounds on its time and memory, runs at low priority, and is killed when its time is over.
//!
//! Where there is no cache or no compiler to start, the engine compiles on a blocking thread.
//! That thread ends later than a file that is refused because it took too long, still counted
//! among the compiles that may run at once.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use andon_model::LoadErrorKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::timeout;
use wasmtime::component::Component;

use crate::cache;
use crate::engine::{self, Shared};
use crate::failure::{detail, size};
use crate::imports::Refusal;

/// A program that fills the cache.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// The program.
    pub program: PathBuf,
    /// Arguments that make it call [`fill_cache`]; the cache folder comes after them.
    pub arguments: Vec<String>,
    /// Address space that it may have, bytes.
    pub memory_bytes: u64,
}

/// How a compiler ends that found fault with the file; any other failure is its own.
pub const REFUSED: u8 = 3;

/// How a Rust program ends that panicked.
const PANICKED: i32 = 101;

/// Of what a compiler says, so much is read, bytes.
const SAID_MAX: u64 = 4 << 10;

/// Files that are known to be in the cache, at most; past it they are forgotten and found again.
const KNOWN_MAX: usize = 1_000;

/// Time on all processors together after which the system ends a compiler, seconds: what is left
/// of one whose host was killed ends too.
const CPU_SECONDS: u64 = 600;

/// More than any cache has: the process ends before it could remove anything.
const NO_BOUND: u64 = 1 << 50;

/// How much lower than the host a compiler stands in line for a processor.
const NICE: i32 = 10;

/// Why [`fill_cache`] did not.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The file is not what it should be. The program must end with [`REFUSED`] and say this alone.
    #[error("{0}")]
    Refused(String),
    /// The machine is at fault.
    #[error("{0}")]
    Engine(String),
}

/// Compiles the component that `input` holds into the cache of that folder: the whole work of a
/// [`Compiler`]'s process, which this gives its bounds.
///
/// # Errors
/// See [`CompileError`].
pub fn fill_cache(
    folder: &Path,
    bounds: &Compiler,
    mut input: impl Read,
) -> Result<(), CompileError> {
    let told = |error: &dyn std::fmt::Display| CompileError::Engine(format!("{error:#}"));
    bound(bounds.memory_bytes).map_err(|error| told(&error))?;
    let mut bytes = Vec::new();
    input
        .read_to_end(&mut bytes)
        .map_err(|error| told(&error))?;
    let cache = cache::open(folder, NO_BOUND)
        .ok_or_else(|| CompileError::Engine("there is no cache to fill".to_owned()))?;
    let engine = engine::engine(Some(cache)).map_err(|error| told(&error))?;
    match Component::from_binary(&engine, &bytes) {
        Ok(_compiled) => Ok(()),
        Err(error) => Err(CompileError::Refused(detail(&error))),
    }
}

#[cfg(unix)]
fn bound(memory_bytes: u64) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};

    for (resource, bound) in [(Resource::As, memory_bytes), (Resource::Cpu, CPU_SECONDS)] {
        let maximum = getrlimit(resource).maximum;
        let current = Some(maximum.map_or(bound, |most| most.min(bound)));
        setrlimit(resource, Rlimit { current, maximum })?;
    }
    // Not being allowed to be nice is no reason to fail.
    let _priority = nice(NICE);
    Ok(())
}

#[cfg(not(unix))]
fn bound(_memory_bytes: u64) -> std::io::Result<()> {
    Ok(())
}

/// Compiles, or takes the code from the cache, within the engine's compile time. The hash is the
/// file's.
pub(crate) async fn compile(
    shared: &Arc<Shared>,
    bytes: Arc<[u8]>,
    hash: &str,
) -> Result<Component, Refusal> {
    let time = shared.settings.compile_time;
    let work = async {
        // The semaphore is never closed.
        let place = Arc::clone(&shared.compiles).acquire_owned().await.ok();
        if let Some(known) = compiler(shared) {
            known.compile(&bytes, hash).await?;
        }
        let engine = shared.engine.clone();
        let loaded = tokio::task::spawn_blocking(move || {
            let compiled = Component::from_binary(&engine, &bytes);
            // Held until the thread is done, even when nobody waits for it any longer.
            drop(place);
            compiled
        });
        match loaded.await {
            Ok(Ok(compiled)) => Ok(compiled),
            Ok(Err(error)) => Err(malformed(&detail(&error))),
            Err(panic) => Err(given_up(&panic.to_string())),
        }
    };
    timeout(time, work)
        .await
        .unwrap_or_else(|_elapsed| Err(too_slow(time)))
}

fn malformed(detail: &str) -> Refusal {
    let message = format!(
        "it is damaged, cut off, or uses a feature that this host lacks: build or copy it again \
         ({detail})"
    );
    Refusal::new(LoadErrorKind::Malformed, message)
}

fn given_up(detail: &str) -> Refusal {
    let message =
        format!("the compiler gave up on it; please report this with the file ({detail})");
    Refusal::new(LoadErrorKind::Malformed, message)
}

fn too_slow(time: Duration) -> Refusal {
    let message = format!(
        "it was not compiled within {} s, waiting for others included: make the component smaller, \
         or allow more time",
        time.as_secs_f64()
    );
    Refusal::new(LoadErrorKind::TooSlow, message)
}

/// The compiler that an engine with a cache may use.
fn compiler(shared: &Shared) -> Option<InOwnProcess<'_>> {
    match (&shared.settings.compiler, &shared.settings.cache_folder) {
        (Some(compiler), Some(folder)) if shared.has_cache() => Some(InOwnProcess {
            compiler,
            folder,
            bytes_max: shared.settings.cache_bytes_max,
        }),
        _ => None,
    }
}

/// Has files compiled by other processes.
struct InOwnProcess<'a> {
    compiler: &'a Compiler,
    folder: &'a Path,
    /// Size that the cache may have.
    bytes_max: u64,
}

impl InOwnProcess<'_> {
    /// Makes sure that the code is in the cache, or that this cannot be done in another process.
    async fn compile(&self, bytes: &[u8], hash: &str) -> Result<(), Refusal> {
        let known = self.folder.join("compiled-hashes");
        let mark = known.join(hash);
        if mark.exists() {
            return Ok(());
        }
        match self.run(bytes).await {
            Ok((status, _)) if status.success() => {
                remember(&known, &mark);
                cache::trim(self.folder, self.bytes_max);
                Ok(())
            }
            Ok((status, said)) if status.code() == Some(REFUSED.into()) => Err(malformed(&said)),
            Ok((status, said)) if status.code() == Some(PANICKED) => Err(given_up(&said)),
            Ok((status, said)) if status.code().is_some() => {
                tracing::warn!(%status, said, "a plugin is compiled in the host's own process");
                Ok(())
            }
            Ok((status, _)) => Err(self.killed(status)),
            Err(error) => {
                tracing::warn!(%error, "a plugin is compiled in the host's own process");
                Ok(())
            }
        }
    }

    /// Hands the file over and waits for the end. Dropped half way, the process is killed.
    async fn run(&self, bytes: &[u8]) -> std::io::Result<(ExitStatus, String)> {
        let mut child = Command::new(&self.compiler.program)
            .args(&self.compiler.arguments)
            .arg(self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // A compiler that ended early says why by its status.
            let _broken_pipe = input.write_all(bytes).await;
        }
        let mut said = Vec::new();
        if let Some(output) = child.stderr.take() {
            output.take(SAID_MAX).read_to_end(&mut said).await?;
        }
        let status = child.wait().await?;
        Ok((status, String::from_utf8_lossy(&said).trim().to_owned()))
    }

    /// Out of memory a compiler aborts.
    fn killed(&self, status: ExitStatus) -> Refusal {
        let bytes = usize::try_from(self.compiler.memory_bytes).unwrap_or(usize::MAX);
        let message = format!(
            "its compiler was ended by the system ({status}), which it is when it needs more than \
             {} of memory: make the component smaller",
            size(bytes)
        );
        Refusal::new(LoadErrorKind::TooLarge, message)
    }
}

/// Keeps in mind that a file's code is in the cache. If it no longer is, the engine compiles it.
fn remember(known: &Path, mark: &Path) {
    let marks = std::fs::read_dir(known).map_or(0, Iterator::count);
    if marks >= KNOWN_MAX {
        let _gone = std::fs::remove_dir_all(known);
    }
    let written = std::fs::create_dir_all(known).and_then(|()| std::fs::write(mark, b""));
    if let Err(error) = written {
        tracing::debug!(%error, "the next start will start a compiler again");
    }
}
