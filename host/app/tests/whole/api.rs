//! The API of the whole program: tokens, users, roles, events, TLS.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use crate::kit::{ANNA, Site, exchange, hash_of, wait_for};

const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/src/testdata");

fn raise(site: &Site, tank: u16) -> String {
    site.plc.set(tank, 500);
    let alarm = site.wait_alarm(&format!("tank{tank}"));
    alarm["code"].as_str().expect("a code").to_owned()
}

#[test]
fn a_token_does_what_its_role_may_until_it_is_revoked() {
    let site = Site::running();
    let (viewer, operator) = (site.token("hmi", "viewer"), site.token("shift", "operator"));
    let code = raise(&site, 0);
    site.inbox.wait(ANNA, "500");

    let (status, alarms) = site.api("GET", "/api/v1/alarms?text=tank0", &viewer, &Value::Null);
    assert_eq!((status, &alarms["total"]), (200, &json!(1)), "{alarms}");
    assert_eq!(alarms["alarms"][0]["code"], code.as_str());
    assert_eq!(alarms["alarms"][0]["letters"], "B");

    let path = format!("/api/v1/alarms/{code}/acknowledge");
    let (status, refused) = site.api("POST", &path, &viewer, &Value::Null);
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("forbidden")),
        "{refused}"
    );
    let (status, done) = site.api("POST", &path, &operator, &Value::Null);
    assert_eq!(status, 200, "{done}");
    assert_eq!(done["result"], "done");
    assert_eq!(done["alarm"]["acknowledged"]["by"], "shift");
    assert_eq!(done["alarm"]["acknowledged"]["how"], "api");
    let (_, again) = site.api("POST", &path, &operator, &Value::Null);
    assert_eq!(again["result"], "already");

    // Who asked, and who was refused, is in the journal, and what was done is in the story.
    let (_, journal) = site.api(
        "GET",
        "/api/v1/journal?kind=operator",
        &viewer,
        &Value::Null,
    );
    let lines = journal["lines"].as_array().expect("lines");
    let of = |name: &str, status: u64| {
        let mut found = lines.iter();
        found.any(|line| {
            line["subject"] == name
                && line["data"]["status"] == status
                && line["data"]["from"] == "127.0.0.1"
        })
    };
    assert!(of("hmi", 403) && of("shift", 200), "{journal}");
    let (_, story) = site.api(
        "GET",
        &format!("/api/v1/alarms/{code}/explain"),
        &viewer,
        &Value::Null,
    );
    assert!(
        story.to_string().contains("token shift asked for it"),
        "{story}"
    );
    assert_eq!(story["deliveries"][0]["contact"], "anna");
    assert!(!story["deliveries"].to_string().contains(ANNA), "{story}");

    let listed = site.tell(&["token", "list"]);
    assert!(
        listed.contains("hmi") && listed.contains("operator"),
        "{listed}"
    );
    site.tell(&["token", "revoke", "shift"]);
    let (status, _) = site.api("GET", "/api/v1/whoami", &operator, &Value::Null);
    assert_eq!(status, 401);
    let (status, me) = site.api("GET", "/api/v1/whoami", &viewer, &Value::Null);
    assert_eq!((status, &me["role"]), (200, &json!("viewer")));
    assert_eq!(site.ask(&["token", "revoke", "shift"]).code, Some(1));
    assert_eq!(site.get("/api/v1/alarms").0, 401);
}

#[test]
fn an_operator_shelves_takes_and_escalates_and_an_engineer_takes_out_of_service() {
    let site = Site::running();
    let (operator, engineer) = (
        site.token("shift", "operator"),
        site.token("tools", "engineer"),
    );
    let code = raise(&site, 4);
    let order = |what: &str, who: &str, body: Value| {
        site.api("POST", &format!("/api/v1/alarms/{code}/{what}"), who, &body)
    };
    let (status, taken) = order("take", &operator, Value::Null);
    assert_eq!(
        (status, &taken["alarm"]["taken"]["by"]),
        (200, &json!("shift")),
        "{taken}"
    );
    assert_eq!(order("escalate", &operator, Value::Null).0, 200);
    let why = json!({ "for": "30m", "reason": "the float hangs" });
    let (status, shelved) = order("shelve", &operator, why);
    assert_eq!(
        (status, &shelved["result"]),
        (200, &json!("shelved")),
        "{shelved}"
    );
    assert!(
        shelved["silenced"].to_string().contains("the float hangs"),
        "{shelved}"
    );
    let (_, silenced) = site.api(
        "GET",
        "/api/v1/alarms?silenced=true",
        &operator,
        &Value::Null,
    );
    assert_eq!(silenced["alarms"][0]["letters"], "CE", "{silenced}");
    assert_eq!(order("unshelve", &operator, Value::Null).0, 200);
    let out = || json!({ "back_in": "2h", "reason": "a new float" });
    assert_eq!(order("service-out", &operator, out()).0, 403);
    let (status, gone) = order("service-out", &engineer, out());
    assert_eq!(
        (status, &gone["result"]),
        (200, &json!("out of service")),
        "{gone}"
    );
    assert_eq!(order("service-back", &engineer, Value::Null).0, 200);
    // Nothing is latched, so there is nothing to reset.
    assert_eq!(order("reset", &operator, Value::Null).0, 409);
    let (status, unknown) = site.api("POST", "/api/v1/alarms/ZZZZ/reset", &operator, &Value::Null);
    assert_eq!(
        (status, &unknown["code"]),
        (404, &json!("not-found")),
        "{unknown}"
    );
    let story = site.tell(&["explain", &code]);
    assert!(
        story.contains("the float hangs") && story.contains("token tools"),
        "{story}"
    );
}

