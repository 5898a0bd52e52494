//! A function whose parameter `mode` chooses how it behaves: `plain`, or one kind of nonsense.
//!
//! It uses the contract directly, without the SDK, so that it can answer what the SDK would never
//! let it. The code is empty on other targets than WebAssembly: there are no exports to test there.

#[cfg(target_family = "wasm")]
mod guest;
