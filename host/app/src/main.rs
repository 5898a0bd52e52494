//! Andon: the alert host. This crate is the program: arguments, wiring, life cycle, clock.
//!
//! `engine/` is the one task through which everything goes, `workshop/` prepares what shall run,
//! `plugin_folder/` watches files, `commands/` is the command line. The stages themselves are
//! crates of their own beside this one.

mod arguments;
mod books;
mod clock;
mod commands;
mod engine;
mod host_view;
mod plugin_folder;
mod plugin_view;
mod recorder;
mod replay;
mod report;
mod surroundings;
mod tasks;
mod workshop;

use std::process::ExitCode;

use clap::Parser as _;

// musl's own allocator is slow.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    match commands::dispatch(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("andon: {error:#}");
            ExitCode::FAILURE
        }
    }
}
