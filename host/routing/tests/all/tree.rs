//! Routes within routes: which of them an alarm takes, and which trees are refused.

use andon_model::{AlarmRecord, Labels, Priority};

use crate::checking::lines;
use crate::office::{Office, contacts, pump};

const TREE: &str = r#"
[[contacts]]
name = "anna"
phone = "+4790000001"
channels = ["smsc", "twilio"]

[[contacts]]
name = "bob"
phone = "+4790000002"
channels = ["smsc", "twilio"]

[[contacts]]
name = "chief"
phone = "+4790000003"
channels = ["smsc", "twilio"]

[[routes]]
name = "hall"
labels = { hall = "1" }
to = ["anna"]
channels = ["twilio"]

  [[routes.routes]]
  name = "hall-pumps"
  labels = { area = "pumps" }
  to = ["bob"]
  continue = true

  [[routes.routes]]
  name = "hall-urgent"
  priority = "high"
  channels = ["smsc"]

    [[routes.routes.routes]]
    name = "hall-critical"
    priority = "critical"
    to = ["chief"]

[[routes]]
name = "rest"
to = ["chief"]

[routing]
fallback = ["chief"]
"#;

fn alarm(labels: &[(&str, &str)], priority: Priority) -> AlarmRecord {
    let labels = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    AlarmRecord {
        labels: labels.collect::<Labels>(),
        priority,
        ..pump(7)
    }
}

fn told(labels: &[(&str, &str)], priority: Priority) -> Vec<(String, String)> {
    let rows = Office::with(TREE).raise(&alarm(labels, priority));
    let told = contacts(&rows).into_iter();
    told.map(|(contact, sink)| (contact.to_owned(), sink.to_owned()))
        .collect()
}

fn pairs(told: &[(&str, &str)]) -> Vec<(String, String)> {
    let told = told.iter();
    told.map(|(contact, sink)| ((*contact).to_owned(), (*sink).to_owned()))
        .collect()
}

#[test]
fn the_deepest_route_tells_and_takes_over_what_it_leaves_out() {
    let hall = ("hall", "1");
    assert_eq!(told(&[hall], Priority::Low), pairs(&[("anna", "twilio")]));
    assert_eq!(told(&[hall], Priority::High), pairs(&[("anna", "smsc")]));
    assert_eq!(
        told(&[hall], Priority::Critical),
        pairs(&[("chief", "smsc")])
    );
    assert_eq!(told(&[], Priority::High), pairs(&[("chief", "smsc")]));
}

#[test]
fn a_route_that_continues_lets_those_beside_it_be_tried() {
    let pumps = [("hall", "1"), ("area", "pumps")];
    assert_eq!(told(&pumps, Priority::Low), pairs(&[("bob", "twilio")]));
    assert_eq!(
        told(&pumps, Priority::High),
        pairs(&[("bob", "twilio"), ("anna", "smsc")])
    );
}

#[test]
fn a_route_within_another_matches_only_what_that_one_matches() {
    assert_eq!(
        told(&[("area", "pumps")], Priority::Low),
        pairs(&[("chief", "smsc")])
    );
}

fn refused(routes: &str) -> Vec<String> {
    let (people, _) = TREE.split_once("[[routes]]").expect("routes");
    lines(&format!(
        "{people}{routes}\n[routing]\nfallback = [\"chief\"]"
    ))
}

#[test]
fn routes_that_no_alarm_reaches_are_refused() {
    let found = refused(
        r#"
        [[routes]]
        name = "pumps"
        labels = { area = "pump*" }
        to = ["anna"]

        [[routes]]
        name = "pump-1"
        labels = { area = "pump1", hall = "1" }
        to = ["bob"]

        [[routes]]
        name = "all"
        to = ["anna"]
          [[routes.routes]]
          name = "every"
          [[routes.routes]]
          name = "late"
          labels = { area = "tanks" }

        [[routes]]
        name = "never"
        priority = "critical"
        to = ["bob"]
        "#,
    );
    assert_eq!(
        found,
        [
            "/routes/1: no alarm reaches route `pump-1`: `pumps` takes them all (put it before `pumps`, or set continue = true there)",
            "/routes/3: no alarm reaches route `never`: `all` takes them all (put it before `all`, or set continue = true there)",
            "/routes/2/routes/1: no alarm reaches route `late`: `every` takes them all (put it before `every`, or set continue = true there)",
        ]
    );
}

