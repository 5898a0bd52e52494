//! Files: random bytes, real components that were damaged, and modules and components that
//! wasm-smith makes. Each loads or is refused with a sentence; what loads is started and called.

use std::time::Duration;

use andon_model::{Component, Loader};
use andon_wasm::{EngineSettings, WasmEngine};
use arbitrary::Unstructured;
use wasm_smith::{Config, Module};

use super::random::Random;
use super::{Run, sentence, within_bounds};
use crate::guests::{NOW, bytes, engine_with, setup, values};
use crate::hostile::shell;

/// Rounds of the short run, some seconds.
const ROUNDS: u64 = 400;

/// Largest component that is damaged in the short run: one that is still valid is compiled.
const REAL: [&str; 2] = ["scale", "hostile-function"];

/// A component that does nothing; a module can be put at its end.
const NOTHING: &str = "(core module $bad-module)(core instance $bad (instantiate $bad-module))";

/// Core modules in [`NOTHING`] and its shell.
const MODULES: u8 = 2;

#[tokio::test]
async fn every_file_loads_or_is_refused_with_a_sentence() {
    let engine = engine_with(EngineSettings {
        compile_time: Duration::from_secs(20),
        ..EngineSettings::default()
    });
    let mut run = Run::new("loader", ROUNDS);
    let real: Vec<Vec<u8>> = REAL.iter().map(|name| bytes(name).to_vec()).collect();
    run.play(hostile(), async |file| end_of(&engine, file).await)
        .await;
    let nothing = shell::component(NOTHING);
    while run.goes_on() {
        let input = make(&mut run.random, &run.seeds, &real, &nothing);
        let end = end_of(&engine, &input).await;
        run.take(&input, end);
    }
    run.end();
}

/// The hostile components that are quick to load, with their names.
fn hostile() -> Vec<(String, Vec<u8>)> {
    let mut names: Vec<String> = std::fs::read_dir(shell::folder())
        .expect("it is there")
        .map(|entry| entry.expect("it is readable").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "wat"))
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .filter(|name| {
            !["loop", "sleep", "megabytes"]
                .iter()
                .any(|slow| name.contains(slow))
        })
        .collect();
    names.sort();
    let named = names.into_iter().map(|name| {
        let component = shell::component(&shell::text(&name));
        (name, component)
    });
    named.collect()
}

fn make(random: &mut Random, seeds: &[Vec<u8>], real: &[Vec<u8>], nothing: &[u8]) -> Vec<u8> {
    match random.below(20) {
        0 => {
            let length = random.below(200);
            let tail = random.bytes(length);
            let headers: [&[u8]; 3] = [b"\0asm\x0d\0\x01\0", b"\0asm\x01\0\0\0", b"\0asm"];
            let header = headers[random.below(headers.len())];
            [header, &tail].concat()
        }
        1 => {
            let mut damaged = random.pick(real).clone();
            let other = random.pick(seeds).clone();
            random.mutate(&mut damaged, &other);
            damaged
        }
        2..=4 => smith_component(random).unwrap_or_default(),
        5..=8 => match smith_module(random) {
            Some(module) => shell::with_module(nothing.to_vec(), MODULES, &module),
            None => Vec::new(),
        },
        _ => {
            let mut damaged = random.pick(seeds).clone();
            let other = random.pick(seeds).clone();
            random.mutate(&mut damaged, &other);
            damaged
        }
    }
}

/// A module without imports, so that it can be instantiated and its start function runs.
fn smith_module(random: &mut Random) -> Option<Vec<u8>> {
    let config = Config {
        max_imports: 0,
        max_memories: 3,
        max_tables: 3,
        threads_enabled: false,
        gc_enabled: false,
        memory64_enabled: random.once_in(10),
        ..Config::default()
    };
    let length = random.below(2_000);
    let bytes = random.bytes(length);
    let module = Module::new(config, &mut Unstructured::new(&bytes)).ok()?;
    Some(module.to_bytes())
}

fn smith_component(random: &mut Random) -> Option<Vec<u8>> {
    let length = random.below(3_000);
    let bytes = random.bytes(length);
    let made = wasm_smith::Component::new(Config::default(), &mut Unstructured::new(&bytes));
    Some(made.ok()?.to_bytes())
}

/// How a file ends; an error where a rule is broken.
async fn end_of(engine: &WasmEngine, input: &[u8]) -> Result<String, String> {
    let component = match engine.load("fuzz.wasm", input.into()).await {
        Ok(component) => component,
        Err(error) => return sentence(&error.message),
    };
    used(component.as_ref()).await
}

async fn used(component: &dyn Component) -> Result<String, String> {
    let mut setup = setup("plain", 0);
    setup.limits.start_time = Duration::from_millis(100);
    let limits = setup.limits.clone();
    let outputs = u32::try_from(component.description().outputs.len()).unwrap_or(u32::MAX);
    let mut guest = match component.start(setup).await {
        Ok(started) => started.guest,
        Err(error) => return sentence(&error.message),
    };
    match guest.call(NOW, &values(&[1.0, 2.0])).await {
        Ok(reply) => within_bounds(&reply, &limits, NOW, outputs),
        Err(error) => sentence(&error.message),
    }
}
