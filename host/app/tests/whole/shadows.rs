//! Changed plugins that run beside the old ones in a host that runs: nothing of them is heard until
//! they are promoted.

use serde_json::Value;

use crate::kit::{ANNA, Site, guest, wait_for};

/// `levels.toml` with these keys in front.
fn levels(site: &Site, keys: &str) -> String {
    format!("{keys}\n{}", site.read("plugins/levels.toml"))
}

/// A host whose rule `levels` has these keys in its file.
fn running_with(keys: &str) -> Site {
    let mut site = Site::new();
    let text = levels(&site, keys);
    site.write("plugins/levels.toml", text);
    site.start();
    site
}

/// `limits` with a custom section: the same code with another hash.
fn build(stamp: &str) -> Vec<u8> {
    let mut bytes = guest("limits.wasm");
    let short = |length: usize| u8::try_from(length).expect("short");
    bytes.extend([0, short(2 + stamp.len()), 1, b'b']);
    bytes.extend(stamp.as_bytes());
    bytes
}

fn hash(site: &Site) -> String {
    let one = site.plugin("levels").expect("it runs");
    one["hash"].as_str().map(str::to_owned).expect("a hash")
}

fn wait_shadow(site: &Site, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let one = site.wait_plugin("levels", what, |one| {
        one["shadow"].is_object() && fits(&one["shadow"])
    });
    one["shadow"].clone()
}

fn change_limit(site: &Site) {
    let text = site.read("plugins/levels.toml");
    let text = text.replace("high = 100.0", "high = 50.0");
    site.write("plugins/levels.toml", text);
}

#[test]
fn a_changed_rule_in_shadow_sends_nothing_and_does_once_it_is_promoted() {
    let site = running_with("shadow = \"1h\"\nshadow_end = \"wait\"");
    site.plc.set(0, 60);
    change_limit(&site);
    let shadow = wait_shadow(&site, "different", |shadow| shadow["different"] == 1);
    assert_eq!(shadow["only_shadow"], 1, "{shadow}");
    assert_eq!(shadow["end"], "wait");
    let says = shadow["differences"][0].as_str().expect("a difference");
    assert!(
        says.contains("only the shadow: raise tank0.level.high (high)"),
        "{says}"
    );

    // What the running version says is heard, once and in its words.
    site.plc.set(1, 500);
    site.inbox.wait(ANNA, "tank1.level high: 500 is above 100");
    let shadow = wait_shadow(&site, "worded otherwise", |shadow| shadow["changed"] == 1);
    assert_eq!(shadow["different"], 2, "{shadow}");
    site.settle();
    assert_eq!(site.inbox.to(ANNA, "tank0").len(), 0);
    assert_eq!(site.inbox.to(ANNA, "tank1").len(), 1);
    assert_eq!(site.alarms("tank0").len(), 0);
    let (_, _, metrics) = site.get("/metrics");
    let line = "andon_shadow_differences_total{instance=\"levels\"} 2";
    assert!(metrics.contains(line), "{metrics}");
    let busy = "andon_shadow_busy_microseconds_total{instance=\"levels\"} ";
    let busy = metrics.lines().find_map(|line| line.strip_prefix(busy));
    let busy: u64 = busy.expect("its time is told").parse().expect("a number");
    assert!(busy > 0, "{metrics}");
    let (_, _, page) = site.get("/");
    assert!(page.contains("0 the same, 2 different"), "{page}");
    let list = site.tell(&["plugin", "list"]);
    assert!(list.contains("only the shadow 1"), "{list}");

    site.tell(&["plugin", "promote", "levels"]);
    site.inbox.wait(ANNA, "tank0.level high: 60 ");
    let now = site.wait_plugin("levels", "alone again", |one| one["shadow"].is_null());
    assert_eq!(now["state"], "running");
    site.settle();
    assert_eq!(
        site.inbox.to(ANNA, "tank1").len(),
        1,
        "what stood was told again"
    );
    let again = site.ask(&["plugin", "promote", "levels"]);
    assert_eq!(again.code, Some(1));
    assert!(
        again.stderr.contains("no shadow runs beside `levels`"),
        "{}",
        again.stderr
    );
}

