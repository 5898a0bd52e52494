//! Settings, secrets and callbacks.

use std::fmt;
use std::sync::{Arc, Mutex};

use andon_model::{Finding, ManualClock, Outcome, Secret, Severity, Timestamp};
use tracing::field::{Field, Visit};

use super::callback::{Callback, CallbackError, accept};
use super::{BuildError, TwilioSettings, build, check};
use crate::SinkSettings;

const TOKEN: &str = "the-token-that-nobody-may-see";

fn good() -> String {
    format!(
        "name = \"twilio\"\naccount_sid = \"AC{}\"\nauth_token = \"{TOKEN}\"\nfrom = \"+4790000099\"\n",
        "0".repeat(32)
    )
}

fn read(text: &str) -> TwilioSettings {
    toml::from_str(text).unwrap()
}

fn findings(text: &str) -> Vec<(Severity, String)> {
    check(&read(text), "/0")
        .into_iter()
        .map(|Finding { severity, path, .. }| (severity, path))
        .collect()
}

#[test]
fn good_settings_have_no_findings() {
    assert_eq!(findings(&good()), []);
}

#[test]
fn all_that_is_wrong_is_found_at_once() {
    let text = format!(
        "name = \"t\"\naccount_sid = \"AC123\"\napi_key_sid = \"{TOKEN}\"\nfrom = \"+4790000099\"\n\
         messaging_service_sid = \"SK1\"\napi_url = \"ftp://x/y\"\nwindow = 0\n\
         status_callback = \"http://my_host/x\"\npoll_interval = \"1ms\"\n"
    );
    let found = findings(&text);
    for path in [
        "/0/account_sid",
        "/0/api_key_sid",
        "/0/messaging_service_sid",
        "/0/from",
        "/0/api_url",
        "/0/window",
        "/0/status_callback",
        "/0/poll_interval",
    ] {
        assert!(
            found.contains(&(Severity::Error, path.to_owned())),
            "{path} in {found:?}"
        );
    }
    for finding in check(&read(&text), "") {
        assert!(!finding.to_string().contains(TOKEN), "{finding}");
    }
}

#[test]
fn a_sink_without_credentials_or_sender_is_refused_and_plain_http_is_warned_of() {
    let bare = format!("name = \"t\"\naccount_sid = \"AC{}\"\n", "0".repeat(32));
    let errors = findings(&bare);
    assert_eq!(errors.len(), 3, "{errors:?}");
    let open = good() + "api_url = \"http://twilio.example\"\n";
    assert_eq!(
        findings(&open),
        [(Severity::Warning, "/0/api_url".to_owned())]
    );
    let local = good() + "api_url = \"http://127.0.0.1:4010\"\n";
    assert_eq!(findings(&local), []);
    let spoiled = good().replace(TOKEN, "token with blank");
    assert_eq!(
        findings(&spoiled),
        [(Severity::Error, "/0/auth_token".to_owned())]
    );
}

#[derive(serde::Deserialize, Debug)]
struct File {
    sinks: Vec<SinkSettings>,
}

#[test]
fn an_unknown_key_or_kind_is_refused_in_a_tagged_table() {
    let table = |rest: &str| format!("[[sinks]]\nkind = \"twilio\"\n{}{rest}", good());
    let file: File = toml::from_str(&table("")).unwrap();
    assert_eq!(file.sinks[0].name(), "twilio");
    let error = toml::from_str::<File>(&table("auth_tokn = \"x\"\n")).unwrap_err();
    assert!(error.to_string().contains("auth_tokn"), "{error}");
    let error = toml::from_str::<File>("[[sinks]]\nkind = \"pigeon\"\nname = \"p\"\n").unwrap_err();
    assert!(error.to_string().contains("pigeon"), "{error}");
    let error = toml::from_str::<File>("[[sinks]]\nname = \"p\"\n").unwrap_err();
    assert!(error.to_string().contains("kind"), "{error}");
}

#[test]
fn sinks_have_names_of_their_own() {
    let twin = SinkSettings::Twilio(read(&good()));
    let odd = SinkSettings::Twilio(read(&good().replace("\"twilio\"", "\"my sink\"")));
    let found: Vec<String> = crate::check(&[twin.clone(), twin, odd])
        .into_iter()
        .map(|finding| finding.path)
        .collect();
    assert_eq!(found, ["/1/name", "/2/name"]);
}

#[test]
fn the_schema_names_every_key_and_marks_secrets() {
    let schema = serde_json::to_value(schemars::schema_for!(SinkSettings)).unwrap();
    let text = schema.to_string();
    assert!(text.contains("x-secret"));
    assert!(text.contains("messaging_service_sid"));
    assert!(text.contains("\"twilio\""));
}

