//! What `describe` answers: JSON that was damaged, in a component that is otherwise right.

use andon_model::Loader;
use andon_wasm::{EngineSettings, WasmEngine};

use super::{Run, sentence};
use crate::guests::engine_with;
use crate::hostile::shell;

/// Rounds of the short run; each compiles a small component.
const ROUNDS: u64 = 100;

const NOTHING: &str = "(core module $bad-module)(core instance $bad (instantiate $bad-module))";

#[tokio::test]
async fn every_description_is_taken_or_refused_with_a_sentence() {
    let engine = engine_with(EngineSettings::default());
    let mut run = Run::new("description", ROUNDS);
    run.play(Vec::new(), async |json| end_of(&engine, json).await)
        .await;
    while run.goes_on() {
        let mut json = run.seeds[run.random.below(run.seeds.len())].clone();
        let other = run.seeds[run.random.below(run.seeds.len())].clone();
        run.random.mutate(&mut json, &other);
        // The lift of what is not UTF-8 is the work of `answer`.
        let json = String::from_utf8_lossy(&json).into_owned().into_bytes();
        let end = end_of(&engine, &json).await;
        run.take(&json, end);
    }
    run.end();
}

/// How a description ends; an error where a rule is broken.
async fn end_of(engine: &WasmEngine, json: &[u8]) -> Result<String, String> {
    let json = String::from_utf8_lossy(json);
    let component = shell::component_that_says(NOTHING, &json);
    match engine.load("f", component.into()).await {
        Err(error) => sentence(&error.message),
        Ok(component) => named(&component.description().name),
    }
}

/// A name that was let through stands in one line.
fn named(name: &str) -> Result<String, String> {
    let chars = name.chars().count();
    if (1..=100).contains(&chars) && !name.chars().any(char::is_control) {
        return Ok("taken".to_owned());
    }
    Err(format!("the name {name:?}"))
}
