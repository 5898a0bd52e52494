//! A change of the settings of a host that runs: taken whole, or refused whole.

use crate::kit::{ANNA, BO, CECILIE, OnSubmit, Site, wait_for};

#[test]
fn broken_settings_are_refused_whole_and_mended_ones_taken() {
    let site = Site::running();
    let good = site.read("andon.toml");
    // The change of the route is right by itself, and counts as little as the rest.
    site.edit(
        "to = [\"anna\", \"bo\"]",
        "to = [\"cecilie\"]\nprioritty = \"high\"",
    );
    site.edit("name = \"tank1.level\"", "name = \"tank0.level\"");
    let refused = site.ask(&["reload"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("prioritty"), "{}", refused.stderr);
    assert!(refused.stderr.contains("`priority`"), "{}", refused.stderr);
    assert!(refused.stderr.contains("tank0.level"), "{}", refused.stderr);
    let alarm = site.wait_alarm("settings.refused");
    assert!(
        alarm["message"]
            .as_str()
            .is_some_and(|says| says.contains("andon.toml")),
        "{alarm}"
    );
    site.inbox.wait(ANNA, "New settings were refused");
    site.plc.set(1, 600);
    site.inbox.wait(ANNA, "tank1.level high: 600 ");
    site.inbox.wait(BO, "tank1.level high: 600 ");
    assert_eq!(site.inbox.to(CECILIE, "").len(), 0);
    assert_eq!(site.ask(&["check"]).code, Some(1));

    site.write(
        "andon.toml",
        good.replace("to = [\"anna\", \"bo\"]", "to = [\"cecilie\"]"),
    );
    // The host looks by itself.
    site.wait_no_alarm("settings.refused");
    assert_eq!(site.ask(&["check"]).code, Some(0));
    site.plc.set(2, 700);
    site.inbox.wait(CECILIE, "tank2.level high: 700 ");
    assert_eq!(site.inbox.to(ANNA, "tank2").len(), 0);
}

#[test]
fn tags_routes_contacts_and_sinks_change_while_the_host_runs() {
    const NEW_PHONE: &str = "+4790000009";
    let site = Site::running();
    let text = site.read("andon.toml");
    site.write(
        "andon.toml",
        format!("{text}\n[[tags]]\nname = \"tank10.level\"\ndevice = \"plc\"\naddress = \"holding:40\"\n"),
    );
    site.tell(&["reload"]);
    site.plc.set(40, 800);
    site.inbox.wait(ANNA, "tank10.level high: 800 ");

    site.edit(ANNA, NEW_PHONE);
    site.tell(&["reload"]);
    site.plc.set(1, 600);
    site.inbox.wait(NEW_PHONE, "tank1.level high: 600 ");
    site.inbox.wait(BO, "tank1.level high: 600 ");
    assert_eq!(site.inbox.to(ANNA, "tank1.").len(), 0);

    // Twilio goes, and with it whoever is told by it.
    let text = site.read("andon.toml");
    let cut = |text: &str, from: &str, to: &str| {
        let (before, rest) = text.split_once(from).expect("the start");
        let (_, after) = rest.split_once(to).expect("the end");
        format!("{before}{to}{after}")
    };
    let text = cut(&text, "[[sinks]]\nkind = \"twilio\"", "[courier]");
    let text = cut(&text, "[[contacts]]\nname = \"cecilie\"", "[[routes]]");
    let text = cut(
        &text,
        "[[routes]]\nname = \"dosing\"",
        "[[routes]]\nname = \"everything\"",
    );
    site.write("andon.toml", text);
    site.tell(&["reload"]);
    let sinks = site.json(&["health"])["sinks"].clone();
    assert_eq!(sinks.as_array().map(Vec::len), Some(1), "{sinks}");
    site.plc.set(2, 700);
    site.inbox.wait(BO, "tank2.level high: 700 ");
    // The end of what stood before goes to the person, at the number that counts now.
    site.plc.set(40, 0);
    wait_for("the end to be told", || {
        let ends = [ANNA, NEW_PHONE].map(|phone| site.inbox.to(phone, "OVER").len());
        (ends.iter().sum::<usize>() == 1).then_some(())
    });
    site.inbox.assert_nothing_came_twice_unmarked();
}

#[test]
fn what_is_owed_by_a_sink_that_goes_is_told_by_another_way() {
    let site = Site::running();
    site.smsc.on_submit(OnSubmit::Throttle);
    site.plc.set(0, 500);
    site.wait_alarm("tank0");
    // The way is called otherwise from now on; what was owed by the old name must not be lost.
    let text = site.read("andon.toml");
    let text = text.replace("name = \"sms\"", "name = \"carrier\"");
    site.write(
        "andon.toml",
        text.replace("channels = [\"sms\"]", "channels = [\"carrier\"]"),
    );
    site.tell(&["reload"]);
    site.smsc.on_submit(OnSubmit::Take);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
}

#[test]
fn no_alarm_is_lost_while_settings_are_read_again_and_again() {
    let site = Site::running();
    let text = site.read("andon.toml");
    std::thread::scope(|scope| {
        let (sender, stop) = std::sync::mpsc::channel::<()>();
        let site_of_thread = &site;
        let reloads = scope.spawn(move || {
            let mut count = 0;
            while stop.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                count += 1;
                // Something that is started anew with every reload: the rule's parameters.
                let levels = site_of_thread.read("plugins/levels.toml");
                let (levels, _) = levels.split_once("deadband").unwrap_or((&levels, ""));
                let levels = format!("{levels}deadband = {count}.0\n");
                site_of_thread.write("plugins/levels.toml", levels);
                site_of_thread.write("andon.toml", format!("{text}# {count}\n"));
                site_of_thread.tell(&["reload"]);
            }
            count
        });
        for level in 1000..1012 {
            let words = format!("tank0.level high: {level} ");
            site.plc.set(0, level);
            site.inbox.wait(ANNA, &words);
            site.plc.set(0, 0);
            wait_for("the end", || {
                let all = site.inbox.to(ANNA, &words);
                all.iter()
                    .any(|sms| sms.text.starts_with("OVER"))
                    .then_some(())
            });
        }
        drop(sender);
        let count = reloads.join().expect("the reloads go well");
        println!("{count} reloads beside 12 alarms");
        assert!(count > 2);
    });
    site.inbox.assert_nothing_came_twice_unmarked();
}

#[test]
fn a_reload_looks_at_the_plugins_once() {
    let site = Site::running();
    site.write(
        "plugins/bad.toml",
        "component = \"limits.wasm\"\nlimitz = 5\n",
    );
    site.wait_alarm("plugin-file.bad.toml");
    let told = || {
        let printed = site.printed.all();
        let lines = printed.lines().filter(|line| {
            line.contains("ERROR") && line.contains("file=\"bad.toml\"") && line.contains("limitz")
        });
        lines.count()
    };
    let before = told();
    assert!(before > 0, "{}", site.printed.all());
    site.edit("to = [\"anna\", \"bo\"]", "to = [\"cecilie\"]");
    site.tell(&["reload"]);
    site.plc.set(0, 500);
    site.inbox.wait(CECILIE, "tank0.level high: 500 ");
    assert_eq!(told(), before + 1);
    site.wait_alarm("plugin-file.bad.toml");
}
