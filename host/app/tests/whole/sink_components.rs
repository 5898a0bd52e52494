//! Channels that a component of the plugins folder speaks, against a server like ntfy.

use serde_json::Value;

use crate::kit::{ANNA, BO, NTFY_TOKEN, OnPublish, Site, guest, wait_for};

/// Where Bo is told by push.
const TOPIC: &str = "ops-night";

/// A site where Bo is told by push, and by SMS where that fails. `{ntfy}` stands for the server's
/// address.
fn site_with(component: &str, host: &str, parameters: &str) -> Site {
    let site = Site::new();
    site.write("ntfy-token", NTFY_TOKEN);
    site.put_guest(component);
    let sink = format!(
        r#"[[sinks]]
kind = "component"
name = "push"
component = "{component}"
hosts = ["{host}"]
headers = [{{ name = "Authorization", prefix = "Bearer ", value_file = "ntfy-token" }}]
parameters = {{ {parameters} }}
call_time = "5s"
compute_time = "100ms"

[courier]"#
    );
    site.edit("[courier]", &sink.replace("{ntfy}", &site.ntfy.address));
    site.edit(
        &format!("phone = \"{BO}\"\nchannels = [\"sms\"]"),
        &format!(
            "phone = \"{BO}\"\nchannels = [{{ sink = \"push\", address = \"{TOPIC}\" }}, \"sms\"]"
        ),
    );
    site
}

/// The same with the component for ntfy.
fn pushing() -> Site {
    let server = "server = \"http://{ntfy}\", title = \"Plant\"";
    site_with("ntfy.wasm", "{ntfy}", server)
}

fn pushed(site: &Site, words: &str) -> usize {
    site.inbox.to(TOPIC, words).len()
}

#[test]
fn an_alarm_is_pushed_with_a_secret_that_the_component_never_held() {
    let mut site = pushing();
    site.edit("[host]\n", "[host]\nlog_level = \"debug\"\n");
    site.start();
    site.plc.set(0, 500);
    site.inbox.wait(TOPIC, "tank0.level high: 500 ");
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    let sent = site.ntfy.requests().remove(0);
    assert_eq!(sent["title"], "Plant: alarm");
    assert_eq!(sent["priority"], 4);
    let one = site.plugin("push").expect("it is listed");
    assert_eq!(one["kind"], "sink");
    assert_eq!(one["state"], "running");
    assert_eq!(one["component"], "ntfy.wasm");

    // Throttled: not before the time that the server asks for, and not marked, for it was not taken.
    site.ntfy.on_publish(OnPublish::ThrottleOnce(1));
    site.plc.set(1, 600);
    let message = site.inbox.wait(TOPIC, "tank1.level high: 600 ");
    assert!(!message.is_repeat());
    assert_eq!(pushed(&site, "tank1"), 1);

    // The answer is lost: nobody knows, so it comes again, marked.
    site.ntfy.on_publish(OnPublish::LoseAnswerOnce);
    site.plc.set(2, 700);
    wait_for("a repeat", || {
        let came = site.inbox.to(TOPIC, "tank2.level high: 700 ");
        came.iter().any(|one| one.is_repeat()).then_some(())
    });

    // The topic is forbidden: the next channel, at once.
    site.ntfy.on_publish(OnPublish::Refuse(403));
    site.plc.set(3, 800);
    site.inbox.wait(BO, "tank3.level high: 800 ");
    let code = site.wait_alarm("tank3")["code"].clone();
    let told = site.tell(&["explain", code.as_str().expect("a code")]);
    assert!(told.contains("push: ntfy answered 403"), "{told}");
    site.settle();
    site.inbox.assert_nothing_came_twice_unmarked();
    // The server says the token back; nobody else does.
    let (_, _, page) = site.get("/");
    let database = std::fs::read(site.path("data/andon.db")).expect("a database");
    let database = String::from_utf8_lossy(&database).into_owned();
    for said in [&site.printed.all(), &page, &told, &database] {
        assert!(!said.contains("tk_token-of"), "the token got out");
    }
}

