//! What strangers hand over, made at random: files for the loader, and answers of guests.
//!
//! Each test plays its corpus, file by file, and then a fixed number of seeded rounds, the same at
//! every run. With `ANDON_FUZZ_SECONDS` it goes on for so long instead, from a seed of its own that
//! it prints, and keeps what it finds below `tests/fuzz/corpus`: an input that breaks a rule as
//! `broken-…`, and small ones that end in a way that no other does as `new-…`. `cargo xtask fuzz`
//! runs it so. What the files of the corpus are stands in `tests/fuzz/README.md`.

mod answer;
mod corpus;
mod description;
mod loader;
mod random;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use andon_model::{Action, AlarmRequest, Columns, Limits, Output, Quality, Reply, Timestamp};
use corpus::{KEPT_BYTES, KEPT_FILES};
use random::Random;

use crate::hostile::is_a_sentence;

/// Inputs that are damaged and mixed; what comes later and ends in a new way is kept on disk alone.
const SEEDS_MAX: usize = 1_000;

/// Inputs that break a rule that one run keeps.
const BROKEN_MAX: usize = 50;

/// How long a run is.
enum Length {
    Rounds(u64),
    Until(Instant),
}

/// One run: its random numbers, its corpus, and the ends that were seen.
struct Run {
    random: Random,
    folder: PathBuf,
    length: Length,
    round: u64,
    /// Seeds that were played before the first round.
    played: usize,
    ends: BTreeSet<String>,
    seeds: Vec<Vec<u8>>,
    /// What was wrong; told at the end.
    broken: Vec<String>,
}

impl Run {
    /// A run over the corpus of this name; `rounds` where no time is given.
    #[expect(
        clippy::disallowed_methods,
        reason = "a long run is one of some seconds"
    )]
    fn new(corpus: &str, rounds: u64) -> Self {
        let seconds = std::env::var("ANDON_FUZZ_SECONDS").ok();
        let seconds = seconds.and_then(|text| text.parse::<u64>().ok());
        let (seed, length) = match seconds {
            Some(seconds) => {
                let seed = Random::fresh_seed();
                println!("{corpus}: seed {seed}");
                let until = Instant::now() + Duration::from_secs(seconds);
                (seed, Length::Until(until))
            }
            None => (1, Length::Rounds(rounds)),
        };
        Self {
            random: Random::new(seed),
            folder: corpus::folder(corpus),
            length,
            round: 0,
            played: 0,
            ends: BTreeSet::new(),
            seeds: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// Plays the corpus, and inputs from elsewhere; all of them are seeds from then on.
    async fn play(
        &mut self,
        elsewhere: Vec<(String, Vec<u8>)>,
        mut end_of: impl AsyncFnMut(&[u8]) -> Result<String, String>,
    ) {
        let corpus = corpus::files(&self.folder);
        assert!(!corpus.is_empty(), "there is a corpus");
        for (name, input) in corpus.into_iter().chain(elsewhere) {
            match end_of(&input).await {
                Ok(end) => {
                    let is_new = self.ends.insert(shape(&end));
                    if name.starts_with("new-") && !is_new {
                        println!("{name}: ends like another file before it; it can go");
                    }
                }
                Err(broken) => self.broken.push(format!("{broken}\nby {name}")),
            }
            self.seeds.push(input);
            self.played += 1;
        }
    }

    /// Whether there is one more round.
    #[expect(
        clippy::disallowed_methods,
        reason = "a long run is one of some seconds"
    )]
    fn goes_on(&mut self) -> bool {
        self.round += 1;
        match self.length {
            Length::Rounds(rounds) => self.round <= rounds,
            Length::Until(end) => Instant::now() < end,
        }
    }

    /// Takes the end of an input: the word for it, or what rule it broke.
    fn take(&mut self, input: &[u8], end: Result<String, String>) {
        match end {
            Ok(end) => {
                if self.ends.insert(shape(&end)) {
                    self.keep("new", input);
                    if self.seeds.len() < SEEDS_MAX {
                        self.seeds.push(input.to_vec());
                    }
                }
            }
            Err(broken) => {
                self.keep("broken", input);
                let shown: Vec<u8> = input.iter().copied().take(200).collect();
                self.broken.push(format!("{broken}\nby {shown:02x?}"));
            }
        }
    }

    fn keep(&self, what: &str, input: &[u8]) {
        if matches!(self.length, Length::Rounds(_)) {
            return;
        }
        let files = std::fs::read_dir(&self.folder).map_or(0, Iterator::count);
        let wanted = match what {
            "new" => input.len() <= KEPT_BYTES && files < KEPT_FILES,
            // However full it is; one broken rule can be broken by very many inputs.
            _ => self.broken.len() < BROKEN_MAX,
        };
        if wanted {
            let name = format!("{what}-{:016x}.bin", random::hash(input));
            std::fs::write(self.folder.join(name), input).expect("it is writable");
        }
    }

    /// Fails if anything broke a rule.
    fn end(self) {
        println!(
            "{}: {} seeds, {} rounds, {} ends",
            self.folder.display(),
            self.played,
            self.round - 1,
            self.ends.len()
        );
        for end in &self.ends {
            println!("  ended: {end}");
        }
        assert!(
            self.broken.is_empty(),
            "{} inputs broke a rule; the first: {}",
            self.broken.len(),
            self.broken.first().map_or("", String::as_str)
        );
        assert!(self.played > 0, "the corpus was played");
        assert!(self.round > 1, "it ran");
    }
}