#[test]
fn tokens_and_the_journal_outlive_the_host() {
    let mut site = Site::running();
    let engineer = site.token("commissioning", "engineer");
    let values = json!({ "values": { "tank3.level": 321 } });
    let (status, done) = site.api("POST", "/api/v1/tags/inject", &engineer, &values);
    assert_eq!((status, done), (200, json!({ "injected": 1 })));
    site.wait_alarm("tank3");
    site.restart();
    let (status, tags) = site.api("GET", "/api/v1/tags?holds=tank3", &engineer, &Value::Null);
    assert_eq!(
        (status, &tags["tags"][0]["name"]),
        (200, &json!("tank3.level")),
        "{tags}"
    );
    let (_, journal) = site.api(
        "GET",
        "/api/v1/journal?subject=commissioning",
        &engineer,
        &Value::Null,
    );
    assert_eq!(journal["lines"][0]["event"], "inject", "{journal}");
    let (_, deliveries) = site.api(
        "GET",
        "/api/v1/deliveries?contact=anna",
        &engineer,
        &Value::Null,
    );
    assert!(
        deliveries["deliveries"][0]["text"]
            .to_string()
            .contains("321"),
        "{deliveries}"
    );
    let (_, contacts) = site.api("GET", "/api/v1/contacts", &engineer, &Value::Null);
    assert_eq!(contacts[0]["display_name"], "Anna Berg", "{contacts}");
    let (_, plugins) = site.api("GET", "/api/v1/plugins", &engineer, &Value::Null);
    assert_eq!(plugins["plugins"][0]["instance"], "levels", "{plugins}");
    let (status, done) = site.api("POST", "/api/v1/reload", &engineer, &Value::Null);
    assert_eq!(status, 200, "{done}");
}

#[test]
fn a_user_of_the_settings_comes_and_goes_with_a_reload() {
    let site = Site::running();
    // `anna:correct horse`
    let basic = "Basic YW5uYTpjb3JyZWN0IGhvcnNl";
    let whoami = || site.api("GET", "/api/v1/whoami", basic, &Value::Null);
    assert_eq!(whoami().0, 401);
    let good = site.read("andon.toml");
    let user = format!(
        "\n[[api.users]]\nname = \"anna\"\nrole = \"operator\"\npassword_hash = \"{}\"\n",
        hash_of("correct horse")
    );
    site.write("andon.toml", format!("{good}{user}"));
    site.tell(&["reload"]);
    let (status, me) = whoami();
    assert_eq!(
        (status, &me["name"], &me["kind"]),
        (200, &json!("anna"), &json!("user")),
        "{me}"
    );
    site.write(
        "andon.toml",
        format!("{good}{}", user.replace("$argon2id$", "$argon2i$")),
    );
    assert_eq!(site.ask(&["reload"]).code, Some(1));
    assert_eq!(whoami().0, 200);
    site.write("andon.toml", good);
    site.tell(&["reload"]);
    assert_eq!(whoami().0, 401);
}

/// A stream of events as it comes.
struct Events(BufReader<TcpStream>);

impl Events {
    fn open(site: &Site, authorization: &str, after: Option<&str>) -> Self {
        let host = site
            .page()
            .trim_start_matches("http://")
            .trim_end_matches('/');
        let mut stream = TcpStream::connect(host).expect("the host listens");
        let after = after
            .map(|id| format!("Last-Event-ID: {id}\r\n"))
            .unwrap_or_default();
        write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\n{after}\r\n").expect("a request");
        Self(BufReader::new(stream))
    }

    /// Id and data of the next event of this kind.
    fn wait(&mut self, kind: &str) -> (String, Value) {
        let (mut event, mut id) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            assert!(
                self.0.read_line(&mut line).expect("a line") > 0,
                "the stream ended"
            );
            if let Some(word) = line.strip_prefix("event:") {
                word.trim().clone_into(&mut event);
            } else if let Some(number) = line.strip_prefix("id:") {
                number.trim().clone_into(&mut id);
            } else if let Some(data) = line.strip_prefix("data:").filter(|_| event == kind) {
                return (id, serde_json::from_str(data).expect("JSON"));
            }
        }
    }
}

