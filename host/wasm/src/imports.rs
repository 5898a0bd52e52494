//! Which imports are let in, and which contract a component speaks. Pure: names in, verdict out.
//!
//! Let in are the host interfaces of the contract and the WASI 0.2 interfaces that the standard
//! libraries of languages import; these are linked empty (see `wasi`). Anything else is refused by
//! name. Unknown *exports* are let pass: the tools of some languages add their own.

use andon_model::{LoadErrorKind, PluginKind};

use crate::abi::{self, Contract};
use crate::limits::{IMPORTS_MAX, NAME_CHARS_MAX};
use crate::text::clean;

/// WASI 0.2 interfaces that are linked.
const WASI: [&str; 27] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// What a sink may import beside these.
const HTTP: [&str; 2] = ["wasi:http/outgoing-handler", "wasi:http/types"];

/// The package of the contract.
const PACKAGE: &str = "andon:plugin/";

/// Why a component is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) kind: LoadErrorKind,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(kind: LoadErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

/// What a component turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) kind: PluginKind,
    pub(crate) contract: Contract,
    /// The version as the component names it: `0.1.0`.
    pub(crate) version: String,
}

/// Judges a component by the names of its imports and exports.
pub(crate) fn judge(imports: &[String], exports: &[String]) -> Result<Verdict, Refusal> {
    if imports.len() > IMPORTS_MAX {
        return Err(Refusal::new(
            LoadErrorKind::ForbiddenImport,
            format!(
                "it imports {} things, and a plugin may import {IMPORTS_MAX}: build it with an \
                 Andon SDK",
                imports.len()
            ),
        ));
    }
    let ours = || imports.iter().chain(exports);
    for (_, version) in ours().filter_map(|name| contract_name(name)) {
        if abi::spoken(version).is_none() {
            return Err(wrong_version(version));
        }
    }
    let exported = |interface: &str| {
        exports
            .iter()
            .filter_map(|name| contract_name(name))
            .find(|(name, _)| *name == interface)
            .map(|(_, version)| version.to_owned())
    };
    let reach = match exported("sink") {
        Some(_) => Reach::Sink,
        None => Reach::Logic,
    };
    if let Some(refusal) = imports.iter().find_map(|name| forbidden(name, reach)) {
        return Err(refusal);
    }
    let Some(version) = exported("plugin") else {
        return Err(not_a_plugin("`andon:plugin/plugin`"));
    };
    let kinds: Vec<PluginKind> = [PluginKind::Rule, PluginKind::Function, PluginKind::Sink]
        .into_iter()
        .filter(|kind| exported(&kind.to_string()).is_some())
        .collect();
    let kind = match kinds.as_slice() {
        [one] => *one,
        [] => {
            return Err(not_a_plugin(
                "`andon:plugin/rule`, `andon:plugin/function` or `andon:plugin/sink`",
            ));
        }
        [first, second, ..] => {
            return Err(Refusal::new(
                LoadErrorKind::WrongContract,
                format!("it exports both a {first} and a {second}: make two components of it"),
            ));
        }
    };
    let contract = abi::spoken(&version).ok_or_else(|| wrong_version(&version))?;
    Ok(Verdict {
        kind,
        contract,
        version,
    })
}

/// Interface and version of a name of the contract: `andon:plugin/rule@0.1.0`.
fn contract_name(name: &str) -> Option<(&str, &str)> {
    let name = name.strip_prefix(PACKAGE)?;
    Some(name.split_once('@').unwrap_or((name, "none")))
}

/// What a component may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// A rule or a function: its inputs, its state, its timer and its log.
    Logic,
    /// A sink: its log, and HTTP as its settings allow.
    Sink,
}

fn forbidden(import: &str, reach: Reach) -> Option<Refusal> {
    if let Some((interface, version)) = contract_name(import) {
        if reach == Reach::Sink
            && abi::HOST_INTERFACES.contains(&interface)
            && !abi::SINK_INTERFACES.contains(&interface)
        {
            return Some(Refusal::new(
                LoadErrorKind::ForbiddenImport,
                format!(
                    "it imports `{import}`, which a sink may not have: it has its one message, \
                     `log` and HTTP; remove what needs this import"
                ),
            ));
        }
        return (!abi::HOST_INTERFACES.contains(&interface)).then(|| {
            Refusal::new(
                LoadErrorKind::ForbiddenImport,
                format!(
                    "it imports `{}`, which this host does not have: update Andon to one that \
                     speaks contract {}",
                    shown(import),
                    shown(version)
                ),
            )
        });
    }
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    let http = HTTP.contains(&interface);
    let linked = WASI.contains(&interface) || (http && reach == Reach::Sink);
    if linked && version.starts_with("0.2.") {
        return None;
    }
    let advice = if linked {
        "only WASI 0.2 is linked: build it for `wasm32-wasip2` or another WASI 0.2 target"
    } else if http {
        "only a sink may use HTTP: a rule or a function names labels, and the host knows how to \
         reach people"
    } else if reach == Reach::Sink {
        "a sink has its one message, `log` and `wasi:http/outgoing-handler`, and nothing else: \
         remove what needs this import"
    } else {
        "a plugin has its arguments, `tags`, `state`, `timer` and `log`, and nothing else: remove \
         what needs this import"
    };
    Some(Refusal::new(
        LoadErrorKind::ForbiddenImport,
        format!(
            "it imports `{}`, which plugins may not have; {advice}",
            shown(import)
        ),
    ))
}

