//! Secrets stay inside: nothing that the program prints or serves holds one.

use serde_json::Value;

use crate::kit::{
    ANNA, CECILIE, OnCreate, OnSubmit, SMPP_PASSWORD, Site, TWILIO_TOKEN, hash_of, wait_for,
};

/// What somebody types who does not know it.
const WRONG: &str = "a-wrong-password";

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
    let hash = add_user(&site);
    site.start();
    let token = site.token("screen", "viewer");
    let token = token.trim_start_matches("Bearer ").to_owned();
    ask_the_api(&site, &token);
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

    let secrets = [
        SMPP_PASSWORD,
        "wrong-pw",
        TWILIO_TOKEN,
        &token,
        "correct horse",
        WRONG,
        &hash,
    ];
    let printed = site.printed.all();
    for secret in secrets {
        assert_untold(&site, secret, &[&printed, &served, &served_then]);
    }
}

fn assert_untold(site: &Site, secret: &str, texts: &[&str]) {
    for text in texts {
        let found = text.lines().find(|line| line.contains(secret));
        assert_eq!(found, None, "{secret} was told");
    }
    for file in ["andon.db", "andon.db-wal", "tokens.json"] {
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

/// Adds `anna` with the password `correct horse`; answers the hash.
fn add_user(site: &Site) -> String {
    let hash = hash_of("correct horse");
    let user =
        format!("\n[[api.users]]\nname = \"anna\"\nrole = \"admin\"\npassword_hash = \"{hash}\"\n");
    let text = site.read("andon.toml");
    site.write("andon.toml", format!("{text}{user}"));
    hash
}

/// Shows what lets somebody in, and what does not, in every way.
fn ask_the_api(site: &Site, token: &str) {
    let right = "Basic YW5uYTpjb3JyZWN0IGhvcnNl";
    // `anna:a-wrong-password`
    let wrong = "Basic YW5uYTphLXdyb25nLXBhc3N3b3Jk";
    let bearer = format!("Bearer {token}");
    let broken = format!("Bearer {token}x");
    for (shown, status) in [(right, 200), (wrong, 401), (&bearer, 200), (&broken, 401)] {
        let (answered, body) = site.api("GET", "/api/v1/tokens", shown, &Value::Null);
        let expected = if shown == bearer { 403 } else { status };
        assert_eq!(answered, expected, "{body}");
        site.printed.add(&body.to_string());
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
