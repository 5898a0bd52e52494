//! Everything that the demo stands on: a copy of the example in a folder of its own, the two
//! simulators on free ports, and the host.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::guests;
use crate::image::address_of;
use crate::process::{self, Beside, Echo, say};
use crate::web;
use crate::workspace::Workspace;

/// The people of the example and their phones.
pub(crate) const PEOPLE: [(&str, &str); 3] = [
    ("anna", "+4790000001"),
    ("bo", "+4790000002"),
    ("cecilie", "+4790000003"),
];
/// The number that people answer to.
const OURS: &str = "+4759440000";
/// How long anything that the demo waits for may take on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What the plant does by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Nothing that raises an alarm.
    Calm,
    /// A storm now and then.
    Stormy,
}

/// The running demo.
pub(crate) struct Stage {
    folder: TempDir,
    program: PathBuf,
    andon: Option<Beside>,
    plant: Beside,
    phones: Beside,
    plant_control: String,
    phones_control: String,
    /// Where the page of the host is.
    pub(crate) page: String,
    echo: Echo,
}

impl Stage {
    /// Builds what is missing and starts everything.
    pub(crate) fn set_up(weather: Weather) -> anyhow::Result<Self> {
        let workspace = Workspace::load()?;
        let guests = guests::build()?;
        say("building the host and the simulators (some minutes the first time)");
        process::build_programs()?;
        let echo = if weather == Weather::Stormy {
            Echo::Yes
        } else {
            Echo::No
        };
        let mut plant = Beside::start(
            "plant",
            &workspace.program("plant-simulator"),
            |command| {
                command.args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]);
                if weather == Weather::Stormy {
                    command.arg("--storms");
                }
            },
            echo,
        )?;
        let plant_line = plant.wait_line("plant: modbus", PATIENCE)?;
        let mut phones = Beside::start(
            "phones",
            &workspace.program("phone-simulator"),
            |command| {
                command.args([
                    "--smpp",
                    "127.0.0.1:0",
                    "--twilio",
                    "127.0.0.1:0",
                    "--control",
                    "127.0.0.1:0",
                ]);
            },
            echo,
        )?;
        let phones_line = phones.wait_line("phones: smpp", PATIENCE)?;
        let folder = tempfile::tempdir().context("make a folder for the demo")?;
        let addresses = [
            ("127.0.0.1:1502", word_after(&plant_line, "modbus")?),
            ("127.0.0.1:2775", word_after(&phones_line, "smpp")?),
            ("127.0.0.1:2780", word_after(&phones_line, "twilio")?),
            ("127.0.0.1:8080", "127.0.0.1:0".to_owned()),
        ];
        furnish(&workspace, &guests, folder.path(), &addresses)?;
        let mut stage = Self {
            program: workspace.program("andon"),
            folder,
            andon: None,
            plant,
            phones,
            plant_control: word_after(&plant_line, "control")?,
            phones_control: word_after(&phones_line, "control")?,
            page: String::new(),
            echo,
        };
        stage.start_andon()?;
        Ok(stage)
    }

    /// Starts the host on the example.
    pub(crate) fn start_andon(&mut self) -> anyhow::Result<()> {
        let settings = self.settings();
        let mut andon = Beside::start(
            "andon",
            &self.program,
            |command| {
                command.arg("run").arg("--config").arg(&settings);
            },
            self.echo,
        )?;
        let ready = andon.wait_line("http://", PATIENCE)?;
        say(&ready);
        self.page = address_of(&ready)?;
        self.andon = Some(andon);
        Ok(())
    }

    /// Kills the host as a power cut would.
    pub(crate) fn kill_andon(&mut self) -> anyhow::Result<()> {
        self.andon.take().context("the host does not run")?.kill()
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("andon.toml")
    }

    /// A file in the plugins folder of the demo.
    pub(crate) fn plugin_file(&self, name: &str) -> PathBuf {
        self.folder.path().join("plugins").join(name)
    }

    /// Runs `andon` with these arguments and gives what it prints.
    pub(crate) fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--config").arg(self.settings());
        process::output(&mut command)
    }

    /// Holds a value of the plant.
    pub(crate) fn pin(&self, name: &str, value: f64) -> anyhow::Result<()> {
        web::post(
            &self.plant_control,
            &format!("/pin?name={name}&value={value}"),
            "",
        )
        .map(|_| ())
    }

    /// Says something from a phone to the host.
    pub(crate) fn say_from(&self, phone: &str, text: &str) -> anyhow::Result<()> {
        let body = serde_json::json!({ "from": phone, "to": OURS, "text": text });
        web::post(&self.phones_control, "/say", &body.to_string()).map(|_| ())
    }

    /// Switches the SMSC on or off.
    pub(crate) fn switch_smsc(&self, up: bool) -> anyhow::Result<()> {
        web::post(&self.phones_control, &format!("/smsc?up={up}"), "").map(|_| ())
    }

    /// Whether the host knows that this sink cannot send.
    pub(crate) fn is_down(&self, sink: &str) -> anyhow::Result<bool> {
        let down = format!("andon_sink_up{{sink=\"{sink}\"}} 0");
        Ok(web::get(&self.page, "/metrics")?
            .lines()
            .any(|line| line == down))
    }

    /// All messages that the phones have received.
    pub(crate) fn messages(&self) -> anyhow::Result<Vec<Sms>> {
        let list: Vec<Value> = serde_json::from_str(&web::get(&self.phones_control, "/messages")?)?;
        Ok(list.iter().map(Sms::of).collect())
    }

    /// Waits for the first message from number `from` on that fits.
    pub(crate) fn wait_message(
        &mut self,
        what: &str,
        from: usize,
        fits: impl Fn(&Sms) -> bool,
    ) -> anyhow::Result<Sms> {
        for _ in 0..PATIENCE.as_millis() / 100 {
            let messages = self.messages()?;
            if let Some(found) = messages.iter().skip(from).find(|sms| fits(sms)) {
                say(format!(
                    "  phone {} by {}: {}",
                    found.to, found.by, found.text
                ));
                return Ok(found.clone());
            }
            if self.andon.as_mut().is_some_and(Beside::ended) {
                bail!("the host ended while the demo waited for {what}");
            }
            process::pause(Duration::from_millis(100));
        }
        let seen: Vec<String> = self
            .messages()?
            .iter()
            .map(|sms| format!("{} by {}: {}", sms.to, sms.by, sms.text))
            .collect();
        bail!(
            "no phone received {what} within {PATIENCE:?}; they received:\n{}",
            seen.join("\n")
        )
    }

    /// Ends everything in order.
    pub(crate) fn take_down(self) -> anyhow::Result<()> {
        if let Some(andon) = self.andon {
            andon.stop(PATIENCE)?;
        }
        drop((self.plant, self.phones, self.folder));
        Ok(())
    }
}

