//! `cargo xtask tidy`: rules of the tree that the compiler does not know.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::layers;
use crate::process::say;
use crate::workspace::Workspace;

/// Longest source file, lines.
const LINES_MAX: usize = 600;

/// Says every breach at once and fails if there is one.
pub(crate) fn run() -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let root = workspace.root();
    let mut breaches = layers::breaches(&workspace)?;
    for folder in ["host", "sdk", "plugins", "examples", "tests", "wit"] {
        each_file(&root.join(folder), &mut |file| {
            if file.extension().is_some_and(|kind| kind == "rs") {
                breaches.extend(check_source(root, file)?);
            }
            Ok(())
        })?;
    }
    breaches.extend(unnamed_guests(root)?);
    breaches.extend(edited_releases(root)?);
    if breaches.is_empty() {
        say("tidy");
        return Ok(());
    }
    for breach in &breaches {
        say(breach);
    }
    bail!("{} things are untidy", breaches.len())
}

/// Every file below a folder, in order; folders named `target` and hidden ones are passed over.
pub(crate) fn each_file(
    folder: &Path,
    each: &mut dyn FnMut(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut entries: Vec<PathBuf> = folder
        .read_dir()
        .with_context(|| format!("list {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            each_file(&path, each)?;
        } else if path.is_file() {
            each(&path)?;
        }
    }
    Ok(())
}

fn check_source(root: &Path, file: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    let shown = file.strip_prefix(root).unwrap_or(file).display();
    let mut breaches = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        breaches.push(format!(
            "{shown} has {lines} lines; a file ends at {LINES_MAX}: a concept in it wants a name"
        ));
    }
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("");
    if !first.starts_with("//!") && !first.starts_with("#!") {
        breaches.push(format!(
            "{shown} does not start with what it owns (`//! …`)"
        ));
    }
    let words = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["todo", "!("].concat(),
        ["unimplemented", "!("].concat(),
    ];
    for (number, line) in text.lines().enumerate() {
        if words.iter().any(|word| line.contains(word.as_str())) {
            breaches.push(format!(
                "{shown}:{}: unfinished work does not land",
                number + 1
            ));
        }
    }
    Ok(breaches)
}

/// Every guest crate under `tests/guests` is named in a test.
fn unnamed_guests(root: &Path) -> anyhow::Result<Vec<String>> {
    let guests = root.join("tests/guests");
    let mut tests = String::new();
    for folder in ["host", "tests"] {
        each_file(&root.join(folder), &mut |file| {
            let in_tests = file.components().any(|part| part.as_os_str() == "tests")
                && !file.starts_with(&guests);
            if in_tests && file.extension().is_some_and(|kind| kind == "rs") {
                tests.push_str(&std::fs::read_to_string(file)?);
            }
            Ok(())
        })?;
    }
    let mut breaches = Vec::new();
    for guest in guests.read_dir().context("list tests/guests")? {
        let guest = guest?;
        let name = guest.file_name().to_string_lossy().into_owned();
        if guest.path().join("Cargo.toml").is_file() && !tests.contains(&name) {
            breaches.push(format!("the guest tests/guests/{name} is named in no test"));
        }
    }
    Ok(breaches)
}

/// A released contract is frozen: each file of it has the hash that was written down with it.
fn edited_releases(root: &Path) -> anyhow::Result<Vec<String>> {
    let released = root.join("wit/released");
    let mut breaches = Vec::new();
    if !released.is_dir() {
        return Ok(breaches);
    }
    for version in released.read_dir()? {
        let folder = version?.path();
        if !folder.is_dir() {
            continue;
        }
        let frozen = folder.join("plugin.wit");
        let text = std::fs::read(&frozen).with_context(|| format!("read {}", frozen.display()))?;
        let written = std::fs::read_to_string(folder.join("plugin.wit.hash")).unwrap_or_default();
        let hash = format!("{:016x}", fnv1a(&text));
        if written.trim() != hash {
            breaches.push(format!("{} was edited (its hash is {hash}): a released contract is frozen, make a new version", frozen.display()));
        }
    }
    Ok(breaches)
}

/// FNV-1a, 64 bit: enough to see an edit, and no dependency.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
