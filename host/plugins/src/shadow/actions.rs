//! Compares what two versions of a rule ask for: by what it does to alarms, not by the words of a call.
//!
//! Raising what is raised with the same content does nothing, and neither does clearing what is not
//! raised; so one version that raises on every call and one that raises once are the same. For each
//! side the alarms that it holds are kept, beginning with those that stand. A key is *apart* while
//! the two hold different things; if the other side does the same later, it was the same at another
//! time. Within a round the order of keys does not count.
//!
//! Right after one side began anew it is shown every input, while the other is shown only news.
//! Then only what the two hold is compared, and a message may differ: it was made from other samples.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use andon_model::{Action, AlarmRequest, Timestamp};

use super::ledger::{DifferenceKind, Ledger};
use crate::chars::shortened;

/// Alarms that are followed for each side; as many as one instance may hold.
const HELD_MAX: usize = 10_000;
/// Notifications of one side that wait for the other to say the same.
const LONE_MAX: usize = 64;
/// And for how long.
const LONE_FOR: Duration = Duration::from_secs(60);
/// Characters of a message in a difference.
const MESSAGE_CHARS: usize = 160;

/// Whether both sides were shown the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Footing {
    /// Both were.
    Same,
    /// One of them has just seen every input.
    Fresh,
}

/// Which version did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Running,
    Shadow,
}

/// What a rule and its shadow hold, and in what they differ now.
#[derive(Debug)]
pub(crate) struct ActionComparison {
    running: Side,
    shadow: Side,
    apart: BTreeMap<String, Apart>,
    lone: VecDeque<(Timestamp, By, AlarmRequest)>,
}

/// The alarms that one version holds.
#[derive(Debug, Default, Clone)]
struct Side(BTreeMap<String, AlarmRequest>);

/// What one version did in a round, as far as it changed anything.
#[derive(Debug, Default)]
struct Acts {
    by_key: BTreeMap<String, Vec<Action>>,
    notes: Vec<AlarmRequest>,
}

/// A key of which the two versions hold different things.
#[derive(Debug, Clone, Copy)]
struct Apart {
    since: Timestamp,
    kind: DifferenceKind,
    count: u64,
}

impl ActionComparison {
    /// Both sides begin with the alarms that stand.
    pub(crate) fn new(held: Vec<AlarmRequest>) -> Self {
        let held = held.into_iter().take(HELD_MAX);
        let side = Side(held.map(|alarm| (alarm.key.clone(), alarm)).collect());
        Self {
            running: side.clone(),
            shadow: side,
            apart: BTreeMap::new(),
            lone: VecDeque::new(),
        }
    }

    /// Takes in what both did without comparing it.
    pub(crate) fn follow(&mut self, running: &[Action], shadow: &[Action]) {
        self.running.take(running);
        self.shadow.take(shadow);
    }

    /// Compares what both did in a round.
    pub(crate) fn compare(
        &mut self,
        now: Timestamp,
        running: &[Action],
        shadow: &[Action],
        footing: Footing,
        ledger: &mut Ledger,
    ) {
        let mut ran = self.running.take(running);
        let mut shadowed = self.shadow.take(shadow);
        let mut keys: BTreeSet<String> = ran.by_key.keys().cloned().collect();
        keys.extend(shadowed.by_key.keys().cloned());
        if footing == Footing::Fresh {
            keys.extend(self.running.0.keys().cloned());
            keys.extend(self.shadow.0.keys().cloned());
        }
        for key in keys {
            let ran = ran.by_key.remove(&key).unwrap_or_default();
            let shadowed = shadowed.by_key.remove(&key).unwrap_or_default();
            self.settle(now, &key, &ran, &shadowed, footing, ledger);
        }
        self.settle_notes(now, ran.notes, shadowed.notes, ledger);
    }