#[test]
fn certificate_authorities_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    for content in [None, Some("no certificate here")] {
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let text = good() + &format!("ca_file = {:?}\n", path.display().to_string());
        let error = build(&read(&text), Arc::new(ManualClock::at(Timestamp::EPOCH)))
            .err()
            .unwrap();
        assert!(matches!(error, BuildError::CaFile { .. }), "{error:?}");
        assert!(error.to_string().contains("ca.pem"), "{error}");
    }
}

/// Collects all that is logged, by us and by the libraries below.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut log = self.0.lock().unwrap();
        log.push_str(&format!("{field}={value:?}\n"));
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        attributes.record(&mut self.clone());
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn the_token_is_in_no_log_no_reason_and_no_debug_text() {
    let log = Log::default();
    let guard = tracing::subscriber::set_default(log.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let text = good() + &format!("api_url = \"http://{}\"\n", listener.local_addr().unwrap());
    let settings = read(&text);
    let sink = build(&settings, Arc::new(ManualClock::at(Timestamp::EPOCH))).unwrap();
    let delivery = super::tests::delivery(&"long ".repeat(400));
    let close = async {
        let (stream, _) = listener.accept().await.unwrap();
        drop(stream);
    };
    let (outcome, ()) = tokio::join!(sink.send(&delivery), close);
    drop(guard);
    let Outcome::Unknown { why } = outcome else {
        panic!("{outcome:?}");
    };
    let log = log.0.lock().unwrap().clone();
    assert!(log.contains("was cut"), "the log is not collected: {log}");
    let shown = format!(
        "{log}{why:?}{settings:?}{}",
        toml::to_string(&settings).unwrap()
    );
    let encoded = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("{}:{TOKEN}", settings.account_sid),
    );
    assert!(!shown.contains(TOKEN), "{shown}");
    assert!(!shown.contains(&encoded), "{shown}");
}

const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";

#[test]
fn a_signature_is_checked_over_address_and_sorted_fields() {
    let token = Secret::new("12345");
    // The example that Twilio's own libraries test with.
    let body = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
    let signed = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    assert_eq!(
        accept(&token, URL, body, signed),
        Err(CallbackError::NotUnderstood)
    );
    for (url, body, signature) in [
        (URL, &body[..], "RSOYDt4T1cUTdK1PDd93/VVr8B9="),
        (URL, &body[..], ""),
        (URL, &body[..], "RSOYDt4T1cUTdK1PDd93"),
        (URL, &body[1..], signed),
        ("https://mycompany.com/myapp.php", &body[..], signed),
    ] {
        assert_eq!(
            accept(&token, url, body, signature),
            Err(CallbackError::Unsigned)
        );
    }
    let other = Secret::new("12346");
    assert_eq!(
        accept(&other, URL, body, signed),
        Err(CallbackError::Unsigned)
    );
    assert_eq!(
        accept(&token, URL, &vec![b'a'; 100_000], signed),
        Err(CallbackError::TooLong)
    );
}

fn sign(token: &str, url: &str, fields: &[(&str, &str)]) -> String {
    use hmac::{KeyInit, Mac};
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let mut text = url.to_owned();
    for (name, value) in sorted {
        text.push_str(name);
        text.push_str(value);
    }
    let mut mac = hmac::Hmac::<sha1::Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        mac.finalize().into_bytes(),
    )
}

fn take(fields: &[(&str, &str)]) -> Result<Callback, CallbackError> {
    let body: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let signature = sign("12345", URL, fields);
    accept(&Secret::new("12345"), URL, body.as_bytes(), &signature)
}

#[test]
fn a_status_and_a_reply_are_read_from_signed_callbacks() {
    let status = [
        ("MessageSid", "SM1"),
        ("MessageStatus", "undelivered"),
        ("ErrorCode", "30005"),
        ("To", "+4790000001"),
        ("NewField", "may come at any time"),
    ];
    let Ok(Callback::Receipt(receipt)) = take(&status) else {
        panic!("no receipt");
    };
    assert_eq!(receipt.provider_id, "SM1");
    assert!(receipt.detail.contains("30005"));
    let reply = [
        ("MessageSid", "SM2"),
        ("SmsStatus", "received"),
        ("From", "+4790000001"),
        ("To", "+4790000099"),
        ("Body", "  k7 æøå "),
    ];
    let Ok(Callback::Incoming(incoming)) = take(&reply) else {
        panic!("no reply");
    };
    assert_eq!(incoming.text, "  k7 æøå ");
    assert_eq!(incoming.from, "+4790000001");
    let odd = [("MessageSid", "SM2"), ("MessageStatus", "dreaming")];
    assert_eq!(take(&odd), Err(CallbackError::NotUnderstood));
}
