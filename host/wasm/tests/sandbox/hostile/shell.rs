//! From the text of `tests/hostile` to the bytes of a component.
//!
//! A file holds what is bad and nothing else; `shell.wat.in` beside it has the rest. Which of the
//! two modules a part of the plugin is taken from is told by what the bad one exports.

use std::path::PathBuf;

/// The parts of a plugin, as a core module exports them.
const PARTS: [&str; 6] = [
    "memory",
    "realloc",
    "describe",
    "configure",
    "logic",
    "post-return",
];

/// What a plugin exports that samples are handed to.
struct Kind {
    interface: &'static str,
    function: &'static str,
    answer: &'static str,
    json: &'static str,
}

const RULE: Kind = Kind {
    interface: "rule",
    function: "evaluate",
    answer: "(result (list $action) (error $failure))",
    json: r#"{"name": "hostile", "inputs": [{"name": "input", "many": true, "optional": true}]}"#,
};

const FUNCTION: Kind = Kind {
    interface: "function",
    function: "compute",
    answer: "(result $samples (error $failure))",
    json: r#"{"name": "hostile", "inputs": [{"name": "input", "many": true, "optional": true}], "outputs": [{"name": "out"}]}"#,
};

/// The folder of the hostile components.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/hostile"))
}

/// The text of a file in it.
pub(crate) fn text(name: &str) -> String {
    let file = folder().join(format!("{name}.wat"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The bytes of a hostile component, from its text.
pub(crate) fn component(text: &str) -> Vec<u8> {
    let kind = if text.contains("(export \"compute\")") {
        &FUNCTION
    } else {
        &RULE
    };
    component_that_says(text, kind.json)
}

/// The same, with another description.
pub(crate) fn component_that_says(text: &str, json: &str) -> Vec<u8> {
    let whole = code(text)
        .is_some_and(|line| line.starts_with("(component") || line.starts_with("(module"));
    let text = if whole {
        text.to_owned()
    } else {
        filled(text, json)
    };
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\nin\n{text}"))
}

/// The first line that is no comment.
fn code(text: &str) -> Option<&str> {
    text.lines()
        .find(|line| !line.starts_with(";;") && !line.trim().is_empty())
}

fn filled(text: &str, json: &str) -> String {
    let kind = if text.contains("(export \"compute\")") {
        &FUNCTION
    } else {
        &RULE
    };
    let mut shell = std::fs::read_to_string(folder().join("shell.wat.in")).expect("it is there");
    for part in PARTS {
        let export = if part == "logic" { kind.function } else { part };
        let bad = text.contains(&format!("(export \"{export}\")"));
        let from = if bad { "$bad" } else { "$good" };
        shell = shell.replace(&format!("${{{part}}}"), from);
    }
    let data: String = json.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    shell
        .replace("{json}", &data)
        .replace("{length}", &json.len().to_string())
        .replace("{call}", kind.function)
        .replace("{answer}", kind.answer)
        .replace("{kind}", kind.interface)
        .replace("{bad}", text)
}

/// A component with one more core module at its end, which is instantiated: its start function
/// runs. A component of the shell has this many modules before it.
pub(crate) fn with_module(mut component: Vec<u8>, modules_before: u8, module: &[u8]) -> Vec<u8> {
    const MODULE: u8 = 1;
    const INSTANCES: u8 = 2;
    component.push(MODULE);
    let mut length = module.len();
    while length >= 0x80 {
        component.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
        length >>= 7;
    }
    component.push(u8::try_from(length).expect("seven bits"));
    component.extend(module);
    // One instance, by instantiating, without arguments.
    component.extend([INSTANCES, 4, 1, 0, modules_before, 0]);
    component
}
