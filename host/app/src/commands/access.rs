//! `andon token` and `andon user`: who may use the API.
//!
//! Tokens are made by the running host, through its control socket. A hash is computed here and
//! needs no host.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use andon_web::{Command, TokenCommand};
use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use serde_json::Value;

use super::client::{ask, printed};
use super::print;
use crate::arguments::{Place, Token, User};

/// Longest line that is read as a password, bytes.
const LINE_BYTES_MAX: u64 = 4_096;

pub(super) fn token(command: Token) -> anyhow::Result<ExitCode> {
    match command {
        Token::New {
            name,
            role,
            expires,
            place,
        } => {
            let for_ms = expires.map(|time| u64::try_from(time.0.as_millis()).unwrap_or(u64::MAX));
            let by = person();
            let answer = ask(
                &place,
                &Command::Token(TokenCommand::New {
                    name,
                    role,
                    for_ms,
                    by,
                }),
            )?;
            if !printed(&place, &answer) {
                let token = answer.get("token").and_then(Value::as_str);
                print(token.unwrap_or_default());
                eprintln!(
                    "This is the only time that it is shown. Send it as `Authorization: Bearer TOKEN`."
                );
            }
        }
        Token::List(place) => list(&place)?,
        Token::Revoke { name, place } => {
            let by = person();
            let command = Command::Token(TokenCommand::Revoke {
                name: name.clone(),
                by,
            });
            let answer = ask(&place, &command)?;
            if !printed(&place, &answer) {
                print(format!("The token {name} counts no longer."));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(place: &Place) -> anyhow::Result<()> {
    let answer = ask(place, &Command::Token(TokenCommand::List))?;
    if printed(place, &answer) {
        return Ok(());
    }
    let tokens = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    if tokens.is_empty() {
        print("There is no token; `andon token new NAME --role ROLE` makes one.");
    }
    for token in tokens {
        let field = |name: &str| token.get(name).and_then(Value::as_str);
        print(format!(
            "{:<32} {:<10} made {}  {}",
            field("name").unwrap_or_default(),
            field("role").unwrap_or_default(),
            field("made_at").unwrap_or_default(),
            field("expires_at").map_or_else(
                || "until it is revoked".to_owned(),
                |at| format!("until {at}")
            )
        ));
    }
    Ok(())
}

fn person() -> String {
    std::env::var("USER").unwrap_or_else(|_| "command line".into())
}

pub(super) fn user(command: &User) -> anyhow::Result<ExitCode> {
    match command {
        User::Hash => {
            print(andon_web::hash_password(&password()?)?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A password: one line of standard input, or what somebody types twice without seeing it.
fn password() -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return line();
    }
    let before = tcgetattr(&stdin).context("ask the terminal how it shows what is typed")?;
    let mut hidden: Termios = before.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &hidden).context("hide what is typed")?;
    let typed = ask_for("Password: ").and_then(|first| Ok((first, ask_for("Again: ")?)));
    tcsetattr(&stdin, OptionalActions::Flush, &before).context("show again what is typed")?;
    let (first, second) = typed?;
    anyhow::ensure!(
        first == second,
        "these were two different passwords; nothing was hashed"
    );
    Ok(first)
}

fn ask_for(what: &str) -> anyhow::Result<String> {
    let mut terminal = std::io::stderr();
    write!(terminal, "{what}")?;
    terminal.flush()?;
    let typed = line();
    writeln!(terminal)?;
    typed
}

fn line() -> anyhow::Result<String> {
    use std::io::Read as _;
    let mut line = String::new();
    let mut bounded = std::io::stdin().lock().take(LINE_BYTES_MAX);
    bounded.read_line(&mut line).context("read the password")?;
    let password = line.trim_end_matches(['\r', '\n']);
    Ok(password.to_owned())
}
