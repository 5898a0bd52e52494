//! The book against a naive model, under any order of inputs, with time and restarts in between.
//!
//! What a restart keeps is what was committed: records and rows alone. So a step that forgets to
//! commit what it changed is a difference here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use andon_alarms::{
    AcknowledgementNeed, AlarmBook, AlarmLimits, AlarmPolicy, Answered, Operator, OutOrder,
    PerPriority, ReAlarm, ResetNeed, ShelveOrder, ShelveTime, Source, Target,
};
use andon_model::{
    Acknowledgement, Action, AlarmEvent, AlarmId, AlarmRecord, AlarmRequest, AlarmState, Commit,
    JournalEntry, Labels, OccurrenceId, OnDown, Origin, Priority, Stage, StageRow, Suppression,
    Timestamp,
};
use proptest::prelude::*;

use crate::naive::{Id, Naive, RE_ALARM_AFTER, RE_ALARMS_MAX, SHELVING_MAX, Said};

#[derive(Debug, Clone)]
enum Input {
    Raise {
        id: usize,
        urgent: bool,
        latching: bool,
    },
    Clear {
        id: usize,
        need: bool,
        latching: bool,
    },
    Notify(usize),
    Acknowledge(usize, usize),
    AcknowledgeAll(bool),
    Order(usize, Order),
    Down(bool),
    Suppress(usize, bool),
    Pass(u64),
    Restart,
}

/// What a person may be refused.
#[derive(Debug, Clone)]
enum Order {
    Reset,
    Shelve(Option<u64>),
    Unshelve,
    Out,
    Back,
}

const IDS: [Id; 4] = [("a", "high"), ("a", "low"), ("b", "high"), ("ab", "high")];

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let id = || 0..IDS.len();
    let any = any::<bool>;
    let one = prop_oneof![
        8 => (id(), any(), any()).prop_map(|(id, urgent, latching)| Input::Raise { id, urgent, latching }),
        5 => (id(), any(), any()).prop_map(|(id, need, latching)| Input::Clear { id, need, latching }),
        1 => id().prop_map(Input::Notify),
        6 => (id(), 0..3_usize).prop_map(|(id, by)| Input::Acknowledge(id, by)),
        1 => any().prop_map(Input::AcknowledgeAll),
        1 => any().prop_map(Input::Down),
        12 => (id(), orders()).prop_map(|(id, order)| Input::Order(id, order)),
        3 => (id(), any()).prop_map(|(id, on)| Input::Suppress(id, on)),
        4 => (1..120_u64).prop_map(Input::Pass),
        2 => Just(Input::Restart),
    ];
    prop::collection::vec(one, 0..80)
}

fn orders() -> impl Strategy<Value = Order> {
    prop_oneof![
        2 => Just(Order::Reset),
        4 => prop::option::of(1..450_u64).prop_map(Order::Shelve),
        2 => Just(Order::Unshelve),
        2 => Just(Order::Out),
        2 => Just(Order::Back),
    ]
}

fn policy() -> AlarmPolicy {
    let seconds = Duration::from_secs;
    AlarmPolicy {
        shelving_max: PerPriority {
            medium: seconds(SHELVING_MAX[0]),
            high: seconds(SHELVING_MAX[1]),
            ..PerPriority::default()
        },
        remind_before: seconds(30),
        re_alarm: PerPriority {
            high: Some(ReAlarm {
                after: seconds(RE_ALARM_AFTER),
                times_max: RE_ALARMS_MAX,
            }),
            ..PerPriority::default()
        },
    }
}

/// The book, and the disk beneath it.
struct Plant {
    book: AlarmBook,
    now: u64,
    records: BTreeMap<OccurrenceId, AlarmRecord>,
    rows: BTreeMap<String, StageRow>,
    journal: Vec<JournalEntry>,
}

impl Plant {
    fn new() -> Self {
        let mut book = AlarmBook::default();
        book.set_policy(policy());
        Self {
            book,
            now: 0,
            records: BTreeMap::new(),
            rows: BTreeMap::new(),
            journal: Vec::new(),
        }
    }

