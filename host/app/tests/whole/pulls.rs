//! Rules that come from a registry: it answers, waits, lies, moves a tag, or is away.

use crate::kit::{ANNA, Door, Mood, PASSWORD, Registry, Site, USER, guest};
use crate::plugins::build;

pub(crate) const NAME: &str = "team/limits";

/// A site whose rule `levels` is named by this reference, with a second rule from a file.
fn site_of(site: &Site, registry: &Registry, reference: &str, more: &str) {
    name_by(site, reference);
    settle_registry(site, registry, &format!("plain_http = true\n{more}"));
}

/// The rule `levels` comes by this reference; the one from a file is called `local`.
pub(crate) fn name_by(site: &Site, reference: &str) {
    std::fs::rename(
        site.path("plugins/limits.wasm"),
        site.path("plugins/local.wasm"),
    )
    .expect("a file");
    let levels = site.read("plugins/levels.toml");
    site.write(
        "plugins/levels.toml",
        levels.replace("limits.wasm", reference),
    );
    site.write(
        "plugins/local.toml",
        levels
            .replace("limits.wasm", "local.wasm")
            .replace("tank*.level", "tank9.level"),
    );
}

/// Writes what the settings say of the registry.
pub(crate) fn settle_registry(site: &Site, registry: &Registry, keys: &str) {
    let text = site.read("andon.toml");
    let address = &registry.address;
    site.write(
        "andon.toml",
        format!("{text}\n[plugins.registries.\"{address}\"]\n{keys}\n"),
    );
}

pub(crate) fn runs(site: &Site, instance: &str) {
    site.wait_plugin(instance, "running", |one| one["state"] == "running");
}

pub(crate) fn hash(site: &Site) -> String {
    let one = site.plugin("levels").expect("it runs");
    one["hash"].as_str().expect("a text").to_owned()
}

/// What is said where nothing of the name runs.
pub(crate) fn wait_trouble(site: &Site, name: &str, words: &str) {
    let seen = site.wait_plugin(name, words, |one| {
        one["trouble"]
            .as_str()
            .is_some_and(|says| says.contains(words))
    });
    println!("{}", seen["trouble"]);
}