/// A message on a phone.
#[derive(Debug, Clone)]
pub(crate) struct Sms {
    pub(crate) to: String,
    pub(crate) by: String,
    pub(crate) text: String,
}

impl Sms {
    fn of(value: &Value) -> Self {
        let text = |key: &str| {
            value
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Self {
            to: text("to"),
            by: text("by"),
            text: text("text"),
        }
    }
}

/// The word after another one in a line that a simulator printed.
pub(crate) fn word_after(line: &str, word: &str) -> anyhow::Result<String> {
    let mut words = line.split_whitespace();
    words.find(|each| *each == word);
    words
        .next()
        .map(str::to_owned)
        .with_context(|| format!("no {word} in `{line}`"))
}

/// Copies the example, with the addresses of this run, and puts the components beside their files.
fn furnish(
    workspace: &Workspace,
    guests: &Path,
    folder: &Path,
    addresses: &[(&str, String)],
) -> anyhow::Result<()> {
    let example = workspace.root().join("examples/pump-station");
    std::fs::create_dir(folder.join("plugins"))?;
    for name in ["tags.csv", "smsc-password"] {
        std::fs::copy(example.join(name), folder.join(name))
            .with_context(|| format!("copy {name}"))?;
    }
    let mut settings = std::fs::read_to_string(example.join("andon.toml"))?;
    for (usual, now) in addresses {
        settings = settings.replace(usual, now);
    }
    std::fs::write(folder.join("andon.toml"), settings)?;
    for file in example.join("plugins").read_dir()? {
        let file = file?;
        let text = std::fs::read_to_string(file.path())?;
        std::fs::write(folder.join("plugins").join(file.file_name()), &text)?;
        if let Some(component) = text
            .lines()
            .find_map(|line| line.strip_prefix("component = "))
        {
            let component = component.trim_matches('"');
            std::fs::copy(
                guests.join(component),
                folder.join("plugins").join(component),
            )
            .with_context(|| format!("copy {component}"))?;
        }
    }
    Ok(())
}
