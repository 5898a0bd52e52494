//! Which components a host takes once its settings say whom they trust.

use crate::kit::{ANNA, Signer, Site, guest};
use crate::plugins::build;

const LIMITS: &str = "plugins/limits.wasm";
const SIGNATURE: &str = "plugins/limits.wasm.minisig";

fn add(site: &Site, section: &str) {
    let text = site.read("andon.toml");
    site.write("andon.toml", format!("{text}\n{section}\n"));
}

fn trust_key(signer: &Signer) -> String {
    format!("[plugins.trust]\nkeys = [\"{}\"]", signer.public_key())
}

/// A site whose rule is signed by this signer.
fn signed_site(signer: &Signer) -> Site {
    let mut site = Site::new();
    add(&site, &trust_key(signer));
    site.write(
        SIGNATURE,
        signer.sign(&guest("limits.wasm"), "limits, first"),
    );
    site.start();
    site
}

fn text(site: &Site, name: &str, field: &str) -> String {
    let one = site.plugin(name).expect("it is listed");
    one[field].as_str().expect("a text").to_owned()
}

fn is_refused(site: &Site, instance: &str, words: &str) {
    let seen = site.wait_plugin(instance, &format!("refused: {words}"), |one| {
        let says = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
        says("state").contains("refused") && says("trouble").contains(words)
    });
    println!("{}", seen["trouble"]);
}

#[test]
fn an_unsigned_rule_is_refused_and_runs_once_its_signature_comes() {
    let signer = Signer::new(7);
    let mut site = Site::new();
    add(&site, &trust_key(&signer));
    site.start();
    is_refused(&site, "limits.wasm", "no signature lies beside it");
    let told = site.wait_alarm("plugin-file.limits.wasm");
    assert!(
        told["message"]
            .as_str()
            .is_some_and(|says| says.contains("SHA-256"))
    );
    assert_eq!(site.ask(&["check"]).code, Some(1));
    site.plc.set(0, 500);
    site.wait_written();
    assert!(
        site.alarms("tank0").is_empty(),
        "a rule ran that nobody trusts"
    );

    let bytes = guest("limits.wasm");
    site.write(SIGNATURE, Signer::new(9).sign(&bytes, "by a stranger"));
    is_refused(&site, "limits.wasm", "which is not listed");
    site.write(SIGNATURE, signer.sign(&bytes, "limits, first"));
    site.wait_plugin("levels", "running", |one| one["state"] == "running");
    site.wait_no_alarm("plugin-file.limits.wasm");
    let by = text(&site, "levels", "trust");
    assert!(
        by.contains(&signer.id()) && by.contains("limits, first"),
        "{by}"
    );
    assert_eq!(site.ask(&["check"]).code, Some(0));
    site.plc.set(1, 600);
    site.inbox.wait(ANNA, "tank1.level high: 600 ");
}

#[test]
fn a_changed_component_is_refused_and_the_old_goes_on_over_a_restart_too() {
    let signer = Signer::new(7);
    let mut site = signed_site(&signer);
    let first = text(&site, "levels", "hash");
    site.write(LIMITS, build("tampered"));
    is_refused(&site, "levels", "is not for these bytes");
    assert_eq!(text(&site, "levels", "hash"), first);
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    // The recorded version has its own signature.
    site.settle();
    site.restart();
    site.plc.set(1, 600);
    site.inbox.wait(ANNA, "tank1.level high: 600 ");
    assert_eq!(text(&site, "levels", "hash"), first);

    site.write(
        SIGNATURE,
        signer.sign(&build("tampered"), "meant after all"),
    );
    site.wait_plugin("levels", "the new one", |one| one["hash"] != first.as_str());
    site.wait_no_alarm("plugin-file.limits.wasm");
}

