//! A host that is made up, with one of everything, and a way to ask it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use andon_model::{
    AlarmFlags, AlarmId, AlarmRecord, AlarmState, Channel, Delivery, DeliveryId, DeliveryKind,
    DeliveryState, JournalEntry, JournalKind, Labels, ManualClock, OccurrenceId, Priority, Reason,
    ShortCode, Timestamp, Why,
};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::api::{Peer, router};
use crate::{
    ApiPlan, ApiSettings, Books, Command, ContactView, DeliveryQuestion, DeviceView, Host,
    JournalLine, JournalQuestion, Overview, Page, PluginView, Refusal, Role, ShadowView, SinkView,
    Story, TagQuestion, TagView,
};

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(super) fn why() -> Why {
    Why::new(Reason::FirstRaise, "the condition began to hold")
}

pub(super) fn alarm(number: u64) -> AlarmRecord {
    AlarmRecord {
        id: AlarmId::new("levels", format!("tank{number}.high")),
        occurrence: OccurrenceId(number),
        code: ShortCode::from_number(number, 2),
        state: AlarmState::Unacknowledged,
        priority: if number.is_multiple_of(2) {
            Priority::High
        } else {
            Priority::Low
        },
        message: format!("Tank {number} is too full"),
        labels: Labels::from([("area".into(), "north".into())]),
        raised_at: NOW,
        changed_at: NOW,
        cleared_at: None,
        acknowledged: None,
        raises: 1,
        test: false,
        flags: AlarmFlags::default(),
    }
}

pub(super) fn line(number: u64, kind: JournalKind) -> JournalLine {
    JournalLine {
        number,
        entry: JournalEntry {
            at: NOW,
            kind,
            occurrence: Some(OccurrenceId(7)),
            subject: "levels/tank7.high".into(),
            event: "raised".into(),
            why: why(),
            data: json!({ "code": "K7" }),
        },
    }
}

fn delivery() -> Delivery {
    let channel = Channel {
        sink: "sms".into(),
        address: "+4790000001".into(),
    };
    Delivery {
        id: DeliveryId::of(OccurrenceId(7), DeliveryKind::Alert, 0, "anna", &channel),
        occurrence: OccurrenceId(7),
        kind: DeliveryKind::Alert,
        step: 0,
        contact: "anna".into(),
        channels: vec![channel.clone()],
        channel,
        channel_index: 0,
        priority: Priority::High,
        text: "Tank 7 is too full".into(),
        code: None,
        created_at: NOW,
        expires_at: NOW,
        state: DeliveryState::Delivered,
        attempts: 1,
        next_at: NOW,
        repeat: false,
        after: None,
        why: why(),
        test: false,
    }
}

fn shadow() -> ShadowView {
    ShadowView {
        version: "2.0.0".into(),
        hash: "0123".into(),
        state: "running".into(),
        by_hand: true,
        since: NOW,
        until: None,
        end: "wait".into(),
        calls: 1,
        failures: 0,
        compared: 1,
        same: 1,
        different: 0,
        only_running: 0,
        only_shadow: 0,
        changed: 0,
        shifted: 0,
        memory_bytes: 1,
        trouble: String::new(),
        differences: vec!["none".into()],
    }
}

fn plugin() -> PluginView {
    PluginView {
        instance: "levels".into(),
        component: "limits.wasm".into(),
        kind: "rule".into(),
        version: "1.0.0".into(),
        state: "running".into(),
        up: true,
        calls: 3,
        failures: 0,
        memory_bytes: 65_536,
        latest_call_us: 5,
        trouble: String::new(),
        hash: "abcd".into(),
        trust: String::new(),
        earlier: vec!["ef01".into()],
        shadow: Some(shadow()),
        refused_shadow: None,
    }
}

fn tag(name: &str) -> TagView {
    TagView {
        name: name.into(),
        value: "81.5".into(),
        unit: "%".into(),
        quality: "good".into(),
        time: Some(NOW),
        source: "plc holding:7".into(),
    }
}

/// As the host tells it: moments in nanoseconds.
fn on_call(days: u16) -> Value {
    let duty = json!({ "contact": "anna", "by": "rotation week", "since": NOW, "until": NOW, "until_local": "2027-01-15 09:00" });
    json!([{
        "schedule": "nights", "time_zone": "Europe/Oslo", "at": NOW, "at_local": "2027-01-15 09:00",
        "on_call": [duty],
        "coming": [{ "from": NOW, "from_local": format!("in {days} days"), "on_call": [] }],
    }])
}

