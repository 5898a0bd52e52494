//! A PLC that goes away, comes back, or talks nonsense.

use serde_json::Value;

use crate::kit::{ANNA, Line, Site, wait_for};

#[test]
fn a_plc_that_goes_away_is_told_once_and_comes_back() {
    let site = Site::running();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "500");
    let lines = [Line::Silent, Line::Closed, Line::Garbage];
    for (done, line) in lines.into_iter().enumerate() {
        site.plc.line(line);
        let alarm = site.wait_alarm("device.plc");
        println!("{line:?}: {}", alarm["message"]);
        wait_for("the tags to be bad", || {
            quality(&site, "tank0.level")
                .starts_with("bad")
                .then_some(())
        });
        let told = |words: &str| site.inbox.to(ANNA, words).len();
        wait_for("the alarm to be told", || {
            (told("Device plc unit 1 does not answer") > 2 * done).then_some(())
        });
        site.plc.line(Line::Good);
        site.wait_no_alarm("device.plc");
        wait_for("the tags to be good", || {
            quality(&site, "tank0.level")
                .starts_with("good")
                .then_some(())
        });
        wait_for("the end to be told", || {
            (told("Device plc unit 1 does not answer") == 2 * done + 2).then_some(())
        });
    }
    // What stood before stands, and what comes now is told.
    assert_eq!(site.wait_alarm("tank0")["state"], "unacknowledged");
    site.plc.set(1, 600);
    site.inbox.wait(ANNA, "600");
    assert_eq!(site.inbox.to(ANNA, "500").len(), 1);
    // An alarm and an end for each time that it was away.
    assert_eq!(
        site.inbox.to(ANNA, "does not answer").len(),
        2 * lines.len()
    );
}

#[test]
fn a_plc_that_is_not_there_at_the_start_is_told() {
    comes_later(Line::Closed);
}

#[test]
fn something_else_that_answers_at_the_address_of_the_plc_is_told() {
    comes_later(Line::Garbage);
}

/// The PLC is not right when the host starts, and is later.
fn comes_later(line: Line) {
    let mut site = Site::new();
    site.plc.line(line);
    site.start();
    let told = site.inbox.wait(ANNA, "Device plc unit 1 does not answer");
    println!("{line:?}: {}", told.text);
    site.plc.set(0, 500);
    site.plc.line(Line::Good);
    site.inbox.wait(ANNA, "500");
    site.wait_no_alarm("device.plc");
}

fn quality(site: &Site, tag: &str) -> String {
    let overview = site.json(&["health"]);
    let tags = overview["tags"].as_array().expect("tags");
    let found = tags.iter().find(|one| one["name"] == tag);
    let quality = found.and_then(|tag: &Value| tag["quality"].as_str());
    quality.unwrap_or_default().to_owned()
}
