//! Bindings of other languages, made from `wit/plugin.wit` and checked in below `sdk/`.
//!
//! C and Go have generators; what they make is kept in the tree, so that a project of a user needs
//! none of them. C++ stands on the C files, of which it has a copy: `andon plugin new` copies one
//! folder and nothing else. Zig speaks the canonical ABI by itself and is not made here.
//!
//! The worlds of rules, functions and sinks differ in what they export, and that of sinks has HTTP. Their
//! files lie in folders of these names; what they have in common is checked to be the same and kept once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cargo_metadata::MetadataCommand;
use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};

/// Files by their place below the root of the checkout.
pub(crate) type Glue = BTreeMap<PathBuf, Vec<u8>>;

/// The worlds, by the folder that their bindings go to.
const WORLDS: [(&str, &str); 3] = [
    ("rule", "rule-plugin"),
    ("function", "function-plugin"),
    ("sink", SINK),
];

/// The world that has packages beside the contract, in the order in which one builds on the other.
const SINK: &str = "sink-plugin";
const SINK_PACKAGES: [&str; 3] = ["sink/deps/io.wit", "sink/deps/http.wit", "sink/sink.wit"];

/// Module of the Go generator's runtime, and the package of ours that it becomes: a project then
/// needs one module beside its own.
const GO_RUNTIME: (&str, &str) = ("go.bytecodealliance.org/pkg/wit/", "andon/wit/");

/// What of the Go generator's runtime the bindings use. The rest is for asynchronous calls.
const GO_RUNTIME_FILES: [&str; 6] = [
    "wit/runtime/runtime.go",
    "wit/runtime/empty.s",
    "wit/types/option.go",
    "wit/types/result.go",
    "wit/types/tuple.go",
    "wit/types/unit.go",
];

/// Makes every generated file of the languages' glue.
pub(crate) fn files(root: &Path) -> anyhow::Result<Glue> {
    let mut glue = Glue::new();
    for (folder, world) in WORLDS {
        c(root, folder, world, &mut glue)?;
        go(root, folder, world, &mut glue)?;
    }
    go_runtime(&mut glue)?;
    cpp(root, &mut glue)?;
    Ok(glue)
}

fn c(root: &Path, folder: &str, world: &str, glue: &mut Glue) -> anyhow::Result<()> {
    let options = wit_bindgen_c::Opts {
        // One name for both worlds, so that the layer above is written once.
        rename_world: Some("abi".to_owned()),
        // The types are embedded by `andon plugin build`; no binary is checked in.
        no_object_file: true,
        ..wit_bindgen_c::Opts::default()
    };
    for (name, text) in generate(root, world, &mut *options.build())? {
        let place = Path::new("sdk/c/glue").join(folder).join(name);
        glue.insert(place, text);
    }
    Ok(())
}

fn go(root: &Path, folder: &str, world: &str, glue: &mut Glue) -> anyhow::Result<()> {
    let options = wit_bindgen_go::Opts {
        // What gofmt makes of it would depend on the machine.
        format: wit_bindgen_go::Format::False,
        pkg_name: Some(format!("andon/{}", bindings(folder))),
        export_pkg_name: Some(format!("andon/{folder}")),
        ..wit_bindgen_go::Opts::default()
    };
    for (name, text) in generate(root, world, &mut *options.build())? {
        let folder = if name.starts_with("wit_exports/") {
            folder
        } else {
            bindings(folder)
        };
        let place = Path::new("sdk/go/glue").join(folder).join(name);
        let text = own_runtime(&text)?;
        if let Some(other) = glue.insert(place.clone(), text.clone())
            && other != text
        {
            bail!(
                "{} is not the same in all worlds: give each world bindings of its own",
                place.display()
            );
        }
    }
    Ok(())
}

/// Where the bindings of a world lie in Go. That of sinks has more packages, and so other names in them.
fn bindings(folder: &str) -> &'static str {
    if folder == "sink" {
        "sink/bindings"
    } else {
        "bindings"
    }
}

/// The Go generator's runtime travels in its crate.
fn go_runtime(glue: &mut Glue) -> anyhow::Result<()> {
    let metadata = MetadataCommand::new()
        .exec()
        .context("ask cargo for the sources of wit-bindgen-go")?;
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == "wit-bindgen-go")
        .context("wit-bindgen-go is not among the dependencies")?;
    let source = package
        .manifest_path
        .as_std_path()
        .parent()
        .context("wit-bindgen-go has no folder")?
        .join("src/pkg");
    for name in GO_RUNTIME_FILES {
        let file = source.join(name);
        let text = std::fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        let mut text = own_runtime(&text)?;
        if name.ends_with(".go") {
            let line = format!(
                "// Part of wit-bindgen-go {}, which makes the bindings beside it. Its licence is in LICENSE.\n\n",
                package.version
            );
            text.splice(0..0, line.into_bytes());
        }
        glue.insert(Path::new("sdk/go/glue").join(name), text);
    }
    let licence = source.join("LICENSE");
    let text = std::fs::read(&licence).with_context(|| format!("read {}", licence.display()))?;
    glue.insert(PathBuf::from("sdk/go/glue/wit/LICENSE"), text);
    Ok(())
}

fn own_runtime(text: &[u8]) -> anyhow::Result<Vec<u8>> {
    let text = std::str::from_utf8(text).context("the Go generator made no text")?;
    let (theirs, ours) = GO_RUNTIME;
    Ok(text.replace(theirs, ours).into_bytes())
}

/// C++ is given the C files: those that are made, and those that are written.
fn cpp(root: &Path, glue: &mut Glue) -> anyhow::Result<()> {
    let made: Vec<(PathBuf, Vec<u8>)> = glue
        .iter()
        .filter_map(|(place, text)| {
            let name = place.strip_prefix("sdk/c/glue").ok()?;
            Some((Path::new("sdk/cpp/glue").join(name), text.clone()))
        })
        .collect();
    glue.extend(made);
    let folder = root.join("sdk/c/glue");
    let entries = folder
        .read_dir()
        .with_context(|| format!("list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let source = path
            .extension()
            .is_some_and(|kind| kind == "c" || kind == "h");
        if let Some(name) = path.file_name().filter(|_| source) {
            let text = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
            glue.insert(Path::new("sdk/cpp/glue").join(name), text);
        }
    }
    Ok(())
}

fn generate(
    root: &Path,
    world: &str,
    generator: &mut dyn WorldGenerator,
) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut resolve = Resolve::default();
    let mut read = |name: &str| {
        let file = root.join("wit").join(name);
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        resolve
            .push_source(name, &text)
            .with_context(|| format!("read {}", file.display()))
    };
    let mut package = read("plugin.wit")?;
    if world == SINK {
        for name in SINK_PACKAGES {
            package = read(name)?;
        }
    }
    let world = resolve.select_world(&[package], Some(world))?;
    let mut files = Files::default();
    generator.generate(&mut resolve, world, &mut files)?;
    Ok(files
        .iter()
        .map(|(name, text)| (name.to_owned(), text.to_vec()))
        .collect())
}
