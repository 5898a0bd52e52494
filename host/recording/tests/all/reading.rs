//! What a person or another program wrote: other columns, garbage, times that go backwards, folders.

use andon_model::{Quality, SampleBatch};
use andon_recording::{
    Item, Kept, ProblemKind, Recording, RecordingError, RecordingWriter, files_of, stamp, tidy,
};

use crate::kit::{at, read, read_text, tags};

const HEAD: &str = "now,batch,tag,value,text,quality,time,mark\n";
const NOON: &str = "2026-01-01T00:00:00.000000000Z";

#[test]
fn three_columns_in_any_order_are_enough() {
    let all = read_text(
        "value,tag,now\r\n81.5,level,2026-01-01T00:00:00Z\r\n2,flow,2026-01-01T00:00:00Z\r\n3,flow,2026-01-01T01:00:01+01:00\r\n",
    );
    assert_eq!(all.items, [Item::Batch(at(0)), Item::Batch(at(1_000))]);
    assert_eq!(all.batches[0].value, [81.5, 2.0]);
    assert_eq!(all.batches[0].quality, [Quality::GOOD.0; 2]);
    assert_eq!(all.batches[0].time, [at(0).nanos(); 2]);
    assert_eq!(all.notes.problems_total, 0);
}

#[test]
fn columns_that_are_wrong_refuse_the_file() {
    for (text, says) in [
        ("", "the file is empty"),
        ("now,tag\n", "the column `value` is missing"),
        ("now,tag,value,colour\n", "`colour` is no column"),
        ("now,tag,value,tag\n", "`tag` is there twice"),
        ("\u{0}\u{1}\u{2}\n", "is no column"),
        ("now,tag,value", "does not name columns"),
    ] {
        let stream = std::io::Cursor::new(text);
        let Err(error) = Recording::from_stream("plant.csv", stream) else {
            panic!("`{text}` was taken")
        };
        let shown = error.to_string();
        assert!(
            shown.contains(says) && shown.contains("plant.csv, line 1"),
            "{shown}"
        );
    }
}

#[test]
fn rows_that_cannot_be_read_are_left_out_and_told_with_their_line() {
    let bad = [
        "garbage".to_owned(),
        format!("{NOON},1,level,high,,192,,"),
        format!("{NOON},1,level,1,,300,,"),
        format!("{NOON},1,level,1,a text too,192,,"),
        format!("{NOON},1,level,,a text,192,,"),
        format!("{NOON},1,,1,,192,,"),
        format!("{NOON},1,level,1,,192,,maybe"),
        format!("{NOON},x,level,1,,192,,"),
        "yesterday,1,level,1,,192,,".to_owned(),
        format!("{NOON},1,level,1,,192,,,"),
        format!("{NOON},1,recipe,,\"open,192,,"),
        format!("{NOON},1,level,1,,192,later,"),
        "\u{0}".repeat(70_000),
    ];
    let good = format!("{NOON},1,level,5,,192,,\n");
    let lines: String = bad.iter().map(|line| format!("{line}\n{good}")).collect();
    let all = read_text(&format!("{HEAD}{lines}"));
    assert_eq!(all.batches.len(), 1, "{:#?}", all.notes);
    assert_eq!(all.batches[0].value, [5.0; 13]);
    assert_eq!(all.notes.unreadable, 13);
    let told: Vec<u64> = all
        .notes
        .problems
        .iter()
        .filter(|one| one.kind == ProblemKind::Unreadable)
        .map(|one| one.line)
        .collect();
    assert_eq!(told, (0..13).map(|row| 2 + row * 2).collect::<Vec<u64>>());
    assert!(
        all.notes.problems[1]
            .to_string()
            .starts_with("plant.csv:4: value `high` is not")
    );
}

#[test]
fn problems_beyond_the_bound_are_counted() {
    let all = read_text(&format!("{HEAD}{}", "garbage\n".repeat(500)));
    assert_eq!((all.notes.unreadable, all.notes.problems.len()), (500, 100));
}