/// A sentence without its numbers and names, so that ends of one kind look alike. What a guest
/// says when it declines is its own.
fn shape(end: &str) -> String {
    if end.contains(" declined: ") {
        return "declined".to_owned();
    }
    if end.contains(" gave the alarm `") {
        // Its key may hold quotes of both kinds.
        return "too many attributes".to_owned();
    }
    let mut shape = String::new();
    let (mut quote, mut number) = (None, false);
    for c in end.chars() {
        // Places are hexadecimal: `0x1be`.
        number = c.is_ascii_digit() || (number && c.is_ascii_alphanumeric());
        match c {
            // What is quoted may hold the other kind of quotes.
            '`' | '"' => match quote {
                None => quote = Some(c),
                Some(open) if open == c => quote = None,
                Some(_) => {}
            },
            c if quote.is_none() && !number && c.is_ascii_alphabetic() && shape.len() < 160 => {
                shape.push(c);
            }
            _ if shape.ends_with(' ') => {}
            _ => shape.push(' '),
        }
    }
    shape
}

/// Whether an answer that was let through keeps every bound.
fn within_bounds(
    reply: &Reply,
    limits: &Limits,
    now: Timestamp,
    outputs: u32,
) -> Result<String, String> {
    match &reply.output {
        Output::Actions(actions) => {
            if actions.len() > limits.answer_rows {
                return Err(format!("{} actions", actions.len()));
            }
            for action in actions {
                match action {
                    Action::Raise(alarm) | Action::Notify(alarm) => request(alarm, limits)?,
                    Action::Clear(key) => text(key, limits)?,
                }
            }
            Ok(format!("actions {}", actions.len().min(3)))
        }
        Output::Samples(columns) => samples(columns, limits, now, outputs),
    }
}

fn request(alarm: &AlarmRequest, limits: &Limits) -> Result<(), String> {
    text(&alarm.key, limits)?;
    text(&alarm.message, limits)?;
    if alarm.attributes.len() > 64 {
        return Err(format!("{} attributes", alarm.attributes.len()));
    }
    for (name, value) in &alarm.attributes {
        text(name, limits)?;
        if !value.is_empty() {
            text(value, limits)?;
        }
    }
    Ok(())
}

fn text(text: &str, limits: &Limits) -> Result<(), String> {
    let chars = text.chars().count();
    if text.is_empty() || chars > limits.message_chars || text.chars().any(char::is_control) {
        return Err(format!("the text {text:?}"));
    }
    Ok(())
}

fn samples(
    columns: &Columns,
    limits: &Limits,
    now: Timestamp,
    outputs: u32,
) -> Result<String, String> {
    if !columns.is_even() || columns.len() > limits.answer_rows {
        return Err(format!("columns of {} rows", columns.len()));
    }
    for (output, value, quality, time) in columns.rows() {
        let lies = !value.is_finite() && !Quality(quality).is_bad();
        if output >= outputs || lies || time > now {
            return Err(format!("a row of {output}, {value}, {quality}, {time}"));
        }
    }
    Ok(format!("samples {}", columns.len().min(3)))
}

/// Whether a failure can be shown to people.
fn sentence(message: &str) -> Result<String, String> {
    if is_a_sentence(message) && !message.contains("gave up") {
        return Ok(message.to_owned());
    }
    Err(format!("said {message:?}"))
}
