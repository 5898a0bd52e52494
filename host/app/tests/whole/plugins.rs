//! Bad plugins in the folder of a host that runs, beside a good one that must go on.

use serde_json::Value;

use crate::kit::{ANNA, Site, guest, wait_for};

#[test]
fn files_that_are_no_component_are_refused_by_name_and_harm_nobody() {
    let site = Site::running();
    let limits = guest("limits.wasm");
    let bad: [(&str, Vec<u8>); 5] = [
        ("cut.wasm", limits[..limits.len() / 2].to_vec()),
        ("core.wasm", b"\0asm\x01\0\0\0".to_vec()),
        ("page.wasm", b"<html>404</html>".to_vec()),
        ("empty.wasm", Vec::new()),
        (
            "a component with a long name and a\u{202e} trick in it.wasm",
            vec![0; 100],
        ),
    ];
    for (name, bytes) in &bad {
        site.write(&format!("plugins/{name}"), bytes);
    }
    let huge = std::fs::File::create(site.path("plugins/huge.wasm")).expect("a file");
    huge.set_len((64 << 20) + 1).expect("a file with a hole");
    let names = bad.iter().map(|(name, _)| *name).chain(["huge.wasm"]);
    for name in names.clone() {
        let seen = site.wait_plugin(name, "refused", |one| one["state"] == "refused");
        assert_ne!(seen["trouble"], "", "{name}");
        site.wait_alarm(&format!("plugin-file.{name}"));
    }
    // The good one goes on.
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    assert_eq!(site.plugin("levels").expect("it runs")["state"], "running");
    for name in names.clone() {
        std::fs::remove_file(site.path("plugins").join(name)).expect("a file");
    }
    for name in names {
        site.wait_no_alarm(&format!("plugin-file.{name}"));
        assert_eq!(site.plugin(name), None);
    }
}

#[test]
fn rules_that_misbehave_are_quarantined_and_told_while_the_good_one_goes_on() {
    let mut site = Site::new();
    site.put_guest("hostile-rule.wasm");
    let modes = [
        ("loop", 0),
        ("sleep", 60_000_000_000_u64),
        ("allocate", 0),
        ("trap", 0),
        ("flood", 20_000),
    ];
    for (mode, amount) in modes {
        site.write(&format!("plugins/bad-{mode}.toml"), hostile(mode, amount));
    }
    site.start();
    let mut level = 0;
    for (mode, _) in modes {
        let name = format!("bad-{mode}");
        // They are called when their input changes.
        let mut change = || {
            level = (level + 1) % 90;
            site.plc.set(9, level);
        };
        let seen = wait_for(&format!("{name} to be quarantined"), || {
            change();
            let one = site.plugin(&name)?;
            let state = one["state"].as_str()?;
            state.starts_with("quarantined").then_some(one)
        });
        assert_ne!(seen["trouble"], "", "{seen}");
        site.wait_alarm(&format!("plugin.{name}.down"));
        site.inbox.wait(ANNA, &format!("rule {name} does not run"));
    }
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    let good = site.plugin("levels").expect("it runs");
    assert_eq!(good["state"], "running");
    assert_eq!(good["failures"], 0);

    // It runs again once it is mended.
    site.write("plugins/bad-loop.toml", hostile("plain", 0));
    site.wait_plugin("bad-loop", "running", |one| one["state"] == "running");
    site.wait_no_alarm("plugin.bad-loop.down");
    assert_eq!(site.alarms("plugin.bad-trap.down").len(), 1);
}

#[test]
fn a_rule_that_was_down_is_down_after_a_restart_too_and_told_once() {
    let mut site = Site::new();
    site.put_guest("hostile-rule.wasm");
    site.write("plugins/bad.toml", hostile("trap", 0));
    site.start();
    let mut level = 0;
    wait_for("it to be quarantined", || {
        level = (level + 1) % 90;
        site.plc.set(9, level);
        let one = site.plugin("bad")?;
        one["state"]
            .as_str()?
            .starts_with("quarantined")
            .then_some(())
    });
    site.inbox.wait(ANNA, "rule bad does not run");
    let before = site.wait_alarm("plugin.bad.down");
    site.settle();
    site.restart();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    let after = site.wait_alarm("plugin.bad.down");
    assert_eq!(before["occurrence"], after["occurrence"]);
    site.write("plugins/bad.toml", hostile("plain", 0));
    site.wait_no_alarm("plugin.bad.down");
    assert_eq!(site.inbox.to(ANNA, "HIGH rule bad does not run").len(), 1);
}

