//! What is written is read again: values, texts, qualities, moments, bounds of batches.

use andon_model::{Origin, Quality, SampleBatch};
use andon_recording::{Item, Recording, RecordingWriter};

use crate::kit::{at, read, tags};

/// Numbers and texts that are easily spoilt on the way through a text.
fn odd_batches() -> Vec<SampleBatch> {
    let table = tags();
    let (level, recipe) = (table.find("level").unwrap(), table.find("recipe").unwrap());
    let mut numbers = SampleBatch::default();
    for (row, value) in [
        0.1 + 0.2,
        -0.0,
        1e300,
        -5e-324,
        f64::MAX,
        1e16,
        123_456_789.123_456_79,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ]
    .into_iter()
    .enumerate()
    {
        let time = at(i64::try_from(row).unwrap()).plus(std::time::Duration::from_nanos(7));
        numbers.push(level, value, Quality(u8::try_from(row * 20).unwrap()), time);
    }
    let mut texts = SampleBatch::default();
    for text in [
        "",
        "Brine 4",
        "a, \"quoted\" one",
        "two\nlines\r\nand \\n none",
        "ünïcode 水",
        "12.5",
        "end\\",
    ] {
        texts.push_text(recipe, text.into(), Quality::GOOD, at(5));
        texts.push(level, 1.0, Quality::GOOD, at(5));
    }
    let mut test = SampleBatch {
        origin: Origin::Test,
        ..SampleBatch::default()
    };
    test.push(level, 97.0, Quality::GOOD_LOCAL_OVERRIDE, at(9));
    vec![numbers, texts, test]
}

fn written(batches: &[SampleBatch]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = RecordingWriter::new(&mut bytes).unwrap();
    for batch in batches {
        // All at one moment: the bounds of batches must not depend on it.
        writer.batch(at(10), batch, &tags()).unwrap();
    }
    writer.gap(at(11), 250, "the disk was too slow").unwrap();
    writer.end(at(12), "somebody asked for the end").unwrap();
    drop(writer);
    bytes
}

#[test]
fn what_is_written_is_read_to_the_last_bit() {
    let batches = odd_batches();
    let bytes = written(&batches);
    let stream = std::io::Cursor::new(bytes);
    let all = read(Recording::from_stream("plant.csv", stream).unwrap());
    assert_eq!(all.batches.len(), batches.len());
    for (got, wanted) in all.batches.iter().zip(&batches) {
        let bits = |batch: &SampleBatch| -> Vec<Option<u64>> {
            let values = batch.value.iter();
            values
                .map(|v| (!v.is_nan()).then_some(v.to_bits()))
                .collect()
        };
        assert_eq!(bits(got), bits(wanted));
        assert_eq!((&got.tag, &got.quality), (&wanted.tag, &wanted.quality));
        assert_eq!((&got.time, &got.text), (&wanted.time, &wanted.text));
        assert_eq!(got.origin, wanted.origin);
    }
    let tail = &all.items[batches.len()..];
    assert_eq!(
        tail,
        [
            Item::Gap {
                now: at(11),
                rows: 250
            },
            Item::End(at(12))
        ]
    );
    assert_eq!(
        (all.notes.lost, all.notes.unfinished, all.notes.unreadable),
        (250, 0, 0)
    );
}

#[test]
fn a_value_that_is_not_a_number_stays_one() {
    let table = tags();
    let mut batch = SampleBatch::default();
    batch.push(table.find("level").unwrap(), f64::NAN, Quality::BAD, at(0));
    let stream = std::io::Cursor::new(written(&[batch]));
    let all = read(Recording::from_stream("plant.csv", stream).unwrap());
    assert!(all.batches[0].value[0].is_nan());
    assert!(all.batches[0].text.is_empty());
    assert_eq!(all.notes.unreadable, 0);
}

#[test]
fn every_row_is_one_line_of_eight_fields() {
    let text = String::from_utf8(written(&odd_batches())).unwrap();
    let rows = odd_batches().iter().map(SampleBatch::len).sum::<usize>();
    assert_eq!(text.lines().count(), 1 + rows + 2);
    assert!(
        text.starts_with("now,batch,tag,value,text,quality,time,mark\n"),
        "{text}"
    );
    assert!(
        text.contains(
            "2026-01-01T00:00:00.010000000Z,3,level,97,,216,2026-01-01T00:00:00.009000000Z,test\n"
        ),
        "{text}"
    );
}

#[test]
fn a_recording_that_is_cut_anywhere_is_read_up_to_there_and_says_so() {
    let bytes = written(&odd_batches());
    let header = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let rows = |bytes: &[u8]| {
        let stream = std::io::Cursor::new(bytes.to_vec());
        read(Recording::from_stream("plant.csv", stream).unwrap())
    };
    let mut before = 0;
    for cut in header..bytes.len() {
        let all = rows(&bytes[..cut]);
        assert_eq!(all.notes.unreadable, 0, "cut at {cut}");
        assert_eq!(all.notes.unfinished, 1, "cut at {cut}");
        assert!(all.notes.samples >= before, "cut at {cut}");
        before = all.notes.samples;
    }
    assert_eq!(before, rows(&bytes).notes.samples);
}
