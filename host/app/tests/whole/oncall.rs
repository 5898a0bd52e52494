//! Who is on call: asked, changed, and nobody.

use crate::kit::{ANNA, BO, CECILIE, Site, wait_for};

/// A schedule of one rotation that began long ago.
fn schedule(people: &str, ends: &str) -> String {
    format!(
        "\n[[schedules]]\nname = \"night\"\ntime_zone = \"Europe/Oslo\"\nwarn_before = \"0s\"\n\
         [[schedules.rotations]]\nname = \"weeks\"\npeople = [{people}]\nstarts = \"2020-01-06 08:00\"\n{ends}\n"
    )
}

#[test]
fn nobody_on_call_is_an_alarm_to_the_fallback_until_somebody_is() {
    let mut site = Site::new();
    let text = site.read("andon.toml");
    let with = |more: String| site.write("andon.toml", format!("{text}{more}"));
    with(schedule("\"bo\"", "ends = \"2021-01-01 00:00\""));
    let checked = site.tell(&["check"]);
    assert!(
        checked
            .contains("nobody is on call by schedule `night` from now on, for the rest of 60 days"),
        "{checked}"
    );
    site.start();
    let alarm = site.wait_alarm("oncall.night.nobody");
    assert_eq!(alarm["priority"], "high", "{alarm}");
    site.inbox.wait(ANNA, "Nobody is on call by schedule night");
    assert_eq!(site.inbox.to(BO, "Nobody is on call").len(), 0);
    site.restart();
    site.wait_alarm("oncall.night.nobody");

    let text = site.read("andon.toml");
    site.write(
        "andon.toml",
        text.replace("ends = \"2021-01-01 00:00\"", ""),
    );
    site.tell(&["reload"]);
    site.wait_no_alarm("oncall.night.nobody");
    assert_eq!(site.inbox.to(ANNA, "HIGH Nobody is on call").len(), 1);
}

#[test]
fn a_route_to_a_schedule_tells_whoever_is_on_call_and_the_fallback_where_nobody_is() {
    let mut site = Site::new();
    site.edit("to = [\"anna\", \"bo\"]", "to = [\"night\"]");
    let text = site.read("andon.toml");
    let always = "\n[[schedules.overrides]]\nfrom = \"2021-01-01 00:00\"\nto = \"2199-01-01 00:00\"\n\
                  people = [\"bo\"]\nreason = \"swap\"\n";
    let people = "\"cecilie\"";
    site.write(
        "andon.toml",
        format!("{text}{}{always}", schedule(people, "")),
    );
    site.start();
    site.plc.set(1, 600);
    site.inbox.wait(BO, "tank1.level high: 600 ");
    let number = site.wait_alarm("tank1")["occurrence"].to_string();
    site.settle();
    let told = site.tell(&["explain", &number]);
    for words in [
        "bo is on call by override 1 (swap) of schedule `night`",
        "cecilie is not on call by schedule `night`",
    ] {
        assert!(told.contains(words), "`{words}` is missing:\n{told}");
    }
    assert_eq!(site.inbox.to(CECILIE, "tank1").len(), 0);
    assert_eq!(site.inbox.to(ANNA, "tank1").len(), 0);

    // The schedule ends: whoever was told hears of the end, and the next alarm goes to the fallback.
    let ended = schedule(people, "ends = \"2021-01-01 00:00\"");
    site.write("andon.toml", format!("{text}{ended}"));
    site.tell(&["reload"]);
    site.plc.set(1, 0);
    site.plc.set(2, 700);
    site.inbox.wait(ANNA, "tank2.level high: 700 ");
    assert_eq!(site.inbox.to(BO, "tank2").len(), 0);
    let number = site.wait_alarm("tank2")["occurrence"].to_string();
    site.settle();
    let told = site.tell(&["explain", &number]);
    assert!(
        told.contains("nobody is on call by schedule `night`, so fallback anna is told"),
        "{told}"
    );
    assert_eq!(site.inbox.to(BO, "tank1").len(), 2);
}

#[test]
fn who_is_on_call_is_told_by_the_host_and_without_it_by_the_settings() {
    let mut site = Site::new();
    let text = site.read("andon.toml");
    site.write(
        "andon.toml",
        format!("{text}{}", schedule("\"bo\", \"anna\"", "")),
    );
    let asked = [
        "oncall",
        "night",
        "--at",
        "2026-03-29 02:30",
        "--days",
        "15",
    ];
    let offline = site.tell(&asked);
    for line in [
        "No host runs; this is what its settings say.",
        "night (Europe/Oslo)",
        // The clock was put forward at 02:00, so 02:30 was never shown.
        "* Sun 2026-03-29 03:00  bo                   until Mon 2026-03-30 08:00  rotation `weeks`",
        "  Mon 2026-03-30 08:00  anna                 until Mon 2026-04-06 08:00  rotation `weeks`",
        "  Mon 2026-04-06 08:00  bo                   until Mon 2026-04-13 08:00  rotation `weeks`",
    ] {
        assert!(offline.contains(line), "`{line}` is missing:\n{offline}");
    }
    site.start();
    let running = site.tell(&asked);
    assert_eq!(
        format!("No host runs; this is what its settings say.\n{running}"),
        offline
    );

    let (_, _, page) = site.get("/");
    for word in ["On call", "night", "rotation `weeks`"] {
        assert!(page.contains(word), "`{word}` is missing:\n{page}");
    }
    // Settings that are refused do not count, and the host goes on by those that it has.
    site.edit(
        "people = [\"bo\", \"anna\"]",
        "people = [\"bob\", \"anna\"]",
    );
    assert_eq!(site.ask(&["reload"]).code, Some(1));
    assert_eq!(site.tell(&asked), running);

    let unknown = site.ask(&["oncall", "nights"]);
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown
            .stderr
            .contains("there is no schedule named `nights`; the settings have night"),
        "{}",
        unknown.stderr
    );
    let when = site.ask(&["oncall", "--at", "tomorrow"]);
    assert!(
        when.stderr.contains("`tomorrow` is not a local time"),
        "{}",
        when.stderr
    );
}

#[test]
fn a_calendar_is_read_again_when_it_changes() {
    let event = |who: &str| {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:{who}\r\n\
             DTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    };
    let mut site = Site::new();
    let text = site.read("andon.toml");
    site.write(
        "andon.toml",
        format!("{text}\n[[schedules]]\nname = \"shifts\"\ntime_zone = \"America/New_York\"\ncalendar = \"shifts.ics\"\n"),
    );
    site.write("shifts.ics", event("Anna Berg"));
    site.start();
    let on_call = |site: &Site| site.json(&["oncall"])[0]["on_call"][0]["contact"].clone();
    assert_eq!(on_call(&site), "anna");
    site.write("shifts.ics", event("bo on duty"));
    wait_for("the new calendar to count", || {
        (on_call(&site) == "bo").then_some(())
    });
    site.write("shifts.ics", "no calendar");
    let alarm = site.wait_alarm("settings.refused");
    let says = alarm["message"].as_str().unwrap_or_default().to_owned();
    assert!(says.contains("shifts.ics:1:1"), "{says}");
    assert_eq!(on_call(&site), "bo");
}