    fn at(&self) -> Timestamp {
        moment(self.now)
    }

    fn operator(&self) -> Operator {
        Operator {
            name: "ola".into(),
            at: self.at(),
            how: "command line".into(),
        }
    }

    /// Does an input and commits what came of it; what is refused is `None`.
    fn step(&mut self, input: &Input) -> Option<Vec<AlarmEvent>> {
        let events = act(self, input);
        let done = events.as_deref().unwrap_or(&[]);
        let mut commit = Commit::default();
        self.book.record(done, &mut commit);
        for record in commit.alarms {
            // The newer occurrence of a condition takes the place of the older.
            self.records
                .retain(|number, old| old.id != record.id || *number == record.occurrence);
            if record.state == AlarmState::Normal {
                self.records.remove(&record.occurrence);
            } else {
                self.records.insert(record.occurrence, record);
            }
        }
        for row in commit.rows {
            assert_eq!(row.stage, Stage::Silence);
            match row.record {
                Some(_) => self.rows.insert(row.key.clone(), row),
                None => self.rows.remove(&row.key),
            };
        }
        self.journal.extend(commit.journal);
        events
    }

    fn restart(&mut self) {
        let last = self.book.last_occurrence();
        let records = self.records.values().cloned().collect();
        let rows: Vec<StageRow> = self.rows.values().cloned().collect();
        self.book = AlarmBook::restore(records, last, AlarmLimits::default());
        assert_eq!(
            self.book.restore_rows(&rows, policy()),
            Vec::<String>::new()
        );
    }
}

fn moment(second: u64) -> Timestamp {
    Timestamp::EPOCH.plus(Duration::from_secs(second))
}

fn source(id: usize, need: bool, latching: bool) -> Source<'static> {
    Source {
        instance: IDS[id].0,
        labels: &NO_LABELS,
        acknowledgement: if need {
            AcknowledgementNeed::Needed
        } else {
            AcknowledgementNeed::NotNeeded
        },
        reset: if latching {
            ResetNeed::Needed
        } else {
            ResetNeed::NotNeeded
        },
        origin: Origin::Device,
    }
}

static NO_LABELS: Labels = Labels::new();

fn request(id: usize, urgent: bool) -> AlarmRequest {
    AlarmRequest {
        key: IDS[id].1.to_owned(),
        priority: if urgent {
            Priority::High
        } else {
            Priority::Medium
        },
        message: "level".to_owned(),
        attributes: vec![],
    }
}

fn alarm(id: usize) -> AlarmId {
    AlarmId::new(IDS[id].0, IDS[id].1)
}

/// Does an input; `None` where it is refused.
fn act(plant: &mut Plant, input: &Input) -> Option<Vec<AlarmEvent>> {
    let (now, by) = (plant.at(), plant.operator());
    let book = &mut plant.book;
    Some(match *input {
        Input::Raise {
            id,
            urgent,
            latching,
        } => {
            let action = Action::Raise(request(id, urgent));
            let source = source(id, true, latching);
            book.apply(now, &source, vec![action]).events
        }
        Input::Clear { id, need, latching } => {
            let action = Action::Clear(IDS[id].1.to_owned());
            let source = source(id, need, latching);
            book.apply(now, &source, vec![action]).events
        }
        Input::Notify(id) => {
            let mut notice = request(id, false);
            notice.key = "notice".to_owned();
            let source = source(id, true, false);
            book.apply(now, &source, vec![Action::Notify(notice)])
                .events
        }
        Input::Acknowledge(id, how) => acknowledge(book, id, how, acknowledgement(now)),
        Input::AcknowledgeAll(only_a) => {
            book.acknowledge_all(only_a.then_some("a"), &acknowledgement(now))
        }
        Input::Down(need) => {
            let source = source(0, need, false);
            book.instance_down(now, &source, OnDown::Clear, "gone")
        }
        Input::Suppress(id, on) => {
            let suppression = on.then(|| Suppression {
                by: "trip".into(),
                since: Timestamp::EPOCH,
                reason: "the line stands".into(),
            });
            let event = book.set_suppressed(now, &alarm(id), suppression);
            event.into_iter().collect()
        }
        Input::Pass(time) => {
            plant.now += time;
            let now = plant.at();
            let events = plant.book.on_time(now);
            assert!(plant.book.next_wake().is_none_or(|at| at > now));
            events
        }
        Input::Restart => {
            plant.restart();
            vec![]
        }
        Input::Order(id, ref what) => return order(book, id, what, by),
    })
}