#[test]
fn a_shadow_that_differed_is_refused_by_itself_and_the_old_rule_goes_on() {
    let site = running_with("shadow = \"2s\"");
    site.plc.set(0, 60);
    change_limit(&site);
    site.wait_alarm("plugin-file.levels.toml");
    let seen = site.wait_plugin("levels", "refused", |one| {
        let state = one["state"].as_str();
        state.is_some_and(|state| state.contains("refused"))
    });
    let trouble = seen["trouble"].as_str().expect("a reason");
    assert!(
        trouble.contains("it differed 1 times from the running version"),
        "{trouble}"
    );
    assert!(seen["shadow"].is_null());
    let refused = &seen["refused_shadow"];
    assert_eq!(refused["only_shadow"], 1, "{refused}");
    let says = refused["differences"][0].as_str();
    assert!(
        says.is_some_and(|says| says.contains("raise tank0.level.high")),
        "{refused}"
    );
    site.plc.set(1, 70);
    site.plc.set(2, 500);
    site.inbox.wait(ANNA, "tank2.level high: 500 ");
    site.settle();
    assert_eq!(
        site.inbox.to(ANNA, "tank0").len() + site.inbox.to(ANNA, "tank1").len(),
        0
    );

    // Without the key it is taken at once.
    let text = site.read("plugins/levels.toml");
    site.write("plugins/levels.toml", text.replace("shadow = \"2s\"", ""));
    site.inbox.wait(ANNA, "tank0.level high: 60 ");
    site.wait_no_alarm("plugin-file.levels.toml");
}

#[test]
fn a_component_from_anywhere_is_tried_by_hand_and_stays_once_it_is_promoted() {
    let mut site = Site::running();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    let first = hash(&site);
    site.write("second.wasm", build("second"));
    let path = site.path("second.wasm").display().to_string();
    let ghost = site.ask(&["plugin", "shadow", "ghost", "--component", &path]);
    assert!(
        ghost.stderr.contains("no instance `ghost` runs"),
        "{}",
        ghost.stderr
    );
    site.tell(&["plugin", "shadow", "levels", "--component", &path]);
    wait_shadow(&site, "compared", |shadow| shadow["compared"] != 0);
    site.plc.set(0, 0);
    let shadow = wait_shadow(&site, "the same once", |shadow| shadow["same"] == 1);
    assert_eq!(
        (&shadow["different"], &shadow["by_hand"]),
        (&0.into(), &true.into())
    );
    assert_eq!(hash(&site), first);

    site.tell(&["plugin", "refuse", "levels"]);
    assert!(site.plugin("levels").expect("it runs")["shadow"].is_null());

    // It takes over by itself, and goes on after a restart.
    let same = ["--for", "1s", "--end", "promote-if-same"];
    let begin = ["plugin", "shadow", "levels", "--component", &path];
    site.tell(&[&begin[..], &same[..]].concat());
    site.wait_plugin("levels", "the second build", |one| {
        one["hash"] != first.as_str()
    });
    let second = hash(&site);
    // Answered after what the promotion brought about.
    site.tell(&["reload"]);
    site.restart();
    assert_eq!(
        hash(&site),
        second,
        "the promotion did not survive the restart"
    );
    site.plc.set(1, 600);
    site.inbox.wait(ANNA, "tank1.level high: 600 ");
}

