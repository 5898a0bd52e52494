//! One test's place: a folder, the peers around it, and the host that runs in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

use super::compiled;
use super::http::{self, get};
use super::inbox::Inbox;
use super::ntfy::Ntfy;
use super::plc::Plc;
use super::process::{Asked, Host, Printed, andon};
use super::registry::Registry;
use super::settings::{LEVELS_TOML, SMPP_PASSWORD, andon_toml};
use super::smsc::Smsc;
use super::twilio::Twilio;
use super::wait_for;

/// A place with everything; nothing runs in it until `start`.
pub(crate) struct Site {
    // Dropped first: the host ends before its folder and its peers.
    host: Option<Host>,
    pub(crate) inbox: Inbox,
    pub(crate) plc: Plc,
    pub(crate) smsc: Smsc,
    pub(crate) twilio: Twilio,
    pub(crate) ntfy: Ntfy,
    pub(crate) printed: Printed,
    folder: TempDir,
    runtime: Runtime,
}

impl Site {
    /// Settings, peers and the rule `levels`.
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let inbox = Inbox::default();
        let plc = Plc::start(&runtime);
        let smsc = Smsc::start(&runtime, inbox.clone());
        let twilio = Twilio::start(&runtime, inbox.clone());
        let ntfy = Ntfy::start(&runtime, inbox.clone());
        let site = Self {
            host: None,
            inbox,
            plc,
            smsc,
            twilio,
            ntfy,
            printed: Printed::default(),
            folder: tempfile::tempdir().expect("a folder"),
            runtime,
        };
        std::fs::create_dir(site.path("plugins")).expect("a folder");
        site.write("smsc-password", SMPP_PASSWORD);
        let text = andon_toml(&site.plc.address, &site.smsc.address, &site.twilio.address);
        site.write("andon.toml", text);
        site.put_guest("limits.wasm");
        site.write("plugins/levels.toml", LEVELS_TOML);
        site
    }

    /// The same, running.
    pub(crate) fn running() -> Self {
        let mut site = Self::new();
        site.start();
        site
    }

    /// A registry at an address, and what ends it.
    pub(crate) fn registry(&self, address: &str) -> (Registry, AbortHandle) {
        let (registry, serving) = self.runtime.block_on(Registry::bind_at(address));
        let end = self.runtime.spawn(serving).abort_handle();
        (registry, end)
    }

    /// The same over TLS, for which `AUTHORITY` vouches.
    pub(crate) fn registry_over_tls(&self, address: &str) -> (Registry, AbortHandle) {
        let (registry, serving) = self.runtime.block_on(Registry::bind_tls(address));
        let end = self.runtime.spawn(serving).abort_handle();
        (registry, end)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("andon.toml")
    }

    /// Writes a file in one step, as a careful person would.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let part = self.path("being-written.part");
        std::fs::write(&part, content).expect("a file is written");
        std::fs::rename(part, self.path(name)).expect("a file is renamed");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a file that is there")
    }

    /// Changes the settings.
    pub(crate) fn edit(&self, old: &str, new: &str) {
        let text = self.read("andon.toml");
        assert!(text.contains(old), "the settings do not hold `{old}`");
        self.write("andon.toml", text.replacen(old, new, 1));
    }

    /// Puts a component into the plugins folder.
    pub(crate) fn put_guest(&self, name: &str) {
        self.write(&format!("plugins/{name}"), guest(name));
    }

    /// Starts the host and waits until it is ready and bound to the SMSC.
    pub(crate) fn start(&mut self) {
        self.start_unbound();
        wait_for("the host to bind", || {
            (self.smsc.sessions() > 0).then_some(())
        });
    }

    /// Starts the host and waits until it is ready, wherever the SMSC may be.
    pub(crate) fn start_unbound(&mut self) {
        compiled::give(&self.path("data"));
        self.host = Some(self.spawn().ready());
        compiled::take(&self.path("data"));
    }

    /// Starts a host and waits for nothing.
    pub(crate) fn spawn(&self) -> Host {
        Host::spawn(&self.config(), &self.printed)
    }

    pub(crate) fn host(&mut self) -> &mut Host {
        self.host.as_mut().expect("a host runs")
    }

    /// `kill -9`, and the SMSC sees that the connection is gone.
    pub(crate) fn kill(&mut self) {
        self.host.take().expect("a host runs").kill();
        wait_for("the SMSC to see the end", || {
            (self.smsc.sessions() == 0).then_some(())
        });
    }

    /// SIGTERM and the end; fails unless it ends with 0.
    pub(crate) fn stop(&mut self) {
        let mut host = self.host.take().expect("a host runs");
        host.ask_to_end();
        let status = host.wait_end();
        assert_eq!(status.code(), Some(0), "{}", host.printed());
    }

    pub(crate) fn restart(&mut self) {
        self.kill();
        self.start();
    }

    /// Runs a command of the program on these settings.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Asked {
        let mut command: Command = andon();
        command.args(arguments).arg("--config").arg(self.config());
        Asked::of(&mut command, &self.printed)
    }

    /// What a command prints; fails unless it ends with 0.
    pub(crate) fn tell(&self, arguments: &[&str]) -> String {
        let asked = self.ask(arguments);
        assert_eq!(asked.code, Some(0), "{arguments:?}: {}", asked.stderr);
        asked.stdout
    }

    /// The same with `--json`.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        serde_json::from_str(&self.tell(&arguments)).expect("JSON")
    }

    /// What `plugin inspect` says of a file.
    pub(crate) fn inspect(&self, file: &Path, arguments: &[&str]) -> String {
        let mut command: Command = andon();
        command
            .args(["plugin", "inspect"])
            .arg(file)
            .args(arguments);
        let asked = Asked::of(&mut command, &self.printed);
        assert_eq!(asked.code, Some(0), "{}", asked.stderr);
        asked.stdout
    }

    /// Status, headers and body of a path of the page.
    pub(crate) fn get(&self, path: &str) -> (u16, String, String) {
        get(&self.host.as_ref().expect("a host runs").page, path)
    }

    /// Where the host serves its page, as it said itself.
    pub(crate) fn page(&self) -> &str {
        &self.host.as_ref().expect("a host runs").page
    }

    /// Status and JSON of a request to the API.
    pub(crate) fn api(
        &self,
        method: &str,
        path: &str,
        authorization: &str,
        body: &Value,
    ) -> (u16, Value) {
        let headers = [
            ("Authorization", authorization),
            ("Content-Type", "application/json"),
        ];
        let body = body.to_string();
        let (status, _, body) = http::ask(self.page(), method, path, &headers, &body);
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    /// `Authorization` of a new token; the token itself is printed nowhere.
    pub(crate) fn token(&self, name: &str, role: &str) -> String {
        let mut command: Command = andon();
        command.args(["token", "new", name, "--role", role]);
        let output = command.arg("--config").arg(self.config()).output();
        let output = output.expect("the program starts");
        assert!(output.status.success(), "{output:?}");
        let token = String::from_utf8(output.stdout).expect("text");
        format!("Bearer {}", token.trim())
    }

    /// The value of a metric without labels.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let (_, _, text) = self.get("/metrics");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.parse().ok()
    }

    /// Everything that the engine did before is on the disk: commits land in their order, and this
    /// is answered when its own has.
    pub(crate) fn wait_written(&self) {
        self.tell(&["inject", "tank8.level=0"]);
    }

    /// Waits until nothing is owed any more, and this is on the disk.
    pub(crate) fn settle(&self) {
        wait_for("nothing to be owed", || {
            (self.metric("andon_deliveries_owed") == Some(0.0)).then_some(())
        });
        self.wait_written();
    }

    /// Standing alarms whose key or instance holds the words.
    pub(crate) fn alarms(&self, words: &str) -> Vec<Value> {
        let Value::Array(all) = self.json(&["alarms"]) else {
            panic!("no list of alarms")
        };
        let id = |alarm: &Value| {
            let part = |name: &str| alarm["id"][name].as_str().unwrap_or_default().to_owned();
            format!("{}/{}", part("instance"), part("key"))
        };
        all.into_iter()
            .filter(|alarm| id(alarm).contains(words))
            .collect()
    }

    /// The alarm of which there is to be one.
    pub(crate) fn wait_alarm(&self, words: &str) -> Value {
        wait_for(&format!("the alarm {words}"), || {
            self.alarms(words).into_iter().next()
        })
    }

    pub(crate) fn wait_no_alarm(&self, words: &str) {
        wait_for(&format!("the alarm {words} to be gone"), || {
            let active = |alarm: &Value| alarm["state"] != "returned-unacknowledged";
            (!self.alarms(words).iter().any(active)).then_some(())
        });
    }

    /// The line of `plugin list` for an instance or a file.
    pub(crate) fn plugin(&self, name: &str) -> Option<Value> {
        let Value::Array(all) = self.json(&["plugin", "list"]) else {
            panic!("no list of plugins")
        };
        all.into_iter().find(|one| {
            one["instance"] == name || (one["instance"] == "" && one["component"] == name)
        })
    }

    pub(crate) fn wait_plugin(
        &self,
        name: &str,
        what: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> Value {
        wait_for(&format!("plugin {name} to be {what}"), || {
            self.plugin(name).filter(&fits)
        })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let printed = self.printed.all();
            let lines: Vec<&str> = printed.lines().collect();
            let last = lines.len().saturating_sub(80);
            println!("the program printed at last:\n{}", lines[last..].join("\n"));
            println!("messages: {:#?}", self.inbox.all());
        }
    }
}

/// The code in `Reply K7 to ack`.
pub(crate) fn code_of(text: &str) -> String {
    let (_, rest) = text.split_once("Reply ").expect("a text with a code");
    rest.split(' ').next().expect("a code").to_owned()
}

/// The octets of a component.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    let file = guests_folder().join(name);
    std::fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask guests`", file.display()))
}

fn guests_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("ANDON_GUESTS") {
        return folder.into();
    }
    let program = Path::new(env!("CARGO_BIN_EXE_andon"));
    program
        .ancestors()
        .map(|folder| folder.join("guests"))
        .find(|folder| folder.is_dir())
        .expect("no folder `guests` beside the programs: run `cargo xtask guests`")
}
