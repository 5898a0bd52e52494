//! One round of the demo by itself: every step waits for what a person would see.

use anyhow::{Context as _, ensure};

use super::stage::{PEOPLE, Sms, Stage};
use crate::process::say;

/// Plays the round; fails with what did not happen.
pub(crate) fn play(stage: &mut Stage) -> anyhow::Result<()> {
    let code = raise_and_acknowledge(stage)?;
    explain(stage, &code)?;
    clear(stage, &code)?;
    change_the_rule(stage)?;
    replace_the_component(stage)?;
    fail_over(stage)?;
    survive_a_power_cut(stage)?;
    say("demo: everything that a person would have seen was seen");
    Ok(())
}

fn anna() -> &'static str {
    PEOPLE[0].1
}

fn to(sms: &Sms, phone: &str, text: &str) -> bool {
    sms.to == phone && sms.text.contains(text)
}

fn raise_and_acknowledge(stage: &mut Stage) -> anyhow::Result<String> {
    say("1. the wet well rises over its high limit");
    let seen = stage.messages()?.len();
    stage.pin("wetwell.level", 85.0)?;
    let sms = stage.wait_message("the alarm", seen, |sms| to(sms, anna(), "wetwell.level"))?;
    ensure!(
        sms.by == "smpp",
        "the alarm came by {} and not by SMPP",
        sms.by
    );
    stage.wait_message("the alarm on the second phone", seen, |sms| {
        to(sms, PEOPLE[1].1, "wetwell.level")
    })?;
    let code = code_of(&sms.text)?;
    say(format!(
        "2. Anna answers `ack {code}`, a stranger tries too"
    ));
    let seen = stage.messages()?.len();
    stage.say_from("+4799999999", &format!("ack {code}"))?;
    stage.say_from(anna(), &format!("ack {code}"))?;
    stage.wait_message("the answer", seen, |sms| to(sms, anna(), "acknowledged"))?;
    let strangers = stage
        .messages()?
        .iter()
        .filter(|sms| sms.to == "+4799999999")
        .count();
    ensure!(strangers == 0, "a stranger was answered");
    let alarms = stage.command(&["alarms", "--json"])?;
    ensure!(
        alarms.contains("\"anna\""),
        "`andon alarms` does not say who acknowledged:\n{alarms}"
    );
    Ok(code)
}

fn explain(stage: &Stage, code: &str) -> anyhow::Result<()> {
    say(format!(
        "3. `andon explain {code}` tells the way from the register to the receipt"
    ));
    let told = stage.command(&["explain", code])?;
    for wanted in ["wetwell.level", "anna", "raised", "acknowledged"] {
        ensure!(
            told.contains(wanted),
            "`andon explain` does not mention {wanted}:\n{told}"
        );
    }
    told.lines()
        .take(12)
        .for_each(|line| say(format!("  {line}")));
    Ok(())
}

fn clear(stage: &mut Stage, code: &str) -> anyhow::Result<()> {
    say("4. the level falls");
    let seen = stage.messages()?.len();
    stage.pin("wetwell.level", 50.0)?;
    stage.wait_message("the end of the alarm", seen, |sms| {
        to(sms, anna(), "OVER") && sms.text.contains(code)
    })?;
    let messages = stage.messages()?;
    ensure!(
        messages.iter().all(|sms| sms.to != PEOPLE[2].1),
        "Cecilie was told of water, which is not hers"
    );
    Ok(())
}

fn change_the_rule(stage: &mut Stage) -> anyhow::Result<()> {
    say("5. the engineer lowers the high limit to 40 % and saves the file");
    let seen = stage.messages()?.len();
    let file = stage.plugin_file("wetwell-level.toml");
    let text = std::fs::read_to_string(&file)?.replace("limit = 80.0", "limit = 40.0");
    std::fs::write(&file, text)?;
    stage.wait_message("the alarm of the changed rule", seen, |sms| {
        to(sms, anna(), "wetwell.level")
    })?;
    stage.pin("wetwell.level", 30.0)?;
    stage.wait_message("its end", seen, |sms| to(sms, anna(), "OVER"))?;
    Ok(())
}