    fn settle(
        &mut self,
        now: Timestamp,
        key: &str,
        ran: &[Action],
        shadowed: &[Action],
        footing: Footing,
        ledger: &mut Ledger,
    ) {
        let (here, there) = (self.running.0.get(key), self.shadow.0.get(key));
        let agree = match (here, there) {
            (Some(here), Some(there)) if footing == Footing::Fresh => {
                here.priority == there.priority
            }
            (here, there) => here == there,
        };
        let apart = self.apart.remove(key);
        if agree {
            if let (Footing::Fresh, Some(here)) = (footing, here) {
                // From here on both are told the same; what was said of other samples is forgotten.
                self.shadow.0.insert(key.to_owned(), here.clone());
            }
            return agreed(now, ran, shadowed, footing, apart, ledger);
        }
        let nobody_acted = ran.is_empty() && shadowed.is_empty();
        if let (true, Some(apart)) = (nobody_acted, apart) {
            // It is known, and nothing came to it.
            self.apart.insert(key.to_owned(), apart);
            return;
        }
        let kind = match (nobody_acted, here, there) {
            (true, Some(_), None) => DifferenceKind::OnlyRunning,
            (true, None, Some(_)) => DifferenceKind::OnlyShadow,
            _ => kind_of(ran, shadowed),
        };
        ledger.note(now, kind, || {
            if nobody_acted {
                says_held(key, here, there)
            } else {
                says_acts(ran, shadowed)
            }
        });
        let apart = match apart {
            Some(before) => Apart {
                since: before.since,
                kind: if before.kind == kind {
                    kind
                } else {
                    DifferenceKind::Changed
                },
                count: before.count + 1,
            },
            None => Apart {
                since: now,
                kind,
                count: 1,
            },
        };
        self.apart.insert(key.to_owned(), apart);
    }

    fn settle_notes(
        &mut self,
        now: Timestamp,
        ran: Vec<AlarmRequest>,
        shadowed: Vec<AlarmRequest>,
        ledger: &mut Ledger,
    ) {
        let mut left: BTreeMap<String, Vec<AlarmRequest>> = BTreeMap::new();
        for note in shadowed {
            left.entry(note.key.clone()).or_default().push(note);
        }
        let mut unmatched = Vec::new();
        for note in ran {
            let others = left.entry(note.key.clone()).or_default();
            match others.iter().position(|other| *other == note) {
                Some(place) => {
                    others.remove(place);
                    ledger.counts.same += 1;
                }
                None => unmatched.push(note),
            }
        }
        for note in unmatched {
            let other = left.get_mut(&note.key).and_then(Vec::pop);
            match other {
                Some(other) => ledger.note(now, DifferenceKind::Changed, || {
                    says_acts(&[Action::Notify(note)], &[Action::Notify(other)])
                }),
                None => self.alone(now, By::Running, note, ledger),
            }
        }
        for note in left.into_values().flatten() {
            self.alone(now, By::Shadow, note, ledger);
        }
    }

    /// A notification of one side alone: late, if the other side gave the same a while ago.
    fn alone(&mut self, now: Timestamp, by: By, note: AlarmRequest, ledger: &mut Ledger) {
        self.lone.retain(|(at, _, _)| now.since(*at) <= LONE_FOR);
        let earlier = self
            .lone
            .iter()
            .position(|(_, other, earlier)| *other != by && *earlier == note);
        let act = [Action::Notify(note)];
        let nothing: [Action; 0] = [];
        let (kind, ran, shadowed) = match by {
            By::Running => (DifferenceKind::OnlyRunning, &act[..], &nothing[..]),
            By::Shadow => (DifferenceKind::OnlyShadow, &nothing[..], &act[..]),
        };
        if let Some((at, _, _)) = earlier.and_then(|place| self.lone.remove(place)) {
            let counted = match by {
                By::Running => DifferenceKind::OnlyShadow,
                By::Shadow => DifferenceKind::OnlyRunning,
            };
            ledger.mend(now, counted, 1, || says_later(ran, shadowed, now, at));
            return;
        }
        ledger.note(now, kind, || says_acts(ran, shadowed));
        let [Action::Notify(note)] = act else {
            return;
        };
        while self.lone.len() >= LONE_MAX {
            self.lone.pop_front();
        }
        self.lone.push_back((now, by, note));
    }
}

impl Side {
    /// Takes in actions; answers those that changed anything.
    fn take(&mut self, actions: &[Action]) -> Acts {
        let mut acts = Acts::default();
        for action in actions {
            match action {
                Action::Raise(alarm) => {
                    let alarm = in_order(alarm);
                    if self.0.get(&alarm.key) == Some(&alarm) {
                        continue;
                    }
                    if self.0.len() < HELD_MAX || self.0.contains_key(&alarm.key) {
                        self.0.insert(alarm.key.clone(), alarm.clone());
                    }
                    let of_key = acts.by_key.entry(alarm.key.clone()).or_default();
                    of_key.push(Action::Raise(alarm));
                }
                Action::Clear(key) => {
                    if self.0.remove(key).is_some() {
                        let of_key = acts.by_key.entry(key.clone()).or_default();
                        of_key.push(action.clone());
                    }
                }
                Action::Notify(alarm) => acts.notes.push(in_order(alarm)),
            }
        }
        acts
    }
}