/// The host that is made up.
pub(super) struct Fake {
    pub(super) lines: Mutex<Vec<JournalLine>>,
    pub(super) notes: Mutex<Vec<JournalEntry>>,
    pub(super) commands: Mutex<Vec<Command>>,
    pub(super) news: watch::Sender<u64>,
    /// Lets a change of the instance `slow` go on.
    pub(super) slow: Notify,
}

impl Fake {
    /// More lines reach the disk.
    pub(super) fn write(&self, lines: impl IntoIterator<Item = JournalLine>) {
        self.lines.lock().unwrap().extend(lines);
        self.news.send_modify(|count| *count += 1);
    }
}

#[async_trait]
impl Host for Fake {
    fn sickness(&self) -> Vec<String> {
        Vec::new()
    }

    fn unreadiness(&self) -> Vec<String> {
        vec!["plugins are being loaded".into()]
    }

    fn metrics_text(&self) -> String {
        "# EOF\n".into()
    }

    async fn overview(&self) -> Overview {
        Overview {
            version: "0.1.0".into(),
            started_at: NOW,
            now: NOW,
            devices: vec![DeviceView {
                name: "plc".into(),
                state: "unit 1 up".into(),
                detail: "3 requests".into(),
                up: true,
            }],
            sinks: vec![SinkView {
                name: "sms".into(),
                kind: "smpp".into(),
                up: true,
                why: "bound".into(),
            }],
            ..Overview::default()
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "a command that the API does not know is refused"
    )]
    async fn command(&self, command: Command) -> Result<Value, Refusal> {
        self.commands.lock().unwrap().push(command.clone());
        match command {
            Command::Wish(wish) if wish.alarm == "over" => {
                Ok(json!({ "result": "over", "alarm": alarm(1), "again": alarm(3) }))
            }
            Command::Wish(wish) if wish.alarm == "none" => {
                Err(Refusal::unknown("no alarm is called `none`"))
            }
            Command::Wish(_) => Ok(json!({ "result": "done", "alarm": alarm(7), "again": null })),
            Command::SendTest { .. } => Ok(json!({ "occurrence": 9, "deliveries": ["d1"] })),
            Command::Inject { values } => Ok(json!({ "injected": values.len() })),
            Command::Life(request) if request.alarm == "none" => {
                Err(Refusal::unknown("no alarm is called `none`"))
            }
            Command::Life(_) => Ok(json!({
                "result": "shelved", "id": "levels/tank7.high", "flags": AlarmFlags::default(),
                "alarm": alarm(7), "seen": true,
            })),
            Command::OnCall { days, .. } => Ok(on_call(days)),
            Command::Plugins => Ok(json!([plugin()])),
            Command::Rollback { .. } => Ok(json!({ "component": "limits.wasm", "runs": "ef01" })),
            Command::Promote { instance } if instance == "slow" => {
                self.slow.notified().await;
                Ok(Value::Null)
            }
            Command::Promote { .. } | Command::Refuse { .. } | Command::Reload => Ok(Value::Null),
            other => Err(Refusal::new(format!("{other:?} is not for the API"))),
        }
    }
}

#[async_trait]
impl Books for Fake {
    async fn standing(&self) -> Result<Vec<AlarmRecord>, Refusal> {
        Ok((1..=9).map(alarm).collect())
    }

    async fn story(&self, name: String) -> Result<Story, Refusal> {
        if name == "none" {
            return Err(Refusal::unknown("no alarm is called `none`"));
        }
        Ok(Story {
            occurrence: OccurrenceId(7),
            journal: vec![line(1, JournalKind::Alarm)],
            deliveries: vec![delivery()],
        })
    }

    async fn journal(&self, question: JournalQuestion) -> Result<Page<JournalLine>, Refusal> {
        let mut rows = self.lines.lock().unwrap().clone();
        rows.reverse();
        rows.truncate(question.limit);
        let next = rows.last().map(|line| line.number.to_string());
        Ok(Page { rows, next })
    }

    async fn journal_after(&self, number: u64, limit: usize) -> Result<Vec<JournalLine>, Refusal> {
        let lines = self.lines.lock().unwrap();
        let after = lines.iter().filter(|line| line.number > number);
        Ok(after.take(limit).cloned().collect())
    }

    async fn journal_end(&self) -> Result<u64, Refusal> {
        let lines = self.lines.lock().unwrap();
        Ok(lines.last().map_or(0, |line| line.number))
    }

