//! Settings to plan, and the findings that people read.

use andon_model::{Finding, Severity};
use andon_routing::{PeopleSettings, check};

use crate::office::{PEOPLE, sinks};

fn findings(text: &str) -> Vec<Finding> {
    let settings: PeopleSettings = toml::from_str(text).expect("settings parse");
    let (plan, findings) = check(&settings, &sinks());
    let refused = findings.iter().any(|f| f.severity == Severity::Error);
    assert_eq!(plan.is_none(), refused);
    findings
}

pub(crate) fn lines(text: &str) -> Vec<String> {
    findings(text).iter().map(ToString::to_string).collect()
}

#[test]
fn good_settings_have_no_finding() {
    assert_eq!(lines(PEOPLE), Vec::<String>::new());
}

#[test]
fn every_problem_is_found_at_once_with_its_place_and_a_hint() {
    let found = lines(
        r#"
        [[contacts]]
        name = "anna"
        phone = "+4790000001"
        channels = ["smcs", "smsc", "smsc"]
        [[contacts]]
        name = "anna"
        channels = ["smsc"]
        [[contacts]]
        name = "no phone"
        channels = ["smsc"]
        [[contacts]]
        name = "mute"
        phone = "+4790000009"
        [[contacts]]
        name = "odd"
        channels = [{ sink = "twilio", address = "12345" }]
        [[groups]]
        name = "empty"
        members = []
        [[groups]]
        name = "mute"
        members = ["odd"]
        [[routes]]
        name = "r"
        to = ["ana"]
        labels = { area = "a{b" }
        [[routes]]
        name = "r"
        to = []
        channels = ["pager"]
        [routing]
        fallback = ["crew"]
        text_chars_max = 10
        owed_max = 5
        retry_round = "0s"
        expire_after = { low = "1s" }
        "#,
    );
    let expected = [
        "/contacts/0/channels/0: there is no sink named `smcs` (did you mean `smsc`?)",
        "/contacts/0/channels/2: contact `anna` has the channel smsc +4790000001 twice (remove one of them)",
        "/contacts/1/name: there are two contacts named `anna` (give each contact its own name)",
        "/contacts/2/name: `no phone` is not a name of a contact (use 1 to 64 letters, digits and . _ -)",
        "/contacts/2/channels/0: contact `no phone` has no phone number, which sink `smsc` needs (set phone = \"+…\" or give the channel an address)",
        "/contacts/3/channels: contact `mute` has no channel, so nothing can reach it (name at least one sink: channels = [\"…\"])",
        "/contacts/4/channels/0/address: `12345` is not a phone number in E.164: write + and the country code, then digits, like +4790000001",
        "/groups/0/members: group `empty` has no members (name contacts or groups, or remove the group)",
        "/groups/1/name: `mute` is a contact and a group (give the group another name)",
        "/routes/0/labels/area: `a{b` is not a pattern: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?) (`*` stands for any characters, `?` for one, `{a,b}` for either)",
        "/routes/0/to/0: there is no contact or group named `ana` (did you mean `anna`?)",
        "/routes/1/name: there are two routes named `r` (give each route its own name)",
        "/routes/1/channels/0: there is no sink named `pager`",
        "/routes/1/to: route `r` tells nobody (name contacts or groups: to = [\"…\"])",
        "/routing/fallback/0: there is no contact or group named `crew`",
        "/routing/text_chars_max: text_chars_max is 10; it must be 80 to 1600",
        "/routing/owed_max: owed_max is 5; it must be 100 to 1000000",
        "/routing/retry_round: retry_round must be 1s to 1h",
        "/routing/expire_after/low: expire_after of priority low must be 1m to 7d",
    ];
    assert_eq!(found, expected);
}

#[test]
fn groups_that_contain_each_other_are_refused_and_named() {
    let found = lines(
        r#"
        [[contacts]]
        name = "anna"
        phone = "+4790000001"
        channels = ["smsc"]
        [[groups]]
        name = "a"
        members = ["b", "anna"]
        [[groups]]
        name = "b"
        members = ["a"]
        [[groups]]
        name = "c"
        members = ["a", "anna"]
        [routing]
        fallback = ["anna"]
        "#,
    );
    assert_eq!(
        found,
        [
            "/groups/0/members: group `a` contains itself (take the group out of its own members)",
            "/groups/1/members: group `b` contains itself (take the group out of its own members)",
        ]
    );
}

#[test]
fn routes_that_may_leave_an_alarm_to_nobody_are_refused() {
    let contact = r#"
        [[contacts]]
        name = "anna"
        phone = "+4790000001"
        channels = ["smsc"]
        [[routes]]
        name = "r"
        to = ["anna"]
        "#;
    let narrow = findings(&format!("{contact}\npriority = \"high\""));
    assert_eq!(narrow[0].severity, Severity::Error);
    assert!(narrow[0].says.contains("would reach nobody"));
    let wide = findings(contact);
    assert_eq!(wide.len(), 1);
    assert_eq!(wide[0].severity, Severity::Warning, "no fallback");
    assert_eq!(findings("")[0].severity, Severity::Warning, "no contacts");
}

#[test]
fn wrong_keys_and_types_are_refused_with_their_name() {
    for (text, word) in [
        ("[[contacts]]\nname = \"a\"\nfone = \"1\"", "fone"),
        (
            "[[contacts]]\nname = \"a\"\nchannels = [{ sink = \"s\", adress = \"x\" }]",
            "adress",
        ),
        ("[[contacts]]\nname = \"a\"\nphone = \"90\"", "E.164"),
        (
            "[[contacts]]\nname = \"a\"\nchannels = [3]",
            "name of a sink",
        ),
        (
            "[[routes]]\nname = \"a\"\nto = []\npriority = \"urgent\"",
            "urgent",
        ),
        ("[routing]\nexpire_after = { low = \"soon\" }", "soon"),
    ] {
        let error = toml::from_str::<PeopleSettings>(text)
            .unwrap_err()
            .to_string();
        assert!(error.contains(word), "{error}");
    }
}
