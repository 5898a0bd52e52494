//! Embeds `sdk/`: writes a table of its files, path and bytes, for `src/languages.rs`.
//!
//! What tools leave behind (targets, installed packages, built components) is passed over, and a new
//! file below `sdk/` is noticed, which a macro that reads folders does not do.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Folders that tools make.
const MADE: [&str; 8] = [
    "target",
    "node_modules",
    "build",
    "dist",
    "__pycache__",
    ".zig-cache",
    "zig-out",
    ".venv",
];

fn main() -> io::Result<()> {
    let variable = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .ok_or_else(|| missing(name))
    };
    let sdk = variable("CARGO_MANIFEST_DIR")?
        .join("../../sdk")
        .canonicalize()?;
    println!("cargo::rerun-if-changed={}", sdk.display());
    let mut files = Vec::new();
    collect(&sdk, &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for file in &files {
        let inside = file
            .strip_prefix(&sdk)
            .unwrap_or(file)
            .to_string_lossy()
            .replace('\\', "/");
        let line = writeln!(
            table,
            "    ({inside:?}, include_bytes!({:?})),",
            file.display().to_string()
        );
        line.map_err(io::Error::other)?;
    }
    table.push_str("]\n");
    fs::write(variable("OUT_DIR")?.join("sdk.rs"), table)
}

fn missing(name: &str) -> io::Error {
    io::Error::other(format!("cargo did not set {name}"))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            if !MADE.iter().any(|made| name == *made) {
                collect(&entry.path(), files)?;
            }
        } else if entry.path().extension().is_none_or(|kind| kind != "wasm") {
            files.push(entry.path());
        }
    }
    Ok(())
}