#[test]
fn a_server_that_is_down_gets_the_message_once_it_is_back() {
    let mut site = pushing();
    site.edit("\"ops-night\" }, \"sms\"]", "\"ops-night\" }]");
    site.ntfy.close();
    site.start();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    let code = site.wait_alarm("tank0")["code"].clone();
    let code = code.as_str().expect("a code");
    wait_for("a try that failed", || {
        let told = site.tell(&["explain", code]);
        told.contains("no connection").then_some(())
    });
    site.ntfy.open();
    let message = site.inbox.wait(TOPIC, "tank0.level high: 500 ");
    assert!(!message.is_repeat(), "nothing had left before");
    site.settle();
    assert_eq!(pushed(&site, "tank0"), 1);
}

#[test]
fn a_host_that_the_settings_do_not_name_is_never_asked() {
    let mut site = site_with("ntfy.wasm", "ntfy.sh", "server = \"http://{ntfy}\"");
    site.start();
    site.plc.set(0, 500);
    site.inbox.wait(BO, "tank0.level high: 500 ");
    let code = site.wait_alarm("tank0")["code"].clone();
    let told = site.tell(&["explain", code.as_str().expect("a code")]);
    assert!(told.contains("is not in its hosts (ntfy.sh)"), "{told}");
    assert_eq!(site.ntfy.requests(), Vec::<Value>::new());
}

#[test]
fn a_component_that_loops_or_traps_costs_nobody_else_anything() {
    for mode in ["loop", "trap"] {
        let mut site = site_with("hostile-sink.wasm", "{ntfy}", &format!("mode = \"{mode}\""));
        site.start();
        for tank in 0..4 {
            site.plc.set(tank, 500);
            let words = format!("tank{tank}.level high: 500 ");
            site.inbox.wait(ANNA, &words);
            // Bo is told by his next channel.
            site.inbox.wait(BO, &words);
        }
        wait_for("the sink to rest", || {
            let printed = site.printed.all();
            printed.contains("failed again and again").then_some(())
        });
        assert_eq!(site.plugin("levels").expect("it runs")["state"], "running");
    }
}

#[test]
fn a_changed_component_is_taken_live_and_a_broken_one_is_not() {
    let mut site = pushing();
    site.start();
    let hash = |site: &Site| site.plugin("push").expect("it is listed")["hash"].clone();
    let first = hash(&site);
    let second_build = stamped("second");
    site.write("plugins/ntfy.wasm", &second_build);
    site.wait_plugin("push", "the second build", |one| one["hash"] != first);
    let second = hash(&site);
    site.write("plugins/ntfy.wasm", &second_build[..1000]);
    site.wait_alarm("plugin-file.ntfy.wasm");
    site.wait_plugin("push", "refused", |one| {
        one["state"] == "running, newer file refused"
    });
    // A rule under its name is no sink.
    site.write("plugins/ntfy.wasm", guest("limits.wasm"));
    wait_for("the reason to change", || {
        let trouble = site.plugin("push")?["trouble"].to_string();
        trouble.contains("a rule, not a sink").then_some(())
    });
    assert_eq!(hash(&site), second);
    site.plc.set(0, 500);
    site.inbox.wait(TOPIC, "tank0.level high: 500 ");
    site.write("plugins/ntfy.wasm", guest("ntfy.wasm"));
    site.wait_no_alarm("plugin-file.ntfy.wasm");
    assert_eq!(hash(&site), first);
    site.tell(&["plugin", "rollback", "ntfy"]);
    site.wait_plugin("push", "rolled back", |one| one["hash"] == second);
    site.plc.set(1, 600);
    site.inbox.wait(TOPIC, "tank1.level high: 600 ");
}

