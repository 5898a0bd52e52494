//! Answers: guests that answer with whatever bytes they are given, as a rule and as a function. The
//! bytes lie at a known place of their memory, so that pointers in them can point somewhere.

use std::sync::Arc;

use andon_model::{Columns, Component, Loader, Setup};

use super::random::Random;
use super::{Run, sentence, within_bounds};
use crate::guests::{NOW, engine, setup};
use crate::hostile::shell;

/// Rounds of the short run.
const ROUNDS: u64 = 20_000;

/// Where the answer lies.
const BASE: u32 = 131_072;

/// A guest that copies the column of qualities to [`BASE`] and answers that place.
fn echo(function: &str) -> Vec<u8> {
    shell::component(&format!(
        r#"(core module $bad-module
  (import "good" "memory" (memory 1))
  (func (export "{function}") (param i64 i32 i32 i32 i32) (param $bytes i32) (param $length i32)
      (param i32 i32) (result i32)
    (if (i32.lt_u (memory.size) (i32.const 4)) (then (drop (memory.grow (i32.const 2)))))
    (memory.fill (i32.const {BASE}) (i32.const 0) (i32.const 65536))
    (memory.copy (i32.const {BASE}) (local.get $bytes) (local.get $length))
    (i32.const {BASE})))
(core instance $bad (instantiate $bad-module (with "good" (instance $good))))"#
    ))
}

#[tokio::test]
async fn every_answer_of_a_rule_is_within_bounds_or_refused() {
    answers("evaluate", actions).await;
}

#[tokio::test]
async fn every_answer_of_a_function_is_within_bounds_or_refused() {
    answers("compute", columns).await;
}

async fn answers(function: &str, make: fn(&mut Random) -> Vec<u8>) {
    let engine = engine();
    let component = engine.load("echo", echo(function).into()).await;
    let component = component.expect("it loads");
    let mut run = Run::new("answer", ROUNDS);
    let mut guest = None;
    run.play(Vec::new(), async |input| {
        end_of(&component, &mut guest, input).await
    })
    .await;
    while run.goes_on() {
        let mut input = make(&mut run.random);
        if run.random.once_in(2) {
            let other = run.seeds[run.random.below(run.seeds.len())].clone();
            if run.random.once_in(4) {
                input.clone_from(&run.seeds[run.random.below(run.seeds.len())]);
            }
            run.random.mutate(&mut input, &other);
        }
        input.truncate(4_096);
        let end = end_of(&component, &mut guest, &input).await;
        run.take(&input, end);
    }
    run.end();
}

type Kept = Option<Box<dyn andon_model::Guest>>;

/// Hands the bytes to a guest, a new one where the last was lost.
async fn end_of(
    component: &Arc<dyn Component>,
    kept: &mut Kept,
    input: &[u8],
) -> Result<String, String> {
    let Setup { mut limits, .. } = setup("plain", 0);
    limits.message_chars = 40;
    limits.answer_rows = 50;
    // This is not about time.
    limits.call_time = std::time::Duration::from_secs(60);
    let setup = Setup {
        limits: limits.clone(),
        ..setup("plain", 0)
    };
    let mut guest = match kept.take() {
        Some(guest) => guest,
        None => component.start(setup).await.expect("it starts").guest,
    };
    let samples = Columns {
        quality: input.to_vec(),
        ..Columns::default()
    };
    match guest.call(NOW, &samples).await {
        Ok(reply) => {
            *kept = Some(guest);
            within_bounds(&reply, &limits, NOW, 1)
        }
        Err(error) => {
            if !error.guest_is_lost() {
                *kept = Some(guest);
            }
            sentence(&error.message)
        }
    }
}

/// An answer in the making: bytes from [`BASE`] on, and where the next piece goes.
struct Area {
    bytes: Vec<u8>,
}

impl Area {
    fn new(size: usize) -> Self {
        Self {
            bytes: vec![0; size],
        }
    }

    fn put(&mut self, at: usize, number: u32) {
        let room = self.bytes.get_mut(at..at + 4).expect("the area has room");
        room.copy_from_slice(&number.to_le_bytes());
    }

