//! `andon compile`, which the host calls on itself: compiling leaves memory behind and cannot be
//! interrupted, so a process of its own does it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use andon_wasm::{CompileError, Compiler, REFUSED};

/// Address space of a compiler: the largest component that is taken needs less than a quarter.
const MEMORY_BYTES: u64 = 4 << 30;

/// The program that runs, as a compiler; none if the system does not tell where it is.
pub(super) fn this_program() -> Option<Compiler> {
    // By this name the file is found even when another took its place meanwhile.
    let by_kernel = PathBuf::from("/proc/self/exe");
    let program = if by_kernel.exists() {
        Some(by_kernel)
    } else {
        std::env::current_exe().ok()
    };
    program.map(compiler)
}

fn compiler(program: PathBuf) -> Compiler {
    Compiler {
        program,
        arguments: vec!["compile".to_owned()],
        memory_bytes: MEMORY_BYTES,
    }
}

/// Compiles what comes on standard input.
pub(super) fn compile(folder: &Path) -> ExitCode {
    let bounds = compiler(PathBuf::new());
    match andon_wasm::fill_cache(folder, &bounds, std::io::stdin().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            match error {
                CompileError::Refused(_) => REFUSED.into(),
                CompileError::Engine(_) => ExitCode::FAILURE,
            }
        }
    }
}