#[test]
fn a_broken_version_keeps_the_old_one_and_one_goes_back_for_good() {
    let mut site = Site::running();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    let alarm = site.wait_alarm("tank0");
    let first = hash(&site);

    let second_file = build("second");
    site.write("plugins/limits.wasm", &second_file);
    site.wait_plugin("levels", "the second build", |one| {
        one["hash"] != first.as_str()
    });
    let second = hash(&site);

    site.write("plugins/limits.wasm", &second_file[..second_file.len() / 2]);
    let seen = site.wait_plugin("levels", "refused", |one| {
        one["state"]
            .as_str()
            .is_some_and(|state| state.contains("refused"))
    });
    assert_eq!(seen["hash"], second.as_str(), "the broken build took over");
    site.wait_alarm("plugin-file.limits.wasm");
    site.plc.set(1, 600);
    site.inbox.wait(ANNA, "tank1.level high: 600 ");

    site.tell(&["plugin", "rollback", "limits"]);
    assert_eq!(hash(&site), first);
    site.settle();
    site.restart();
    assert_eq!(
        hash(&site),
        first,
        "the roll back did not survive the restart"
    );
    site.plc.set(2, 700);
    site.inbox.wait(ANNA, "tank2.level high: 700 ");

    // A mended file ends the roll back.
    site.write("plugins/limits.wasm", build("third"));
    site.wait_plugin("levels", "the third build", |one| {
        one["hash"] != first.as_str()
    });
    site.wait_no_alarm("plugin-file.limits.wasm");
    let after = site.wait_alarm("tank0");
    assert_eq!(alarm["occurrence"], after["occurrence"]);
    assert_eq!(after["state"], "unacknowledged");
    assert_eq!(site.inbox.to(ANNA, "tank0").len(), 1);
}

#[test]
fn the_last_good_version_runs_when_the_host_starts_beside_a_broken_file() {
    let mut site = Site::running();
    let good = hash(&site);
    site.write("plugins/limits.wasm", b"half a component");
    site.wait_alarm("plugin-file.limits.wasm");
    site.restart();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    assert_eq!(hash(&site), good);
    assert_eq!(site.alarms("plugin-file.limits.wasm").len(), 1);
    site.write("plugins/limits.wasm", guest("limits.wasm"));
    site.wait_no_alarm("plugin-file.limits.wasm");
}

#[test]
fn a_broken_file_of_an_instance_leaves_the_instance_as_it_was() {
    let site = Site::running();
    let levels = site.read("plugins/levels.toml");
    for broken in [
        levels.replace("high = 100.0", "hihg = 100.0"),
        levels.replace("tank*.level", "no-such-tag"),
        levels.replace("high = 100.0", "high = "),
    ] {
        site.write("plugins/levels.toml", &broken);
        let seen = site.wait_plugin("levels", "refused", |one| {
            one["state"]
                .as_str()
                .is_some_and(|state| state.contains("refused"))
        });
        println!("{}", seen["trouble"]);
        site.wait_alarm("plugin-file.levels.toml");
        site.write("plugins/levels.toml", &levels);
        site.wait_plugin("levels", "running", |one| one["state"] == "running");
        site.wait_no_alarm("plugin-file.levels.toml");
    }
    site.write(
        "plugins/levels.toml",
        levels.replace("high = 100.0", "high = 50.0"),
    );
    site.plc.set(0, 60);
    site.inbox.wait(ANNA, "tank0.level high: 60 ");
}

fn hostile(mode: &str, amount: u64) -> String {
    format!(
        "component = \"hostile-rule.wasm\"\n[inputs]\ninput = \"tank9.level\"\n\
         [parameters]\nmode = \"{mode}\"\namount = {amount}\n[limits]\nstrikes_max = 2\n"
    )
}

fn hash(site: &Site) -> String {
    let one = site.plugin("levels").expect("it runs");
    one["hash"].as_str().map(str::to_owned).expect("a hash")
}

/// `limits` with a custom section: the same code with another hash.
pub(crate) fn build(stamp: &str) -> Vec<u8> {
    let mut bytes = guest("limits.wasm");
    let short = |length: usize| u8::try_from(length).expect("short");
    bytes.extend([0, short(2 + stamp.len()), 1, b'b']);
    bytes.extend(stamp.as_bytes());
    bytes
}

#[test]
fn every_guest_that_ships_is_taken() {
    let site = Site::running();
    let ships = [
        "rate-of-change",
        "stale",
        "discrepancy",
        "expression",
        "scale",
        "moving-average",
        "totalizer",
    ];
    for name in ships {
        site.put_guest(&format!("{name}.wasm"));
    }
    site.write(
        "plugins/full.toml",
        "component = \"expression.wasm\"\n[inputs]\ninputs = [\"tank3.level\", \"half.value\"]\n\
         [parameters]\nexpression = \"value > 10 and level > 100\"\nmessage = \"Half of it is {value}\"\n",
    );
    site.write(
        "plugins/half.toml",
        "component = \"scale.wasm\"\n[inputs]\nraw = \"tank4.level\"\n\
         [parameters]\nraw_low = 0.0\nraw_high = 100.0\nlow = 0.0\nhigh = 50.0\n",
    );
    for name in ships {
        let file = format!("{name}.wasm");
        let known = |one: &Value| one["component"] == file.as_str();
        wait_for(&format!("{file} to be loaded"), || {
            let Value::Array(all) = site.json(&["plugin", "list"]) else {
                return None;
            };
            all.iter().any(known).then_some(())
        });
    }
    site.plc.set(3, 300);
    site.plc.set(4, 42);
    site.inbox.wait(ANNA, "Half of it is 21");
}
