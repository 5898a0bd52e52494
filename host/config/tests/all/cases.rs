//! `andon.toml` with mistakes.

use std::fs;

use andon_config::{Problem, load};

use crate::folder::{Folder, assert_none, below, difference, rendered};

#[test]
fn every_problem_of_the_settings_is_told_in_the_same_words() {
    let mut differences = Vec::new();
    for folder in below("tests/cases") {
        let text = fs::read_to_string(folder.join("andon.toml")).expect("a case has an andon.toml");
        let told = match load("andon.toml", &text, &Folder(folder.clone())) {
            Ok(plan) => format!("{}fine\n", rendered(&plan.warnings)),
            Err(problems) => {
                assert!(
                    problems.iter().any(Problem::is_error),
                    "{} is refused without an error",
                    folder.display()
                );
                rendered(&problems)
            }
        };
        differences.extend(difference(&folder, &told));
    }
    assert_none(&differences);
}

#[test]
fn settings_without_a_word_are_fine() {
    let plan = load("andon.toml", "", &Folder("/nowhere".into())).expect("defaults are fine");
    let warned = rendered(&plan.warnings);
    assert!(warned.contains("there are no contacts"), "{warned}");
    assert_eq!(plan.settings.host.listen.to_string(), "127.0.0.1:8080");
}

#[test]
fn every_text_gives_a_plan_or_a_problem_with_a_place() {
    let whole = fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../examples/pump-station/andon.toml"),
    )
    .expect("the example");
    let folder = Folder("/nowhere".into());
    for (end, _) in whole.char_indices().step_by(23) {
        let cut = whole.get(..end).expect("a boundary of characters");
        if let Err(problems) = load("andon.toml", cut, &folder) {
            assert!(
                problems
                    .iter()
                    .all(|problem| !problem.says.is_empty() && problem.file == "andon.toml"),
                "cut at {end}: {}",
                rendered(&problems)
            );
        }
    }
}