#[test]
fn events_go_on_where_they_were_over_a_kill_of_the_host() {
    let mut site = Site::running();
    let viewer = site.token("screen", "viewer");
    let mut events = Events::open(&site, &viewer, None);
    events.wait("here");
    raise(&site, 1);
    let (id, line) = events.wait("alarm");
    assert_eq!(
        (&line["event"], &line["reason"]),
        (&json!("raised"), &json!("first-raise"))
    );
    assert_eq!(line["subject"], "levels/tank1.level.high", "{line}");
    let (_, line) = events.wait("delivery");
    assert!(line["number"].as_u64() > id.parse().ok(), "{line}");
    // What happens while nobody follows is told later, and nothing twice.
    site.restart();
    raise(&site, 2);
    let mut events = Events::open(&site, &viewer, Some(&id));
    assert_eq!(events.wait("here").0, id);
    let (next, line) = events.wait("alarm");
    assert!(line["subject"].to_string().contains("tank2"), "{line}");
    assert!(next.parse::<u64>().ok() > id.parse().ok());
}

#[test]
fn an_address_for_other_machines_is_refused_unless_it_is_safe_or_allowed() {
    let site = Site::new();
    site.edit("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:0\"");
    let checked = site.ask(&["check"]);
    assert_eq!(checked.code, Some(1));
    assert!(
        checked.stdout.contains("plain_http = \"allowed\"")
            && checked.stdout.contains("host.listen"),
        "{}",
        checked.stdout
    );
    let mut host = site.spawn();
    assert_eq!(host.wait_end().code(), Some(1));
    wait_for("what is wrong to be printed", || {
        host.printed()
            .contains("reached by other machines")
            .then_some(())
    });
}

#[test]
fn beyond_this_machine_only_health_is_for_everybody() {
    let mut site = Site::new();
    site.edit("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:0\"");
    let text = site.read("andon.toml");
    site.write(
        "andon.toml",
        format!("{text}\n[api]\nplain_http = \"allowed\"\n"),
    );
    site.start();
    let viewer = site.token("proxy", "viewer");
    for (path, open) in [
        ("/", false),
        ("/metrics", false),
        ("/api/v1/openapi.json", false),
        ("/healthz", true),
        ("/readyz", true),
    ] {
        let (status, head, _) = site.get(path);
        assert_eq!(status, if open { 200 } else { 401 }, "{path}: {head}");
        let headers = [("Authorization", viewer.as_str())];
        let host = site
            .page()
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let stream = TcpStream::connect(&host).expect("the host listens");
        let (status, head, _) = exchange(stream, &host, "GET", path, &headers, "");
        assert_eq!(status, 200, "{path}: {head}");
    }
}

/// Asks by TLS; nothing if the certificate is not of this authority.
fn ask_by_tls(site: &Site, authority: &str, path: &str) -> Option<u16> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(format!("{CERTIFICATES}/{authority}"))
        .expect("a certificate");
    roots.add(authority).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let client = ClientConnection::new(Arc::new(config), name).expect("a client");
    let host = site
        .page()
        .trim_start_matches("https://")
        .trim_end_matches('/');
    let mut stream = StreamOwned::new(client, TcpStream::connect(host).expect("the host listens"));
    stream.flush().ok()?;
    Some(exchange(stream, host, "GET", path, &[], "").0)
}

#[test]
fn tls_is_spoken_and_a_new_certificate_is_taken_without_a_restart() {
    let mut site = Site::new();
    let put = |site: &Site, certificate: &str, key: &str| {
        let read = |name: &str| std::fs::read(format!("{CERTIFICATES}/{name}")).expect("a file");
        site.write("key.pem", read(key));
        site.write("cert.pem", read(certificate));
    };
    put(&site, "server.pem", "server.key.pem");
    site.edit("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:0\"");
    let text = site.read("andon.toml");
    site.write(
        "andon.toml",
        format!("{text}\n[api.tls]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n"),
    );
    site.start();
    assert!(site.page().starts_with("https://"), "{}", site.page());
    assert_eq!(ask_by_tls(&site, "authority.pem", "/healthz"), Some(200));
    assert_eq!(
        ask_by_tls(&site, "authority.pem", "/api/v1/alarms"),
        Some(401)
    );
    assert_eq!(ask_by_tls(&site, "other-authority.pem", "/healthz"), None);
    // A key that does not go with the certificate is refused, and what was good goes on.
    let other = std::fs::read(format!("{CERTIFICATES}/other.key.pem")).expect("a file");
    site.write("key.pem", other);
    let refused = site.ask(&["reload"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("key.pem"), "{}", refused.stderr);
    assert_eq!(ask_by_tls(&site, "authority.pem", "/healthz"), Some(200));
    put(&site, "other.pem", "other.key.pem");
    wait_for("the new certificate", || {
        (ask_by_tls(&site, "other-authority.pem", "/healthz") == Some(200)).then_some(())
    });
    assert_eq!(ask_by_tls(&site, "authority.pem", "/healthz"), None);
}