/// A name of the file, as long as a sentence can bear.
fn shown(name: &str) -> String {
    clean(name.to_owned(), NAME_CHARS_MAX)
}

fn wrong_version(version: &str) -> Refusal {
    Refusal::new(
        LoadErrorKind::WrongContract,
        format!(
            "it is built for version {} of the contract `andon:plugin`, and this host speaks {}: \
             rebuild it with an SDK of that version, or update Andon",
            shown(version),
            abi::SPOKEN
        ),
    )
}

fn not_a_plugin(missing: &str) -> Refusal {
    Refusal::new(
        LoadErrorKind::WrongContract,
        format!(
            "it is a component but no Andon plugin, because it does not export {missing}: build \
             it with an Andon SDK for contract {}",
            abi::SPOKEN
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(imports: &[&str], exports: &[&str]) -> Result<Verdict, Refusal> {
        let owned = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        judge(&owned(imports), &owned(exports))
    }

    const RULE: [&str; 2] = ["andon:plugin/plugin@0.1.0", "andon:plugin/rule@0.1.0"];

    fn refused(imports: &[&str], exports: &[&str]) -> (LoadErrorKind, String) {
        let refusal = judged(imports, exports).expect_err("it is refused");
        (refusal.kind, refusal.message)
    }

    #[test]
    fn a_rule_with_the_usual_imports_is_let_in() {
        let imports = ["andon:plugin/types@0.1.0", "wasi:io/poll@0.2.6"];
        let exports = [RULE[0], RULE[1], "init"];
        let verdict = judged(&imports, &exports).expect("it is let in");
        assert_eq!(verdict.kind, PluginKind::Rule);
        assert_eq!(verdict.version, "0.1.0");
    }

    #[test]
    fn a_later_patch_of_the_same_contract_is_let_in() {
        let exports = ["andon:plugin/plugin@0.1.3", "andon:plugin/function@0.1.3"];
        let verdict = judged(&[], &exports).expect("it is let in");
        assert_eq!(verdict.kind, PluginKind::Function);
    }

    #[test]
    fn another_contract_is_named_with_what_to_rebuild() {
        let exports = ["andon:plugin/plugin@0.2.0", "andon:plugin/rule@0.2.0"];
        let (kind, message) = refused(&[], &exports);
        assert_eq!(kind, LoadErrorKind::WrongContract);
        assert!(message.contains("0.2.0") && message.contains("speaks 0.1"));
        let (kind, _) = refused(&["andon:plugin/log@1.0.0"], &RULE);
        assert_eq!(kind, LoadErrorKind::WrongContract);
        let (kind, _) = refused(&["andon:plugin/log"], &RULE);
        assert_eq!(kind, LoadErrorKind::WrongContract);
    }

    #[test]
    fn other_imports_are_refused_by_name() {
        for import in [
            "wasi:http/outgoing-handler@0.2.0",
            "wasi:io/poll@0.3.0",
            "wasi:io/poll",
            "andon:plugin/network@0.1.9",
            "something",
        ] {
            let (kind, message) = refused(&[import], &RULE);
            assert_eq!(kind, LoadErrorKind::ForbiddenImport, "{import}");
            assert!(message.contains(import), "{message}");
        }
    }

    const SINK: [&str; 2] = ["andon:plugin/plugin@0.1.0", "andon:plugin/sink@0.1.0"];

    #[test]
    fn a_sink_may_import_http_and_the_log_and_no_more() {
        let imports = [
            "andon:plugin/types@0.1.0",
            "andon:plugin/log@0.1.0",
            "wasi:http/outgoing-handler@0.2.6",
            "wasi:http/types@0.2.12",
            "wasi:io/streams@0.2.6",
        ];
        let verdict = judged(&imports, &SINK).expect("it is let in");
        assert_eq!(verdict.kind, PluginKind::Sink);
        for import in [
            "andon:plugin/tags@0.1.0",
            "andon:plugin/state@0.1.0",
            "andon:plugin/timer@0.1.0",
            "wasi:http/incoming-handler@0.2.0",
            "wasi:http/outgoing-handler@0.3.0",
        ] {
            let (kind, message) = refused(&[import], &SINK);
            assert_eq!(kind, LoadErrorKind::ForbiddenImport, "{import}");
            assert!(message.contains(import), "{message}");
        }
    }

    #[test]
    fn neither_and_both_are_refused() {
        for exports in [
            &["run"][..],
            &["andon:plugin/plugin@0.1.0"][..],
            &["andon:plugin/rule@0.1.0"][..],
            &[RULE[0], RULE[1], "andon:plugin/function@0.1.0"][..],
            &[RULE[0], RULE[1], "andon:plugin/sink@0.1.0"][..],
        ] {
            assert_eq!(refused(&[], exports).0, LoadErrorKind::WrongContract);
        }
    }
}
