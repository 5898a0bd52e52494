//! Every component of `tests/hostile`, and those that are too large for a file: how each ends, that
//! the host goes on, and that what it took comes back.

mod made;
mod rounds;
pub(crate) mod shell;
mod table;

use std::collections::BTreeSet;
use std::time::Duration;

use andon_model::{CallError, CallErrorKind, Component, LoadError, LoadErrorKind, Loader, Reply};
use andon_wasm::{EngineSettings, WasmEngine};
use table::{Case, DEAR, Ends, FAILS, GOES_ON, NAMED, NOT_STARTED, REFUSED, Source};

use crate::compiling::{folder, this_program};
use crate::guests::{NOW, engine, engine_with, setup, values};

/// Longest sentence that a component may cause, characters: it stands in a log, on a page and in
/// an alarm.
pub(crate) const SENTENCE_CHARS: usize = 2_500;

/// Time for what must end for another reason than time, also on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// What came of a component, in the order in which it can end.
enum End {
    Refused(LoadError),
    NotStarted(CallError),
    Called(Result<Reply, CallError>),
}

async fn run(engine: &WasmEngine, case: &Case) -> End {
    let bytes = match case.source {
        Source::File => shell::component(&shell::text(case.name)),
        Source::Made(make, _) => make(),
    };
    match engine.load("hostile.wasm", bytes.into()).await {
        Ok(component) => call(component.as_ref(), case).await,
        Err(error) => End::Refused(error),
    }
}

async fn call(component: &dyn Component, case: &Case) -> End {
    let mut setup = setup("plain", 0);
    (setup.limits.call_time, setup.limits.start_time) = times(case.ends);
    let mut guest = match component.start(setup).await {
        Ok(started) => started.guest,
        Err(error) => return End::NotStarted(error),
    };
    End::Called(guest.call(NOW, &values(&[1.0])).await)
}

/// Times of a call and of a start: short where the time is what must end it.
fn times(ends: Ends) -> (Duration, Duration) {
    match ends {
        Ends::NotStarted(CallErrorKind::TimeOut) => (LONG, Duration::from_millis(100)),
        Ends::Fails(CallErrorKind::TimeOut) => (Duration::from_millis(50), LONG),
        Ends::Refused(_)
        | Ends::NotStarted(_)
        | Ends::Fails(_)
        | Ends::Declines
        | Ends::GoesOn(_) => (LONG, LONG),
    }
}

/// What is wrong with an end; nothing if it is as the table says.
fn judge(case: &Case, end: End) -> Result<(), String> {
    let sentence = match (case.ends, end) {
        (Ends::Refused(kinds), End::Refused(error)) if kinds.contains(&error.kind) => error.message,
        (Ends::NotStarted(kind), End::NotStarted(error)) if error.kind == kind => error.message,
        (Ends::Fails(kind), End::Called(Err(error))) if error.kind == kind => error.message,
        (Ends::Declines, End::Called(Err(error))) if error.kind == CallErrorKind::Declined => {
            error.message
        }
        (Ends::GoesOn(check), End::Called(Ok(reply))) => {
            return if check(&reply) {
                Ok(())
            } else {
                Err(format!("{}: answered {:?}", case.name, reply.output))
            };
        }
        (_, End::Refused(error)) => {
            return Err(format!(
                "{}: refused as {:?}: {error}",
                case.name, error.kind
            ));
        }
        (_, End::NotStarted(error)) => {
            return Err(format!(
                "{}: not started, {:?}: {error}",
                case.name, error.kind
            ));
        }
        (_, End::Called(Err(error))) => {
            return Err(format!("{}: failed, {:?}: {error}", case.name, error.kind));
        }
        (_, End::Called(Ok(reply))) => {
            return Err(format!("{}: answered {:?}", case.name, reply.output));
        }
    };
    if sentence.contains("gave up") || !is_a_sentence(&sentence) || !sentence.contains(case.says) {
        return Err(format!("{}: said {sentence:?}", case.name));
    }
    Ok(())
}

/// Whether people can be shown this: one line, of some length, without control characters.
pub(crate) fn is_a_sentence(text: &str) -> bool {
    let length = text.chars().count();
    (10..=SENTENCE_CHARS).contains(&length) && !text.chars().any(char::is_control)
}