#[test]
fn settings_and_check_tell_what_a_component_lacks() {
    let mut site = pushing();
    assert_eq!(site.ask(&["check"]).code, Some(0));
    let good = site.read("andon.toml");
    for (old, new, words) in [
        ("title = \"Plant\"", "heading = \"Plant\"", "heading"),
        ("server = \"http:", "server = \"ftp:", "`server`"),
        (
            "\"ntfy.wasm\"",
            "\"nfty.wasm\"",
            "nfty.wasm is not in the plugins folder",
        ),
        ("\"ntfy.wasm\"", "\"limits.wasm\"", "a rule, not a sink"),
    ] {
        site.edit(old, new);
        let asked = site.ask(&["check"]);
        assert_eq!(asked.code, Some(1), "{new}");
        assert!(asked.stdout.contains(words), "{new}: {}", asked.stdout);
        site.write("andon.toml", &good);
    }
    let inspected = site.inspect(&site.path("plugins/ntfy.wasm"), &[]);
    assert!(inspected.contains("\nsink ntfy "), "{inspected}");
    // A running host refuses the whole of such settings, and the sink goes on.
    site.start();
    site.edit("title = \"Plant\"", "heading = \"Plant\"");
    let refused = site.ask(&["reload"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stdout.contains("heading") || refused.stderr.contains("heading"));
    site.plc.set(0, 500);
    site.inbox.wait(TOPIC, "tank0.level high: 500 ");
    site.write("andon.toml", good.replace("\"Plant\"", "\"North\""));
    site.tell(&["reload"]);
    site.plc.set(1, 600);
    site.inbox.wait(TOPIC, "tank1.level high: 600 ");
    let requests = site.ntfy.requests();
    // The end of the alarm about the refused settings may come later than this one.
    let told = requests.iter().find(|request| {
        let message = request["message"].as_str();
        message.is_some_and(|says| says.contains("tank1.level high: 600"))
    });
    assert_eq!(told.expect("it came")["title"], "North: alarm");
}

#[test]
fn a_sink_component_runs_only_if_the_settings_trust_it() {
    let hash = |site: &Site, file: &str| {
        let shown = site.inspect(&site.path(&format!("plugins/{file}")), &[]);
        let mut words = shown.split_whitespace();
        words
            .find(|word| word.len() == 64)
            .expect("a hash")
            .to_owned()
    };
    let trusting = |site: &Site, hashes: &[&str]| {
        let text = site.read("andon.toml");
        let (text, _) = text.split_once("\n[plugins.trust]").unwrap_or((&text, ""));
        let section = format!("\n[plugins.trust]\nsha256 = {hashes:?}\n");
        site.write("andon.toml", format!("{text}{section}"));
    };
    let mut site = pushing();
    let (rule, sink) = (hash(&site, "limits.wasm"), hash(&site, "ntfy.wasm"));
    trusting(&site, &[&rule]);
    site.start();
    site.wait_plugin("push", "refused", |one| {
        let trouble = one["trouble"].as_str().unwrap_or_default();
        one["state"] == "refused" && trouble.contains("not trusted")
    });
    // Bo is told by his next channel meanwhile.
    site.plc.set(0, 500);
    site.inbox.wait(BO, "tank0.level high: 500 ");
    assert_eq!(site.ntfy.requests(), Vec::<Value>::new());

    // Trusted, and told otherwise by its settings, at once.
    site.edit("title = \"Plant\"", "title = \"North\"");
    trusting(&site, &[&rule, &sink]);
    site.tell(&["reload"]);
    site.wait_plugin("push", "running and trusted", |one| {
        one["state"] == "running" && one["trust"] != ""
    });
    site.plc.set(1, 600);
    site.inbox.wait(TOPIC, "tank1.level high: 600 ");

    // A change that would silence it by the way is refused whole.
    trusting(&site, &[&rule]);
    let refused = site.ask(&["reload"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("sink `push`"), "{}", refused.stderr);
    site.plc.set(2, 700);
    site.inbox.wait(TOPIC, "tank2.level high: 700 ");
}

/// The component with a custom section: the same code with another hash.
fn stamped(stamp: &str) -> Vec<u8> {
    let mut bytes = guest("ntfy.wasm");
    let short = |length: usize| u8::try_from(length).expect("short");
    bytes.extend([0, short(2 + stamp.len()), 1, b'b']);
    bytes.extend(stamp.as_bytes());
    bytes
}
