//! Settings with everything wrong in them: each problem is found, at its place, in words.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on panics, and one that is skipped says so"
)]

mod rig;

use andon_model::{Finding, Severity, TagTable};
use rig::{check_text, device, tag};

fn told(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

fn problems(settings: &str) -> Vec<String> {
    let (plan, findings) = check_text(settings);
    let is_error = findings.iter().any(|f| f.severity == Severity::Error);
    assert_eq!(
        plan.is_none(),
        is_error,
        "a plan is there unless there is an error"
    );
    told(&findings)
}

#[test]
fn settings_without_anything_are_a_plan_without_devices() {
    let (plan, findings) = check_text("");
    assert_eq!(findings, []);
    assert!(
        plan.unwrap()
            .build(&mut TagTable::default())
            .devices
            .is_empty()
    );
}

#[test]
fn names_are_unique_and_well_formed() {
    let settings = device("")
        + &device("")
        + &tag("a", "coil:1", "")
        + &tag("a", "coil:2", "")
        + &tag("", "coil:3", "")
        + &tag("b c", "coil:4", "");
    assert_eq!(
        problems(&settings),
        [
            "/devices/1/name: two devices are named `plc` (the other is the 1st device) (give each device a name of its own)",
            "/tags/1/name: two tags are named `a` (the other is the 1st tag) (give each tag a name of its own)",
            "/tags/2/name: a tag needs a name",
            "/tags/3/name: `b c` is not a name of a tag: ` ` is none of letters, digits and . _ - /",
        ]
    );
}

#[test]
fn unknown_devices_and_classes_are_refused_with_the_nearest_known() {
    let settings = "[poll.fast]\ninterval = \"100ms\"\n".to_owned()
        + &device("")
        + "[[tags]]\nname = \"a\"\ndevice = \"plv\"\naddress = \"coil:1\"\npoll = \"fats\"\n"
        + "[[tags]]\nname = \"b\"\ndevice = \"boiler\"\naddress = \"coil:1\"\npoll = \"hourly\"\n";
    assert_eq!(
        problems(&settings),
        [
            "/tags/0/device: tag `a`: there is no device `plv` (did you mean `plc`?)",
            "/tags/0/poll: tag `a`: there is no poll class `fats` (did you mean `fast`?)",
            "/tags/1/device: tag `b`: there is no device `boiler` (add it under [[devices]])",
            "/tags/1/poll: tag `b`: there is no poll class `hourly` (add it as [poll.hourly] with an interval)",
        ]
    );
}

#[test]
fn addresses_and_types_must_fit() {
    let settings = device("max_registers = 10")
        + &tag("a", "holding:65534", "type = \"f64\"")
        + &tag("b", "coil:1", "type = \"u16\"")
        + &tag("c", "holding:1.2", "type = \"i16\"")
        + &tag("d", "holding:1", "type = \"bool\"")
        + &tag("e", "holding:1", "type = \"text\"")
        + &tag("f", "holding:1", "type = \"text\"\nlength = 300")
        + &tag("g", "holding:1", "length = 3")
        + &tag("h", "50001", "")
        + &tag("i", "holding:200", "type = \"text\"\nlength = 22");
    assert_eq!(
        problems(&settings),
        [
            "/tags/0/address: tag `a`: holding:65534 is 4 registers wide and goes past address 65535",
            "/tags/1/type: tag `b`: coil:1 holds one bit, so its type must be bool, not u16",
            "/tags/2/type: tag `c`: holding:1.2 is a bit, so its type must be bool, not i16",
            "/tags/3/address: tag `d`: holding:1 is a whole register: for a bool name its bit, like holding:1.0",
            "/tags/4/type: tag `e`: a text needs its length in characters: add `length`",
            "/tags/5/length: tag `f`: length = 300 is not between 1 and 250 characters",
            "/tags/6/length: tag `g`: only a text has a length, and this is u16",
            "/tags/7/address: `50001`: a classic number begins with 0 (coil), 1 (discrete input), 3 (input register) or 4 (holding register)",
            "/tags/8/address: tag `i` is 11 registers wide, but device `plc` takes at most 10 in one request (raise max_registers of the device or shorten the tag)",
        ]
    );
}

#[test]
fn numbers_must_make_sense() {
    let settings = device("")
        + &tag("a", "holding:1", "scale = 0\ndeadband = -1\noffset = nan")
        + &tag("b", "coil:1", "scale = 2\ndeadband = 1")
        + &tag("c", "coil:2", "scale = 1\noffset = 0");
    assert_eq!(
        problems(&settings),
        [
            "/tags/0/offset: tag `a`: offset must be a finite number",
            "/tags/0/scale: tag `a`: a scale of 0 makes every value the same",
            "/tags/0/deadband: tag `a`: a deadband cannot be negative",
            "/tags/1/scale: tag `b`: a bool or a text has no scale",
            "/tags/1/deadband: tag `b`: a bool or a text has no deadband",
        ]
    );
}

#[test]
fn overlapping_tags_are_refused_and_twins_are_pointed_out() {
    let settings = device("")
        + &tag("wide", "holding:10", "type = \"f64\"")
        + &tag("inside", "holding:12", "")
        + &tag("behind", "holding:13", "type = \"i32\"")
        + &tag("bit", "holding:11.4", "")
        + &tag("word", "holding:20", "")
        + &tag("word.bit", "holding:20.0", "")
        + &tag("word.bit1", "holding:20.1", "")
        + &tag("raw", "holding:30", "")
        + &tag("signed", "holding:30", "type = \"i16\"")
        + &tag("elsewhere", "input:12", "")
        + &tag("other.unit", "holding:12", "unit_id = 2");
    let (_, findings) = check_text(&settings);
    let hint = "a 32 bit value takes two registers and a 64 bit value four: compare address and type with the device's list";
    assert_eq!(
        told(&findings),
        [
            format!("/tags/1/address: tag `inside` (u16 at holding:12 to 12) overlaps tag `wide` (f64 at holding:10 to 13) ({hint})"),
            format!("/tags/2/address: tag `behind` (i32 at holding:13 to 14) overlaps tag `wide` (f64 at holding:10 to 13) ({hint})"),
            "/tags/8/address: tag `signed` (i16) reads the same place as tag `raw` (u16) (keep both only if both are meant)".to_owned(),
        ]
    );
    assert_eq!(findings[2].severity, Severity::Warning);
}

#[test]
fn devices_and_classes_have_limits() {
    let settings = "[poll.\"a/b\"]\ninterval = \"1ms\"\n".to_owned()
        + &device(
            "attempts = 0\ngap = 125\nmax_registers = 126\nmax_bits = 0\ntimeout = \"1ms\"\nreconnect_min = \"1m\"",
        )
        + "[[devices]]\nname = \"b\"\naddress = \"host:0\"\n"
        + "[[devices]]\nname = \"c\"\naddress = \"http://host\"\n"
        + "[[devices]]\nname = \"d\"\naddress = \"\"\n";
    let hint = "(write host:port, like 192.168.0.10:502; the port may be left out)";
    assert_eq!(
        problems(&settings),
        [
            "/poll/a~1b/interval: poll class `a/b`: the interval 1ms is not between 10ms and 1d"
                .to_owned(),
            "/devices/0/attempts: attempts = 0 is not between 1 and 5".to_owned(),
            "/devices/0/gap: gap = 125 is not between 0 and 124".to_owned(),
            "/devices/0/max_registers: max_registers = 126 is not between 1 and 125".to_owned(),
            "/devices/0/max_bits: max_bits = 0 is not between 1 and 2000".to_owned(),
            "/devices/0/timeout: timeout = 1ms is not between 10ms and 1m".to_owned(),
            "/devices/0/reconnect_max: reconnect_max = 30s is less than reconnect_min = 1m"
                .to_owned(),
            format!(
                "/devices/1/address: `host:0` is not the address of a device: the port is not a number from 1 to 65535 {hint}"
            ),
            format!(
                "/devices/2/address: `http://host` is not the address of a device: the port is not a number from 1 to 65535 {hint}"
            ),
            format!(
                "/devices/3/address: `` is not the address of a device: the host is not a name or an IP address {hint}"
            ),
        ]
    );
}

#[test]
fn hosts_and_ports_are_read_in_all_their_forms() {
    for (text, shown) in [
        ("plc.local", "plc.local:502"),
        ("192.168.0.10:5020", "192.168.0.10:5020"),
        ("[::1]", "[::1]:502"),
        ("[fe80::1%eth0]:503", "[fe80::1%eth0]:503"),
        ("::1", "[::1]:502"),
    ] {
        let (plan, findings) = check_text(&format!(
            "[[devices]]\nname = \"a\"\naddress = \"{text}\"\n"
        ));
        assert_eq!(findings, []);
        let plan = plan.unwrap().build(&mut TagTable::default());
        assert_eq!(plan.devices[0].endpoint.to_string(), shown);
    }
    for text in [
        "[::1",
        "[::1]x",
        "plc:",
        "plc:70000",
        "plc:+1",
        "a b",
        "plc:1:",
    ] {
        let settings = format!("[[devices]]\nname = \"a\"\naddress = \"{text}\"\n");
        assert_eq!(problems(&settings).len(), 1, "{text}");
    }
}

#[test]
fn tags_keep_their_ids_and_tell_where_they_come_from() {
    let settings = device("")
        + &tag("a", "40101.3", "unit = \"\"")
        + &tag("b", "input:7", "unit_id = 9\nunit = \"bar\"");
    let (plan, _) = check_text(&settings);
    let plan = plan.unwrap();
    let mut table = TagTable::default();
    let first = plan.build(&mut table);
    assert_eq!(plan.build(&mut table), first);
    let sources: Vec<&str> = table.iter().map(|(_, tag)| &*tag.source).collect();
    assert_eq!(sources, ["plc holding:100.3", "plc unit 9 input:7"]);
    assert_eq!(first.ids.len(), 2);
    assert_eq!(table.get(first.ids[0]).unwrap().unit, None);
}

#[test]
fn unknown_keys_are_refused() {
    for text in [
        device("adress = \"x\""),
        device("") + &tag("a", "coil:1", "scal = 1"),
        "[poll.x]\ninterval = \"1s\"\nphase = \"1s\"\n".to_owned(),
    ] {
        assert!(toml::from_str::<rig::Settings>(&text).is_err());
    }
}
