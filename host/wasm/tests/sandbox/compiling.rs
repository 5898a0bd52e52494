//! Compiling in a process of its own: what it leaves, and what happens when it fails.

use std::path::{Path, PathBuf};
use std::time::Duration;

use andon_model::{LoadErrorKind, Loader as _};
use andon_wasm::{CompileError, Compiler, EngineSettings, REFUSED, WasmEngine, fill_cache};

use crate::guests::{bytes, engine_with};
use crate::refusals::refused;

/// No test: the process that the tests below start. Its last argument is the folder.
#[test]
fn compiler() {
    let folder = std::env::args().next_back().map(PathBuf::from);
    let Some(folder) = folder.filter(|folder| folder.join(".is-cache").exists()) else {
        return;
    };
    let bounds = this_program(4 << 30);
    let code = match fill_cache(&folder, &bounds, std::io::stdin().lock()) {
        Ok(()) => 0,
        Err(CompileError::Refused(why)) => {
            eprintln!("{why}");
            REFUSED.into()
        }
        Err(_) => 1,
    };
    std::process::exit(code);
}

pub(crate) fn this_program(memory_bytes: u64) -> Compiler {
    Compiler {
        program: std::env::current_exe().expect("a program"),
        arguments: ["--quiet", "--nocapture", "--exact", "compiling::compiler"]
            .map(str::to_owned)
            .to_vec(),
        memory_bytes,
    }
}

fn shell(script: &str) -> Compiler {
    Compiler {
        program: "/bin/sh".into(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        memory_bytes: 1 << 30,
    }
}

pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(".is-cache"), b"").expect("it is writable");
    folder
}

fn engine(folder: &Path, compiler: Compiler) -> WasmEngine {
    engine_with(EngineSettings {
        cache_folder: Some(folder.to_owned()),
        compiler: Some(compiler),
        ..EngineSettings::default()
    })
}

#[tokio::test]
async fn another_process_compiles_and_this_one_only_loads() {
    let folder = folder();
    let engine = engine(folder.path(), this_program(4 << 30));
    for loads in 1..3 {
        let loaded = engine.load("f", bytes("hostile-function")).await;
        assert_eq!(
            loaded.expect("it loads").description().name,
            "hostile-function"
        );
        let counts = engine.cache_counts();
        assert_eq!((counts.hits, counts.misses), (loads, 0));
    }
}

#[tokio::test]
async fn a_file_that_another_process_refuses_is_refused_with_its_words() {
    let folder = folder();
    let engine = engine(folder.path(), this_program(4 << 30));
    let file = bytes("hostile-function");
    let half = file.get(..file.len() / 2).expect("a half").into();
    refused(
        engine.load("f", half).await,
        LoadErrorKind::Malformed,
        "damaged, cut off",
    );
}

#[tokio::test]
async fn without_another_process_this_one_compiles() {
    for compiler in [
        shell("exit 1"),
        Compiler {
            program: "/no/such/program".into(),
            ..shell("")
        },
    ] {
        let folder = folder();
        let engine = engine(folder.path(), compiler);
        let loaded = engine.load("f", bytes("hostile-function")).await;
        loaded.expect("it loads");
        assert_eq!(engine.cache_counts().misses, 1);
    }
}

#[tokio::test]
async fn a_file_whose_compiler_is_killed_is_refused() {
    let folder = folder();
    let engine = engine(folder.path(), shell("kill -9 $$"));
    refused(
        engine.load("f", bytes("hostile-function")).await,
        LoadErrorKind::TooLarge,
        "needs more than 1024 MiB of memory",
    );
}

#[tokio::test]
async fn a_compiler_that_takes_too_long_is_killed() {
    let folder = folder();
    let alive = folder.path().join("pid");
    let script = format!("echo $$ > {}; exec sleep 1000", alive.display());
    let engine = engine_with(EngineSettings {
        cache_folder: Some(folder.path().to_owned()),
        compiler: Some(shell(&script)),
        compile_time: Duration::from_millis(500),
        ..EngineSettings::default()
    });
    refused(
        engine.load("f", bytes("hostile-function")).await,
        LoadErrorKind::TooSlow,
        "allow more time",
    );
    let pid = std::fs::read_to_string(alive).expect("it ran");
    let process = format!("/proc/{}/cmdline", pid.trim());
    // A killed process has no command line any more, whether or not it was waited for.
    while std::fs::read(&process).is_ok_and(|line| !line.is_empty()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_cache_that_is_too_large_loses_what_was_not_used_for_longest() {
    let folder = folder();
    let settings = EngineSettings {
        cache_folder: Some(folder.path().to_owned()),
        compiler: Some(this_program(4 << 30)),
        cache_bytes_max: 1,
        ..EngineSettings::default()
    };
    let engine = engine_with(settings);
    engine
        .load("f", bytes("hostile-function"))
        .await
        .expect("it loads all the same");
    assert_eq!(engine.cache_counts().misses, 1, "the code was removed");
}
