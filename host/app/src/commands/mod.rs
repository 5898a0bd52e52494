//! What each command does. Every one prints for people, or JSON with `--json`, and ends with an
//! exit code: 0 done, 1 refused or failed, 2 wrong arguments.

mod access;
mod check;
mod client;
mod compile;
mod end_signals;
pub(crate) mod explain;
pub(crate) mod oncall;
mod plugin;
mod record;
mod replay;
mod report;
mod run;
mod silence;
mod told;
mod wish;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use andon_web::AlarmWish;

use crate::arguments::{Arguments, Command, Place};
use crate::surroundings::folder_of;
use crate::workshop::SettingsFile;

/// Does what the command line asks.
pub(crate) fn dispatch(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Run(place) => run::run(&place),
        Command::Check(check) => check::check(&check),
        Command::Plugin(command) => plugin::dispatch(command),
        Command::Inject { values, place } => client::inject(&place, values),
        Command::SendTest {
            contact,
            every_channel,
            wait,
            place,
        } => client::send_test(&place, contact, every_channel, wait),
        Command::Explain {
            alarm,
            contact,
            place,
        } => client::explain(&place, alarm, contact.as_deref()),
        Command::Alarms(options) if options.silenced => silence::silenced(&options.place),
        Command::Alarms(options) => client::alarms(&options.place),
        Command::Ack { alarm, by, place } => client::acknowledge(&place, alarm, by),
        Command::Oncall(options) => oncall::on_call(&options),
        Command::Take(life) => wish::wish(life, AlarmWish::Take),
        Command::Escalate(life) => wish::wish(life, AlarmWish::Escalate),
        Command::Shelve(options) => silence::shelve(options),
        Command::Unshelve(life) => silence::unshelve(life),
        Command::Reset(life) => silence::reset(life),
        Command::Service(command) => silence::service(command),
        Command::Record(options) => record::record(&options),
        Command::Replay(options) => replay::replay(&options),
        Command::Report(options) => report::report(&options),
        Command::Reload(place) => client::reload(&place),
        Command::Token(command) => access::token(command),
        Command::User(command) => access::user(&command),
        Command::Health(place) => client::health(&place),
        Command::Compile { folder } => Ok(compile::compile(&folder)),
    }
}

/// Prints a line for whoever called the command.
#[expect(clippy::print_stdout, reason = "commands answer on standard output")]
fn print(line: impl AsRef<str>) {
    println!("{}", line.as_ref());
}

/// A runtime for a command that asks and ends.
fn small_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// The data folder that the settings name; found even in settings with other problems, so that a
/// running host can be asked while its file is being edited.
fn data_folder(place: &Place) -> anyhow::Result<PathBuf> {
    let named = |folder: &str| folder_of(&place.config).join(folder);
    match SettingsFile::at(&place.config).read() {
        Ok(plan) => Ok(named(&plan.settings.host.data)),
        Err(problems) => {
            let text = std::fs::read_to_string(&place.config).map_err(|error| {
                anyhow::anyhow!(
                    "cannot read {}: {error}; name the settings with --config FILE",
                    place.config.display()
                )
            })?;
            let table: toml::Table = text
                .parse()
                .map_err(|_| anyhow::anyhow!("{}", first_of(&problems)))?;
            let data = table
                .get("host")
                .and_then(|host| host.get("data"))
                .and_then(|data| data.as_str());
            Ok(named(data.unwrap_or("data")))
        }
    }
}

fn first_of(problems: &[andon_config::Problem]) -> String {
    problems
        .first()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// The control socket of the host that uses this data folder.
fn socket_in(data: &Path) -> PathBuf {
    data.join("andon.sock")
}
