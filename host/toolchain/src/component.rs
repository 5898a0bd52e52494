//! From a core module to a component.
//!
//! Languages without component tools of their own make core modules. Such a module exports functions
//! by the names of the canonical ABI (`andon:plugin/rule@0.1.0#evaluate`); what is missing is the
//! types of the contract, which are embedded here, and an answer to its WASI imports, which is the
//! empty adapter beside this file.

use serde::Deserialize;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The contract.
const CONTRACT: &str = include_str!("../../../wit/plugin.wit");

/// What stands in for WASI preview 1.
const ADAPTER: &str = include_str!("preview1.wat");

/// The module of WASI preview 1, as its imports name it.
const PREVIEW1: &str = "wasi_snapshot_preview1";

/// How a core module begins: magic number and version 1, layer 0.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// How a component begins: magic number, version 13, layer 1.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// A world of the contract: what a component imports and exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// A rule: exports `plugin` and `rule`.
    RulePlugin,
    /// A function: exports `plugin` and `function`.
    FunctionPlugin,
}

impl World {
    /// All worlds.
    pub const ALL: [Self; 2] = [Self::RulePlugin, Self::FunctionPlugin];

    /// Its name in the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RulePlugin => "rule-plugin",
            Self::FunctionPlugin => "function-plugin",
        }
    }
}

/// Why no component came of a file.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// The bytes are neither a core module nor a component.
    #[error("it is not WebAssembly: expected a core module or a component in the binary format")]
    NotWasm,
    /// A core module says nothing of its types, and no world was named.
    #[error(
        "it is a core module without component types: say which world it is made for, \
         `rule-plugin` or `function-plugin` (`world` below [build], or --world)"
    )]
    NoWorld,
    /// The module is not what the world asks for.
    #[error(
        "the core module does not fit the contract: {0}\nit must export the functions of its world \
         by their full names (`andon:plugin/plugin@0.1.0#describe`), a memory and `cabi_realloc`, \
         and import nothing but the contract and {PREVIEW1}"
    )]
    Unfit(String),
}

/// Makes a component of a core module; a component is given back as it is.
///
/// The world is needed only if the module does not hold component types, as those that bindings of
/// `wit-bindgen` were compiled into do. WASI preview 1 is answered by the empty adapter, so no WASI
/// import is left.
///
/// # Errors
/// The bytes are no WebAssembly, the world is missing, or the module does not fit it.
pub fn componentize(module: &[u8], world: Option<World>) -> Result<Vec<u8>, ComponentError> {
    if module.starts_with(COMPONENT) {
        return Ok(module.to_vec());
    }
    if !module.starts_with(CORE_MODULE) {
        return Err(ComponentError::NotWasm);
    }
    let (typed, _) = wit_component::metadata::decode(module).map_err(unfit)?;
    let mut module = module.to_vec();
    if typed.is_none() {
        embed_types(&mut module, world.ok_or(ComponentError::NoWorld)?)?;
    }
    let adapter = wat::parse_str(ADAPTER).map_err(unfit)?;
    ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.adapter(PREVIEW1, &adapter))
        .map_err(unfit)?
        .validate(true)
        .encode()
        .map_err(unfit)
}

/// Appends the custom section that says which world the module is made for.
fn embed_types(module: &mut Vec<u8>, world: World) -> Result<(), ComponentError> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("plugin.wit", CONTRACT).map_err(unfit)?;
    let id = resolve
        .select_world(&[package], Some(world.name()))
        .map_err(unfit)?;
    embed_component_metadata(module, &resolve, id, StringEncoding::UTF8).map_err(unfit)
}

/// The alternate form prints the causes too, and the last of them names the function.
fn unfit(error: impl std::fmt::Display) -> ComponentError {
    ComponentError::Unfit(format!("{error:#}"))
}