fn acknowledgement(at: Timestamp) -> Acknowledgement {
    Acknowledgement {
        by: "ola".into(),
        at,
        how: "sms".into(),
    }
}

fn acknowledge(
    book: &mut AlarmBook,
    id: usize,
    how: usize,
    by: Acknowledgement,
) -> Vec<AlarmEvent> {
    let target = match (how, book.get(&alarm(id))) {
        (1, Some(record)) => Target::Code(record.code.clone()),
        (2, Some(record)) => Target::Occurrence(record.occurrence),
        _ => Target::Alarm(alarm(id)),
    };
    match book.acknowledge(&target, by) {
        Answered::Done(event) => vec![*event],
        Answered::Already(_) | Answered::Over { .. } | Answered::Unknown => vec![],
    }
}

/// What a person orders; `None` where it is refused.
fn order(book: &mut AlarmBook, id: usize, order: &Order, by: Operator) -> Option<Vec<AlarmEvent>> {
    let target = Target::Alarm(alarm(id));
    let changed = match *order {
        Order::Reset => return book.reset(&target, &by).ok().map(|event| vec![event]),
        Order::Shelve(time) => book.shelve(ShelveOrder {
            target,
            time: time.map_or(ShelveTime::OneShot, |time| {
                ShelveTime::For(Duration::from_secs(time))
            }),
            reason: "cleaning".into(),
            priority: None,
            by,
        }),
        Order::Unshelve => book.unshelve(&target, &by),
        Order::Out => book.take_out_of_service(OutOrder {
            target,
            reason: "new sensor".into(),
            back_by: None,
            by,
        }),
        Order::Back => book.return_to_service(&target, &by),
    };
    let event = changed.ok()?.event;
    Some(event.into_iter().collect())
}

/// What the table in the crate's doc says; `None` where it refuses.
fn expect(naive: &mut Naive, input: &Input, now: u64) -> Option<Said> {
    match *input {
        Input::Raise {
            id,
            urgent,
            latching,
        } => Some(naive.raise(IDS[id], urgent, latching, now)),
        Input::Clear { id, need, latching } => Some(naive.clear(IDS[id], need, latching)),
        Input::Notify(_) => {
            naive.last += 1;
            Some(vec![("notified", naive.last, 'A', String::new())])
        }
        Input::Acknowledge(id, _) => Some(naive.acknowledge(IDS[id], now)),
        Input::AcknowledgeAll(only_a) => {
            let mut ids: Vec<Id> = naive.alarms.keys().copied().collect();
            ids.retain(|(instance, _)| !only_a || *instance == "a");
            ids.sort_by_key(|id| naive.alarms[id].occurrence);
            let said = ids.into_iter().flat_map(|id| naive.acknowledge(id, now));
            Some(said.collect())
        }
        Input::Down(need) => {
            let mut ids: Vec<Id> = naive.alarms.keys().copied().collect();
            ids.retain(|(instance, _)| *instance == "a");
            Some(
                ids.into_iter()
                    .flat_map(|id| naive.clear(id, need, false))
                    .collect(),
            )
        }
        Input::Order(id, ref order) => match *order {
            Order::Reset => naive.reset(IDS[id]),
            Order::Shelve(time) => naive.shelve(IDS[id], time, now),
            Order::Unshelve => naive.unshelve(IDS[id]),
            Order::Out => naive.take_out(IDS[id]),
            Order::Back => naive.bring_back(IDS[id]),
        },
        Input::Suppress(id, on) => Some(naive.suppress(IDS[id], on)),
        Input::Pass(time) => Some(naive.pass(now + time)),
        Input::Restart => {
            naive.forget();
            Some(vec![])
        }
    }
}

