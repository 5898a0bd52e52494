//! From a core module to a component.
//!
//! Languages without component tools of their own make core modules. Such a module exports functions
//! by the names of the canonical ABI (`andon:plugin/rule@0.1.0#evaluate`); what is missing is the
//! types of the contract, which are embedded here, and an answer to its WASI imports, which is the
//! empty adapter beside this file.

use serde::Deserialize;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::imports::UnreadableImports;

/// The contract.
const CONTRACT: &str = include_str!("../../../wit/plugin.wit");

/// What a sink may have beside it, in the order in which one builds on the other; the world is in the
/// last.
const SINK: [(&str, &str); 3] = [
    ("io.wit", include_str!("../../../wit/sink/deps/io.wit")),
    ("http.wit", include_str!("../../../wit/sink/deps/http.wit")),
    ("sink.wit", include_str!("../../../wit/sink/sink.wit")),
];

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
    /// A sink: exports `plugin` and `sink`, and may import WASI's outgoing HTTP.
    SinkPlugin,
}

impl World {
    /// All worlds.
    pub const ALL: [Self; 3] = [Self::RulePlugin, Self::FunctionPlugin, Self::SinkPlugin];

    /// Its name in the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RulePlugin => "rule-plugin",
            Self::FunctionPlugin => "function-plugin",
            Self::SinkPlugin => "sink-plugin",
        }
    }
}

/// Why no component came of a file.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// The bytes are neither a core module nor a component.
    #[error("it is not WebAssembly: expected a core module or a component in the binary format")]
    NotWasm,
    /// The file ends within a section.
    #[error("the core module is cut off or damaged: build it anew, or copy it again, whole")]
    CutOff,
    /// A core module says nothing of its types, and no world was named.
    #[error(
        "it is a core module without component types: say which world it is made for, \
         `rule-plugin`, `function-plugin` or `sink-plugin` (`world` below [build], or --world)"
    )]
    NoWorld,
    /// Its imports were to get other names.
    #[error(transparent)]
    Imports(#[from] UnreadableImports),
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
    let sections = module
        .strip_prefix(CORE_MODULE)
        .ok_or(ComponentError::NotWasm)?;
    check_sections(sections)?;
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

/// Whether each section ends within the file: the reader of component types takes that for granted.
fn check_sections(mut rest: &[u8]) -> Result<(), ComponentError> {
    // Each turn takes at least two bytes away.
    while let Some((_id, body)) = rest.split_first() {
        let (length, body) = length(body).ok_or(ComponentError::CutOff)?;
        rest = body.get(length..).ok_or(ComponentError::CutOff)?;
    }
    Ok(())
}

/// A length in LEB128, of at most 32 bits, and what follows it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0_u64;
    for (place, byte) in bytes.iter().enumerate().take(5) {
        length |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let length = usize::try_from(u32::try_from(length).ok()?).ok()?;
            return Some((length, bytes.get(place + 1..)?));
        }
    }
    None
}

/// Appends the custom section that says which world the module is made for.
fn embed_types(module: &mut Vec<u8>, world: World) -> Result<(), ComponentError> {
    let mut resolve = Resolve::default();
    let mut package = resolve.push_str("plugin.wit", CONTRACT).map_err(unfit)?;
    if world == World::SinkPlugin {
        for (file, text) in SINK {
            package = resolve.push_str(file, text).map_err(unfit)?;
        }
    }
    let id = resolve
        .select_world(&[package], Some(world.name()))
        .map_err(unfit)?;
    embed_component_metadata(module, &resolve, id, StringEncoding::UTF8).map_err(unfit)
}

/// The alternate form prints the causes too, and the last of them names the function.
fn unfit(error: impl std::fmt::Display) -> ComponentError {
    ComponentError::Unfit(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The module that the tests of the program build.
    const MODULE: &str = include_str!("../../app/tests/whole/fixtures/wasi-rule.wat");

    fn module() -> Vec<u8> {
        wat::parse_str(MODULE).expect("the fixture is a module")
    }

    #[test]
    fn a_component_is_taken_as_it_is() {
        let component = componentize(&module(), Some(World::RulePlugin)).expect("a component");
        assert_eq!(componentize(&component, None).expect("the same"), component);
    }

    #[test]
    fn the_same_module_gives_the_same_component() {
        let made = || componentize(&module(), Some(World::RulePlugin)).expect("a component");
        assert_eq!(made(), made());
    }

    #[test]
    fn a_module_without_imports_can_be_made_for_each_world() {
        for world in World::ALL {
            let mut module = wat::parse_str("(module)").expect("a module");
            embed_types(&mut module, world).expect("the world is there");
            let (_, typed) = wit_component::metadata::decode(&module).expect("types");
            let found = typed.resolve.worlds.iter();
            assert!(
                found.into_iter().any(|(_, each)| each.name == world.name()),
                "{world:?}"
            );
        }
    }

    #[test]
    fn a_module_that_is_cut_off_or_damaged_is_refused_and_never_a_panic() {
        let whole = module();
        let half = whole.get(..whole.len() / 2).unwrap_or_default();
        let refused = componentize(half, Some(World::RulePlugin));
        assert!(matches!(refused, Err(ComponentError::CutOff)));
        // Where a section ends, the rest of them may not be needed; and damaged data or names may still
        // make a component. Only that there is an answer is looked at.
        for end in 0..whole.len() {
            let part = whole.get(..end).unwrap_or_default();
            drop(componentize(part, Some(World::RulePlugin)));
        }
        for place in 8..whole.len() {
            let mut damaged = whole.clone();
            for byte in damaged.iter_mut().skip(place).take(1) {
                *byte ^= 0x55;
            }
            drop(componentize(&damaged, Some(World::RulePlugin)));
        }
    }
}
