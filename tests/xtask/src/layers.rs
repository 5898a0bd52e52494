//! Which crate of the host may depend on which, and who alone may name what.
//!
//! Cargo refuses circles, not shortcuts; this refuses those. ARCHITECTURE.md explains the layers.

use cargo_metadata::DependencyKind;

use crate::tidy::each_file;
use crate::workspace::Workspace;

/// A crate and the crates of ours that it may depend on.
const LAYERS: [(&str, &[&str]); 17] = [
    ("andon-model", &[]),
    ("andon-tags", &["andon-model"]),
    ("andon-plugins", &["andon-model"]),
    ("andon-wasm", &["andon-model"]),
    ("andon-alarms", &["andon-model"]),
    ("andon-routing", &["andon-model"]),
    ("andon-kpi", &["andon-model"]),
    ("andon-store", &["andon-model"]),
    ("andon-sinks", &["andon-model"]),
    ("andon-web", &["andon-model"]),
    ("andon-toolchain", &[]),
    ("andon-recording", &["andon-model"]),
    ("andon-provenance", &["andon-model"]),
    // Reads the settings types of the stages, so it stands above those that have any.
    (
        "andon-config",
        &[
            "andon-model",
            "andon-tags",
            "andon-alarms",
            "andon-sinks",
            "andon-routing",
            "andon-kpi",
            "andon-provenance",
            "andon-web",
        ],
    ),
    ("andon-plugin", &[]),
    ("plant-simulator", &[]),
    ("phone-simulator", &[]),
];

/// An outside crate and the only crates of the host that may depend on it. Tests and simulators
/// are free.
const OWNERS: [(&str, &[&str]); 11] = [
    ("wasmtime", &["andon-wasm"]),
    ("wasmtime-wasi", &["andon-wasm"]),
    ("wasmtime-wasi-http", &["andon-wasm"]),
    ("wit-component", &["andon-toolchain"]),
    ("oci-client", &["andon-provenance"]),
    ("rusqlite", &["andon-store"]),
    ("tokio-modbus", &["andon-tags"]),
    ("rusmpp", &["andon-sinks"]),
    ("reqwest", &["andon-sinks", "andon-provenance"]),
    ("axum", &["andon-web"]),
    ("notify", &["andon"]),
];

/// Crates that decide and never do: no runtime, socket, file or randomness.
const PURE: [&str; 5] = [
    "andon-model",
    "andon-plugins",
    "andon-alarms",
    "andon-routing",
    "andon-kpi",
];
const IMPURE: [&str; 8] = [
    "tokio", "reqwest", "rusqlite", "rand", "notify", "axum", "tracing", "hyper",
];

/// Every breach of the layers.
pub(crate) fn breaches(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let mut breaches = Vec::new();
    for package in workspace.packages() {
        let name = package.name.as_str();
        let host = workspace.folder(package).starts_with("host");
        let needs: Vec<&str> = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Normal)
            .map(|dependency| dependency.name.as_str())
            .collect();
        let ours = needs.iter().filter(|need| need.starts_with("andon"));
        if let Some((_, allowed)) = LAYERS.iter().find(|(of, _)| *of == name) {
            breaches.extend(
                ours.filter(|need| !allowed.contains(need))
                    .map(|need| format!("{name} may not depend on {need}")),
            );
        } else if host && name != "andon" {
            breaches.push(format!("{name} has no place in the layers: give it one in tests/xtask/src/layers.rs and ARCHITECTURE.md"));
        }
        for (outside, owners) in OWNERS {
            if host && needs.contains(&outside) && !owners.contains(&name) {
                breaches.push(format!(
                    "{name} may not depend on {outside}: only {} may",
                    owners.join(", ")
                ));
            }
        }
        if PURE.contains(&name) {
            breaches.extend(
                needs
                    .iter()
                    .filter(|need| IMPURE.contains(need))
                    .map(|need| format!("{name} is pure and may not depend on {need}")),
            );
        }
    }
    breaches.extend(providers_leave_their_folder(workspace)?);
    Ok(breaches)
}

/// Each provider's protocol is named in one folder of `sinks`; the settings enum joins them.
fn providers_leave_their_folder(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let sinks = workspace.root().join("host/sinks/src");
    let courier = sinks.join("courier");
    let mut breaches = Vec::new();
    each_file(&courier, &mut |file| {
        let text = std::fs::read_to_string(file)?.to_ascii_lowercase();
        for provider in ["twilio", "smpp", "rusmpp"] {
            if text.contains(provider) {
                breaches.push(format!(
                    "{} names {provider}: a provider's protocol stays in its own folder",
                    file.display()
                ));
            }
        }
        Ok(())
    })?;
    Ok(breaches)
}