#[test]
fn a_restart_promotes_nobody_and_begins_the_shadow_anew() {
    let mut site = running_with("shadow = \"1h\"");
    let first = hash(&site);
    site.write("plugins/limits.wasm", build("second"));
    let shadow = wait_shadow(&site, "there", |_| true);
    site.restart();
    assert_eq!(
        hash(&site),
        first,
        "a restart put the untried version in place"
    );
    let again = wait_shadow(&site, "there again", |again| {
        again["hash"] == shadow["hash"]
    });
    assert_ne!(again["since"], shadow["since"]);

    // A roll back is taken at once, for a person decided.
    site.tell(&["plugin", "promote", "levels"]);
    assert_eq!(hash(&site), shadow["hash"].as_str().expect("a hash"));
    site.tell(&["plugin", "rollback", "limits"]);
    let now = site.plugin("levels").expect("it runs");
    assert_eq!(
        (now["hash"].as_str(), now["shadow"].is_null()),
        (Some(first.as_str()), true)
    );

    // Changed parameters wait over a restart as well.
    site.plc.set(0, 60);
    change_limit(&site);
    wait_shadow(&site, "different", |shadow| shadow["different"] == 1);
    site.restart();
    wait_shadow(&site, "different again", |shadow| shadow["different"] == 1);
    assert_eq!(
        site.alarms("tank0").len(),
        0,
        "a restart took the parameters"
    );
    site.tell(&["plugin", "promote", "levels"]);
    site.inbox.wait(ANNA, "tank0.level high: 60 ");
    site.settle();
    site.restart();
    let now = site.plugin("levels").expect("it runs");
    assert!(now["shadow"].is_null(), "{now}");

    // An instance that was gone comes back as its file says.
    let recorded = site.path("data/versions/.settings/levels.toml");
    assert!(recorded.is_file());
    std::fs::remove_file(site.path("plugins/levels.toml")).expect("a file");
    wait_for("its settings to be forgotten", || {
        (!recorded.exists()).then_some(())
    });
}

#[test]
fn a_change_of_the_tags_is_no_shadow() {
    let site = running_with("shadow = \"1h\"");
    let text = site.read("andon.toml");
    let tag = "[[tags]]\nname = \"tank90.level\"\ndevice = \"plc\"\naddress = \"holding:9\"\n";
    site.write("andon.toml", format!("{text}\n{tag}"));
    site.tell(&["reload"]);
    site.plc.set(9, 500);
    site.inbox.wait(ANNA, "tank90.level high: 500 ");
    assert!(site.plugin("levels").expect("it runs")["shadow"].is_null());
}

/// An instance of the hostile guest whose changes run as shadows.
fn hostile(mode: &str) -> String {
    format!(
        "component = \"hostile-rule.wasm\"\nshadow = \"1h\"\n[inputs]\ninput = \"tank9.level\"\n\
         [parameters]\nmode = \"{mode}\"\namount = 0\n[limits]\nstrikes_max = 2\n"
    )
}

#[test]
fn a_shadow_that_loops_is_refused_and_its_rule_misses_nothing() {
    let mut site = Site::new();
    site.put_guest("hostile-rule.wasm");
    site.write("plugins/odd.toml", hostile("plain"));
    site.start();
    site.write("plugins/odd.toml", hostile("loop"));
    let mut level = 0;
    let refused = wait_for("the shadow to be refused", || {
        level = (level + 1) % 90;
        site.plc.set(9, level);
        let one = site.plugin("odd")?;
        one["refused_shadow"].is_object().then_some(one)
    });
    assert_eq!(
        (&refused["failures"], &refused["shadow"]),
        (&0.into(), &Value::Null)
    );
    assert_eq!(refused["refused_shadow"]["failures"], 2, "{refused}");
    let state = refused["refused_shadow"]["state"]
        .as_str()
        .expect("a state");
    assert!(
        state.starts_with("was refused: 2 of its calls failed"),
        "{state}"
    );
    site.wait_alarm("plugin-file.odd.toml");
    assert!(site.alarms("plugin.odd.down").is_empty());
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
}

#[test]
fn a_rule_that_is_down_is_mended_at_once() {
    let mut site = Site::new();
    site.put_guest("hostile-rule.wasm");
    site.write("plugins/odd.toml", hostile("trap"));
    site.start();
    let mut level = 0;
    wait_for("it to be quarantined", || {
        level = (level + 1) % 90;
        site.plc.set(9, level);
        let one = site.plugin("odd")?;
        let state = one["state"].as_str()?;
        state.starts_with("quarantined").then_some(())
    });
    site.write("plugins/odd.toml", hostile("plain"));
    site.wait_plugin("odd", "mended", |one| one["state"] == "running");
    site.wait_no_alarm("plugin.odd.down");
    assert!(site.plugin("odd").expect("it runs")["shadow"].is_null());
}
