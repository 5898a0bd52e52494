//! Secrets stay inside: nothing that the program prints or serves holds one.

use crate::kit::{ANNA, CECILIE, OnCreate, OnSubmit, SMPP_PASSWORD, Site, TWILIO_TOKEN, wait_for};

#[test]
fn no_secret_is_printed_served_or_stored_in_good_days_and_bad() {
    let mut site = Site::new();
    // The most that the program can be made to say.
    site.edit("[host]\n", "[host]\nlog_level = \"trace\"\n");
    site.edit("to = [\"anna\", \"bo\"]", "to = [\"everybody\"]");
    site.edit(
        "[[routes]]",
        "[[groups]]\nname = \"everybody\"\nmembers = [\"anna\", \"cecilie\"]\n\n[[routes]]",
    );
    site.start();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "500");
    site.inbox.wait(CECILIE, "500");

    // A provider that says the token back, and one that refuses the password.
    site.twilio.on_create(OnCreate::Refuse(401, 20003));
    site.smsc.on_submit(OnSubmit::Throttle);
    site.plc.set(1, 600);
    let code = site.wait_alarm("tank1")["code"]
        .as_str()
        .expect("a code")
        .to_owned();
    wait_for("a refusal by Twilio", || {
        site.ask(&["explain", &code])
            .stdout
            .contains("20003")
            .then_some(())
    });
    site.write("smsc-password", "wrong-pw");
    site.tell(&["reload"]);
    wait_for("a refused bind", || {
        (site.smsc.refused_binds() > 0).then_some(())
    });
    let served = serve_all(&site, &code);

    // Mistakes on the very lines that hold a secret.
    let good = site.read("andon.toml");
    let line = format!("auth_token = \"{TWILIO_TOKEN}\"");
    let broken = [
        line.trim_end_matches('"').to_owned(),
        format!("auth_tokn = \"{TWILIO_TOKEN}\""),
        format!("auth_token = [\"{TWILIO_TOKEN}\"]"),
        format!("{line} {line}"),
        format!("password = \"{TWILIO_TOKEN}\"\n{line}"),
    ];
    for broken in &broken {
        site.write("andon.toml", good.replace(&line, broken));
        assert_eq!(site.ask(&["check"]).code, Some(1), "{broken}");
        assert_eq!(site.ask(&["check", "--json"]).code, Some(1));
        assert_eq!(site.ask(&["reload"]).code, Some(1));
        site.ask(&["alarms"]);
    }
    let served_then = serve_all(&site, &code);
    site.write("andon.toml", good);
    site.stop();

    for secret in [SMPP_PASSWORD, "wrong-pw", TWILIO_TOKEN] {
        for text in [&site.printed.all(), &served, &served_then] {
            let found = text.lines().find(|line| line.contains(secret));
            assert_eq!(found, None, "{secret} was told");
        }
        for file in ["andon.db", "andon.db-wal"] {
            let Ok(bytes) = std::fs::read(site.path("data").join(file)) else {
                continue;
            };
            let holds = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!holds, "{secret} is in {file}");
        }
        for sms in site.inbox.all() {
            assert!(!sms.text.contains(secret), "{sms:?}");
        }
    }
}

fn serve_all(site: &Site, code: &str) -> String {
    let mut all = String::new();
    for path in ["/", "/metrics", "/healthz", "/readyz", "/nothing"] {
        let (_, head, body) = site.get(path);
        all.extend([head, body]);
    }
    for arguments in [
        &["alarms", "--json"][..],
        &["explain", code, "--json"],
        &["health", "--json"],
        &["plugin", "list", "--json"],
        &["check", "--tags", "--json"],
    ] {
        let asked = site.ask(arguments);
        all.extend([asked.stdout, asked.stderr]);
    }
    all
}
