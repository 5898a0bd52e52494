//! What `describe` answers: JSON that was damaged, in a component that is otherwise right.

use andon_model::Loader;
use andon_wasm::EngineSettings;

use super::{Run, sentence};
use crate::guests::engine_with;
use crate::hostile::shell;

/// Rounds of the short run; each compiles a small component.
const ROUNDS: u64 = 100;

const NOTHING: &str = "(core module $bad-module)(core instance $bad (instantiate $bad-module))";

const SEEDS: [&str; 5] = [
    r#"{"name": "x", "version": "1", "summary": "s", "inputs": [{"name": "a", "type": "bool", "default": "t*", "many": true}]}"#,
    r#"{"name": "x", "inputs": [{"name": "a"}, {"name": "b", "optional": true}], "parameters": {"type": "object"}}"#,
    r#"{"name": "x", "outputs": [{"name": "o", "unit": "m"}]}"#,
    r##"{"name": "\u0000\n", "parameters": {"$ref": "#"}}"##,
    "[[[[{\"name\": [[[[\u{202e}",
];

#[tokio::test]
async fn every_description_is_taken_or_refused_with_a_sentence() {
    let engine = engine_with(EngineSettings::default());
    let mut run = Run::new("description", ROUNDS);
    run.seeds
        .extend(SEEDS.iter().map(|seed| seed.as_bytes().to_vec()));
    while run.goes_on() {
        let mut json = run.seeds[run.random.below(run.seeds.len())].clone();
        let other = run.seeds[run.random.below(run.seeds.len())].clone();
        run.random.mutate(&mut json, &other);
        // The lift of what is not UTF-8 is the work of `answer`.
        let json = String::from_utf8_lossy(&json).into_owned();
        let component = shell::component_that_says(NOTHING, &json);
        let end = match engine.load("f", component.into()).await {
            Err(error) => sentence(&error.message),
            Ok(component) => named(&component.description().name),
        };
        run.take(json.as_bytes(), end);
    }
    run.end();
}

/// A name that was let through stands in one line.
fn named(name: &str) -> Result<String, String> {
    let chars = name.chars().count();
    if (1..=100).contains(&chars) && !name.chars().any(char::is_control) {
        return Ok("taken".to_owned());
    }
    Err(format!("the name {name:?}"))
}