fn said(events: Vec<AlarmEvent>) -> Said {
    events
        .into_iter()
        .map(|event| {
            let record = event.record;
            (
                event.transition.word(),
                record.occurrence.0,
                record.state.letter(),
                record.flags.letters(),
            )
        })
        .collect()
}

fn check(plant: &Plant, naive: &Naive) -> Result<(), TestCaseError> {
    let book = &plant.book;
    prop_assert_eq!(book.last_occurrence().0, naive.last);
    let standing: Vec<_> = book
        .standing()
        .map(|record| {
            (
                record.occurrence.0,
                record.state.letter(),
                record.flags.letters(),
            )
        })
        .collect();
    let mut modelled: Vec<_> = naive
        .alarms
        .iter()
        .map(|(id, alarm)| (alarm.occurrence, alarm.letter, naive.letters(*id)))
        .collect();
    modelled.sort_unstable();
    prop_assert_eq!(standing, modelled);
    let codes: BTreeSet<_> = book.standing().map(|record| &record.code).collect();
    prop_assert_eq!(codes.len(), naive.alarms.len());
    let silenced: Vec<_> = book
        .silenced()
        .into_iter()
        .map(|one| (one.id.to_string(), one.flags.letters()))
        .collect();
    let mut modelled: Vec<_> = IDS
        .iter()
        .filter(|id| naive.is_silent(**id))
        .map(|id| (format!("{}/{}", id.0, id.1), naive.letters(*id)))
        .collect();
    modelled.sort_unstable();
    prop_assert_eq!(silenced, modelled);
    for (id, shelf) in &naive.shelves {
        let flags = book.flags_of(&AlarmId::new(id.0, id.1));
        let until = flags.shelved.map(|shelving| shelving.until);
        prop_assert_eq!(until, Some(moment(shelf.until)));
    }
    // The disk holds what the book holds.
    let stored: Vec<&AlarmRecord> = plant.records.values().collect();
    for (stored, record) in stored.iter().zip(book.standing()) {
        prop_assert_eq!(stored.occurrence, record.occurrence);
        prop_assert_eq!(stored.state, record.state);
    }
    prop_assert_eq!(stored.len(), naive.alarms.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_order_of_inputs_gives_what_the_table_says(inputs in inputs()) {
        let (mut plant, mut naive) = (Plant::new(), Naive::default());
        // Which conditions truly hold, by the inputs alone.
        let mut holds: BTreeSet<Id> = BTreeSet::new();
        for input in &inputs {
            let expected = expect(&mut naive, input, plant.now).map(|mut said| {
                if matches!(input, Input::Pass(_)) {
                    said.sort_unstable();
                }
                said
            });
            let lines = plant.journal.len();
            let events = plant.step(input);
            let told = events.as_ref().map_or(0, Vec::len);
            let done = events.map(|events| {
                let mut said = said(events);
                if matches!(input, Input::Pass(_)) {
                    said.sort_unstable();
                }
                said
            });
            prop_assert_eq!(&done, &expected, "{:?}", input);
            // Each step is a line of the journal; an order about what is normal has one as well.
            prop_assert!(plant.journal.len() - lines >= told);
            if matches!(input, Input::Order(..)) {
                prop_assert_eq!(plant.journal.len() - lines, usize::from(done.is_some()));
            }
            check(&plant, &naive)?;
            if let Input::Raise { id, .. } = *input {
                holds.insert(IDS[id]);
            } else if let Input::Clear { id, .. } = *input {
                holds.remove(&IDS[id]);
            } else if matches!(input, Input::Down(_)) {
                holds.retain(|(instance, _)| *instance != "a");
            }
            // What holds always stands as B or C, silent or not; so nothing that holds is forgotten.
            for id in &holds {
                let state = plant.book.get(&AlarmId::new(id.0, id.1)).map(|record| record.state);
                prop_assert!(state.is_some_and(AlarmState::is_active), "{:?} {:?}", id, state);
            }
        }
    }
}