#[test]
fn a_route_that_may_tell_nobody_is_refused_and_one_with_a_catch_all_within_is_not() {
    let open = refused(
        "[[routes]]\nname = \"a\"\n[[routes.routes]]\nname = \"b\"\nlabels = { x = \"1\" }\nto = [\"anna\"]",
    );
    assert_eq!(
        open,
        [
            "/routes/0: route `a` tells nobody where none of the routes within it matches (set to = [\"…\"] or escalation = \"…\")"
        ]
    );
    let closed =
        refused("[[routes]]\nname = \"a\"\n[[routes.routes]]\nname = \"b\"\nto = [\"anna\"]");
    assert!(closed.is_empty(), "{closed:?}");
}

#[test]
fn names_are_unique_in_the_whole_tree_and_depth_has_a_bound() {
    let twice = refused(
        "[[routes]]\nname = \"a\"\nto = [\"anna\"]\n[[routes.routes]]\nname = \"a\"\nlabels = { x = \"1\" }",
    );
    assert_eq!(
        twice,
        ["/routes/0/routes/0/name: there are two routes named `a` (give each route its own name)"]
    );
    let mut deep = String::new();
    for depth in 0..20 {
        let header = vec!["routes"; depth + 1].join(".");
        deep.push_str(&format!(
            "[[{header}]]\nname = \"r{depth}\"\nto = [\"anna\"]\nlabels = {{ x = \"{depth}\" }}\n"
        ));
    }
    let found = refused(&deep);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("more than 16 routes are within one another"),
        "{found:?}"
    );
}

#[test]
fn escalations_that_cannot_work_are_refused_with_what_to_do() {
    let found = refused(
        r#"
        [[escalations]]
        name = "empty"
        steps = []

        [[escalations]]
        name = "odd"
        steps = [
          { to = [] },
          { to = ["ana"] },
          { to = ["anna"], after = "8d", repeat = { times = 0, every = "0s" } },
        ]
        acknowledgements = 2
        again_times = 2000

        [[routes]]
        name = "a"
        escalation = "od"
        labels = { a = "1" }

        [[routes]]
        name = "b"
        escalation = "odd"
        to = ["anna"]
        "#,
    );
    let expected = [
        "/escalations/0/steps: escalation `empty` has no steps",
        "/escalations/1/steps/0/to: step 1 of escalation `odd` tells nobody",
        "/escalations/1/steps/1/to/0: there is no contact or group named `ana` (did you mean `anna`?)",
        "/escalations/1/steps/1: step 2 of escalation `odd` leaves nobody time to answer",
        "/escalations/1/steps/2/after: after must be at most 7d",
        "/escalations/1/steps/2/repeat/times: times is 0",
        "/escalations/1/steps/2/repeat/every: every must be 1s to 1d",
        "/escalations/1/acknowledgements: escalation `odd` wants 2 people to acknowledge and tells only 1",
        "/escalations/1/again_times: again_times is 2000",
        "/routes/0/escalation: there is no escalation named `od` (did you mean `odd`?)",
        "/routes/1/escalation: route `b` has both `to` and `escalation`",
        "/escalations/0/name: no route uses escalation `empty`",
        "/escalations/1/name: no route uses escalation `odd`",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} instead of {expected}");
    }
}

#[test]
fn quiet_hours_that_make_no_sense_are_refused_with_what_to_do() {
    let quiet = |text: &str| {
        let people = TREE.replacen(
            "channels = [\"smsc\", \"twilio\"]",
            &format!("channels = [\"smsc\", \"twilio\"]\nquiet = [{text}]"),
            1,
        );
        lines(&people)
    };
    let one = |text: &str| quiet(text).into_iter().next().unwrap_or_default();
    assert_eq!(
        one("{ from = \"22:00\", to = \"06:00\", time_zone = \"Europe/Berlin\" }"),
        ""
    );
    let cases = [
        (
            "{ from = \"22\", to = \"06:00\", time_zone = \"UTC\" }",
            "/contacts/0/quiet/0/from: `22` is not a time of day",
        ),
        (
            "{ from = \"22:00\", to = \"24:30\", time_zone = \"UTC\" }",
            "/contacts/0/quiet/0/to: `24:30` is not a time of day",
        ),
        (
            "{ from = \"22:00\", to = \"06:00\" }",
            "/contacts/0/quiet/0: these quiet hours have no time zone",
        ),
        (
            "{ from = \"22:00\", to = \"06:00\", time_zone = \"Europe/Berlim\" }",
            "/contacts/0/quiet/0/time_zone: there is no time zone `Europe/Berlim` (did you mean `Europe/Berlin`?)",
        ),
        (
            "{ from = \"00:00\", to = \"00:00\", time_zone = \"UTC\" }",
            "/contacts/0/quiet: the quiet hours of `anna` never end",
        ),
    ];
    for (text, expected) in cases {
        let found = one(text);
        assert!(found.starts_with(expected), "{found} instead of {expected}");
    }
}