    async fn deliveries(&self, _: DeliveryQuestion) -> Result<Page<Delivery>, Refusal> {
        Ok(Page {
            rows: vec![delivery()],
            next: None,
        })
    }

    async fn delivery(&self, id: String) -> Result<Option<Delivery>, Refusal> {
        Ok((id != "none").then(delivery))
    }

    async fn tags(&self, question: TagQuestion) -> Result<Page<TagView>, Refusal> {
        Ok(Page {
            rows: vec![tag("tank7.level")],
            next: Some(question.holds),
        })
    }

    async fn contacts(&self) -> Result<Vec<ContactView>, Refusal> {
        Ok(vec![ContactView {
            name: "anna".into(),
            display_name: "Anna Berg".into(),
            channels: vec!["sms".into()],
        }])
    }

    async fn note(&self, line: JournalEntry) -> Result<(), Refusal> {
        self.notes.lock().unwrap().push(line);
        Ok(())
    }

    fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }
}

/// The router over the host, with a token for each role.
pub(super) struct Stand {
    pub(super) fake: Arc<Fake>,
    pub(super) access: Arc<Access>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) stop: CancellationToken,
    app: TowerToHyperService<Router>,
    tokens: Vec<(Role, String)>,
    _folder: tempfile::TempDir,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: axum::http::HeaderMap,
    pub(super) body: Value,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub(super) fn says(&self) -> &str {
        self.body["says"].as_str().unwrap_or_default()
    }
}

impl Stand {
    pub(super) fn new() -> Self {
        // Roles and answers are asked for more often than people do.
        Self::with(&ApiSettings {
            requests_per_minute_address: 1_000_000,
            requests_per_minute_caller: 1_000_000,
            ..ApiSettings::default()
        })
    }

    pub(super) fn with(settings: &ApiSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let access = Arc::new(Access::new(plan(settings), folder.path(), clock.clone()));
        let token = |role: Role| (role, access.make_token(role.word(), role, None).unwrap());
        let tokens = Role::ALL.map(token).to_vec();
        let fake = Arc::new(Fake {
            lines: Mutex::new(
                (1..=5)
                    .map(|number| line(number, JournalKind::Alarm))
                    .collect(),
            ),
            notes: Mutex::default(),
            commands: Mutex::default(),
            news: watch::Sender::new(0),
            slow: Notify::new(),
        });
        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        let app = router(fake.clone(), Arc::clone(&access), stop.clone(), tracker);
        Self {
            fake,
            access,
            clock,
            stop,
            app: TowerToHyperService::new(app),
            tokens,
            _folder: folder,
        }
    }

    pub(super) fn bearer(&self, role: Role) -> String {
        let found = self.tokens.iter().find(|(of, _)| *of == role);
        format!("Bearer {}", found.unwrap().1)
    }

    /// A request from another machine.
    pub(super) fn request(&self, method: &str, path: &str, role: Option<Role>) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "plant:8443");
        if let Some(role) = role {
            request = request.header("authorization", self.bearer(role));
        }
        let peer = Peer {
            address: "10.0.0.9".parse().unwrap(),
            loopback: false,
        };
        request.extension(peer).body(Body::empty()).unwrap()
    }

    pub(super) async fn send(&self, request: Request<Body>) -> axum::response::Response {
        self.app.call(request).await.unwrap()
    }

    pub(super) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.send(request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask(self.request("GET", path, Some(Role::Viewer)))
            .await
    }

    pub(super) async fn post(&self, path: &str, role: Role, body: Value) -> Answer {
        let mut request = self.request("POST", path, Some(role));
        let kind = "application/json".parse().unwrap();
        request.headers_mut().insert("content-type", kind);
        *request.body_mut() = Body::from(body.to_string());
        self.ask(request).await
    }

    pub(super) fn notes(&self) -> Vec<JournalEntry> {
        self.fake.notes.lock().unwrap().clone()
    }

    pub(super) fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

pub(super) fn plan(settings: &ApiSettings) -> ApiPlan {
    let listen = "127.0.0.1:0".parse().unwrap();
    let (plan, findings) = crate::check(settings, listen, &|_| Err("none".into()));
    assert!(findings.is_empty(), "{findings:?}");
    plan
}

/// The host that is made up, for the tests of the doors.
pub(crate) fn fake_host() -> Arc<dyn Books> {
    Arc::new(Fake {
        lines: Mutex::default(),
        notes: Mutex::default(),
        commands: Mutex::default(),
        news: watch::Sender::new(0),
        slow: Notify::new(),
    })
}
