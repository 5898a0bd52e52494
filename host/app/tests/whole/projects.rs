//! Plugin projects on the command line: made, built, inspected and tested, without a host that runs.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::kit::process::{Asked, Printed, andon};

/// A core module as a bare-bones tool chain makes it.
const WASI_RULE: &str = include_str!("fixtures/wasi-rule.wat");

/// What the rule of the fixture tells, if WASI is empty: each number is explained there.
const SCENARIO: &str = r#"
[inputs]
level = "tank1.level"

[[step]]
at = "0s"
set = { "tank1.level" = 1.0 }
expect = [
    { notify = "seen", priority = "low", message = "00 00 00 00 00 00 01 00 01 77 00 09 08 00 00 70 08 08 00 01 07 00 01" },
]

# `proc_exit` is a trap, and the next call has a new instance.
[[step]]
at = "1s"
set = { "tank1.level" = -1.0 }
error = "trap"

[[step]]
at = "2s"
set = { "tank1.level" = 1.0 }
expect = [{ notify = "seen" }]
"#;

/// A folder to work in.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let file = self.path(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder is made");
        std::fs::write(file, content).expect("a file is written");
    }

    /// Runs `andon plugin` in the folder.
    fn plugin(&self, arguments: &[&str]) -> Asked {
        let mut command = andon();
        command
            .current_dir(self.0.path())
            .arg("plugin")
            .args(arguments);
        Asked::of(&mut command, &Printed::default())
    }

    /// A project that copies its module from beside its manifest.
    fn project(&self, manifest: &str) {
        self.write("wasi-rule/andon-plugin.toml", manifest);
        self.write("wasi-rule/source.wasm", wasi_rule());
        self.write("wasi-rule/scenarios/seen.toml", SCENARIO);
    }
}

fn wasi_rule() -> Vec<u8> {
    wat::parse_str(WASI_RULE).expect("the fixture is a module")
}

const MANIFEST: &str = r#"
[plugin]
name = "wasi-rule"

[build]
commands = [["cp", "source.wasm", "build/core.wasm"]]
module = "build/core.wasm"
world = "rule-plugin"
"#;

#[track_caller]
fn refused(asked: &Asked, says: &[&str]) {
    assert_eq!(asked.code, Some(1), "{asked:?}");
    for part in says {
        assert!(
            asked.stderr.contains(part),
            "no `{part}` in: {}",
            asked.stderr
        );
    }
}

#[track_caller]
fn done(asked: &Asked) -> &str {
    assert_eq!(asked.code, Some(0), "{asked:?}");
    &asked.stdout
}

