//! Files that are no plugins, each refused with its kind and a sentence that helps.

use std::sync::Arc;
use std::time::Duration;

use andon_model::{Component, LoadError, LoadErrorKind, Loader};
use andon_wasm::EngineSettings;

use crate::guests::{bytes, engine, engine_with, load_text};

/// A rule in the text format; it describes itself with `json` and does nothing.
pub(crate) struct Text<'a> {
    /// What `describe` answers.
    pub(crate) json: &'a str,
    /// Code at the start of `describe`.
    pub(crate) describe: &'a str,
    /// Imports of the component.
    pub(crate) imports: &'a str,
    /// More core modules and instances.
    pub(crate) more: &'a str,
    /// Version of the contract.
    pub(crate) version: &'a str,
    /// Type of the parameter `now`.
    pub(crate) now: &'a str,
}

impl Default for Text<'_> {
    fn default() -> Self {
        Self {
            json: r#"{"name": "text"}"#,
            describe: "",
            imports: "",
            more: "",
            version: "0.1.0",
            now: "s64",
        }
    }
}

impl Text<'_> {
    /// The component. The canonical ABI is written out by hand: all memory that is answered is
    /// zero, which reads as `ok` and as an empty list.
    pub(crate) fn component(&self) -> String {
        let Self {
            imports,
            describe,
            more,
            version,
            now,
            ..
        } = self;
        let data = self.json.replace('\\', "\\\\").replace('"', "\\\"");
        let length = self.json.len();
        format!(
            r#"(component
  (import "andon:plugin/types@{version}" (instance $types {TYPES}))
  (alias export $types "samples" (type $samples))
  (alias export $types "action" (type $action))
  (alias export $types "failure" (type $failure))
  {imports}
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 8192))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (data (i32.const 16) "{data}")
    (func (export "describe") (result i32)
      {describe}
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const {length}))
      (i32.const 0))
    (func (export "configure") (param i32 i32) (result i32) (i32.const 4096))
    (func (export "evaluate") (param i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
      (i32.const 4096)))
  (core instance $i (instantiate $m))
  {more}
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (func $describe (result string)
    (canon lift (core func $i "describe") (memory $memory)))
  (func $configure (param "config" string) (result (result (error $failure)))
    (canon lift (core func $i "configure") (memory $memory) (realloc $realloc)))
  (func $evaluate (param "now" {now}) (param "samples" $samples)
      (result (result (list $action) (error $failure)))
    (canon lift (core func $i "evaluate") (memory $memory) (realloc $realloc)))
  (instance $plugin (export "describe" (func $describe)) (export "configure" (func $configure)))
  (instance $rule (export "evaluate" (func $evaluate)))
  (export "andon:plugin/plugin@{version}" (instance $plugin))
  (export "andon:plugin/rule@{version}" (instance $rule)))"#
        )
    }
}

/// The types of the contract, as an instance has them.
const TYPES: &str = r#"
  (type $samples (record (field "input" (list u32)) (field "value" (list f64))
    (field "quality" (list u8)) (field "time" (list s64))))
  (export "samples" (type (eq $samples)))
  (type $p (enum "diagnostic" "low" "medium" "high" "critical"))
  (export "priority" (type $priority (eq $p)))
  (type $al (record (field "key" string) (field "priority" $priority) (field "message" string)
    (field "attributes" (list (tuple string string)))))
  (export "alarm" (type $alarm (eq $al)))
  (type $ac (variant (case "raise" $alarm) (case "clear" string) (case "notify" $alarm)))
  (export "action" (type (eq $ac)))
  (type $f (record (field "code" string) (field "message" string)
    (field "attributes" (list (tuple string string)))))
  (export "failure" (type (eq $f)))"#;

pub(crate) fn refused(
    answer: Result<Arc<dyn Component>, LoadError>,
    kind: LoadErrorKind,
    says: &str,
) {
    let error = answer.err().expect("it is refused");
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(says), "{error}");
    assert!(!error.message.contains('\n'), "one line: {error}");
}

async fn load_bytes(bytes: &[u8]) -> Result<Arc<dyn Component>, LoadError> {
    engine().load("some.wasm", bytes.into()).await
}

async fn load_with(text: Text<'_>) -> Result<Arc<dyn Component>, LoadError> {
    load_text(&text.component()).await
}

#[tokio::test]
async fn a_component_without_wasi_loads() {
    let rule = load_with(Text::default()).await.expect("it loads");
    assert_eq!(rule.description().name, "text");
    assert_eq!(rule.imports(), ["andon:plugin/types@0.1.0"]);
}

#[tokio::test]
async fn what_is_not_webassembly_is_refused() {
    for bytes in [
        &b"#!/bin/sh\necho hello"[..],
        b"\0as",
        b"\0asm\x02\0\0\0",
        b"\0asm",
    ] {
        let error = load_bytes(bytes).await.err().expect("it is refused");
        assert_eq!(error.kind, LoadErrorKind::Malformed, "{error}");
    }
    refused(load_bytes(b"").await, LoadErrorKind::Malformed, "empty");
    let error = load_bytes(b"x").await.err().expect("it is refused");
    assert!(error.to_string().starts_with("some.wasm: "), "{error}");
}

