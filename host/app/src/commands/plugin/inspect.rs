//! `andon plugin inspect`: what a component says of itself, or why it is refused.

use std::path::Path;
use std::process::ExitCode;

use andon_model::{Component, InputPort, OutputPort};
use anyhow::Context as _;
use serde_json::json;

use super::{engine, load, origin, print, small_runtime};

pub(super) fn inspect(file: &Path, key: Option<&str>, as_json: bool) -> anyhow::Result<ExitCode> {
    // First: a component that is refused below has a hash and a signature all the same.
    let origin = origin::of(file, key)?;
    if !as_json {
        print(origin.to_string());
    }
    let component = small_runtime()?.block_on(load(&engine()?, file))?;
    let bytes = file
        .metadata()
        .with_context(|| format!("look at {}", file.display()))?
        .len();
    if as_json {
        print(json!({
            "kind": component.kind(), "contract": component.contract_version(), "hash": component.hash(),
            "bytes": bytes, "imports": component.imports(), "description": component.description(),
            "signature": origin.signature,
        }).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    print(headline(component.as_ref()));
    print(format!(
        "contract {}, {}",
        component.contract_version(),
        size(bytes)
    ));
    let about = component.description();
    about.inputs.iter().map(input).for_each(print);
    about.outputs.iter().map(output).for_each(print);
    print(format!(
        "parameters: {}",
        serde_json::to_string_pretty(&about.parameters)?
    ));
    print(format!("imports: {}", component.imports().join(", ")));
    Ok(ExitCode::SUCCESS)
}

/// Kind, name, version and summary, in one line.
pub(super) fn headline(component: &dyn Component) -> String {
    let about = component.description();
    format!(
        "{} {} {}: {}",
        component.kind(),
        about.name,
        about.version,
        about.summary
    )
}

/// A number of bytes as people read it.
pub(super) fn size(bytes: u64) -> String {
    if bytes < 10_000 {
        format!("{bytes} bytes")
    } else if bytes < 10_000_000 {
        format!("{} KB", bytes / 1000)
    } else {
        format!("{} MB", bytes / 1_000_000)
    }
}

fn input(port: &InputPort) -> String {
    let many = if port.many { ", any number" } else { "" };
    let optional = if port.optional { ", optional" } else { "" };
    let default = port
        .default
        .as_ref()
        .map_or_else(String::new, |pattern| format!(", default `{pattern}`"));
    format!(
        "input  {} ({}{many}{optional}{default}): {}",
        port.name, port.port_type, port.summary
    )
}

fn output(port: &OutputPort) -> String {
    format!(
        "output {} ({}): {}",
        port.name, port.port_type, port.summary
    )
}
