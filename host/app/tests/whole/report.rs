//! Alarm figures from outside: `andon report` and the metrics, with a flood and a restart.

use serde_json::Value;

use crate::kit::{Site, wait_for};

/// A site whose alarms carry an area.
fn site_with_groups() -> Site {
    let site = Site::new();
    let settings = site.read("andon.toml");
    site.write(
        "andon.toml",
        format!("{settings}\n[kpi]\ngroup_by = \"area\"\n"),
    );
    let levels = site.read("plugins/levels.toml");
    site.write(
        "plugins/levels.toml",
        format!("{levels}\n[labels]\narea = \"north\"\n"),
    );
    site
}

/// All of eight tanks above their limit, or below.
fn set_tanks(site: &Site, value: u16, state: &str) {
    for tank in 0..8 {
        site.plc.set(tank, value);
    }
    wait_for(&format!("eight alarms to be {state}"), || {
        let alarms = site.alarms("levels/");
        let are = alarms.iter().filter(|alarm| alarm["state"] == state);
        (are.count() == 8).then_some(())
    });
}

fn group(report: &Value, name: &str) -> Value {
    let groups = report["groups"].as_array().expect("groups");
    let found = groups.iter().find(|group| group["name"] == name);
    found
        .unwrap_or_else(|| panic!("no group {name} in {report}"))
        .clone()
}

fn figure<'a>(group: &'a Value, key: &str) -> &'a Value {
    let figures = group["figures"].as_array().expect("figures");
    let found = figures.iter().find(|figure| figure["key"] == key);
    found.unwrap_or_else(|| panic!("no figure {key}"))
}

#[test]
fn a_flood_is_in_the_report_and_a_restart_counts_nothing_again() {
    let mut site = site_with_groups();
    site.start();
    set_tanks(&site, 500, "unacknowledged");
    set_tanks(&site, 0, "returned-unacknowledged");
    set_tanks(&site, 600, "unacknowledged");
    // A test value is no alarm of the plant; last, as all that the rule says is a test from then on.
    site.tell(&["inject", "tank9.level=900"]);
    let rate = "andon_alarms_annunciated_10_minutes{group=\"north\"}";
    wait_for("sixteen in ten minutes", || {
        (site.metric(rate) == Some(16.0)).then_some(())
    });
    let flood = "andon_alarms_flood{group=\"north\"}";
    assert_eq!(site.metric(flood), Some(1.0));

    let before = site.json(&["report"]);
    let north = group(&before, "north");
    assert_eq!(
        (&north["activations"], &north["annunciations"]),
        (&16.into(), &16.into())
    );
    assert_eq!(north["standing_at_end"], 8);
    assert_eq!(north["acknowledgements"]["never"], 8);
    assert_eq!(
        (
            &north["floods"],
            &north["largest_floods"][0]["annunciations"]
        ),
        (&1.into(), &16.into())
    );
    assert_eq!(figure(&north, "flood-time")["mark"], "missed");
    assert_eq!(before["left_out"]["tests"], 1);
    assert_eq!(before["period"]["long_enough"], false);

    site.restart();
    wait_for("the same figures after a restart", || {
        (site.metric(rate) == Some(16.0)).then_some(())
    });
    assert_eq!(site.metric(flood), Some(1.0));
    assert_eq!(
        site.metric("andon_alarms_active{group=\"north\"}"),
        Some(8.0)
    );
    assert_eq!(group(&site.json(&["report"]), "north")["annunciations"], 16);

    // Also without a host.
    site.stop();
    let text = site.tell(&["report", "--group", "north"]);
    assert!(
        text.contains("Group north") && !text.contains("The whole plant"),
        "{text}"
    );
    assert!(
        text.contains("MISSED annunciated in 10 minutes, at most"),
        "{text}"
    );
    let table = site.tell(&["report", "--format", "csv", "--from", "1h"]);
    assert!(table.contains("\nnorth,count,annunciations,16,"), "{table}");
    let page = site.tell(&["report", "--format", "html"]);
    assert!(
        page.starts_with("<!DOCTYPE html>") && page.contains("Group north"),
        "{page}"
    );
}

#[test]
fn what_cannot_be_counted_is_refused_with_what_to_do() {
    let site = site_with_groups();
    let refused = |arguments: &[&str]| {
        let asked = site.ask(&[&["report"], arguments].concat());
        assert_ne!(asked.code, Some(0), "{}", asked.stdout);
        asked.stderr
    };
    // Nothing has run here yet.
    assert!(refused(&[]).contains("andon.db"));
    let mut site = site_with_groups();
    site.start();
    site.stop();
    let refused = |arguments: &[&str]| {
        let asked = site.ask(&[&["report"], arguments].concat());
        assert_ne!(asked.code, Some(0), "{}", asked.stdout);
        asked.stderr
    };
    assert!(refused(&["--from", "yesterday"]).contains("2026-11-01"));
    assert!(refused(&["--from", "1h", "--to", "2h"]).contains("--from"));
    let unknown = refused(&["--group", "south"]);
    assert!(
        unknown.contains("`south`") && unknown.contains("all"),
        "{unknown}"
    );
}
