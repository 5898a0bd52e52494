//! What people see: text, table, page.

use andon_kpi::{Report, render};
use serde_json::json;

use crate::diary::{DAY, Diary};

fn report() -> Report {
    let mut diary = Diary::default();
    for number in 0..12 {
        let labels = json!({ "area": "=1+1 <north>" });
        diary.raise_as(number * 10, &format!("tanks/{number}<b>"), "high", labels);
    }
    diary.blip(2 * DAY, 2 * DAY + 5, "tanks/short");
    diary.report_of("group_by = \"area\"", 10)
}

#[test]
fn text_names_each_figure_with_value_target_and_source() {
    let text = render::text(&report());
    assert!(text.starts_with("Alarm figures from 2026-09-01 00:00 to 2026-09-11 00:00 (UTC)\n"));
    assert!(text.contains("Note: 10.0 days are counted; the standards want at least 30"));
    let line = text
        .lines()
        .find(|line| line.contains("10 minutes, at most"))
        .unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(
        words.join(" "),
        "MISSED annunciated in 10 minutes, at most 12 at most 10 ISA-18.2-2016 16.4"
    );
    assert!(text.contains("Group =1+1 <north>"));
    assert!(
        text.contains("Fleeting (times):\n         1  tanks/short"),
        "{text}"
    );
    assert!(text.contains("    2026-09-01 00:01  tanks/9<b>"), "{text}");
    assert!(
        text.contains("2026-09-01 00:01      12 alarms in 9m30s"),
        "{text}"
    );
}

#[test]
fn the_table_is_readable_csv_and_holds_no_formula() {
    let table = render::csv(&report()).unwrap();
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert!(rows.iter().all(|row| row.len() == 8));
    let find = |group: &str, name: &str| {
        let found = rows.iter().find(|row| &row[0] == group && &row[2] == name);
        found.map(|row| row[3].to_owned())
    };
    assert_eq!(find("all", "annunciations"), Some("13".to_owned()));
    assert_eq!(
        find("'=1+1 <north>", "annunciations"),
        Some("12".to_owned())
    );
    assert_eq!(find("all", "per-10-minutes-peak"), Some("12".to_owned()));
    assert_eq!(
        rows.iter().filter(|row| &row[2] == "2026-09-03").count(),
        15
    );
}

#[test]
fn the_page_is_whole_and_its_words_are_words() {
    let page = render::html(&report());
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    assert!(page.contains("tanks/0&lt;b&gt;") && !page.contains("tanks/0<b>"));
    assert!(!page.contains("<script") && !page.contains("http"));
    assert!(page.contains("class=\"missed\""));
}

#[test]
fn json_reads_back_as_the_same_report() {
    let report = report();
    let text = serde_json::to_string(&report).unwrap();
    let read: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(read.groups.len(), report.groups.len());
    assert_eq!(read.groups[0].figures, report.groups[0].figures);
}
