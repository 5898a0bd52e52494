//! `cargo xtask demo`: the real `andon` between a simulated plant and simulated phones.

mod once;
mod stage;

use std::io::BufRead as _;

use crate::process::say;
pub(crate) use stage::word_after;
use stage::{PEOPLE, Stage, Weather};

/// Shows the product until Enter or Ctrl-C; with `once`, does one round by itself.
pub(crate) fn run(once: bool) -> anyhow::Result<()> {
    if once {
        let mut stage = Stage::set_up(Weather::Calm)?;
        once::play(&mut stage)?;
        return stage.take_down();
    }
    let stage = Stage::set_up(Weather::Stormy)?;
    say("");
    say("A storm fills the wet well every minute and a half; the phones show what people receive.");
    say(
        "Type `anna ack K7` to answer from a phone (anna, bo, cecilie), or `smsc off` and `smsc on`.",
    );
    say(format!(
        "The page of the host: http://{}/   Press Enter on an empty line to end.",
        stage.page
    ));
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            break;
        }
        if let Err(why) = obey(&stage, line.trim()) {
            say(format!("{why:#}"));
        }
    }
    stage.take_down()
}

fn obey(stage: &Stage, line: &str) -> anyhow::Result<()> {
    let (who, what) = line.split_once(' ').unwrap_or((line, ""));
    if who == "smsc" {
        return stage.switch_smsc(what == "on");
    }
    let Some((_, phone)) = PEOPLE.iter().find(|(name, _)| *name == who) else {
        anyhow::bail!("nobody is called `{who}`: anna, bo or cecilie");
    };
    stage.say_from(phone, what)
}
