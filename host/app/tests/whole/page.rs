//! What the host serves: health, readiness, metrics and the page.

use std::collections::BTreeMap;

use crate::kit::{ANNA, Site, wait_for};

#[test]
fn a_host_that_runs_is_healthy_and_ready() {
    let site = Site::running();
    for path in ["/healthz", "/readyz"] {
        let (status, _, body) = site.get(path);
        assert_eq!((status, body.as_str()), (200, "ok\n"), "{path}");
    }
    assert_eq!(site.get("/no-such-page").0, 404);
    assert_eq!(site.ask(&["health"]).code, Some(0));
}

#[test]
fn a_host_that_does_not_run_is_not_healthy() {
    let mut site = Site::running();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "500");
    let code = site.wait_alarm("tank0")["code"]
        .as_str()
        .expect("a code")
        .to_owned();
    site.stop();
    assert_eq!(site.ask(&["health"]).code, Some(1));
    assert_eq!(site.ask(&["inject", "tank0.level=1"]).code, Some(1));
    assert_eq!(site.ask(&["reload"]).code, Some(1));
    // These are answered from the database.
    assert_eq!(site.alarms("tank0").len(), 1);
    assert!(site.tell(&["explain", &code]).contains("tank0.level"));
}

#[test]
fn the_page_escapes_what_comes_from_outside() {
    let mut site = Site::new();
    let levels = site.read("plugins/levels.toml");
    let message = "message = \"<script>alert('{tag}')</script> & {value}\"\n";
    site.write("plugins/levels.toml", format!("{levels}{message}"));
    site.write("plugins/<img src=x onerror=alert(1)>.wasm", b"bad");
    site.start();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "& 500");
    let page = wait_for("the alarm and the bad file to be on the page", || {
        let (status, head, page) = site.get("/");
        assert_eq!(status, 200);
        assert!(
            head.to_ascii_lowercase()
                .contains("content-security-policy"),
            "{head}"
        );
        (page.contains("tank0.level") && page.contains("onerror")).then_some(page)
    });
    assert!(page.contains("&lt;script&gt;alert("), "{page}");
    for bad in ["<script", "<img"] {
        assert!(!page.contains(bad), "{page}");
    }
}

#[test]
fn the_metrics_are_open_metrics() {
    let site = Site::running();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "500");
    // The phone has it before the host knows what came of it.
    site.settle();
    let (status, head, text) = site.get("/metrics");
    assert_eq!(status, 200);
    assert!(head.contains("application/openmetrics-text"), "{head}");
    let families = families(&text);
    let count = |family: &str| families.get(family).map_or(0, |family| family.samples);
    for family in [
        "andon_samples",
        "andon_batch_seconds",
        "andon_plugin_calls",
        "andon_alarm_transitions",
        "andon_alarms_standing",
        "andon_delivery_outcomes",
        "andon_deliveries_owed",
        "andon_sink_up",
        "andon_device_up",
        "andon_store_up",
    ] {
        assert!(count(family) > 0, "nothing of {family} in:\n{text}");
    }
    assert!(text.contains("andon_alarms_standing 1\n"), "{text}");
    assert!(
        text.contains("andon_device_up{device=\"plc\",unit=\"1\"} 1\n"),
        "{text}"
    );
    assert!(text.contains("andon_sink_up{sink=\"sms\"} 1\n"), "{text}");
}

#[derive(Debug, Default)]
struct Family {
    kind: String,
    samples: usize,
}

/// Reads the text as the OpenMetrics specification 1.0 says, strictly.
fn families(text: &str) -> BTreeMap<String, Family> {
    let body = text.strip_suffix("# EOF\n").expect("the end is marked");
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in body.lines() {
        if let Some(about) = line.strip_prefix("# ") {
            let mut words = about.splitn(3, ' ');
            let (what, name) = (words.next().expect("a word"), words.next().expect("a name"));
            let family = families.entry(name.to_owned()).or_default();
            match what {
                "TYPE" => {
                    assert!(family.kind.is_empty(), "two types: {line}");
                    family.kind = words.next().expect("a type").to_owned();
                }
                "HELP" | "UNIT" => assert!(words.next().is_some(), "{line}"),
                _ => panic!("not known: {line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a value");
        assert!(value.parse::<f64>().is_ok(), "no number: {line}");
        let name = series.split('{').next().expect("a name");
        let good = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
        assert!(!name.is_empty() && name.chars().all(good), "{line}");
        if let Some((_, labels)) = series.split_once('{') {
            let labels = labels.strip_suffix('}').expect("an end of the labels");
            for label in labels.split("\",") {
                let (label, quoted) = label.split_once("=\"").expect("a label");
                assert!(label.chars().all(good), "{line}");
                assert!(!quoted.trim_end_matches('"').contains('"'), "{line}");
            }
        }
        let suffixes = ["", "_total", "_bucket", "_count", "_sum"];
        let family = suffixes
            .iter()
            .filter_map(|suffix| name.strip_suffix(suffix))
            .find(|base| {
                families
                    .get(*base)
                    .is_some_and(|family| !family.kind.is_empty())
            })
            .unwrap_or_else(|| panic!("of no family: {line}"))
            .to_owned();
        let family = families.get_mut(&family).expect("found above");
        if family.kind == "counter" {
            assert!(name.ends_with("_total"), "{line}");
        }
        family.samples += 1;
    }
    families
}
