//! Which group an alarm counts in, and settings that cannot be.

use andon_kpi::{GroupKind, KpiSettings, check};
use serde_json::json;

use crate::diary::{Diary, figure};

const NAMED: &str = r#"
group_by = "area"

[[groups]]
name = "water"
labels = { instance = "{pumps,tanks}", area = "north*" }
"#;

#[test]
fn each_alarm_counts_in_one_group_and_in_the_plant() {
    let mut diary = Diary::default();
    diary.raise_as(0, "pumps/1", "low", json!({ "area": "north 2" }));
    diary.raise_as(700, "pumps/2", "low", json!({ "area": "south" }));
    diary.raise_as(1_400, "ovens/1", "low", json!({ "area": "south" }));
    diary.raise_as(2_100, "ovens/2", "low", json!({}));
    diary.raise_as(
        2_800,
        "andon/device.plc.comm",
        "high",
        json!({ "area": "south" }),
    );
    let report = diary.report_of(NAMED, 10);
    let found: Vec<(&str, GroupKind, u64)> = report
        .groups
        .iter()
        .map(|group| (group.name.as_str(), group.kind, group.annunciations))
        .collect();
    assert_eq!(
        found,
        [
            ("all", GroupKind::Plant, 4),
            ("south", GroupKind::Group, 2),
            ("water", GroupKind::Group, 1),
            ("all others", GroupKind::Others, 1),
            ("andon", GroupKind::Host, 1),
        ]
    );
    // What the host finds wrong with itself is held against no target.
    assert_eq!(figure(&report.groups[4], "priority-low"), (Some(0.0), ""));
}

#[test]
fn one_group_can_be_asked_for() {
    let mut diary = Diary::default();
    diary.raise_as(0, "ovens/1", "low", json!({ "area": "south" }));
    let report = diary.report_of(NAMED, 10);
    let only = report.clone().only("south").unwrap();
    assert_eq!(only.groups.len(), 1);
    assert_eq!(report.only("east").unwrap_err(), ["all", "south"]);
}

#[test]
fn groups_beyond_the_bound_count_as_others() {
    let mut diary = Diary::default();
    for number in 0..300 {
        diary.raise_as(
            number * 700,
            &format!("ovens/{number}"),
            "low",
            json!({ "area": number.to_string() }),
        );
    }
    let report = diary.report_of("group_by = \"area\"", 10);
    assert_eq!(report.groups[0].annunciations, 300);
    assert!(report.groups.len() <= 202);
    let all: u64 = report.groups[1..].iter().map(|one| one.annunciations).sum();
    assert_eq!(all, 300);
    assert!(report.left_out.groups > 0);
    assert!(report.notes.iter().any(|note| note.contains("200")));
}

#[test]
fn settings_that_cannot_be_are_refused_with_what_to_do() {
    let settings: KpiSettings = toml::from_str(
        r#"
        group_by = ""
        stale_after = "0s"
        time_zone = "Mars/Olympus"
        chattering = { activations = 1 }
        groups = [
            { name = "all", labels = { area = "a" } },
            { name = "b", labels = {} },
            { name = "b", labels = { "x/y" = "[" } },
        ]
        "#,
    )
    .unwrap();
    let (plan, findings) = check(&settings);
    assert!(plan.is_none());
    let paths: Vec<&str> = findings.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/groups/0/name",
            "/groups/1/labels",
            "/groups/2/name",
            "/groups/2/labels/x~1y",
            "/group_by",
            "/chattering/activations",
            "/stale_after",
            "/time_zone",
        ]
    );
    assert!(findings.iter().all(|one| one.hint.is_some()));
}
