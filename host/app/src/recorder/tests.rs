//! What the recorder does with full queues, bounds and disks that refuse.

use andon_model::{Quality, Tag, ValueType};
use andon_recording::{Item, Known, Notes, Recording};

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_nanos(1_767_225_600_000_000_000 + millis * 1_000_000)
}

fn tags() -> Arc<TagTable> {
    let mut table = TagTable::default();
    for name in ["level", "recipe"] {
        table.put(Tag {
            name: name.into(),
            value_type: ValueType::F64,
            unit: None,
            description: None,
            source: "test".into(),
        });
    }
    Arc::new(table)
}

fn batch(tags: &TagTable, value: f64, now: Timestamp) -> SampleBatch {
    let mut batch = SampleBatch::default();
    for name in ["level", "recipe"] {
        batch.push(tags.find(name).unwrap(), value, Quality::GOOD, now);
    }
    batch
}

fn recorder() -> Recorder {
    Recorder {
        active: Arc::default(),
        lost: Arc::default(),
        trouble: watch::channel(None).0,
        asked: None,
        last: None,
        standing: None,
    }
}

fn taken(tags: &Arc<TagTable>, millis: i64, lost: u64) -> Taken {
    Taken {
        now: at(millis),
        batch: batch(tags, 1.5, at(millis)),
        tags: Arc::clone(tags),
        lost,
    }
}

fn order(file: PathBuf, rows_max: u64) -> Order {
    Order {
        file,
        now: at(0),
        until: at(10_000),
        rows_max,
    }
}

/// Reads a recording to its end.
fn read(path: &std::path::Path, tags: &TagTable) -> (Vec<SampleBatch>, Notes) {
    let mut recording = Recording::open(path).unwrap();
    let (mut batch, mut batches) = (SampleBatch::default(), Vec::new());
    let mut find = |name: &str| {
        let tag = tags.find(name)?;
        Some(Known {
            tag,
            is_text: false,
        })
    };
    while let Some(item) = recording.next(&mut batch, &mut find).unwrap() {
        if matches!(item, Item::Batch(_)) {
            batches.push(batch.clone());
        }
    }
    (batches, recording.notes().clone())
}

#[test]
fn a_recording_ends_at_its_rows_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (file, tags) = (folder.path().join("a.csv"), tags());
    let mut recorder = recorder();
    recorder.begin(order(file.clone(), 5)).unwrap();
    for turn in 0..4 {
        recorder.take(&taken(&tags, turn * 100, 0));
    }
    let status = recorder.status().unwrap();
    assert_eq!((status.rows, status.failed), (5, false));
    assert!(status.ended.unwrap().contains("as many rows"));
    let (batches, notes) = read(&file, &tags);
    assert_eq!(
        batches.iter().map(SampleBatch::len).collect::<Vec<_>>(),
        [2, 2, 1]
    );
    assert_eq!((notes.samples, notes.unfinished), (5, 0));
}

#[test]
fn a_recording_ends_when_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let (file, tags) = (folder.path().join("a.csv"), tags());
    let mut recorder = recorder();
    recorder.begin(order(file.clone(), 100)).unwrap();
    recorder.take(&taken(&tags, 9_999, 0));
    recorder.take(&taken(&tags, 10_000, 0));
    assert!(recorder.asked.is_none());
    assert_eq!(read(&file, &tags).0.len(), 1);
}

#[test]
fn rows_that_found_no_room_are_a_gap_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (file, tags) = (folder.path().join("a.csv"), tags());
    let mut recorder = recorder();
    recorder.begin(order(file.clone(), 100)).unwrap();
    recorder.take(&taken(&tags, 0, 0));
    recorder.take(&taken(&tags, 500, 37));
    recorder.end_asked(at(600), "over");
    let (batches, notes) = read(&file, &tags);
    assert_eq!((batches.len(), notes.lost), (2, 37));
    assert_eq!(recorder.status().unwrap().lost, 37);
}

#[test]
fn the_engine_never_waits_and_what_finds_no_room_is_counted() {
    let (messages, mut out) = mpsc::channel(2);
    let tap = Tap {
        messages,
        active: Arc::new(AtomicBool::new(true)),
        lost: Arc::default(),
    };
    let tags = tags();
    for turn in 0..5 {
        tap.take(at(turn), &batch(&tags, 1.0, at(turn)), &tags);
    }
    assert_eq!(tap.lost.load(Ordering::Relaxed), 6);
    assert!(out.try_recv().is_ok() && out.try_recv().is_ok());
    tap.take(at(9), &batch(&tags, 1.0, at(9)), &tags);
    let Ok(Message::Batch(taken)) = out.try_recv() else {
        panic!("a batch found room")
    };
    assert_eq!((taken.lost, tap.lost.load(Ordering::Relaxed)), (6, 0));
}

#[test]
fn a_file_that_is_there_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.csv");
    std::fs::write(&file, "mine").unwrap();
    let refused = recorder().begin(order(file.clone(), 5)).unwrap_err();
    assert!(refused.contains("a.csv"), "{refused}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "mine");
}

#[test]
fn the_recording_of_the_settings_goes_on_in_new_files_and_removes_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let tags = tags();
    let mut standing = Standing::new(StandingOrder {
        folder: folder.path().join("recordings"),
        bytes_max: 4_000,
        keep: Duration::from_secs(3_600),
    });
    for turn in 0..200 {
        standing.take(&taken(&tags, turn * 100, 0));
        standing.flush(at(turn * 100));
    }
    let files = andon_recording::files_of(&folder.path().join("recordings")).unwrap();
    let bytes: u64 = files
        .iter()
        .map(|file| file.metadata().unwrap().len())
        .sum();
    assert!(files.len() > 2, "{files:?}");
    // A file may end one batch after its bound.
    assert!(bytes < 4_500, "{bytes}");
    standing.end(at(20_000));
    let (batches, notes) = read(&folder.path().join("recordings"), &tags);
    assert_eq!((notes.problems_total, notes.to), (0, Some(at(20_000))));
    assert_eq!(batches.last().unwrap().time, [at(19_900).nanos(); 2]);
}

#[test]
fn a_folder_that_cannot_be_made_is_told_and_its_rows_are_a_gap_once_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let (tags, place) = (tags(), folder.path().join("recordings"));
    std::fs::write(&place, "a file where the folder should be").unwrap();
    let mut standing = Standing::new(StandingOrder {
        folder: place.clone(),
        bytes_max: 1_000_000,
        keep: Duration::from_secs(3_600),
    });
    standing.take(&taken(&tags, 0, 0));
    assert!(standing.trouble().unwrap().contains("recordings"));
    std::fs::remove_file(&place).unwrap();
    standing.take(&taken(&tags, 1_000, 0));
    assert!(standing.trouble().is_some(), "it waits a minute");
    standing.take(&taken(&tags, 61_000, 0));
    assert_eq!(standing.trouble(), None);
    standing.end(at(62_000));
    let (batches, notes) = read(&place, &tags);
    assert_eq!((batches.len(), notes.lost), (1, 4));
}