#[test]
fn a_time_that_goes_backwards_is_told_and_counts_as_the_one_before() {
    let all = read_text(
        "now,tag,value\n2026-01-01T00:00:05Z,level,1\n2026-01-01T00:00:02Z,level,2\n2026-01-01T00:00:06Z,level,3\n",
    );
    let moments = [at(5_000), at(5_000), at(6_000)].map(Item::Batch);
    assert_eq!(all.items, moments);
    assert_eq!(all.notes.backwards, 1);
    assert_eq!((all.notes.problems[0].line, all.notes.samples), (3, 3));
}

#[test]
fn tags_that_nobody_knows_are_counted_and_the_others_are_taken() {
    let rows = format!("{NOON},1,pump,1,,192,,\n{NOON},1,level,2,,192,,\n{NOON},1,pump,3,,192,,\n");
    let all = read_text(&format!("{HEAD}{rows}"));
    assert_eq!(all.unknown, [("pump".to_owned(), 2)]);
    assert_eq!(
        (all.notes.samples, &all.batches[0].value[..]),
        (1, &[2.0][..])
    );
}

#[test]
fn a_text_that_a_spreadsheet_took_for_a_number_is_a_text_again() {
    let all = read_text(&format!("{HEAD}{NOON},1,recipe,12,,192,,\n"));
    assert_eq!(&*all.batches[0].text[0].1, "12");
    assert_eq!(all.notes.unreadable, 0);
}

#[test]
fn a_batch_without_end_is_taken_in_parts() {
    let row = "2026-01-01T00:00:00Z,level,1\n";
    let all = read_text(&format!("now,tag,value\n{}", row.repeat(250_000)));
    let rows: Vec<usize> = all.batches.iter().map(SampleBatch::len).collect();
    assert_eq!(rows, [100_000, 100_000, 50_000]);
    assert_eq!(all.notes.problems_total, 2);
}

#[test]
fn the_files_of_a_folder_are_one_recording_in_the_order_of_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let table = tags();
    for second in [2, 0, 1] {
        let now = at(second * 1_000);
        let file = std::fs::File::create(folder.path().join(stamp(now))).unwrap();
        let mut writer = RecordingWriter::new(file).unwrap();
        let mut batch = SampleBatch::default();
        batch.push(
            table.find("level").unwrap(),
            second as f64,
            Quality::GOOD,
            now,
        );
        writer.batch(now, &batch, &table).unwrap();
        writer.end(now, "the next file goes on").unwrap();
    }
    std::fs::write(folder.path().join("notes.txt"), "not a recording").unwrap();
    let all = read(Recording::open(folder.path()).unwrap());
    let values: Vec<f64> = all.batches.iter().map(|batch| batch.value[0]).collect();
    assert_eq!(values, [0.0, 1.0, 2.0]);
    assert_eq!(all.notes.problems_total, 0);
}

#[test]
fn a_folder_without_a_recording_and_a_file_that_is_not_there_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = Recording::open(folder.path()).err();
    assert!(matches!(nothing, Some(RecordingError::Nothing { .. })));
    let missing = Recording::open(&folder.path().join("a.csv")).err();
    assert!(matches!(missing, Some(RecordingError::Read { .. })));
}

#[test]
fn only_old_files_of_its_own_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let own: Vec<_> = (0..5)
        .map(|hour| folder.path().join(stamp(at(hour * 3_600_000))))
        .collect();
    for file in &own {
        std::fs::write(file, [b'x'; 100]).unwrap();
    }
    let theirs = folder.path().join("recording-of-mine.csv");
    std::fs::write(&theirs, [b'x'; 10_000]).unwrap();
    let hour = std::time::Duration::from_secs(3_600);
    let kept = Kept {
        bytes_max: 250,
        age_max: hour * 3 + hour / 2,
    };
    // The first is too old; the next two are too much; the last is being written.
    let gone = tidy(folder.path(), &own[4], kept, at(4 * 3_600_000)).unwrap();
    assert_eq!(gone, own[..3]);
    let mut left = files_of(folder.path()).unwrap();
    left.sort();
    assert_eq!(left.len(), 3);
    assert!(left.contains(&theirs) && left.contains(&own[4]));
}
