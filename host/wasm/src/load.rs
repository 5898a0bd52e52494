//! From the bytes of a file to a checked component.
//!
//! The order is from cheap to dear: size, header, compile (or cache), imports and contract, link,
//! `describe`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use andon_model::{Component, Description, LoadError, LoadErrorKind, Loader, PluginKind};
use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::abi::Prepared;
use crate::compile::compile;
use crate::component::WasmComponent;
use crate::engine::{Shared, WasmEngine};
use crate::failure::{detail, size};
use crate::imports::{self, Refusal};
use crate::limits::{NAME_CHARS_MAX, PORTS_MAX};
use crate::text::clean;

/// How a binary begins: magic number and version 1, layer 0.
const CORE_MODULE: [u8; 8] = *b"\0asm\x01\0\0\0";

/// How a component begins: magic number, version 13, layer 1.
const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// Characters of a text for people in a description, and of the parser's words about it.
const SAID_CHARS: usize = 300;

#[async_trait]
impl Loader for WasmEngine {
    async fn load(&self, file: &str, bytes: Arc<[u8]>) -> Result<Arc<dyn Component>, LoadError> {
        match load(&self.shared, bytes).await {
            Ok(component) => Ok(Arc::new(component)),
            Err(Refusal { kind, message }) => Err(LoadError {
                file: file.to_owned(),
                kind,
                message,
            }),
        }
    }
}

async fn load(shared: &Arc<Shared>, bytes: Arc<[u8]>) -> Result<WasmComponent, Refusal> {
    check_header(&bytes, shared.settings.component_bytes_max)?;
    let hash = hexadecimal(&Sha256::digest(&bytes));
    let compiled = compile(shared, bytes, &hash).await?;
    let ty = compiled.component_type();
    let mut imports: Vec<String> = ty
        .imports(&shared.engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    imports.sort_unstable();
    let exports: Vec<String> = ty
        .exports(&shared.engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    let verdict = imports::judge(&imports, &exports)?;
    let prepared = Prepared::new(
        shared.linkers.of(verdict.kind),
        &compiled,
        verdict.contract,
        verdict.kind,
    )
    .map_err(|error| {
        Refusal::new(
            LoadErrorKind::WrongContract,
            format!(
                "its interfaces are not those of contract {}: rebuild it with an SDK for that \
                     contract ({})",
                verdict.version,
                detail(&error)
            ),
        )
    })?;
    let component = WasmComponent::new(Arc::clone(shared), prepared, verdict, hash, imports);
    describe(component).await
}

fn check_header(bytes: &[u8], bytes_max: usize) -> Result<(), Refusal> {
    if bytes.len() > bytes_max {
        let message = format!(
            "it has {} and the host takes at most {}: strip it (a release build, `wasm-tools \
             strip`)",
            size(bytes.len()),
            size(bytes_max)
        );
        return Err(Refusal::new(LoadErrorKind::TooLarge, message));
    }
    if bytes.starts_with(&COMPONENT) {
        return Ok(());
    }
    if bytes.starts_with(&CORE_MODULE) {
        return Err(Refusal::new(
            LoadErrorKind::NotAComponent,
            "it is a core module, not a component: `andon plugin build` makes components, also of a \
             module alone (`--module FILE --world rule-plugin`)",
        ));
    }
    let message = match bytes.len() {
        0 => "the file is empty: it may still be being written",
        1..8 if COMPONENT.starts_with(bytes) => {
            "the file ends within its header: copy it again, whole"
        }
        _ => "it is not WebAssembly: a plugin is a component in the binary format",
    };
    Err(Refusal::new(LoadErrorKind::Malformed, message))
}

/// Asks the component what it is, and checks the answer.
async fn describe(component: WasmComponent) -> Result<WasmComponent, Refusal> {
    let bad = |message: String| Refusal::new(LoadErrorKind::BadDescription, message);
    let json = component.describe().await?;
    let mut description: Description = serde_json::from_str(&json).map_err(|error| {
        // The parser quotes what it does not like, however long that is.
        let error = clean(error.to_string(), SAID_CHARS);
        bad(format!(
            "`describe` did not answer the JSON that the contract asks for: {error}"
        ))
    })?;
    check_description(&description, component.plugin_kind()).map_err(bad)?;
    clean_description(&mut description);
    Ok(component.with_description(description))
}

fn check_description(description: &Description, kind: PluginKind) -> Result<(), String> {
    if description.name.trim().is_empty() {
        return Err("`describe` gives no name".to_owned());
    }
    check_name(&description.name)?;
    let most = description.inputs.len().max(description.outputs.len());
    if most > PORTS_MAX {
        return Err(format!(
            "`describe` lists {most} inputs or outputs, and it may list {PORTS_MAX}: bind many \
             tags to one input"
        ));
    }
    let inputs = description.inputs.iter().map(|input| &input.name);
    let outputs = description.outputs.iter().map(|output| &output.name);
    check_names("input", inputs)?;
    check_names("output", outputs)?;
    if kind == PluginKind::Sink && !description.inputs.is_empty() {
        return Err(
            "`describe` lists inputs, but it is a sink: only rules and functions read tags"
                .to_owned(),
        );
    }
    match (kind, description.outputs.is_empty()) {
        (PluginKind::Rule | PluginKind::Sink, false) => Err(format!(
            "`describe` lists outputs, but it is a {kind}: only functions have them"
        )),
        (PluginKind::Function, true) => Err(
            "`describe` lists no output, but it is a function: list what it computes".to_owned(),
        ),
        _ => Ok(()),
    }
}

fn check_names<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.trim().is_empty() {
            return Err(format!("`describe` lists an {what} without a name"));
        }
        check_name(name)?;
        if !seen.insert(name) {
            return Err(format!("`describe` lists the {what} `{name}` twice"));
        }
    }
    Ok(())
}

/// A name stands in logs, on the page and in keys of settings.
fn check_name(name: &str) -> Result<(), String> {
    let shown = clean(name.to_owned(), NAME_CHARS_MAX);
    if shown == name {
        return Ok(());
    }
    Err(format!(
        "`describe` gives the name `{shown}`, which is longer than {NAME_CHARS_MAX} characters, \
         begins or ends with a space, or has control characters: give it a plain one"
    ))
}

/// Puts the texts for people right, as those of alarms are.
fn clean_description(description: &mut Description) {
    let clear = |text: &mut String| *text = clean(std::mem::take(text), SAID_CHARS);
    clear(&mut description.version);
    clear(&mut description.summary);
    for input in &mut description.inputs {
        clear(&mut input.summary);
    }
    for output in &mut description.outputs {
        clear(&mut output.summary);
        if let Some(unit) = output.unit.as_mut() {
            clear(unit);
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ok = write!(text, "{byte:02x}");
        text
    })
}