/// Both hold the same of a key: was it so all the time?
fn agreed(
    now: Timestamp,
    ran: &[Action],
    shadowed: &[Action],
    footing: Footing,
    apart: Option<Apart>,
    ledger: &mut Ledger,
) {
    match apart {
        Some(apart) => {
            let caught_up = match apart.kind {
                DifferenceKind::OnlyRunning => !shadowed.is_empty(),
                DifferenceKind::OnlyShadow => !ran.is_empty(),
                DifferenceKind::Changed | DifferenceKind::Shifted => false,
            };
            if caught_up {
                let since = apart.since;
                // Whoever caught up is named with what it did.
                let (ran, shadowed) = if apart.kind == DifferenceKind::OnlyShadow {
                    (ran, &[][..])
                } else {
                    (&[][..], shadowed)
                };
                ledger.mend(now, apart.kind, apart.count, || {
                    says_later(ran, shadowed, now, since)
                });
            }
        }
        None if ran == shadowed => ledger.counts.same += ran.len() as u64,
        None if footing == Footing::Fresh => {}
        None => ledger.note(now, kind_of(ran, shadowed), || says_acts(ran, shadowed)),
    }
}

fn kind_of(ran: &[Action], shadowed: &[Action]) -> DifferenceKind {
    match (ran.is_empty(), shadowed.is_empty()) {
        (false, true) => DifferenceKind::OnlyRunning,
        (true, false) => DifferenceKind::OnlyShadow,
        _ => DifferenceKind::Changed,
    }
}

/// Attributes are a set: their order says nothing.
fn in_order(alarm: &AlarmRequest) -> AlarmRequest {
    let mut alarm = alarm.clone();
    alarm.attributes.sort();
    alarm
}

fn says_acts(ran: &[Action], shadowed: &[Action]) -> String {
    match (ran.is_empty(), shadowed.is_empty()) {
        (false, true) => format!("only the running version: {}", words(ran)),
        (true, false) => format!("only the shadow: {}", words(shadowed)),
        _ => format!(
            "the running version: {}; the shadow: {}",
            words(ran),
            words(shadowed)
        ),
    }
}

fn says_held(key: &str, here: Option<&AlarmRequest>, there: Option<&AlarmRequest>) -> String {
    let holds = |alarm: Option<&AlarmRequest>| {
        alarm.map_or_else(
            || "nothing".to_owned(),
            |alarm| format!("{}, {}", alarm.priority, quoted(&alarm.message)),
        )
    };
    format!(
        "of {} the running version holds {}, the shadow {}",
        shortened(key, MESSAGE_CHARS),
        holds(here),
        holds(there)
    )
}

fn says_later(ran: &[Action], shadowed: &[Action], now: Timestamp, since: Timestamp) -> String {
    let seconds = now.since(since).as_secs_f64();
    let (who, acts) = if ran.is_empty() {
        ("shadow", shadowed)
    } else {
        ("running version", ran)
    };
    format!(
        "the {who} did the same {seconds:.1} s later: {}",
        words(acts)
    )
}

fn words(acts: &[Action]) -> String {
    let one = |act: &Action| match act {
        Action::Raise(alarm) => format!("raise {}", of_alarm(alarm)),
        Action::Clear(key) => format!("clear {}", shortened(key, MESSAGE_CHARS)),
        Action::Notify(alarm) => format!("notify {}", of_alarm(alarm)),
    };
    match acts {
        [] => "nothing".to_owned(),
        [act] => one(act),
        [first, .., last] => format!("{} … {} ({})", one(first), one(last), acts.len()),
    }
}

fn of_alarm(alarm: &AlarmRequest) -> String {
    format!(
        "{} ({}) {}",
        shortened(&alarm.key, MESSAGE_CHARS),
        alarm.priority,
        quoted(&alarm.message)
    )
}

fn quoted(message: &str) -> String {
    format!("\"{}\"", shortened(message, MESSAGE_CHARS))
}
