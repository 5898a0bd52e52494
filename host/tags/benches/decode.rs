//! Decoding and change detection: 100 blocks of 120 registers in memory, medians in samples a second.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use andon_model::{SampleBatch, TagId, Timestamp};
use andon_tags::{
    Answer, Block, BlockLimits, Layout, Obstacles, Orders, PointPlan, Points, Table, merge,
};

const BLOCKS: u16 = 100;
const REGISTERS: u16 = 120;
const ROUNDS: u16 = 201;

fn main() {
    for (what, layout) in [
        ("u16", Layout::U16),
        ("f32", Layout::F32),
        ("f64", Layout::F64),
    ] {
        for (share, every) in [
            ("all change", 1),
            ("one in ten changes", 10),
            ("none changes", 0),
        ] {
            let rate = measure(layout, every);
            println!(
                "decode {what}, {share}: {:.1} million samples a second",
                rate / 1e6
            );
        }
    }
}

/// Median of samples a second.
fn measure(layout: Layout, every: u16) -> f64 {
    let (mut points, blocks) = setup(layout);
    let mut batch = SampleBatch::with_capacity(usize::from(BLOCKS * REGISTERS));
    let samples = f64::from(BLOCKS * REGISTERS / layout.width());
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|round| {
            let answers: Vec<Answer> = blocks
                .iter()
                .map(|b| answer(b, layout, round, every))
                .collect();
            batch.clear();
            #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
            let began = Instant::now();
            for (block, answer) in blocks.iter().zip(&answers) {
                points.accept(
                    block,
                    answer,
                    Timestamp::from_secs(i64::from(round)),
                    &mut batch,
                );
            }
            black_box(&batch);
            began.elapsed()
        })
        .collect();
    let told = batch.len();
    let expected = match every {
        0 => 0,
        every => usize::from(BLOCKS) * usize::from((REGISTERS / layout.width()).div_ceil(every)),
    };
    assert_eq!(told, expected, "the last round tells what changed in it");
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    samples / median.as_secs_f64()
}

fn setup(layout: Layout) -> (Points, Vec<Block>) {
    let width = layout.width();
    let plans: Vec<PointPlan> = (0..BLOCKS * REGISTERS / width)
        .map(|index| PointPlan {
            id: TagId(u32::from(index)),
            name: format!("tag{index}").into(),
            class: 0,
            table: Table::Holding,
            start: index * width,
            layout,
            orders: Orders::default(),
            scale: 0.1,
            offset: 0.0,
            deadband: 0.0,
        })
        .collect();
    let points = Points::new(&plans);
    let limits = BlockLimits {
        count_max: REGISTERS,
        gap_max: 0,
    };
    let blocks = merge(
        Table::Holding,
        points.spans(),
        limits,
        &Obstacles::default(),
    );
    assert_eq!(blocks.len(), usize::from(BLOCKS));
    (points, blocks)
}

/// Registers of which every n-th value is another one than in the round before.
fn answer(block: &Block, layout: Layout, round: u16, every: u16) -> Answer {
    let registers = (0..block.count).map(|register| {
        let changes = every > 0 && (register / layout.width()).is_multiple_of(every);
        // High registers of floats stay far from NaN and infinity.
        0x1000 + register + if changes { round } else { 0 }
    });
    Answer::Registers(registers.collect())
}