#[test]
fn settings_that_no_longer_trust_what_runs_are_refused_whole() {
    let signer = Signer::new(7);
    let site = Site::running();
    let open = site.read("andon.toml");
    let nobody = "0".repeat(64);
    let closed = format!("{open}\n[plugins.trust]\nsha256 = [\"{nobody}\"]\n");
    site.write("andon.toml", closed.replace("+4790000001", "+4790000009"));
    let refused = site.ask(&["reload"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("`levels`"), "{}", refused.stderr);
    assert_eq!(site.ask(&["check"]).code, Some(1));
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");

    // A signature by a key of the settings mends it, without a word to the host.
    add(&site, &format!("keys = [\"{}\"]", signer.public_key()));
    let signature = signer.sign(&guest("limits.wasm"), "late");
    assert_eq!(site.ask(&["reload"]).code, Some(1));
    site.write(SIGNATURE, signature);
    site.wait_plugin("levels", "trusted", |one| {
        one["trust"].as_str().is_some_and(|by| by.contains("late"))
    });
    site.wait_no_alarm("settings.refused");
}

#[test]
fn a_hash_that_is_listed_later_lets_a_waiting_file_in() {
    let signer = Signer::new(7);
    let site = signed_site(&signer);
    site.put_guest("stale.wasm");
    is_refused(&site, "stale.wasm", "no signature lies beside it");
    let refused = site.wait_alarm("plugin-file.stale.wasm");
    let message = refused["message"].as_str().expect("a text");
    let hash = message
        .split([' ', ';'])
        .find(|word| word.len() == 64)
        .expect("the refusal says the hash");
    let shown = site.path("plugins/stale.wasm");
    let inspected = site.inspect(&shown, &[]);
    assert!(inspected.contains(hash), "{inspected}");
    site.edit("keys = ", &format!("sha256 = [\"{hash}\"]\nkeys = "));
    site.tell(&["reload"]);
    site.wait_no_alarm("plugin-file.stale.wasm");
    let seen = site.plugin("stale.wasm").expect("it is listed");
    assert_eq!(seen["state"], "waiting", "{seen}");
    assert_eq!(text(&site, "levels", "state"), "running");
}

#[test]
fn one_does_not_go_back_to_what_nobody_trusts_any_more() {
    let (old, new) = (Signer::new(7), Signer::new(9));
    let site = signed_site(&old);
    let first = text(&site, "levels", "hash");
    site.edit("keys = [", &format!("keys = [\"{}\", ", new.public_key()));
    site.tell(&["reload"]);
    let second = build("second");
    site.write(SIGNATURE, new.sign(&second, "second"));
    site.write(LIMITS, &second);
    site.wait_plugin("levels", "the second", |one| one["hash"] != first.as_str());
    let runs = text(&site, "levels", "hash");
    let only_new = site
        .read("andon.toml")
        .replace(&format!(", \"{}\"", old.public_key()), "");
    site.write("andon.toml", only_new);
    site.tell(&["reload"]);
    let refused = site.ask(&["plugin", "rollback", "limits"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("not trusted"), "{}", refused.stderr);
    assert_eq!(text(&site, "levels", "hash"), runs);
    assert_eq!(text(&site, "levels", "state"), "running");
}

#[test]
fn inspect_shows_the_hash_and_the_state_of_the_signature() {
    let signer = Signer::new(7);
    let site = Site::new();
    let file = site.path(LIMITS);
    let key = signer.public_key();
    let shows = |arguments: &[&str], words: &str| {
        let shown = site.inspect(&file, arguments);
        assert!(shown.contains(words), "{words} is not in {shown}");
    };
    shows(&[], "signature: none");
    site.write(SIGNATURE, "rubbish");
    shows(&[], "signature: the file beside it is none");
    site.write(SIGNATURE, signer.sign(&guest("limits.wasm"), "first"));
    shows(&[], &format!("by key {}, not checked", signer.id()));
    shows(&["--key", &key], "signature: valid");
    shows(
        &["--key", &Signer::new(9).public_key()],
        "which is not listed",
    );
    site.write("plant.pub", format!("untrusted comment: x\n{key}\n"));
    let file_of_key = site.path("plant.pub");
    shows(&["--key", &file_of_key.display().to_string()], "(first)");
}

#[test]
fn a_component_from_anywhere_is_tried_only_if_it_is_trusted() {
    let signer = Signer::new(7);
    let mut site = signed_site(&signer);
    let first = text(&site, "levels", "hash");
    let second = build("second");
    site.write("second.wasm", &second);
    let path = site.path("second.wasm").display().to_string();
    let begin = ["plugin", "shadow", "levels", "--component", &path];
    let refused = site.ask(&begin);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("not trusted"), "{}", refused.stderr);

    site.write("second.wasm.minisig", signer.sign(&second, "second"));
    site.tell(&begin);
    site.tell(&["plugin", "promote", "levels"]);
    site.wait_plugin("levels", "the second", |one| one["hash"] != first.as_str());
    let runs = text(&site, "levels", "hash");
    // Its signature was recorded with it.
    site.tell(&["reload"]);
    site.restart();
    assert_eq!(text(&site, "levels", "hash"), runs);
    assert!(text(&site, "levels", "trust").contains("second"));
}
