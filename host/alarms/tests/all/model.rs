//! The book against a simple model: a map from condition to letter, under any order of inputs.

use std::collections::{BTreeMap, BTreeSet};

use andon_alarms::{AcknowledgementNeed, AlarmBook, AlarmLimits, Answered, Source, Target};
use andon_model::{
    Acknowledgement, Action, AlarmEvent, AlarmId, AlarmRequest, Labels, OnDown, Origin, Priority,
    Timestamp,
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Input {
    Raise(usize, bool),
    Clear(usize, bool),
    Notify(usize),
    Acknowledge(usize, usize),
    AcknowledgeAll(bool),
    Down(bool),
    Restart,
}

const IDS: [(&str, &str); 4] = [("a", "high"), ("a", "low"), ("b", "high"), ("ab", "high")];

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let id = || 0..IDS.len();
    let one = prop_oneof![
        6 => (id(), any::<bool>()).prop_map(|(id, other)| Input::Raise(id, other)),
        4 => (id(), any::<bool>()).prop_map(|(id, need)| Input::Clear(id, need)),
        1 => id().prop_map(Input::Notify),
        4 => (id(), 0..3_usize).prop_map(|(id, by)| Input::Acknowledge(id, by)),
        1 => any::<bool>().prop_map(Input::AcknowledgeAll),
        1 => any::<bool>().prop_map(Input::Down),
        1 => Just(Input::Restart),
    ];
    prop::collection::vec(one, 0..60)
}

/// Letter, occurrence and whether the message is the other one; absent means A.
type Model = BTreeMap<(&'static str, &'static str), (char, u64, bool)>;

/// The word of an event, its occurrence and the letter after it.
type Said = Vec<(&'static str, u64, char)>;

/// What the table in the crate's doc says.
fn expect(model: &mut Model, last: &mut u64, input: &Input) -> Said {
    match *input {
        Input::Raise(id, other) => {
            let known = model.get(&IDS[id]).copied();
            match known {
                Some((letter @ ('B' | 'C'), occurrence, message)) => {
                    model.insert(IDS[id], (letter, occurrence, other));
                    if message == other {
                        vec![]
                    } else {
                        vec![("updated", occurrence, letter)]
                    }
                }
                _ => {
                    *last += 1;
                    model.insert(IDS[id], ('B', *last, other));
                    vec![("raised", *last, 'B')]
                }
            }
        }
        Input::Clear(id, need) => clear(model, IDS[id], need),
        Input::Notify(_) => {
            *last += 1;
            vec![("notified", *last, 'A')]
        }
        Input::Acknowledge(id, _) => acknowledge(model, IDS[id]),
        Input::AcknowledgeAll(only_a) => {
            let mut ids: Vec<_> = model.keys().copied().collect();
            ids.retain(|(instance, _)| !only_a || *instance == "a");
            ids.sort_by_key(|id| model[id].1);
            ids.into_iter()
                .flat_map(|id| acknowledge(model, id))
                .collect()
        }
        Input::Down(need) => {
            let mut ids: Vec<_> = model.keys().copied().collect();
            ids.retain(|(instance, _)| *instance == "a");
            ids.into_iter()
                .flat_map(|id| clear(model, id, need))
                .collect()
        }
        Input::Restart => vec![],
    }
}

fn clear(model: &mut Model, id: (&'static str, &'static str), need: bool) -> Said {
    match model.get(&id).copied() {
        Some(('B', occurrence, other)) if need => {
            model.insert(id, ('D', occurrence, other));
            vec![("cleared", occurrence, 'D')]
        }
        Some(('B' | 'C', occurrence, _)) => {
            model.remove(&id);
            vec![("cleared", occurrence, 'A')]
        }
        _ => vec![],
    }
}

fn acknowledge(model: &mut Model, id: (&'static str, &'static str)) -> Said {
    match model.get(&id).copied() {
        Some(('B', occurrence, other)) => {
            model.insert(id, ('C', occurrence, other));
            vec![("acknowledged", occurrence, 'C')]
        }
        Some(('D', occurrence, _)) => {
            model.remove(&id);
            vec![("acknowledged", occurrence, 'A')]
        }
        _ => vec![],
    }
}

fn request(id: usize, other: bool) -> AlarmRequest {
    AlarmRequest {
        key: IDS[id].1.to_owned(),
        priority: Priority::Medium,
        message: format!("message {other}"),
        attributes: vec![],
    }
}

fn act(book: &mut AlarmBook, now: Timestamp, input: &Input) -> Vec<AlarmEvent> {
    let labels = Labels::new();
    let source = |id: usize, need: bool| Source {
        instance: IDS[id].0,
        labels: &labels,
        acknowledgement: if need {
            AcknowledgementNeed::Needed
        } else {
            AcknowledgementNeed::NotNeeded
        },
        origin: Origin::Device,
    };
    let by = Acknowledgement {
        by: "Ola".into(),
        at: now,
        how: "sms".into(),
    };
    match *input {
        Input::Raise(id, other) => {
            let action = Action::Raise(request(id, other));
            book.apply(now, &source(id, true), vec![action]).events
        }
        Input::Clear(id, need) => {
            let action = Action::Clear(IDS[id].1.to_owned());
            book.apply(now, &source(id, need), vec![action]).events
        }
        Input::Notify(id) => {
            let action = Action::Notify(request(id, false));
            book.apply(now, &source(id, true), vec![action]).events
        }
        Input::Acknowledge(id, how) => {
            let alarm = AlarmId::new(IDS[id].0, IDS[id].1);
            let target = match (how, book.get(&alarm)) {
                (1, Some(record)) => Target::Code(record.code.clone()),
                (2, Some(record)) => Target::Occurrence(record.occurrence),
                _ => Target::Alarm(alarm),
            };
            match book.acknowledge(&target, by) {
                Answered::Done(event) => vec![*event],
                Answered::Already(_) | Answered::Over { .. } | Answered::Unknown => {
                    vec![]
                }
            }
        }
        Input::AcknowledgeAll(only_a) => book.acknowledge_all(only_a.then_some("a"), &by),
        Input::Down(need) => book.instance_down(now, &source(0, need), OnDown::Clear, "gone"),
        Input::Restart => {
            let stored = book.standing().cloned().collect();
            *book = AlarmBook::restore(stored, book.last_occurrence(), AlarmLimits::default());
            vec![]
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_order_of_inputs_gives_what_the_table_says(inputs in inputs()) {
        let mut book = AlarmBook::default();
        let (mut model, mut last) = (Model::new(), 0);
        for (second, input) in inputs.iter().enumerate() {
            let now = Timestamp::from_secs(i64::try_from(second).unwrap());
            let expected = expect(&mut model, &mut last, input);
            let said: Said = act(&mut book, now, input)
                .iter()
                .map(|event| {
                    let record = &event.record;
                    (event.transition.word(), record.occurrence.0, record.state.letter())
                })
                .collect();
            prop_assert_eq!(said, expected, "{:?}", input);
            prop_assert_eq!(book.last_occurrence().0, last);
            let standing: Vec<_> = book
                .standing()
                .map(|record| (record.occurrence.0, record.state.letter()))
                .collect();
            let mut modelled: Vec<_> = model.values().map(|m| (m.1, m.0)).collect();
            modelled.sort_unstable();
            prop_assert_eq!(standing, modelled);
            let codes: BTreeSet<_> = book.standing().map(|record| &record.code).collect();
            prop_assert_eq!(codes.len(), model.len());
        }
    }
}
