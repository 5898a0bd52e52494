//! The only crate that knows wasmtime: engine, limits, loading, swapping.