#[tokio::test]
async fn a_file_that_is_cut_off_is_refused_wherever_it_ends() {
    let whole = bytes("hostile-function");
    for length in [9, 100, whole.len() / 2, whole.len() - 1] {
        let answer = load_bytes(&whole[..length]).await;
        let error = answer.err().expect("it is refused");
        assert!(
            matches!(
                error.kind,
                LoadErrorKind::Malformed | LoadErrorKind::WrongContract
            ),
            "{length}: {error}"
        );
    }
}

#[tokio::test]
async fn a_damaged_file_never_stops_the_host() {
    let whole = Text::default().component();
    let whole = wat::parse_str(whole).expect("the text is right");
    for place in (8..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x55;
        // Some damage changes nothing that matters; none may panic.
        load_bytes(&damaged).await.ok();
    }
}

#[tokio::test]
async fn a_core_module_is_refused_with_the_way_to_a_component() {
    let module = wat::parse_str("(module)").expect("the text is right");
    refused(
        load_bytes(&module).await,
        LoadErrorKind::NotAComponent,
        "andon plugin build",
    );
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused() {
    let engine = engine_with(EngineSettings {
        component_bytes_max: 10 << 10,
        ..EngineSettings::default()
    });
    let answer = engine.load("f", bytes("hostile-rule")).await;
    refused(answer, LoadErrorKind::TooLarge, "takes at most 10 KiB");
}

#[tokio::test]
async fn a_component_that_compiles_too_long_is_refused() {
    let engine = engine_with(EngineSettings {
        compile_time: Duration::ZERO,
        ..EngineSettings::default()
    });
    let answer = engine.load("f", bytes("hostile-rule")).await;
    refused(answer, LoadErrorKind::TooSlow, "allow more time");
}

#[tokio::test]
async fn a_component_that_is_no_plugin_is_refused() {
    let answer = load_text("(component)").await;
    refused(
        answer,
        LoadErrorKind::WrongContract,
        "does not export `andon:plugin/plugin`",
    );
}

#[tokio::test]
async fn another_contract_is_refused_with_what_to_rebuild() {
    let answer = load_with(Text {
        version: "0.2.0",
        ..Text::default()
    })
    .await;
    refused(answer, LoadErrorKind::WrongContract, "version 0.2.0");
    let answer = load_with(Text {
        version: "1.0.0",
        ..Text::default()
    })
    .await;
    refused(answer, LoadErrorKind::WrongContract, "this host speaks 0.1");
}

#[tokio::test]
async fn a_later_patch_of_the_contract_loads() {
    let rule = load_with(Text {
        version: "0.1.7",
        ..Text::default()
    })
    .await
    .expect("it loads");
    assert_eq!(rule.contract_version(), "0.1.7");
}

#[tokio::test]
async fn the_right_names_with_other_types_are_refused() {
    let answer = load_with(Text {
        now: "u64",
        ..Text::default()
    })
    .await;
    let error = answer.err().expect("it is refused");
    assert_eq!(error.kind, LoadErrorKind::WrongContract, "{error}");
    assert!(error.message.contains("rebuild"), "{error}");
}

#[tokio::test]
async fn forbidden_imports_are_refused_by_name() {
    for name in [
        "wasi:http/types@0.2.0",
        "wasi:http/outgoing-handler@0.2.6",
        "wasi:keyvalue/store@0.2.0",
        "andon:plugin/people@0.1.0",
    ] {
        let imports = format!(r#"(import "{name}" (instance))"#);
        let answer = load_with(Text {
            imports: &imports,
            ..Text::default()
        })
        .await;
        refused(answer, LoadErrorKind::ForbiddenImport, name);
    }
    let answer = load_with(Text {
        imports: r#"(import "phone-number" (func (result string)))"#,
        ..Text::default()
    });
    refused(answer.await, LoadErrorKind::ForbiddenImport, "phone-number");
}

#[tokio::test]
async fn a_function_that_the_host_does_not_have_is_refused() {
    let imports = r#"(import "andon:plugin/timer@0.1.9" (instance (export "cancel" (func))))"#;
    let answer = load_with(Text {
        imports,
        ..Text::default()
    })
    .await;
    let error = answer.err().expect("it is refused");
    assert_eq!(error.kind, LoadErrorKind::WrongContract, "{error}");
    assert!(error.message.contains("cancel"), "{error}");
}

#[tokio::test]
async fn describe_that_traps_loops_or_talks_nonsense_is_refused() {
    let kind = LoadErrorKind::BadDescription;
    let describing = |describe| Text {
        describe,
        ..Text::default()
    };
    refused(
        load_with(describing("unreachable")).await,
        kind,
        "`describe` trapped",
    );
    refused(
        load_with(describing("(loop (br 0))")).await,
        kind,
        "`describe` used up its 2000 ms",
    );
    let saying = |json| Text {
        json,
        ..Text::default()
    };
    refused(load_with(saying("nonsense")).await, kind, "JSON");
    refused(load_with(saying("{}")).await, kind, "name");
    refused(load_with(saying(r#"{"name": " "}"#)).await, kind, "no name");
    let twice = r#"{"name": "x", "inputs": [{"name": "a"}, {"name": "a"}]}"#;
    refused(load_with(saying(twice)).await, kind, "the input `a` twice");
    let outputs = r#"{"name": "x", "outputs": [{"name": "a"}]}"#;
    refused(load_with(saying(outputs)).await, kind, "only functions");
    let broken = "(i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) \
                  (i32.const 0x7fffffff)) (return (i32.const 0))";
    refused(load_with(describing(broken)).await, kind, "cannot be read");
}
