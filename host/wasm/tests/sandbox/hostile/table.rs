//! What the host does with each hostile component: one line each, and the README beside the
//! components is made of it.

use andon_model::{Action, CallErrorKind as Call, LoadErrorKind as Load, Output, Quality, Reply};
use andon_model::{StateMap, Timestamp};

use super::made;
use crate::guests::NOW;

/// A hostile component and its end.
pub(super) struct Case {
    /// Its file without the ending, or the function that makes it.
    pub(super) name: &'static str,
    pub(super) source: Source,
    pub(super) ends: Ends,
    /// What the sentence for people contains; for one that goes on, what the host made of it.
    pub(super) says: &'static str,
}

/// Where the bytes come from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// `tests/hostile/NAME.wat`.
    File,
    /// A function that makes them, and what they are.
    Made(fn() -> Vec<u8>, &'static str),
}

/// How it ends.
#[derive(Clone, Copy)]
pub(super) enum Ends {
    /// The file is refused, in one of these ways.
    Refused(&'static [Load]),
    /// An instance cannot be started.
    NotStarted(Call),
    /// The call is ended, and the guest is lost.
    Fails(Call),
    /// The guest declined and lives on.
    Declines,
    /// The call is answered, and the answer is as it must be.
    GoesOn(fn(&Reply) -> bool),
}

const fn file(name: &'static str, ends: Ends, says: &'static str) -> Case {
    Case {
        name,
        source: Source::File,
        ends,
        says,
    }
}

const fn refused(name: &'static str, kind: &'static [Load], says: &'static str) -> Case {
    file(name, Ends::Refused(kind), says)
}

const fn fails(name: &'static str, kind: Call, says: &'static str) -> Case {
    file(name, Ends::Fails(kind), says)
}

const fn not_started(name: &'static str, kind: Call, says: &'static str) -> Case {
    file(name, Ends::NotStarted(kind), says)
}

const fn goes_on(name: &'static str, check: fn(&Reply) -> bool, says: &'static str) -> Case {
    file(name, Ends::GoesOn(check), says)
}

const fn made(
    name: &'static str,
    make: fn() -> Vec<u8>,
    what: &'static str,
    kinds: &'static [Load],
    says: &'static str,
) -> Case {
    Case {
        name,
        source: Source::Made(make, what),
        ends: Ends::Refused(kinds),
        says,
    }
}

const DESCRIPTION: &[Load] = &[Load::BadDescription];
const CONTRACT: &[Load] = &[Load::WrongContract];
const IMPORT: &[Load] = &[Load::ForbiddenImport];
const MALFORMED: &[Load] = &[Load::Malformed];
const BOMB: &[Load] = &[Load::TooLarge, Load::TooSlow, Load::Malformed];

/// Files that are refused.
pub(super) const REFUSED: &[Case] = &[
    refused("core-module", &[Load::NotAComponent], "andon plugin build"),
    refused(
        "empty-component",
        CONTRACT,
        "does not export `andon:plugin/plugin`",
    ),
    refused(
        "contract-of-tomorrow",
        CONTRACT,
        "version 9.0.0 of the contract",
    ),
    refused("rule-and-function", CONTRACT, "both a rule and a function"),
    refused("interfaces-of-nothing", CONTRACT, "rebuild it with an SDK"),
    refused("imports-http", IMPORT, "`wasi:http/outgoing-handler@0.2.0`"),
    refused("imports-a-database", IMPORT, "`wasi:keyvalue/store@0.2.0`"),
    refused("imports-the-people", IMPORT, "`andon:plugin/people@0.1.0`"),
    refused("imports-a-bare-function", IMPORT, "`phone-number`"),
    refused("imports-a-module", CONTRACT, "rebuild it with an SDK"),
    refused(
        "imports-wasi-of-tomorrow",
        IMPORT,
        "only WASI 0.2 is linked",
    ),
    refused(
        "start-loops",
        DESCRIPTION,
        "the start of the instance used up its 2000 ms",
    ),
    refused(
        "start-traps",
        DESCRIPTION,
        "the start of the instance trapped",
    ),
    refused(
        "describe-loops",
        DESCRIPTION,
        "`describe` used up its 2000 ms",
    ),
    refused("describe-traps", DESCRIPTION, "`describe` trapped"),
    refused(
        "memory-of-4-gib",
        DESCRIPTION,
        "more than the 64 MiB of memory",
    ),
    refused(
        "table-of-ten-million",
        DESCRIPTION,
        "more than the 20000 table elements",
    ),
    refused("sixty-memories", DESCRIPTION, "the instance cannot be made"),
    refused("data-outside", DESCRIPTION, "out of bounds memory access"),
    refused(
        "waits-on-an-atomic",
        MALFORMED,
        "uses a feature that this host lacks",
    ),
    refused(
        "describes-two-megabytes",
        DESCRIPTION,
        "2 MiB of JSON, and at most 1 MiB",
    ),
    refused("describes-sixty-megabytes", DESCRIPTION, "too much data"),
    refused("describes-deep-json", DESCRIPTION, "recursion limit"),
    refused(
        "describes-outside-the-memory",
        DESCRIPTION,
        "cannot be read",
    ),
    refused("describes-what-is-not-utf-8", DESCRIPTION, "cannot be read"),
    refused(
        "describes-other-types",
        DESCRIPTION,
        "JSON that the contract asks for",
    ),
    refused("describes-no-name", DESCRIPTION, "gives no name"),
    refused("describes-escapes", DESCRIPTION, "control characters"),
    refused("describes-ports-twice", DESCRIPTION, "the input `a` twice"),
    refused(
        "describes-a-port-of-escapes",
        DESCRIPTION,
        "control characters",
    ),
];

/// Files that are refused by the compiler's bounds. Each is compiled in a process of its own, with
/// a gigabyte of memory and some seconds.
pub(super) const DEAR: &[Case] = &[
    made(
        "instances_doubled",
        made::instances_doubled,
        "A kilobyte that stands for a billion core instances.",
        BOMB,
        "",
    ),
    made(
        "giant_function",
        made::giant_function,
        "One function of seven million bytes.",
        BOMB,
        "",
    ),
    made(
        "many_functions",
        made::many_functions,
        "Two hundred thousand functions.",
        &[Load::TooLarge, Load::TooSlow, Load::WrongContract],
        "",
    ),
    made(
        "many_variables",
        made::many_variables,
        "A thousand functions of fifty thousand variables, in 14 KB.",
        &[Load::TooLarge, Load::TooSlow, Load::WrongContract],
        "",
    ),
    made(
        "deep_blocks",
        made::deep_blocks,
        "A function of blocks in blocks, a hundred thousand deep.",
        &[Load::TooLarge, Load::TooSlow, Load::WrongContract],
        "",
    ),
    made(
        "deep_components",
        made::deep_components,
        "Components in components, until they fill 200 KB.",
        BOMB,
        "",
    ),
];

/// Files that are refused for what they name, and how much of it.
pub(super) const NAMED: &[Case] = &[
    made(
        "long_import_name",
        made::long_import_name,
        "An import whose name has ninety thousand characters.",
        IMPORT,
        "which plugins may not have",
    ),
    made(
        "long_version",
        made::long_version,
        "A contract whose version has ninety thousand characters.",
        CONTRACT,
        "rebuild it with an SDK",
    ),
    made(
        "many_imports",
        made::many_imports,
        "Nine hundred imports.",
        IMPORT,
        "imports 901 things",
    ),
];

/// Files that load, and instances of which do not start.
pub(super) const NOT_STARTED: &[Case] = &[
    not_started("configure-loops", Call::TimeOut, "`configure` used up its"),
    not_started("configure-sleeps", Call::TimeOut, "`configure` used up its"),
    not_started("configure-traps", Call::Trap, "`configure` trapped"),
    not_started("configure-recurses", Call::OutOfBounds, "stack of 512 KiB"),
    not_started("realloc-loops", Call::TimeOut, "`configure` used up its"),
    not_started("realloc-traps", Call::Trap, "`configure` trapped"),
    not_started("realloc-lies", Call::BadAnswer, "cannot be read"),
    not_started("realloc-calls-the-host", Call::Trap, "cannot leave"),
];

/// Calls that are ended: each is a strike, and what the call wrote is forgotten.
pub(super) const FAILS: &[Case] = &[
    fails(
        "evaluate-loops",
        Call::TimeOut,
        "`evaluate` used up its 50 ms",
    ),
    fails(
        "compute-loops",
        Call::TimeOut,
        "`compute` used up its 50 ms",
    ),
    fails(
        "post-return-loops",
        Call::TimeOut,
        "`evaluate` used up its 50 ms",
    ),
    fails(
        "host-calls-loop",
        Call::TimeOut,
        "`evaluate` used up its 50 ms",
    ),
    fails("evaluate-sleeps", Call::TimeOut, "`timer.wake-at`"),
    fails(
        "naps-without-end",
        Call::TimeOut,
        "`evaluate` used up its 50 ms",
    ),
    fails("log-flood", Call::TimeOut, "`evaluate` used up its 50 ms"),
    fails(
        "stdout-flood",
        Call::TimeOut,
        "`evaluate` used up its 50 ms",
    ),
    fails("pollables-pile-up", Call::OutOfBounds, "handles"),
    fails("streams-pile-up", Call::OutOfBounds, "handles"),
    fails("random-flood", Call::BadAnswer, "exceeds limit"),
    fails(
        "recurses-without-end",
        Call::OutOfBounds,
        "stack of 512 KiB",
    ),
    fails("grows-at-once", Call::OutOfBounds, "64 MiB of memory"),
    fails("grows-step-by-step", Call::OutOfBounds, "64 MiB of memory"),
    fails("table-grows", Call::OutOfBounds, "20000 table elements"),
    fails("evaluate-traps", Call::Trap, "integer divide by zero"),
    fails("post-return-traps", Call::Trap, "`evaluate` trapped"),
    fails("realloc-is-unaligned", Call::BadAnswer, "not aligned"),
    fails(
        "answer-outside-the-memory",
        Call::BadAnswer,
        "cannot be read",
    ),
    fails("answer-at-an-odd-place", Call::BadAnswer, "not aligned"),
    fails("list-outside-the-memory", Call::BadAnswer, "cannot be read"),
    fails("list-at-an-odd-place", Call::BadAnswer, "not aligned"),
    fails("list-of-four-billion", Call::BadAnswer, "cannot be read"),
    fails("list-that-wraps-around", Call::BadAnswer, "cannot be read"),
    fails("sixty-thousand-rows", Call::BadAnswer, ""),
    fails(
        "one-text-ten-thousand-times",
        Call::BadAnswer,
        "too much data",
    ),
    fails("key-that-is-not-utf-8", Call::BadAnswer, "utf-8"),
    fails("key-outside-the-memory", Call::BadAnswer, "cannot be read"),
    fails("no-such-result", Call::BadAnswer, "cannot be read"),
    fails("no-such-action", Call::BadAnswer, "cannot be read"),
    fails("no-such-priority", Call::BadAnswer, "cannot be read"),
    fails("empty-key", Call::BadAnswer, "empty key"),
    fails("key-of-control-characters", Call::BadAnswer, "empty key"),
    fails("output-out-of-range", Call::BadAnswer, "output 4294967295"),
    fails(
        "columns-of-unequal-length",
        Call::BadAnswer,
        "3 inputs, 2 values, 1 qualities",
    ),
    file("declines-with-a-megabyte", Ends::Declines, "xxxx…"),
];

/// Calls that are answered; what is wrong with them is put right, or was refused while they ran.
pub(super) const GOES_ON: &[Case] = &[
    goes_on(
        "grows-and-goes-on",
        is_empty,
        "refuses the growth; the guest keeps what it has",
    ),
    goes_on(
        "log-of-a-megabyte",
        is_empty,
        "cuts the line to 1,000 characters",
    ),
    goes_on(
        "state-beyond-its-quota",
        state_fits,
        "keeps 256 KiB and declines each further write",
    ),
    goes_on(
        "state-key-flood",
        keys_fit,
        "keeps 10,000 keys and declines each further one",
    ),
    goes_on(
        "wakes-in-the-past",
        wakes_in_the_past,
        "calls it 10 ms later at the soonest",
    ),
    goes_on(
        "message-of-escapes",
        message_is_clean,
        "turns each such character into a space",
    ),
    goes_on(
        "value-that-is-no-number",
        is_bad,
        "gives the sample the quality bad",
    ),
    goes_on(
        "value-that-is-infinite",
        is_bad,
        "gives the sample the quality bad",
    ),
    goes_on(
        "samples-of-the-future",
        is_now,
        "gives the sample the time of the call",
    ),
    goes_on(
        "schema-that-refers-to-itself",
        is_empty,
        "refuses the schema when settings are checked against it",
    ),
];

fn is_empty(reply: &Reply) -> bool {
    matches!(&reply.output, Output::Actions(actions) if actions.is_empty())
}

fn state_fits(reply: &Reply) -> bool {
    let bytes: usize = kept(reply)
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    bytes <= 256 << 10 && bytes > 200 << 10
}

fn keys_fit(reply: &Reply) -> bool {
    reply.state.len() == 10_000
}

fn kept(reply: &Reply) -> StateMap {
    let values = reply.state.iter();
    values
        .filter_map(|change| Some((change.key.clone(), change.value.clone()?)))
        .collect()
}

fn wakes_in_the_past(reply: &Reply) -> bool {
    reply.wake_at == Some(Timestamp::from_nanos(i64::MIN))
}

fn message_is_clean(reply: &Reply) -> bool {
    match &reply.output {
        Output::Actions(actions) => match actions.as_slice() {
            [Action::Raise(alarm)] => !alarm
                .message
                .chars()
                .any(|c| c.is_control() || c == '\u{202e}'),
            _ => false,
        },
        Output::Samples(_) => false,
    }
}

fn is_bad(reply: &Reply) -> bool {
    matches!(&reply.output, Output::Samples(columns) if columns.quality == [Quality::BAD.0])
}

fn is_now(reply: &Reply) -> bool {
    matches!(&reply.output, Output::Samples(columns) if columns.time == [NOW.nanos()])
}