/// A new build of the component: the same code with another stamp, and so another hash. Then one
/// that is broken, which must change nothing.
fn replace_the_component(stage: &mut Stage) -> anyhow::Result<()> {
    say("6. a new build of the component is dropped in, then a broken one");
    let before = running_hash(stage)?;
    let file = stage.plugin_file("limits.wasm");
    let mut bytes = std::fs::read(&file)?;
    bytes.extend(custom_section("build", b"second"));
    std::fs::write(&file, &bytes)?;
    let after = wait_for(
        || Ok(Some(running_hash(stage)?).filter(|hash| *hash != before)),
        "the new build to run",
    )?;
    std::fs::write(&file, bytes.get(..bytes.len() / 2).unwrap_or_default())?;
    let seen = stage.messages()?.len();
    wait_for(
        || {
            Ok(stage
                .command(&["plugin", "list"])?
                .contains("refused")
                .then_some(()))
        },
        "the broken build to be refused",
    )?;
    ensure!(
        running_hash(stage)? == after,
        "the broken build took the place of the good one"
    );
    std::fs::write(&file, &bytes)?;
    stage.pin("wetwell.level", 85.0)?;
    stage.wait_message("an alarm from the good build", seen, |sms| {
        to(sms, anna(), "wetwell.level")
    })?;
    stage.pin("wetwell.level", 30.0)?;
    Ok(())
}

fn fail_over(stage: &mut Stage) -> anyhow::Result<()> {
    say("7. the SMSC goes away; the next alarm comes by Twilio");
    stage.switch_smsc(false)?;
    // What the SMSC took in the moment before it went has arrived and comes by no second way.
    wait_for(
        || Ok(stage.is_down("smsc")?.then_some(())),
        "the host to see that the SMSC is gone",
    )?;
    let seen = stage.messages()?.len();
    stage.pin("wetwell.level", 95.0)?;
    let sms = stage.wait_message("the alarm by the second way", seen, |sms| {
        to(sms, anna(), "wetwell.level") && sms.by == "twilio"
    })?;
    stage.switch_smsc(true)?;
    let code = code_of(&sms.text)?;
    stage.command(&["ack", &code, "--by", "demo"])?;
    Ok(())
}

fn survive_a_power_cut(stage: &mut Stage) -> anyhow::Result<()> {
    say("8. the host is killed and started again: what stood stands, nothing is told twice");
    let alarms = stage.command(&["alarms"])?;
    let told: Vec<String> = stage
        .messages()?
        .iter()
        .map(|sms| format!("{} {}", sms.to, sms.text))
        .collect();
    stage.kill_andon()?;
    stage.start_andon()?;
    let again = stage.command(&["alarms"])?;
    let standing = |text: &str| text.lines().filter(|line| line.contains("wetwell")).count();
    ensure!(
        standing(&alarms) == standing(&again),
        "before the power cut:\n{alarms}\nafter it:\n{again}"
    );
    let seen = stage.messages()?.len();
    stage.command(&["send-test", "cecilie"])?;
    stage.wait_message("the test message", seen, |sms| to(sms, PEOPLE[2].1, "TEST"))?;
    for sms in stage.messages()?.iter().skip(told.len()) {
        let line = format!("{} {}", sms.to, sms.text);
        ensure!(
            !told.contains(&line),
            "sent twice over the power cut: {line}"
        );
    }
    Ok(())
}

fn running_hash(stage: &Stage) -> anyhow::Result<String> {
    let list: serde_json::Value =
        serde_json::from_str(&stage.command(&["plugin", "list", "--json"])?)?;
    let plugins = list.as_array().context("a list of plugins")?;
    let found = plugins.iter().find(|plugin| {
        plugin.get("instance").and_then(|name| name.as_str()) == Some("wetwell-level")
    });
    let hash = found
        .and_then(|plugin| plugin.get("hash"))
        .and_then(|hash| hash.as_str());
    Ok(hash.context("wetwell-level does not run")?.to_owned())
}

fn wait_for<T>(
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
    what: &str,
) -> anyhow::Result<T> {
    for _ in 0..300 {
        if let Some(found) = look()? {
            return Ok(found);
        }
        crate::process::pause(std::time::Duration::from_millis(200));
    }
    anyhow::bail!("waited a minute for {what}")
}

/// The code in `Reply K7 to ack`.
fn code_of(text: &str) -> anyhow::Result<String> {
    let mut words = text.split(|sign: char| !sign.is_alphanumeric());
    words.find(|word| word.eq_ignore_ascii_case("reply"));
    words
        .next()
        .filter(|code| !code.is_empty())
        .map(str::to_owned)
        .with_context(|| format!("no code to reply with in `{text}`"))
}

/// A custom section of a component: it changes the file's hash and nothing that it does.
fn custom_section(name: &str, content: &[u8]) -> Vec<u8> {
    let short = |length: usize| u8::try_from(length).unwrap_or(0x7f);
    let mut section = vec![0, short(1 + name.len() + content.len()), short(name.len())];
    section.extend(name.as_bytes());
    section.extend(content);
    section
}
