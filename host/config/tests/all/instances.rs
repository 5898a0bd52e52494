//! Files of plugin instances with mistakes, bound to the tags of a small plant.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use andon_config::{InstanceDefaults, InstanceFile, Problem};
use andon_model::{
    BoundOutput, Description, InstancePlan, Limits, PluginKind, Tag, TagTable, ValueType,
};

use crate::folder::{assert_none, below, difference, rendered};

fn component(kind: PluginKind) -> Description {
    let name = match kind {
        PluginKind::Rule => "rule.json",
        PluginKind::Function => "function.json",
        PluginKind::Sink => unreachable!("a sink has no instances"),
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/instances")
        .join(name);
    let text = fs::read_to_string(&file).expect("a description");
    serde_json::from_str(&text).expect("a description")
}

fn plant() -> TagTable {
    let mut table = TagTable::default();
    for (name, value_type) in [
        ("tank1.level", ValueType::F32),
        ("tank2.level", ValueType::F32),
        ("tank1.valve", ValueType::Bool),
        ("station.name", ValueType::Text),
    ] {
        table.put(Tag {
            name: name.into(),
            value_type,
            unit: None,
            description: None,
            source: "device plc".into(),
        });
    }
    table
}

fn defaults() -> InstanceDefaults {
    InstanceDefaults {
        limits: Limits::default(),
        needs_acknowledgement: true,
        latching: false,
    }
}

/// The only `.toml` of the folder.
fn file_of(folder: &Path) -> (String, String) {
    let mut files = fs::read_dir(folder)
        .expect("the case")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "toml"));
    let path = files.next().expect("a case has one .toml");
    assert!(files.next().is_none(), "{} has two", folder.display());
    let name = path.file_name().expect("a name").to_string_lossy();
    (
        name.into_owned(),
        fs::read_to_string(&path).expect("the file"),
    )
}

fn settle(name: &str, text: &str) -> Result<InstancePlan, Vec<Problem>> {
    let file = InstanceFile::parse(name, text)?;
    let kind = if file.component == "average.wasm" {
        PluginKind::Function
    } else {
        PluginKind::Rule
    };
    let about = component(kind);
    let mut tags = plant();
    let outputs: Vec<BoundOutput> = file.declare_outputs(&about, &mut tags)?;
    file.bind(kind, &about, outputs, &tags, &defaults())
}

#[test]
fn every_problem_of_an_instance_is_told_in_the_same_words() {
    let mut differences = Vec::new();
    for folder in below("tests/instances") {
        let (name, text) = file_of(&folder);
        let told = match settle(&name, &text) {
            Ok(plan) => {
                let tags: Vec<&str> = plan.inputs.iter().map(|input| &*input.tag_name).collect();
                format!("fine: {} reads {}\n", plan.name, tags.join(", "))
            }
            Err(mut problems) => {
                problems.sort();
                rendered(&problems)
            }
        };
        differences.extend(difference(&folder, &told));
    }
    assert_none(&differences);
}

#[test]
fn a_component_without_a_file_is_told_about_by_its_own_name() {
    let about = component(PluginKind::Rule);
    let problems = InstanceFile::bare("tank-watch.wasm")
        .bind(
            PluginKind::Rule,
            &about,
            Vec::new(),
            &TagTable::default(),
            &defaults(),
        )
        .expect_err("its inputs cannot be bound");
    assert!(
        rendered(&problems).starts_with("tank-watch.wasm: error: "),
        "{}",
        rendered(&problems)
    );
}

#[test]
fn a_function_does_not_read_what_it_computes() {
    let about = component(PluginKind::Function);
    let file = InstanceFile::parse(
        "smooth.toml",
        "component = \"average.wasm\"\ninputs.input = \"*level*\"\noutputs.average = \"tank1.level.smooth\"\n",
    )
    .expect("a file");
    let mut tags = plant();
    let outputs = file
        .declare_outputs(&about, &mut tags)
        .expect("a free name");
    let plan = file
        .bind(PluginKind::Function, &about, outputs, &tags, &defaults())
        .expect("bound");
    let read: Vec<Arc<str>> = plan
        .inputs
        .into_iter()
        .map(|input| input.tag_name)
        .collect();
    assert_eq!(
        read.iter().map(|name| &**name).collect::<Vec<_>>(),
        ["tank1.level", "tank2.level"]
    );
}
