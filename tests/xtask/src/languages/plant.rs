//! The smallest plant in which a rule can ring a phone: a host on the settings of
//! `examples/first-plant` without their rule, and the phone simulator behind its SMSC.
//!
//! No PLC is there; values come by `andon inject`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::demo::word_after;
use crate::process::{self, Beside, Echo, pause};
use crate::web;
use crate::workspace::Workspace;

/// How long anything may take on a slow machine; a large component is compiled meanwhile.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running host with its phones.
pub(crate) struct Plant {
    folder: PathBuf,
    program: PathBuf,
    andon: Beside,
    phones: Beside,
    phones_control: String,
}

impl Plant {
    /// Starts both in a new folder.
    pub(crate) fn start(workspace: &Workspace, folder: &Path) -> anyhow::Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        std::fs::create_dir_all(folder.join("plugins"))?;
        let mut phones = Beside::start(
            "phones",
            &workspace.program("phone-simulator"),
            |command| {
                for port in ["--smpp", "--twilio", "--control"] {
                    command.args([port, "127.0.0.1:0"]);
                }
                command.args(["--system-id", "plant"]);
            },
            Echo::No,
        )?;
        let line = phones.wait_line("phones: smpp", PATIENCE)?;
        furnish(workspace, folder, &word_after(&line, "smpp")?)?;
        let program = workspace.program("andon");
        let log = std::fs::File::create(folder.join("host.log"))?;
        let mut andon = Beside::start(
            "andon",
            &program,
            |command| {
                command
                    .arg("run")
                    .stderr(log)
                    .current_dir(folder)
                    .env_remove("ANDON_CONFIG");
            },
            Echo::No,
        )?;
        andon.wait_line("http://", PATIENCE)?;
        Ok(Self {
            folder: folder.to_owned(),
            program,
            andon,
            phones,
            phones_control: word_after(&line, "control")?,
        })
    }

    /// The folder of the host, in which people type commands.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits until the new plugin runs, gives the tag a value, and waits for the SMS with this text.
    pub(crate) fn alarm(&mut self, tag: &str, value: f64, text: &str) -> anyhow::Result<String> {
        self.wait("the rule to run", |plant| plant.is_running(|_| true))?;
        self.command(&["inject", &format!("{tag}={value}")])?;
        self.wait(&format!("an SMS with `{text}`"), |plant| {
            let messages = web::get(&plant.phones_control, "/messages")?;
            let messages: Vec<Value> = serde_json::from_str(&messages)?;
            let texts = messages.iter().filter_map(|sms| sms.get("text")?.as_str());
            Ok(texts.map(str::to_owned).find(|sms| sms.contains(text)))
        })
    }

    /// Lets the host read its settings again. What they name must have been noticed and compiled first.
    pub(crate) fn reload(&mut self) -> anyhow::Result<()> {
        self.wait("the host to take the settings", |plant| {
            let done = plant.started(&["reload"]).output()?;
            Ok(done.status.success().then_some(()))
        })
    }

    /// Waits until the plugin of this name runs.
    pub(crate) fn runs(&mut self, name: &str) -> anyhow::Result<()> {
        self.wait(&format!("`{name}` to run"), |plant| {
            plant.is_running(|each| each.get("instance").and_then(Value::as_str) == Some(name))
        })
    }

    /// Sends a test message to a contact; gives the number by which it is explained.
    pub(crate) fn send_test(&self, contact: &str) -> anyhow::Result<String> {
        // Whether it left by now decides how the command ends, and is of no interest yet.
        let told = self
            .started(&["send-test", contact, "--wait", "0", "--json"])
            .output()?;
        let rows: Vec<Value> = serde_json::from_slice(&told.stdout)
            .with_context(|| String::from_utf8_lossy(&told.stderr).into_owned())?;
        let occurrence = rows.first().and_then(|row| row.get("occurrence"));
        Ok(format!(
            "#{}",
            occurrence.context("a message has a number")?
        ))
    }

    /// Waits until the host explains so what became of a message; gives all of it.
    pub(crate) fn explained(&mut self, message: &str, says: &str) -> anyhow::Result<String> {
        self.wait(&format!("`{says}`"), |plant| {
            let told = plant.command(&["explain", message])?;
            Ok(told.contains(says).then_some(told))
        })
    }

    /// Ends both in order.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.andon.stop(PATIENCE)?;
        drop(self.phones);
        Ok(())
    }

    /// Runs a command of `andon` in the folder; gives what it printed.
    pub(crate) fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        process::output(&mut self.started(arguments))
    }

    fn started(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.folder);
        command.env_remove("ANDON_CONFIG");
        command
    }

    /// Whether one of these plugins runs; fails if the host refuses one at all.
    fn is_running(&self, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Option<()>> {
        let list = self.command(&["plugin", "list", "--json"])?;
        let list: Vec<Value> = serde_json::from_str(&list)?;
        let is =
            |each: &Value, state: &str| each.get("state").and_then(Value::as_str) == Some(state);
        if let Some(refused) = list.iter().find(|each| is(each, "refused")) {
            bail!("the host refused it: {refused}");
        }
        let mut running = list.iter().filter(|each| is(each, "running"));
        Ok(running.any(wanted).then_some(()))
    }

    /// Looks again and again until there is something to see.
    pub(crate) fn wait<T>(
        &mut self,
        what: &str,
        look: impl Fn(&Self) -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        for _ in 0..PATIENCE.as_millis() / 200 {
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            if self.andon.ended() {
                bail!("the host ended while the task waited for {what}");
            }
            pause(Duration::from_millis(200));
        }
        let list = self.command(&["plugin", "list"])?;
        bail!("waited {PATIENCE:?} for {what}; the plugins are:\n{list}")
    }
}

/// The settings of the example, with the addresses of this run.
fn furnish(workspace: &Workspace, folder: &Path, smpp: &str) -> anyhow::Result<()> {
    let example = workspace.root().join("examples/first-plant");
    let settings = std::fs::read_to_string(example.join("andon.toml"))
        .context("read examples/first-plant/andon.toml")?
        .replace("smsc.example.net:2775", smpp)
        // Nothing listens there.
        .replace("192.168.0.10", "127.0.0.1:9");
    let listen = "\n[host]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(folder.join("andon.toml"), settings + listen)?;
    std::fs::write(folder.join("smsc-password"), "secret\n")?;
    std::fs::copy(example.join("tags.csv"), folder.join("tags.csv"))?;
    Ok(())
}
