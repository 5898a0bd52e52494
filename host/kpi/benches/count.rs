//! What counting a million lines of the journal costs, the JSON of each included: 30 days of a plant
//! of 2,000 conditions, each raised, acknowledged and cleared again and again. Nothing is promised
//! of it; it shows where work grows faster than the lines. Prints lines `NAME VALUE UNIT`;
//! `cargo xtask bench` reads them.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench measures with the real clock and prints"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use andon_kpi::{Counting, KpiSettings, Line, Period, TimeZone, check};
use andon_model::{JournalKind, OccurrenceId, Timestamp};

const LINES: u64 = 1_000_000;
const CONDITIONS: u64 = 2_000;
const STEPS: [(&str, char); 3] = [("raised", 'B'), ("acknowledged", 'C'), ("cleared", 'A')];

fn main() {
    let settings = KpiSettings {
        group_by: Some("area".to_owned()),
        ..KpiSettings::default()
    };
    let plan = Arc::new(check(&settings).0.unwrap());
    let from = Timestamp::from_secs(1_788_220_800);
    let to = from.plus(Duration::from_secs(30 * 86_400));
    let alarms: Vec<(String, [String; 3])> = (0..CONDITIONS).map(alarm).collect();
    let mut counting = Counting::new(plan, Period::new(from, to, TimeZone::UTC).unwrap());
    let begun = Instant::now();
    for number in 0..LINES {
        let (round, step) = (number / 3, (number % 3) as usize);
        let (name, data) = &alarms[(round % CONDITIONS) as usize];
        let millis = number * 30 * 86_400_000 / LINES;
        counting.line(&Line {
            at: from.plus(Duration::from_millis(millis)),
            kind: JournalKind::Alarm,
            occurrence: Some(OccurrenceId(round)),
            subject: name,
            event: STEPS[step].0,
            data: &data[step],
        });
    }
    let report = black_box(counting.report(to, Some(from)));
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(report.groups[0].activations, LINES.div_ceil(3));
    println!("kpi_million_lines {:.0} ms", seconds * 1_000.0);
}

fn alarm(number: u64) -> (String, [String; 3]) {
    let data = STEPS.map(|(_, letter)| {
        serde_json::json!({
            "code": "K7",
            "state": letter,
            "priority": "high",
            "message": format!("Tank {number}: level is 93.2 %, above 90 %"),
            "labels": { "area": format!("area {}", number % 20), "instance": "tanks" },
            "raised_at": 1_788_220_800_000_000_000_i64,
        })
        .to_string()
    });
    (format!("tanks/tank{number}.level.high"), data)
}