#[test]
fn a_core_module_becomes_a_component_that_imports_no_wasi() {
    let desk = Desk::new();
    desk.write("core.wasm", wasi_rule());
    let build = [
        "build",
        "--module",
        "core.wasm",
        "--world",
        "rule-plugin",
        "-o",
        "wasi-rule.wasm",
    ];
    let said = desk.plugin(&build);
    assert!(
        done(&said).starts_with("wasi-rule.wasm: rule wasi-rule 1.0.0: Asks WASI., "),
        "{said:?}"
    );
    let shown = desk.plugin(&["inspect", "wasi-rule.wasm", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(done(&shown)).expect("JSON");
    // Types alone; the functions that the module does not call are not imported.
    assert_eq!(
        shown["imports"],
        serde_json::json!(["andon:plugin/types@0.1.0"])
    );
    assert_eq!(
        shown["bytes"],
        desk.path("wasi-rule.wasm")
            .metadata()
            .expect("a file")
            .len()
    );
    desk.write("wasi-rule/scenarios/seen.toml", SCENARIO);
    done(&desk.plugin(&["test", "wasi-rule/scenarios", "--plugins", "."]));
}

#[test]
fn what_bindings_of_go_ask_of_the_adapter_is_answered() {
    let desk = Desk::new();
    let import = "(module\n(import \"wasi_snapshot_preview1\" \"adapter_monotonic_clock_set_paused\" (func (param i32)))";
    let rule = WASI_RULE.replacen("(module", import, 1);
    desk.write("go.wasm", wat::parse_str(rule).expect("a module"));
    let build = ["build", "--module", "go.wasm", "--world", "rule-plugin"];
    done(&desk.plugin(&[&build[..], &["-o", "out.wasm"]].concat()));
}

#[test]
fn a_core_module_without_a_world_is_refused_with_what_to_say() {
    let desk = Desk::new();
    desk.write("core.wasm", wasi_rule());
    refused(
        &desk.plugin(&["build", "--module", "core.wasm"]),
        &["core.wasm", "`function-plugin` or `sink-plugin`", "--world"],
    );
    refused(
        &desk.plugin(&["inspect", "core.wasm"]),
        &["it is a core module", "andon plugin build"],
    );
}

#[test]
fn a_module_of_the_wrong_world_is_told_what_is_missing() {
    let desk = Desk::new();
    desk.write("core.wasm", wasi_rule());
    refused(
        &desk.plugin(&[
            "build",
            "--module",
            "core.wasm",
            "--world",
            "function-plugin",
        ]),
        &["does not fit the contract", "andon:plugin/function@0.1.0"],
    );
    desk.write("text.wasm", "int main(void);");
    refused(
        &desk.plugin(&["build", "--module", "text.wasm"]),
        &["text.wasm", "it is not WebAssembly"],
    );
}

#[test]
fn a_project_is_built_and_tested_in_its_folder() {
    let desk = Desk::new();
    desk.project(MANIFEST);
    let early = desk.plugin(&["test", "wasi-rule"]);
    assert_eq!(early.code, Some(1));
    assert!(early.stdout.contains("andon plugin build"), "{early:?}");
    let said = desk.plugin(&["build", "wasi-rule"]);
    let lines: Vec<&str> = done(&said).lines().collect();
    assert_eq!(lines.first(), Some(&"$ cp source.wasm build/core.wasm"));
    assert!(
        lines[1].starts_with("wasi-rule/wasi-rule.wasm: rule wasi-rule 1.0.0"),
        "{lines:?}"
    );
    let tested = desk.plugin(&["test", "wasi-rule"]);
    assert!(done(&tested).contains("1 passed, 0 failed"), "{tested:?}");
}

#[test]
fn a_missing_tool_is_told_with_how_to_install_it() {
    let desk = Desk::new();
    let tool = "\n[tools.no-such-compiler]\nversion = \"1.2\"\ninstall = \"apt-get install no-such-compiler\"\nor = [[\"sh\", \"-c\", \"exit 3\"]]\n";
    desk.project(&(MANIFEST.replace("[\"cp\",", "[\"no-such-compiler\",") + tool));
    refused(
        &desk.plugin(&["build", "wasi-rule"]),
        &[
            "`no-such-compiler` is needed and not on PATH",
            "version 1.2",
            "apt-get install no-such-compiler",
        ],
    );
}

#[test]
fn another_way_to_call_a_tool_is_found() {
    let desk = Desk::new();
    let tool = "\n[tools.my-cp]\ninstall = \"apt-get install coreutils\"\nor = [[\"no-such-thing\"], [\"env\", \"cp\"]]\n";
    desk.project(&(MANIFEST.replace("[\"cp\",", "[\"my-cp\",") + tool));
    done(&desk.plugin(&["build", "wasi-rule"]));
}

#[test]
fn a_tool_that_knows_no_version_is_found_by_its_help() {
    let desk = Desk::new();
    let tool = r#"
[tools.my-cp]
install = "apt-get install coreutils"
or = [["sh", "-c", 'case "$0" in --help) ;; -*|version) exit 1 ;; *) cp "$0" "$1" ;; esac']]
"#;
    desk.project(&(MANIFEST.replace("[\"cp\",", "[\"my-cp\",") + tool));
    done(&desk.plugin(&["build", "wasi-rule"]));
}

#[test]
fn a_command_finds_the_variables_that_the_manifest_sets() {
    let desk = Desk::new();
    let command = r#"["sh", "-c", "cp \"$SOURCE\" build/core.wasm"]"#;
    let manifest = MANIFEST.replace(r#"["cp", "source.wasm", "build/core.wasm"]"#, command);
    desk.project(&manifest);
    refused(&desk.plugin(&["build", "wasi-rule"]), &["failed"]);
    desk.project(&format!(
        "{manifest}\n[build.env]\nSOURCE = \"source.wasm\"\n"
    ));
    done(&desk.plugin(&["build", "wasi-rule"]));
    desk.project(&format!("{manifest}\n[build.env]\n\"A=B\" = \"c\"\n"));
    refused(&desk.plugin(&["build", "wasi-rule"]), &["[build.env]"]);
}

#[test]
fn a_command_that_fails_shows_what_it_printed() {
    let desk = Desk::new();
    desk.project(&MANIFEST.replace("\"source.wasm\"", "\"no-such-source.c\""));
    refused(
        &desk.plugin(&["build", "wasi-rule"]),
        &[
            "no-such-source.c",
            "`cp no-such-source.c build/core.wasm` failed",
        ],
    );
    desk.project(&MANIFEST.replace(
        "module = \"build/core.wasm\"",
        "module = \"build/other.wasm\"",
    ));
    refused(
        &desk.plugin(&["build", "wasi-rule"]),
        &["other.wasm is not there"],
    );
    assert!(!desk.path("wasi-rule/wasi-rule.wasm").exists());
}

#[test]
fn a_manifest_that_makes_no_sense_is_refused_with_its_place() {
    let desk = Desk::new();
    refused(
        &desk.plugin(&["build", "."]),
        &["holds no andon-plugin.toml", "andon plugin new"],
    );
    desk.project(&MANIFEST.replace("commands", "cmds"));
    refused(&desk.plugin(&["build", "wasi-rule"]), &["cmds", "line 6"]);
    desk.project(&MANIFEST.replace("\"wasi-rule\"", "\"Wasi Rule\""));
    refused(
        &desk.plugin(&["build", "wasi-rule"]),
        &["`Wasi Rule` cannot be the name"],
    );
}

#[test]
fn a_new_project_carries_its_name_and_the_glue() {
    let desk = Desk::new();
    let said = desk.plugin(&["new", "rust", "wet-well"]);
    assert!(
        done(&said).contains("next: andon plugin build wet-well"),
        "{said:?}"
    );
    let mut files = Vec::new();
    collect(&desk.path("wet-well"), &mut files);
    let glue = desk.path("wet-well/andon");
    for file in files.iter().filter(|file| !file.starts_with(&glue)) {
        let text = std::fs::read_to_string(file).expect("a text");
        assert!(!text.contains("{{name"), "{}", file.display());
    }
    for name in [
        "andon-plugin.toml",
        "src/lib.rs",
        "andon/src/lib.rs",
        "andon/wit/plugin.wit",
        ".gitignore",
    ] {
        assert!(desk.path("wet-well").join(name).is_file(), "{name}");
    }
    let manifest = std::fs::read_to_string(desk.path("wet-well/Cargo.toml")).expect("a file");
    assert!(manifest.contains("name = \"wet-well\""), "{manifest}");
    let glue = std::fs::read_to_string(desk.path("wet-well/andon/Cargo.toml")).expect("a file");
    assert!(!glue.contains("workspace = true"), "{glue}");
}

#[test]
fn a_project_is_a_rule_a_function_or_a_sink_as_one_asks() {
    let desk = Desk::new();
    for (kind, source) in [
        ("rule", "impl Rule for"),
        ("function", "impl Function for"),
        ("sink", "impl Sink for"),
    ] {
        let name = format!("my-{kind}");
        let said = desk.plugin(&["new", "rust", &name, "--kind", kind]);
        assert!(
            done(&said).starts_with(&format!("{name}: a {kind} in rust, ")),
            "{said:?}"
        );
        let text = std::fs::read_to_string(desk.path(&format!("{name}/src/lib.rs")));
        assert!(text.expect("a text").contains(source), "{kind}");
        for file in ["andon/Cargo.toml", "andon/src/lib.rs", ".cargo/config.toml"] {
            assert!(desk.path(&name).join(file).is_file(), "{kind}: {file}");
        }
        for folder in ["andon/sink", "andon/function", "andon/template"] {
            assert!(!desk.path(&name).join(folder).exists(), "{kind}: {folder}");
        }
    }
    let odd = desk.plugin(&["new", "rust", "wet-well", "--kind", "alarm"]);
    assert_eq!(odd.code, Some(2), "{odd:?}");
    assert!(odd.stderr.contains("rule, function, sink"), "{odd:?}");
}

#[test]
fn imports_of_a_component_are_given_the_names_that_the_manifest_says() {
    let desk = Desk::new();
    desk.project(&MANIFEST.replace(
        "world = \"rule-plugin\"",
        "world = \"rule-plugin\"\nnamespaces = { andon = \"other\" }",
    ));
    // The host knows no `other:plugin/types`, and says so by its name.
    refused(
        &desk.plugin(&["build", "wasi-rule"]),
        &["`other:plugin/types@0.1.0`"],
    );
    desk.project(&MANIFEST.replace(
        "world = \"rule-plugin\"",
        "world = \"rule-plugin\"\nnamespaces = { none = \"other\" }",
    ));
    done(&desk.plugin(&["build", "wasi-rule"]));
}

#[test]
fn what_cannot_be_made_is_refused_and_nothing_is_touched() {
    let desk = Desk::new();
    refused(
        &desk.plugin(&["new", "cobol", "wet-well"]),
        &["no language `cobol`", "rust"],
    );
    for name in ["Wet-Well", "wet well", "../well", "-well", "", "9well"] {
        refused(
            &desk.plugin(&["new", "rust", "--", name]),
            &["cannot be the name of a plugin"],
        );
    }
    desk.write("wet-well/mine.txt", "mine");
    refused(
        &desk.plugin(&["new", "rust", "wet-well"]),
        &["wet-well exists already", "--folder"],
    );
    let there = desk.path("wet-well").read_dir().expect("a folder").count();
    assert_eq!(there, 1);
    done(&desk.plugin(&["new", "rust", "wet-well", "--folder", "elsewhere"]));
    assert!(desk.path("elsewhere/andon-plugin.toml").is_file());
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
