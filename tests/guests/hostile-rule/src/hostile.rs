//! Every way in which a rule can misbehave; each mode is named in a test of `host/wasm`.

use std::time::{Duration, Instant, SystemTime};

use crate::guest::bindings::andon::plugin::{log, state, tags, timer};
use crate::guest::{Action, Failure, Parameters, Samples, alarm, failure};

/// Misbehaves in `configure`, if the mode says so.
pub(crate) fn configure(parameters: &Parameters) -> Result<(), Failure> {
    match parameters.mode.as_str() {
        "configure-declines" => Err(failure("no-such-thing", "there is no\nsuch mode")),
        "configure-traps" => panic!("configure gives up"),
        "configure-loops" => endless(),
        "configure-writes" => {
            state::set("configured", b"yes")?;
            timer::wake_at(1_000);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Misbehaves in `evaluate`.
pub(crate) fn evaluate(
    mode: &str,
    amount: u64,
    now: i64,
    samples: &Samples,
) -> Result<Vec<Action>, Failure> {
    match mode {
        "loop" => endless(),
        "sleep" => std::thread::sleep(Duration::from_nanos(amount)),
        "recurse" => drop(recurse(amount)),
        "allocate" => allocate(amount),
        "trap" => panic!("the rule gives up"),
        "exit" => std::process::exit(3),
        "decline" => return Err(failure("no-idea", "cannot judge this")),
        "write-then-decline" => return write_then_decline(samples),
        "write" => return write(amount, samples),
        "fill-state" => return fill_state(amount),
        "log" => (0..amount).for_each(|n| log::write(log::Level::Warn, &format!("line {n}"))),
        "print" => (0..amount).for_each(|n| println!("printed {n}")),
        "print-endless-line" => print!("{}", "x".repeat(amount as usize)),
        "clocks" => return Ok(clocks()),
        "random" => return Ok(random()),
        "look-around" => return Ok(look_around()),
        "text-and-window" => return Ok(text_and_window(now)),
        _ => return answer(mode, amount),
    }
    Ok(Vec::new())
}

/// Answers too much, or nonsense.
fn answer(mode: &str, amount: u64) -> Result<Vec<Action>, Failure> {
    let wide = |n: u64| "x".repeat(n as usize);
    Ok(match mode {
        "flood" => (0..amount).map(|n| Action::Clear(n.to_string())).collect(),
        "flood-wide" => (0..64).map(|_| Action::Clear(wide(amount))).collect(),
        "long-message" => vec![Action::Notify(alarm("k", "é".repeat(amount as usize)))],
        "control-characters" => {
            vec![Action::Notify(alarm(
                "a\0b",
                "one\r\ntwo\u{202e}\u{7}three ",
            ))]
        }
        "empty-message" => vec![Action::Notify(alarm("k", "\n"))],
        "empty-key" => vec![Action::Clear(String::new())],
        "attributes" => {
            let mut request = alarm("k", "m");
            request.attributes = (0..amount).map(|n| (n.to_string(), "v".into())).collect();
            vec![Action::Raise(request)]
        }
        "empty-attribute" => {
            let mut request = alarm("k", "m");
            request.attributes.push((String::new(), "v".into()));
            vec![Action::Raise(request)]
        }
        _ => return Err(failure("no-such-mode", mode)),
    })
}

fn endless() -> ! {
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

/// Needs little of its own stack in linear memory, so that the engine's stack ends first.
fn recurse(depth: u64) -> u64 {
    if depth == u64::MAX {
        return depth;
    }
    recurse(std::hint::black_box(depth + 1)) ^ depth
}

/// Takes memory, `amount` bytes in all or without end, and touches it.
fn allocate(amount: u64) {
    let mut held = Vec::new();
    let mut bytes = 0;
    while amount == 0 || bytes < amount {
        held.push(std::hint::black_box(vec![1_u8; 1 << 20]));
        bytes += 1 << 20;
    }
}

/// Remembers `amount` under a key of its own, deletes `gone`, and says what was there before.
fn write(amount: u64, samples: &Samples) -> Result<Vec<Action>, Failure> {
    let before = state::get("kept").map_or("nothing".to_owned(), |bytes| format!("{bytes:?}"));
    state::set("kept", &amount.to_le_bytes())?;
    state::delete("gone");
    state::delete("never-there");
    let rows = samples.input.len();
    Ok(vec![Action::Notify(alarm(
        "before",
        format!("{before} {rows}"),
    ))])
}

/// Writes and then declines an empty batch; tells of another batch what it remembers.
fn write_then_decline(samples: &Samples) -> Result<Vec<Action>, Failure> {
    if samples.input.is_empty() {
        state::set("count", b"wrong")?;
        timer::wake_at(1);
        return Err(failure("no-idea", "after writing"));
    }
    let count = format!("count is {:?}", state::get("count"));
    Ok(vec![Action::Notify(alarm("count", count))])
}

/// Writes `amount` bytes under one key after another until the host declines; tells how many went.
fn fill_state(amount: u64) -> Result<Vec<Action>, Failure> {
    let value = vec![7; amount as usize];
    let mut written = 0;
    let refusal = loop {
        match state::set(&format!("key{written:04}"), &value) {
            Ok(()) => written += 1,
            Err(refusal) => break refusal,
        }
    };
    Ok(vec![Action::Notify(alarm(refusal.code, written))])
}

fn clocks() -> Vec<Action> {
    let wall = SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| since.as_nanos());
    let before = Instant::now();
    let moved = before.elapsed().as_nanos();
    vec![Action::Notify(alarm("clocks", format!("{wall} {moved}")))]
}

fn random() -> Vec<Action> {
    use std::hash::{BuildHasher, RandomState};
    vec![Action::Notify(alarm(
        "random",
        RandomState::new().hash_one(1),
    ))]
}

/// Tries files, environment, arguments and sockets; tells what it found.
fn look_around() -> Vec<Action> {
    let found = format!(
        "arguments {} environment {} file {} folder {} socket {} input {}",
        std::env::args().count(),
        std::env::vars().count(),
        std::fs::read("/etc/passwd").is_ok(),
        std::fs::read_dir("/").is_ok(),
        std::net::TcpListener::bind("127.0.0.1:0").is_ok(),
        std::io::stdin().lines().count(),
    );
    vec![Action::Notify(alarm("found", found))]
}

fn text_and_window(now: i64) -> Vec<Action> {
    let text = tags::text(0).unwrap_or_else(|| "none".to_owned());
    let unbound = tags::text(99).is_none() && tags::window(99, 0).input.is_empty();
    let window = tags::window(0, now - 10);
    vec![Action::Notify(alarm(
        "history",
        format!("{text} {unbound} {:?} {:?}", window.input, window.value),
    ))]
}
