//! `cargo xtask bench`: what the project promises about speed and memory, measured in one run.
//!
//! Each bench prints lines `NAME VALUE UNIT`. They are shown as they come, and at the end those that
//! something is promised of are held against their bounds, in one table. A bench that takes two
//! sides runs them by turns, so a busy machine shifts ratios little; times and rates it does shift,
//! so run this on a quiet one. No part of CI: a shared machine cannot keep a promise of time.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use anyhow::{Context as _, bail};

use crate::guests;
use crate::process::{cargo, say};

/// The benches, in the order of the path of a sample; `live` runs the program itself.
const BENCHES: [&str; 9] = [
    "decode", "fanout", "batch", "path", "raise", "tell", "count", "commit", "live",
];

/// On which side of its bound a figure must lie.
#[derive(Debug, Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtMost(bound) => format!("at most {bound}"),
            Self::AtLeast(bound) => format!("at least {bound}"),
        }
    }
}

/// A figure that is promised.
struct Promise {
    /// What a bench calls it.
    name: &'static str,
    /// What a person calls it.
    what: &'static str,
    bound: Bound,
}

const PROMISES: [Promise; 15] = [
    Promise {
        name: "ratio_1000",
        what: "1,000 samples through a sandboxed rule, against the same loop native over rows",
        bound: Bound::AtMost(2.0),
    },
    Promise {
        name: "path_1000",
        what: "batches of 1,000 without alarms: decode, changes, functions, rules",
        bound: Bound::AtLeast(5.0),
    },
    Promise {
        name: "path_10000",
        what: "the same, batches of 10,000",
        bound: Bound::AtLeast(5.0),
    },
    Promise {
        name: "replay_1000000",
        what: "a recording of a million samples, from CSV through functions and rules",
        bound: Bound::AtLeast(1.0),
    },
    Promise {
        name: "commit_ratio",
        what: "1,000 alarms committed, against a plain transaction of as many rows",
        bound: Bound::AtMost(3.0),
    },
    Promise {
        name: "sms_latency",
        what: "from the read that shows a change to submit_sm, median",
        bound: Bound::AtMost(5.0),
    },
    Promise {
        name: "reload",
        what: "from a new file to its version at work, code cached, median",
        bound: Bound::AtMost(500.0),
    },
    Promise {
        name: "reload_skipped",
        what: "batches skipped meanwhile",
        bound: Bound::AtMost(0.0),
    },
    Promise {
        name: "resident_idle_cold",
        what: "idle with 10 tags and 2 plugins, after a start that compiled",
        bound: Bound::AtMost(60.0),
    },
    Promise {
        name: "resident_idle_warm",
        what: "the same, code cached",
        bound: Bound::AtMost(60.0),
    },
    Promise {
        name: "resident_instances_200_cold",
        what: "200 instances of one component, after a start that compiled",
        bound: Bound::AtMost(250.0),
    },
    Promise {
        name: "resident_instances_200_warm",
        what: "the same, code cached",
        bound: Bound::AtMost(250.0),
    },
    Promise {
        name: "resident_instances_1000_cold",
        what: "1,000 instances of one component, after a start that compiled",
        bound: Bound::AtMost(600.0),
    },
    Promise {
        name: "resident_instances_1000_warm",
        what: "the same, code cached",
        bound: Bound::AtMost(600.0),
    },
    Promise {
        name: "start_instances_1000_warm",
        what: "from the start of the program until all of them are ready, code cached",
        bound: Bound::AtMost(2.0),
    },
];

/// A line of a bench.
#[derive(Debug, PartialEq)]
struct Figure {
    name: String,
    value: f64,
    unit: String,
}

impl Figure {
    /// `NAME VALUE UNIT`; anything else a bench prints is no figure.
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let figure = Self {
            name: words.next()?.to_owned(),
            value: words.next()?.parse().ok()?,
            unit: words.next()?.to_owned(),
        };
        words.next().is_none().then_some(figure)
    }
}

/// Builds guests and benches as they ship, runs every bench, and fails if a promise is not kept.
pub(crate) fn run() -> anyhow::Result<()> {
    let guests = guests::build()?;
    let mut benches = cargo();
    // All of the workspace, as everywhere: a part of it would unify features otherwise.
    benches.args(["bench", "--workspace"]);
    for bench in BENCHES {
        benches.args(["--bench", bench]);
    }
    benches.env("ANDON_GUESTS", guests).stdout(Stdio::piped());
    let mut running = benches.spawn().context("start the benches")?;
    let lines = running.stdout.take().context("take their output")?;
    let mut figures = Vec::new();
    for line in BufReader::new(lines).lines() {
        let line = line.context("read what the benches print")?;
        figures.extend(Figure::read(&line));
        say(line);
    }
    let ended = running.wait().context("wait for the benches")?;
    let broken = conclude(&figures);
    if !ended.success() {
        bail!("a bench broke off: {ended}");
    }
    if broken > 0 {
        bail!("{broken} promises are not kept");
    }
    Ok(())
}

/// Shows the table; answers how many promises are not kept.
fn conclude(figures: &[Figure]) -> usize {
    say("");
    let mut broken = 0;
    for promise in &PROMISES {
        let found = figures.iter().find(|figure| figure.name == promise.name);
        let kept = found.is_some_and(|figure| promise.bound.holds(figure.value));
        broken += usize::from(!kept);
        let measured = found.map_or("not measured".to_owned(), |figure| {
            format!("{} {}", figure.value, figure.unit)
        });
        say(format!(
            "{:<76} {measured:>16}   {:<13} {}",
            promise.what,
            promise.bound.text(),
            if kept { "ok" } else { "NOT MET" }
        ));
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(name: &str, value: f64) -> Figure {
        Figure {
            name: name.to_owned(),
            value,
            unit: "ms".to_owned(),
        }
    }

    #[test]
    fn only_lines_of_a_name_a_value_and_a_unit_are_figures() {
        assert_eq!(Figure::read("reload 212 ms"), Some(figure("reload", 212.0)));
        assert_eq!(Figure::read("running 3 tests of many"), None);
        assert_eq!(Figure::read("reload soon ms"), None);
        assert_eq!(Figure::read(""), None);
    }

    #[test]
    fn a_promise_is_broken_by_a_figure_beyond_its_bound_and_by_none() {
        let mut figures: Vec<Figure> = PROMISES
            .iter()
            .map(|promise| match promise.bound {
                Bound::AtMost(bound) | Bound::AtLeast(bound) => figure(promise.name, bound),
            })
            .collect();
        assert_eq!(conclude(&figures), 0);
        figures[0].value = 2.1;
        figures[1].value = 4.9;
        figures.pop();
        assert_eq!(conclude(&figures), 3);
    }
}
