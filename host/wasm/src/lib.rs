//! The only crate that knows wasmtime: engine, bounds, loading, calling.
//!
//! [`WasmEngine`] implements `andon_model::Loader`: it turns the bytes of a file into a checked
//! `Component`, which makes `Guest`s. What a guest may touch, and every bound on it, is decided
//! here and nowhere else:
//!
//! | module | what it owns |
//! |---|---|
//! | `engine` | the one wasmtime engine, its settings, the linker that all guests share |
//! | `ticker` | the thread that moves the epoch on, so that an endless loop can be stopped |
//! | `compile` | from bytes to code, in a process of its own |
//! | `cache` | compiled code on disk, by content hash, in a private folder of bounded size |
//! | `load` | from bytes to a component, with a sentence for each refusal |
//! | `imports` | which imports are let in, and which contract a component speaks |
//! | `component`, `guest`, `sink_guest` | instances: start, call, what is kept and what is discarded |
//! | `deadline` | the time of a call, also while the guest waits in a host call |
//! | `limits` | memory, tables, and all other numbers |
//! | `host`, `state`, `log`, `wasi`, `outgoing` | what a guest can reach |
//! | `text` | cleaning of what a guest says |
//! | `failure` | from an engine's error to a sentence for people |
//! | `abi` | the bindings, one folder for each version of the contract |
//!
//! The crate knows nothing of files in the plugins folder, of swapping or of strikes: that is the
//! stage `plugins`, which sees it through the traits of the model.

mod abi;
mod cache;
mod compile;
mod component;
mod deadline;
mod engine;
mod failure;
mod guest;
mod host;
mod imports;
mod limits;
mod load;
mod log;
mod outgoing;
mod sink_guest;
mod state;
mod text;
mod ticker;
mod wasi;

pub use cache::CacheCounts;
pub use compile::{CompileError, Compiler, REFUSED, fill_cache};
pub use engine::{EngineError, EngineSettings, WasmEngine};