    /// Places a piece at the end, aligned, and gives its address.
    fn push(&mut self, piece: &[u8]) -> u32 {
        while !self.bytes.len().is_multiple_of(8) {
            self.bytes.push(0);
        }
        let at = u32::try_from(self.bytes.len()).expect("it is small");
        self.bytes.extend(piece);
        BASE + at
    }

    /// Puts a list: nearly always as it is, else with a wrong place or length.
    fn list(&mut self, random: &mut Random, at: usize, place: u32, length: u32) {
        let place = match random.below(40) {
            0 => random.edge(),
            1 => place + 1,
            _ => place,
        };
        let length = match random.below(40) {
            0 => random.edge(),
            1 => length * 2,
            _ => length,
        };
        self.put(at, place);
        self.put(at + 4, length);
    }

    fn text(&mut self, random: &mut Random, at: usize) {
        let texts: [&[u8]; 8] = [
            b"",
            b"tank.high",
            b"\n\r\0\x1b[2J",
            "é\u{202e}ü".as_bytes(),
            b"\xff\xfe",
            b"\xed\xa0\x80",
            b" ",
            &[b'x'; 60],
        ];
        let text = texts[random.below(texts.len())];
        let place = self.push(text);
        let length = u32::try_from(text.len()).expect("it is short");
        self.list(random, at, place, length);
    }

    fn attributes(&mut self, random: &mut Random, at: usize) {
        let count = if random.once_in(20) {
            65
        } else {
            random.below(3)
        };
        let place = self.push(&vec![0; count * 16]);
        let from = usize::try_from(place - BASE).expect("it is small");
        for row in 0..count {
            self.text(random, from + row * 16);
            self.text(random, from + row * 16 + 8);
        }
        let count = u32::try_from(count).expect("it is small");
        self.list(random, at, place, count);
    }
}

/// `result<list<action>, failure>` as the canonical ABI lays it out.
fn actions(random: &mut Random) -> Vec<u8> {
    if random.once_in(10) {
        let length = random.below(300);
        return random.bytes(length);
    }
    let mut area = Area::new(32);
    if random.once_in(8) {
        return failure(random, area);
    }
    let rows = if random.once_in(30) {
        51
    } else {
        random.below(4)
    };
    let place = area.push(&vec![0; rows * 32]);
    let from = usize::try_from(place - BASE).expect("it is small");
    for row in 0..rows {
        let at = from + row * 32;
        let wrong = random.once_in(40);
        let case = if wrong {
            random.edge() & 0xff
        } else {
            u32::try_from(random.below(3)).expect("three")
        };
        area.put(at, case);
        area.text(random, at + 4);
        if case == 1 {
            continue;
        }
        let priority = if random.once_in(40) {
            random.edge() & 0xff
        } else {
            u32::try_from(random.below(5)).expect("five")
        };
        area.put(at + 12, priority);
        area.text(random, at + 16);
        area.attributes(random, at + 24);
    }
    let rows = u32::try_from(rows).expect("it is small");
    area.list(random, 4, place, rows);
    area.bytes
}

fn failure(random: &mut Random, mut area: Area) -> Vec<u8> {
    area.put(0, 1);
    area.text(random, 4);
    area.text(random, 12);
    area.attributes(random, 20);
    area.bytes
}

/// `result<samples, failure>` likewise.
fn columns(random: &mut Random) -> Vec<u8> {
    if random.once_in(10) {
        let length = random.below(300);
        return random.bytes(length);
    }
    let mut area = Area::new(40);
    if random.once_in(8) {
        return failure(random, area);
    }
    let rows = random.below(5);
    for (at, width) in [(4, 4), (12, 8), (20, 1), (28, 8)] {
        let mut column = match (at, random.once_in(10)) {
            // The one output that there is, nearly always.
            (4, false) => vec![0; rows * width],
            _ => random.bytes(rows * width),
        };
        if at == 12 && random.once_in(3) {
            for value in column.chunks_exact_mut(8) {
                value.copy_from_slice(&f64::NAN.to_le_bytes());
            }
        }
        let place = area.push(&column);
        let uneven = usize::from(random.once_in(20));
        let rows = u32::try_from(rows + uneven).expect("it is small");
        area.list(random, at, place, rows);
    }
    area.bytes
}
