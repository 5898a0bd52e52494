//! Starts that fail with a clear word and destroy nothing, and ends that lose nothing.

use std::net::TcpListener;

use crate::kit::{ANNA, BO, OnSubmit, Site, wait_for};

#[test]
fn sigterm_while_sends_are_in_flight_loses_nothing() {
    let mut site = Site::running();
    site.smsc.on_submit(OnSubmit::Hold);
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "500");
    site.inbox.wait(BO, "500");
    site.stop();
    site.smsc.on_submit(OnSubmit::Take);
    site.start();
    // Whether the SMSC kept them nobody knows, so they come again and say so.
    site.inbox.wait(ANNA, "(repeat) ");
    site.inbox.wait(BO, "(repeat) ");
    site.inbox.assert_nothing_came_twice_unmarked();
}

#[test]
fn a_send_that_is_answered_while_the_host_drains_is_not_made_again() {
    let mut site = Site::running();
    site.edit("drain_time_max = \"2s\"", "drain_time_max = \"30s\"");
    site.tell(&["reload"]);
    site.smsc.on_submit(OnSubmit::Hold);
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "500");
    site.inbox.wait(BO, "500");
    site.host().ask_to_end();
    wait_for("the host to drain", || {
        site.host().printed().contains("draining").then_some(())
    });
    site.smsc.on_submit(OnSubmit::Take);
    let status = site.host().wait_end();
    assert_eq!(status.code(), Some(0));
    site.start();
    site.plc.set(1, 600);
    for phone in [ANNA, BO] {
        site.inbox.wait(phone, "600");
        assert_eq!(site.inbox.to(phone, "500").len(), 1);
    }
}

#[test]
fn what_is_queued_at_sigterm_goes_out_after_the_next_start() {
    let mut site = Site::running();
    site.smsc.on_submit(OnSubmit::Throttle);
    site.plc.set(0, 500);
    site.wait_alarm("tank0");
    site.stop();
    assert_eq!(site.inbox.count(), 0);
    site.smsc.on_submit(OnSubmit::Take);
    site.start();
    for phone in [ANNA, BO] {
        let sms = site.inbox.wait(phone, "500");
        assert!(!sms.is_repeat(), "{sms:?}");
    }
}

#[test]
fn a_host_that_is_asked_to_end_while_it_starts_ends_in_order() {
    let site = Site::new();
    let mut host = site.spawn();
    wait_for("the host to read its database", || {
        host.printed().contains("went on where").then_some(())
    });
    host.ask_to_end();
    assert_eq!(host.wait_end().code(), Some(0), "{}", host.printed());
    assert!(host.printed().contains("everything is written"));
}

#[test]
fn a_data_folder_that_cannot_be_made_is_named() {
    let site = Site::new();
    site.edit("[host]\n", "[host]\ndata = \"smsc-password/data\"\n");
    assert_fails(&site, &["smsc-password/data", "write"]);
    let text = site.read("andon.toml");
    // No user may make a folder there, not even root.
    site.write(
        "andon.toml",
        text.replace("smsc-password/data", "/proc/andon-data"),
    );
    assert_fails(&site, &["/proc/andon-data"]);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let site = Site::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    site.edit("127.0.0.1:0", &address);
    assert_fails(&site, &[&address, "taken"]);
    assert_eq!(site.inbox.count(), 0);
}

#[test]
fn a_second_host_on_the_same_data_ends_and_the_first_goes_on() {
    let site = Site::running();
    assert_fails(&site, &["in use by another `andon run`"]);
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "500");
    site.tell(&["alarms"]);
}

#[test]
fn a_damaged_database_is_left_as_it_is() {
    let mut site = Site::running();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "500");
    site.stop();
    let file = site.path("data/andon.db");
    let good = std::fs::read(&file).expect("the database");
    let mut bad = good.clone();
    let last = bad.len();
    bad[4096..last].fill(0x5a);
    for bad in [
        b"this is no database, but it is somebody's file".to_vec(),
        bad,
    ] {
        std::fs::write(&file, &bad).expect("a file");
        assert_fails(&site, &["andon.db", "damaged"]);
        assert!(
            std::fs::read(&file).expect("the file") == bad,
            "the file was changed"
        );
    }
    std::fs::write(&file, good).expect("a file");
    site.start();
    assert_eq!(site.wait_alarm("tank0")["state"], "unacknowledged");
}

#[test]
fn settings_with_problems_start_nothing_and_name_all_of_them() {
    let site = Site::new();
    site.edit("throughput", "throughputt");
    site.edit("to = [\"anna\", \"bo\"]", "to = [\"anna\", \"boo\"]");
    site.edit("interval = \"20ms\"", "interval = \"20 parsecs\"");
    assert_fails(&site, &["throughputt", "`throughput`", "boo", "parsecs"]);
    assert!(!site.path("data").exists(), "a data folder was made");
    std::fs::remove_file(site.config()).expect("a file");
    assert_fails(&site, &["andon.toml", "cannot be read"]);
}

/// The host ends with 1 and says these words; it never says that it is ready.
fn assert_fails(site: &Site, words: &[&str]) {
    let mut host = site.spawn();
    let status = host.wait_end();
    assert_eq!(status.code(), Some(1), "{}", host.printed());
    let printed = wait_for("its last words", || {
        let printed = host.printed();
        words
            .iter()
            .all(|words| printed.contains(words))
            .then_some(printed)
    });
    assert!(!printed.contains("is ready"), "{printed}");
    assert!(!printed.contains("panicked"), "{printed}");
}
