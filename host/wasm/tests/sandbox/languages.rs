//! The rule `tank-level` as each language's tools made it: what no scenario can see. The components
//! come from `cargo xtask languages`, which runs these tests once it has built them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Action, CallErrorKind, Columns, Component, Loader as _, Setup};

use crate::guests::{NOW, actions, engine, setup, values};

/// Calls until memory is as large as it gets, and calls that must not make it larger.
const WARM_UP: usize = 4_000;
const CALLS: usize = 20_000;

/// What memory may grow by after the warm-up, bytes, or as a part of what it was: a collector makes
/// room in steps. Twenty thousand batches that nobody frees are 20 MB, their messages 4 MB.
const GROWTH: usize = 1 << 20;
const GROWTH_PART: usize = 2;

/// Parameters that no schema would let pass, and others that are merely large.
const ODD_PARAMETERS: &[&str] = &[
    r#"{"high":"x"}"#,
    r#"{"high":null}"#,
    r#"{"high":true}"#,
    r#"{"high":[]}"#,
    r#"{"high":1e999}"#,
    r#"{"high":123456789012345678901234567890}"#,
    r#"{"high":-0.0,"deadband":1e308}"#,
    r#"{"deadband":-1}"#,
    r#"{"deadband":"\ud83d\ude00"}"#,
    r#"{"delay":-0.5}"#,
    r#"{"delay":1e300}"#,
    r#"{"delay":{"seconds":1}}"#,
    r#"{"other":[[[[[[[[{"high":1}]]]]]]]]}"#,
];

/// What the host never hands over. Some languages can only end there.
const NONSENSE: &[&str] = &["", "null", "[]", "{}", "{\"a\":1,}", "[[[[[[[[[[[[[[[[[[[["];

/// A configuration as the host writes it.
fn configuration(parameters: &str, tag: &str, unit: &str) -> String {
    format!(
        r#"{{"instance":"i","parameters":{parameters},"inputs":[{{"port":"level","tag":"{tag}","unit":{unit},"type":"f64"}}]}}"#
    )
}

async fn components() -> Vec<(String, Arc<dyn Component>)> {
    components_in("ANDON_LANGUAGES").await
}

/// The component of each language, with its name, from the folder that this variable names.
pub(crate) async fn components_in(variable: &str) -> Vec<(String, Arc<dyn Component>)> {
    let folder = std::env::var_os(variable).expect("run `cargo xtask languages`");
    let folder = PathBuf::from(folder);
    let engine = engine();
    let mut components = Vec::new();
    for entry in folder.read_dir().expect("a folder of components") {
        let file = entry.expect("an entry").path();
        let name = file.display().to_string();
        let bytes: Arc<[u8]> = std::fs::read(&file).expect("a component").into();
        components.push((name.clone(), engine.load(&name, bytes).await.expect(&name)));
    }
    assert!(!components.is_empty(), "{} is empty", folder.display());
    components
}

fn configured(configuration: &str) -> Setup {
    let mut setup = setup("", 0);
    setup.configuration = configuration.to_owned();
    setup.limits.call_time = Duration::from_secs(60);
    setup
}

#[tokio::test]
#[ignore = "`cargo xtask languages` runs it on the components that it builds"]
async fn twenty_thousand_calls_leave_the_memory_of_every_language_as_it_was() {
    let configuration = configuration("{}", "tank1.level", "null");
    let full = values(&[[50.0; 49].as_slice(), &[95.0]].concat());
    let falling = values(&[80.0; 50]);
    for (name, component) in components().await {
        let started = component.start(configured(&configuration)).await;
        let mut guest = started.expect(&name).guest;
        let mut warm = 0;
        for call in 0..WARM_UP + CALLS {
            let up = call % 2 == 0;
            let samples = if up { &full } else { &falling };
            let acts = actions(guest.call(NOW, samples).await.expect(&name));
            let right = match acts.as_slice() {
                [Action::Raise(alarm)] => up && alarm.message.contains("is at 95.0"),
                [Action::Clear(_)] => !up,
                _ => false,
            };
            assert!(right, "{name}, call {call}: {acts:?}");
            if call == WARM_UP {
                warm = guest.memory_bytes();
            }
        }
        let most = warm + GROWTH.max(warm / GROWTH_PART);
        let bytes = guest.memory_bytes();
        assert!(bytes <= most, "{name}: {warm} bytes became {bytes}");
    }
}

#[tokio::test]
#[ignore = "`cargo xtask languages` runs it on the components that it builds"]
async fn odd_parameters_are_read_or_declined_in_every_language() {
    for (name, component) in components().await {
        for odd in ODD_PARAMETERS {
            let configuration = configuration(odd, "tank1.level", "null");
            match component.start(configured(&configuration)).await {
                Ok(mut started) => {
                    for samples in [values(&[95.0]), Columns::default()] {
                        let answer = started.guest.call(NOW, &samples).await;
                        answer.unwrap_or_else(|error| panic!("{name}: {odd}: {error}"));
                    }
                }
                Err(error) => {
                    assert_eq!(
                        error.kind,
                        CallErrorKind::Declined,
                        "{name}: {odd}: {error}"
                    );
                }
            }
        }
        for nonsense in NONSENSE {
            if let Err(error) = component.start(configured(nonsense)).await {
                let ends = [CallErrorKind::Declined, CallErrorKind::Trap];
                assert!(ends.contains(&error.kind), "{name}: {nonsense}: {error}");
            }
        }
    }
}

#[tokio::test]
#[ignore = "`cargo xtask languages` runs it on the components that it builds"]
async fn texts_cross_the_border_of_every_language_as_they_are() {
    let texts = [
        (r#"\u00e9\ud83d\ude00\/\"\\"#, "null", "é😀/\"\\", ""),
        ("Бак 1 ½ 水", r#""°C""#, "Бак 1 ½ 水", " °C"),
    ];
    for (name, component) in components().await {
        for (tag_in_json, unit_in_json, tag, unit) in texts {
            let configuration = configuration("{}", tag_in_json, unit_in_json);
            let started = component.start(configured(&configuration)).await;
            let mut guest = started.expect(&name).guest;
            let acts = actions(guest.call(NOW, &values(&[95.0])).await.expect(&name));
            let [Action::Raise(alarm)] = acts.as_slice() else {
                panic!("{name}: {acts:?}");
            };
            assert_eq!(alarm.key, format!("{tag}.high"), "{name}");
            let says = format!("{tag} is at 95.0{unit}, above 90.0{unit} (alarm 1)");
            assert_eq!(alarm.message, says, "{name}");
        }
    }
}
