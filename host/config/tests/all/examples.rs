//! What `examples/` shows must be settings that the host takes.

use std::fs;
use std::path::{Path, PathBuf};

use andon_config::{InstanceFile, load};

use crate::folder::{Folder, rendered};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn folders_with(file: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(examples())
        .expect("the examples")
        .map(|entry| entry.expect("an entry").path())
        .filter(|folder| folder.join(file).is_file())
        .collect();
    found.sort();
    found
}

/// The image starts with no plant and no people; that it says so is right.
const OF_THE_IMAGE: &str = "andon.toml: warning: there are no contacts, so alarms are shown and told to nobody\n    \
     hint: add [[contacts]] and [[routes]], or [routing] fallback\n";

#[test]
fn every_example_is_taken_without_a_warning() {
    let folders = folders_with("andon.toml");
    assert!(folders.len() >= 3, "{folders:?}");
    for folder in folders {
        let text = fs::read_to_string(folder.join("andon.toml")).expect("the settings");
        match load("andon.toml", &text, &Folder(folder.clone())) {
            Ok(plan) => {
                let expected = if folder.ends_with("container") {
                    OF_THE_IMAGE
                } else {
                    ""
                };
                assert_eq!(rendered(&plan.warnings), expected, "{}", folder.display());
            }
            Err(problems) => panic!("{}:\n{}", folder.display(), rendered(&problems)),
        }
    }
}

#[test]
fn the_pump_station_is_as_large_as_it_says() {
    let folder = examples().join("pump-station");
    let text = fs::read_to_string(folder.join("andon.toml")).expect("the settings");
    let plan = load("andon.toml", &text, &Folder(folder.clone())).expect("the example is fine");
    let lines = fs::read_to_string(folder.join("tags.csv")).expect("the tags");
    let mut table = andon_model::TagTable::default();
    let reads = plan.tags.build(&mut table);
    assert!(!reads.devices.is_empty());
    assert_eq!(table.len(), lines.lines().count() - 1);
    assert_eq!(plan.settings.contacts.len(), 3);
}

#[test]
fn every_instance_file_of_the_examples_can_be_read() {
    let mut read = 0;
    for folder in folders_with("andon.toml") {
        let plugins = folder.join("plugins");
        if !plugins.is_dir() {
            continue;
        }
        for entry in fs::read_dir(plugins).expect("the plugins") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|kind| kind != "toml") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("the file");
            if let Err(problems) = InstanceFile::parse(&path.display().to_string(), &text) {
                panic!("{}", rendered(&problems));
            }
            read += 1;
        }
    }
    assert!(read >= 6, "only {read} instance files were found");
}

/// A block of a README that begins with the given comment is a whole file.
#[test]
fn the_settings_of_the_readme_are_those_of_the_first_plant() {
    let readme = fs::read_to_string(examples().join("../README.md")).expect("the README");
    for file in ["andon.toml", "tags.csv", "plugins/tank-level.toml"] {
        let text = fs::read_to_string(examples().join("first-plant").join(file)).expect(file);
        assert!(
            readme.contains(text.trim()),
            "README.md does not show examples/first-plant/{file} as it is"
        );
    }
}