/// Runs cases one after another in one engine, with a rule that behaves in between.
async fn all_end_as_they_must(engine: &WasmEngine, cases: &[Case]) {
    let good =
        shell::component("(core module $bad-module)(core instance $bad (instantiate $bad-module))");
    let good = engine
        .load("good.wasm", good.into())
        .await
        .expect("it loads");
    let mut wrong = Vec::new();
    for case in cases {
        wrong.extend(judge(case, run(engine, case).await).err());
        let mut setup = setup("plain", 0);
        (setup.limits.call_time, setup.limits.start_time) = (LONG, LONG);
        let mut guest = good.start(setup).await.expect("the host goes on").guest;
        guest
            .call(NOW, &values(&[1.0]))
            .await
            .expect("the host goes on");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn files_that_cannot_be_plugins_are_refused() {
    all_end_as_they_must(&engine(), REFUSED).await;
}

#[tokio::test]
async fn instances_that_misbehave_at_their_start_are_not_started() {
    all_end_as_they_must(&engine(), NOT_STARTED).await;
}

#[tokio::test]
async fn calls_that_misbehave_are_ended() {
    all_end_as_they_must(&engine(), FAILS).await;
}

#[tokio::test]
async fn what_can_be_put_right_is_put_right() {
    all_end_as_they_must(&engine(), GOES_ON).await;
}

#[tokio::test]
async fn files_that_are_dear_to_compile_cost_a_process_of_their_own() {
    let folder = folder();
    let engine = engine_with(EngineSettings {
        cache_folder: Some(folder.path().to_owned()),
        compiler: Some(this_program(1 << 30)),
        compile_time: Duration::from_secs(4),
        ..EngineSettings::default()
    });
    all_end_as_they_must(&engine, DEAR).await;
}

#[tokio::test]
async fn files_that_name_too_much_are_refused_in_a_sentence_of_some_length() {
    all_end_as_they_must(&engine(), NAMED).await;
}

#[tokio::test]
async fn hundreds_of_exports_beside_those_of_the_contract_are_let_pass() {
    let answer = engine().load("f", made::many_exports().into()).await;
    answer.expect("the tools of some languages add their own");
}

fn all() -> impl Iterator<Item = &'static Case> {
    [REFUSED, NAMED, DEAR, NOT_STARTED, FAILS, GOES_ON]
        .into_iter()
        .flatten()
}

#[test]
fn each_file_of_the_folder_is_in_the_table_and_none_besides() {
    let files: BTreeSet<String> = std::fs::read_dir(shell::folder())
        .expect("it is there")
        .map(|entry| entry.expect("it is readable").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "wat"))
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let named: BTreeSet<String> = all()
        .filter(|case| matches!(case.source, Source::File))
        .map(|case| case.name.to_owned())
        .collect();
    assert_eq!(files, named);
    assert!(files.len() >= 25, "there are {}", files.len());
}

/// `ANDON_BLESS=1` writes it anew.
#[test]
fn the_readme_says_of_each_what_the_host_does() {
    let file = shell::folder().join("README.md");
    let lines: Vec<String> = all().map(line).collect();
    let head = include_str!("readme_head.md");
    let text = format!("{head}{}\n", lines.join("\n"));
    if std::env::var_os("ANDON_BLESS").is_some() {
        std::fs::write(&file, &text).expect("it is writable");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(found, text, "run this test with ANDON_BLESS=1");
}

/// A row of the README.
fn line(case: &Case) -> String {
    let (name, what) = match case.source {
        Source::File => {
            let text = shell::text(case.name);
            let what = text.lines().next().unwrap_or_default();
            let what = what.trim_start_matches(";; ").to_owned();
            (format!("[{0}]({0}.wat)", case.name), what)
        }
        Source::Made(_, what) => (format!("`{}`", case.name), what.to_owned()),
    };
    let does = match case.ends {
        Ends::Refused(kinds) => {
            let kinds: Vec<String> = kinds.iter().map(load_word).collect();
            format!("refuses the file: {}", kinds.join(" or "))
        }
        Ends::NotStarted(kind) => format!("does not start the instance: {}", call_word(kind)),
        Ends::Fails(kind) => format!("ends the call, a strike: {}", call_word(kind)),
        Ends::Declines => "takes it as a declined call, no strike".to_owned(),
        Ends::GoesOn(_) => format!("goes on: it {}", case.says),
    };
    let goes_on = matches!(case.ends, Ends::GoesOn(_));
    let says = if goes_on || case.says.is_empty() {
        String::new()
    } else {
        format!(" (\"{}\")", case.says)
    };
    format!("| {name} | {what} | {does}{says} |")
}

fn load_word(kind: &LoadErrorKind) -> String {
    word(&serde_json::to_value(kind).expect("a word"))
}

fn call_word(kind: CallErrorKind) -> String {
    word(&serde_json::to_value(kind).expect("a word"))
}

fn word(value: &serde_json::Value) -> String {
    format!("`{}`", value.as_str().expect("a word"))
}
