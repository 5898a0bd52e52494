//! `cargo xtask`: everything that a developer or CI runs, as one program that installs what it
//! needs. Kept small: it must build in seconds on a fresh machine.

mod bench;
mod container_engine;
mod counterparts;
mod demo;
mod fuzz;
mod glue;
mod goldens;
mod guests;
mod image;
mod languages;
mod layers;
mod process;
mod test;
mod tidy;
mod web;
mod workspace;

use clap::{Parser, Subcommand};

/// Tasks of the Andon workspace.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Show the product: a simulated plant and phones around the real `andon`.
    Demo {
        /// Do one round by itself and end with 0, or say what failed.
        #[arg(long)]
        once: bool,
    },
    /// Build the guests and run every test.
    Test,
    /// Build the plugins and test guests into `target/guests`.
    Guests,
    /// Measure what the project promises; prints ratios and medians.
    Bench,
    /// Try the same rule in every language, from a new project to an SMS.
    Languages {
        /// Folders of sdk/; all of them where none is named.
        names: Vec<String>,
    },
    /// Hand the sandbox files and answers made at random, and keep what is found in
    /// `tests/fuzz/corpus`.
    Fuzz {
        /// How long.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Check sizes of files, layers between crates and other rules of the tree.
    Tidy,
    /// Build the container image and try it, where the machine can.
    Image,
    /// Write generated files anew; with `--check`, only say whether they are up to date.
    Goldens {
        /// Change nothing; fail if something would change.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Demo { once } => demo::run(once),
        Task::Test => test::run(),
        Task::Guests => guests::build().map(|_| ()),
        Task::Bench => bench::run(),
        Task::Languages { names } => languages::run(&names),
        Task::Fuzz { seconds } => fuzz::run(seconds),
        Task::Tidy => tidy::run(),
        Task::Image => image::run(),
        Task::Goldens { check } => goldens::run(check),
    }
}
