//! The sink of a language, for those that show one: from an empty folder to a message that is posted.
//!
//! Its page's commands are run in a folder in which a host runs; then the settings name the sink, and
//! messages are sent by it to a server on this machine, through all that the host checks on the way.

use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::Trial;
use super::page::Lesson;
use super::plant::Plant;
use super::receiver::{Posted, Receiver};
use crate::process::say;

/// What the receiver asks for, and what the sink never sees.
const SECRET: &str = "secret-of-the-plant";

/// What stands in the settings, and crosses the border of the component.
const TITLE: &str = "Plänt 水";

/// Contacts, with the path that each is posted to. The last one's server is not among the hosts.
const CONTACTS: [&str; 5] = ["taken", "gone", "busy", "lost", "denied"];

impl Trial<'_> {
    /// Follows the page and tries what came of it; the component is copied for the tests of all sinks. A
    /// language without a sink is passed over.
    pub(super) fn channel(&self, component: &Path) -> anyhow::Result<()> {
        let sdk = self.workspace.root().join("sdk").join(self.language);
        if !sdk.join("sink").is_dir() {
            return Ok(());
        }
        let folder = self.folder.join("channel");
        self.keep(&folder.join("my-sink"))?;
        let mut plant = Plant::start(self.workspace, &folder)?;
        self.follow(Lesson::SINK, &plant, "tank-level")?;
        let (server, elsewhere) = (Receiver::start()?, Receiver::start()?);
        name_the_sink(&plant, &server, &elsewhere)?;
        plant.reload()?;
        plant.runs("hook")?;
        let told = try_all(&mut plant, &server, &elsewhere)?;
        say(format!("  sink: {told}"));
        std::fs::copy(folder.join("my-sink/my-sink.wasm"), component)?;
        plant.stop()
    }
}

/// Adds the sink and a contact for each answer to the settings.
fn name_the_sink(plant: &Plant, server: &Receiver, elsewhere: &Receiver) -> anyhow::Result<()> {
    let file = plant.folder().join("andon.toml");
    let settings = std::fs::read_to_string(&file)?;
    let host = server.address();
    let mut added = format!(
        "[[sinks]]\nkind = \"component\"\nname = \"hook\"\ncomponent = \"my-sink.wasm\"\n\
         hosts = [\"{host}\"]\nparameters = {{ title = \"{TITLE}\" }}\n\
         headers = [{{ name = \"X-Key\", prefix = \"Key \", value_file = \"hook-key\" }}]\n\n"
    );
    for (number, name) in CONTACTS.iter().enumerate() {
        let address = match *name {
            "denied" => format!("http://{}/denied", elsewhere.address()),
            path => format!("http://{host}/{path}"),
        };
        added.push_str(&format!(
            "[[contacts]]\nname = \"{name}\"\nphone = \"+479000010{number}\"\n\
             channels = [{{ sink = \"hook\", address = \"{address}\" }}]\n\n"
        ));
    }
    let (before, after) = settings
        .split_once("[[routes]]")
        .context("the settings have routes")?;
    std::fs::write(plant.folder().join("hook-key"), SECRET)?;
    std::fs::write(file, format!("{before}{added}[[routes]]{after}"))?;
    Ok(())
}

/// Sends a message to each contact; gives one line about it.
fn try_all(plant: &mut Plant, server: &Receiver, elsewhere: &Receiver) -> anyhow::Result<String> {
    for (contact, says) in [
        ("taken", "the provider took it"),
        ("gone", "the webhook answered 410: moved away"),
        ("busy", "the webhook answered 429: not so fast"),
        ("denied", "is not in its hosts"),
    ] {
        let message = plant.send_test(contact)?;
        let told = plant.explained(&message, says)?;
        ensure!(!told.contains(SECRET), "the secret is told: {told}");
    }
    plant.send_test("lost")?;
    let repeat = |posted: &[Posted]| {
        posted
            .iter()
            .any(|each| text(each).starts_with("(repeat) "))
    };
    plant.wait("a repeat of what may have been taken", |_| {
        Ok(repeat(&server.on("/lost")).then_some(()))
    })?;
    check_taken(&server.on("/taken"))?;
    let busy = server.on("/busy").len();
    ensure!(busy == 1, "asked to wait, it came {busy} times");
    let denied = elsewhere.on("/denied").len();
    ensure!(denied == 0, "a server that no setting names was asked");
    Ok(
        "posted with the host's secret; 410, 429, no answer and a foreign host are told apart"
            .into(),
    )
}

fn text(posted: &Posted) -> &str {
    let text = posted.body.get("text").and_then(|text| text.as_str());
    text.unwrap_or_default()
}

fn check_taken(posted: &[Posted]) -> anyhow::Result<()> {
    let [one] = posted else {
        anyhow::bail!("one message was sent and {} came: {posted:?}", posted.len());
    };
    ensure!(one.method == "POST", "{one:?}");
    ensure!(one.header("x-key") == format!("Key {SECRET}"), "{one:?}");
    ensure!(one.header("content-type") == "application/json", "{one:?}");
    ensure!(
        text(one).contains("Andon can reach taken by hook"),
        "{one:?}"
    );
    for (name, value) in [
        ("title", json!(TITLE)),
        ("occasion", json!("test")),
        ("attempt", json!(1)),
    ] {
        ensure!(one.body.get(name) == Some(&value), "{name} in {one:?}");
    }
    Ok(())
}