#[test]
fn a_pulled_rule_runs_and_starts_again_while_its_registry_is_away() {
    let mut site = Site::new();
    let (registry, end) = site.registry("127.0.0.1:0");
    registry.door(Door::Token);
    let digest = registry.push(NAME, "1.2", &guest("limits.wasm"));
    let reference = registry.reference(NAME, "1.2", &digest);
    site.write("registry-password", PASSWORD);
    let account = format!("username = \"{USER}\"\npassword_file = \"registry-password\"");
    site_of(&site, &registry, &reference, &account);
    site.start();
    runs(&site, "levels");
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    let alarm = site.wait_alarm("levels/tank0");
    let one = site.plugin("levels").expect("it runs");
    assert_eq!(one["component"], reference.as_str());
    assert_eq!(site.ask(&["check"]).code, Some(0));

    end.abort();
    site.settle();
    site.restart();
    // It is there from the first moment on: its alarm stands as it stood.
    assert_eq!(site.plugin("levels").expect("it runs")["state"], "running");
    let after = site.wait_alarm("levels/tank0");
    assert_eq!(alarm["occurrence"], after["occurrence"]);
    site.plc.set(1, 600);
    site.inbox.wait(ANNA, "tank1.level high: 600 ");
    assert_eq!(site.inbox.to(ANNA, "tank0").len(), 1);
    assert!(!site.printed.all().contains(PASSWORD));

    // A replay runs it too.
    let rows = "now,tag,value\n2026-01-01T00:00:00Z,tank0.level,700\n";
    site.write("day.csv", rows);
    let day = site.path("day.csv").display().to_string();
    let replayed = site.ask(&["replay", &day]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
    assert!(
        replayed.stdout.contains("tank0.level high: 700"),
        "{}",
        replayed.stdout
    );
}

#[test]
fn a_registry_that_is_away_or_silent_costs_its_own_rule_alone_until_it_answers() {
    let mut site = Site::new();
    let (registry, end) = site.registry("127.0.0.1:0");
    let digest = registry.push(NAME, "1.2", &guest("limits.wasm"));
    let reference = registry.reference(NAME, "1.2", &digest);
    site_of(&site, &registry, &reference, "");
    end.abort();
    site.start();
    wait_trouble(&site, "levels.toml", "cannot be reached");
    site.wait_alarm("plugin-file.levels.toml");
    site.plc.set(9, 500);
    site.inbox.wait(ANNA, "tank9.level high: 500 ");

    let (again, _end) = site.registry(&registry.address);
    again.push(NAME, "1.2", &guest("limits.wasm"));
    runs(&site, "levels");
    site.wait_no_alarm("plugin-file.levels.toml");
    site.plc.set(0, 600);
    site.inbox.wait(ANNA, "tank0.level high: 600 ");

    // A newer one that does not come: the old goes on, and is said to wait.
    let newer = again.push(NAME, "1.3", &build("newer"));
    again.mood(Mood::Silent);
    let before = hash(&site);
    let levels = site.read("plugins/levels.toml");
    let wanted = again.reference(NAME, "1.3", &newer);
    site.write("plugins/levels.toml", levels.replace(&reference, &wanted));
    site.plc.set(1, 700);
    site.inbox.wait(ANNA, "tank1.level high: 700 ");
    assert_eq!(hash(&site), before);
    // Settings that are read again ask again, and now it answers.
    again.mood(Mood::Fine);
    site.tell(&["reload"]);
    site.wait_plugin("levels", "the newer", |one| one["hash"] != before.as_str());
}

#[test]
fn a_registry_that_lies_gets_nothing_to_run() {
    let mut site = Site::new();
    let (registry, _end) = site.registry("127.0.0.1:0");
    let digest = registry.push(NAME, "1.2", &guest("limits.wasm"));
    let reference = registry.reference(NAME, "1.2", &digest);
    site_of(&site, &registry, &reference, "");
    registry.mood(Mood::ChangedComponent);
    site.start();
    wait_trouble(&site, "levels.toml", "is not what its digest says");
    let pulled = site.path("data/pulled");
    let kept = std::fs::read_dir(&pulled).expect("a folder").count();
    assert_eq!(kept, 0);
    assert_eq!(site.ask(&["check"]).code, Some(1));
    registry.mood(Mood::Fine);
    runs(&site, "levels");
}

#[test]
fn a_pulled_rule_must_be_trusted_too() {
    let mut site = Site::new();
    let (registry, _end) = site.registry("127.0.0.1:0");
    // The file is of other bytes, so that the pulled one has a hash of its own.
    let component = build("pulled");
    let digest = registry.push(NAME, "1.2", &component);
    let reference = registry.reference(NAME, "1.2", &digest);
    let shown = site.inspect(&site.path("plugins/limits.wasm"), &[]);
    let hash_of = |shown: &str| {
        let (_, rest) = shown.split_once("SHA-256 ").expect("a hash");
        rest.chars().take(64).collect::<String>()
    };
    let local = hash_of(&shown);
    let trust = format!("[plugins.trust]\nsha256 = [\"{local}\"]");
    site_of(&site, &registry, &reference, &trust);
    site.start();
    wait_trouble(&site, "levels.toml", "it is not trusted");
    let told = site.tell(&["plugin", "pull", &reference]);
    assert!(told.contains("it is not trusted"), "{told}");
    let hash = hash_of(&told);
    site.edit("sha256 = [", &format!("sha256 = [\"{hash}\", "));
    site.tell(&["reload"]);
    runs(&site, "levels");
    let one = site.plugin("levels").expect("it runs");
    assert_eq!(one["trust"], "its hash is listed");
    // And the other way round: what runs stays trusted, or the settings are refused.
    site.edit(&format!("\"{hash}\", "), "");
    let refused = site.ask(&["reload"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("`levels`"), "{}", refused.stderr);
}

#[test]
fn a_tag_is_refused_unless_it_is_allowed_and_a_moved_one_is_taken_with_the_next_reload() {
    let mut site = Site::new();
    let (registry, _end) = site.registry("127.0.0.1:0");
    registry.push(NAME, "stable", &guest("limits.wasm"));
    let tag = format!("oci://{}/{NAME}:stable", registry.address);
    site_of(&site, &registry, &tag, "");
    site.start();
    wait_trouble(&site, "levels.toml", "allow_tags");
    site.edit("plain_http = true", "plain_http = true\nallow_tags = true");
    site.tell(&["reload"]);
    runs(&site, "levels");
    let first = hash(&site);

    registry.push(NAME, "stable", &build("moved"));
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    assert_eq!(
        hash(&site),
        first,
        "a tag was moved, and nobody asked for that"
    );
    site.tell(&["reload"]);
    site.wait_plugin("levels", "the moved one", |one| {
        one["hash"] != first.as_str()
    });
    assert!(site.printed.all().contains("the tag was moved"));

    site.edit("allow_tags = true", "allow_tags = false");
    let refused = site.ask(&["reload"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("`levels`"), "{}", refused.stderr);
    let told = site.tell(&["plugin", "pull", &tag]);
    assert!(told.contains("@sha256:"), "{told}");
}
