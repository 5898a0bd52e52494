//! The command line.

use std::path::PathBuf;

use andon_model::{DurationText, ShadowEnd};
use andon_toolchain::{ProjectKind, World};
use andon_web::Role;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Watches tags of PLCs, lets sandboxed plugins decide what is wrong, and gets people to know.
#[derive(Debug, Parser)]
#[command(name = "andon", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the host's files are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// The settings.
    #[arg(long, short, default_value = "andon.toml", env = "ANDON_CONFIG")]
    pub(crate) config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the host until SIGTERM or Ctrl-C.
    Run(Place),
    /// Check settings, plugins and tag lists; tell every problem at once.
    Check(Check),
    /// Look after plugins.
    #[command(subcommand)]
    Plugin(Plugin),
    /// Push values through the real path, marked as a test: TAG=VALUE.
    Inject {
        /// `TAG=VALUE`, several at once make one batch.
        #[arg(required = true, value_parser = tag_value)]
        values: Vec<(String, String)>,
        #[command(flatten)]
        place: Place,
    },
    /// Send a test message through a contact's real channels and wait for what becomes of it.
    SendTest {
        /// Name of the contact.
        contact: String,
        /// By every channel of the contact, not only the first that works.
        #[arg(long)]
        every_channel: bool,
        /// For how long to wait for the result, seconds.
        #[arg(long, default_value_t = 30)]
        wait: u64,
        #[command(flatten)]
        place: Place,
    },
    /// Tell why: the way of an alarm from the register to the receipt.
    Explain {
        /// Short code, number, or `INSTANCE/KEY`.
        alarm: String,
        /// Tell of this contact alone: whether it was told, and why or why not.
        #[arg(long)]
        contact: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// List standing alarms.
    Alarms(Alarms),
    /// Acknowledge an alarm.
    Ack {
        /// Short code or number.
        alarm: String,
        /// Who acknowledges; the user of the machine if it is left out.
        #[arg(long)]
        by: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Tell who is on call now, and the coming handovers; also while no host runs.
    Oncall(OnCall),
    /// Take an alarm: it is acknowledged, and others hear who works on it.
    Take(Life),
    /// Let the next be told of an alarm now.
    Escalate(Life),
    /// Silence an alarm for a time; it is watched on, and comes back by itself.
    Shelve(Shelve),
    /// End a shelving before its time.
    Unshelve(Life),
    /// End a latched alarm, once its condition is gone.
    Reset(Life),
    /// Take alarms out of service, and bring them back.
    #[command(subcommand)]
    Service(Service),
    /// Record samples of the running host into a CSV file, as they go through the real path.
    Record(Record),
    /// Run rules over a recording: what would they have raised, and who would have been told?
    Replay(Replay),
    /// Count alarm figures of ISA-18.2 and EEMUA 191 from the journal, each with its target.
    Report(Report),
    /// Read the settings again now and say whether they were taken.
    Reload(Place),
    /// Look after tokens of the API.
    #[command(subcommand)]
    Token(Token),
    /// Look after users of the API.
    #[command(subcommand)]
    User(User),
    /// Ask a running host whether it is healthy; for a container's health check.
    Health(Place),
    /// Compile the component on standard input into a cache; the running host calls this.
    #[command(hide = true)]
    Compile {
        /// The folder that holds the cache.
        folder: PathBuf,
    },
}

/// Options of `andon oncall`.
#[derive(Debug, Args)]
pub(crate) struct OnCall {
    /// Name of a schedule; every one if it is left out.
    pub(crate) schedule: Option<String>,
    /// Another moment, local time of the schedule: `2026-12-24 18:00`.
    #[arg(long, value_name = "LOCAL-TIME")]
    pub(crate) at: Option<String>,
    /// For how many days handovers are told, 0 to 366.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(0..=366))]
    pub(crate) days: u16,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Options of `andon alarms`.
#[derive(Debug, Args)]
pub(crate) struct Alarms {
    /// List what is shelved, suppressed or out of service instead: by whom, why, until when.
    #[arg(long)]
    pub(crate) silenced: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// An alarm, and who orders something about it.
#[derive(Debug, Args)]
pub(crate) struct Life {
    /// Short code, number, or `INSTANCE/KEY`, which also names an alarm that is normal.
    pub(crate) alarm: String,
    /// Who orders it; the user of the machine if it is left out.
    #[arg(long)]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Options of `andon shelve`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("end").required(true).args(["time", "one_shot"])))]
pub(crate) struct Shelve {
    #[command(flatten)]
    pub(crate) life: Life,
    /// For how long: `90m`, `8h`; the settings bound it by priority.
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) time: Option<DurationText>,
    /// Until it returns to normal; if it is normal now, after its next occurrence.
    #[arg(long)]
    pub(crate) one_shot: bool,
    /// Why; whoever looks at the list reads it.
    #[arg(long)]
    pub(crate) reason: String,
}

/// Commands about alarms out of service.
#[derive(Debug, Subcommand)]
pub(crate) enum Service {
    /// Take an alarm out of service until somebody brings it back.
    Out {
        #[command(flatten)]
        life: Life,
        /// In which time it is expected back; whoever took it out is reminded then.
        #[arg(long, value_name = "TIME")]
        back_in: Option<DurationText>,
        /// Why; whoever looks at the list reads it.
        #[arg(long)]
        reason: String,
    },
    /// Bring an alarm back into service.
    Back {
        #[command(flatten)]
        life: Life,
    },
    /// List what is out of service: by whom, since when, why, expected back.
    List(Place),
}

/// Commands about tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token and print it; it is shown this once.
    New {
        /// Its name: it stands in the journal beside all that is done with it.
        name: String,
        /// What may be done with it: viewer, operator, engineer or admin.
        #[arg(long, value_parser = role)]
        role: Role,
        /// For how long it counts, like 90d; until it is revoked if this is left out.
        #[arg(long, value_parser = lifetime)]
        expires: Option<DurationText>,
        #[command(flatten)]
        place: Place,
    },
    /// List the tokens that there are.
    List(Place),
    /// Revoke a token.
    Revoke {
        /// Its name.
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Commands about users.
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Read a password, from the terminal or from standard input, and print its hash for
    /// `password_hash` of `[[api.users]]`.
    Hash,
}

/// Options of `andon check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Also list the tags.
    #[arg(long)]
    pub(crate) tags: bool,
    /// Print the reference of all settings and end.
    #[arg(long)]
    pub(crate) reference: bool,
}

/// Options of `andon plugin build`.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The project, a folder with an `andon-plugin.toml`.
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Make a component of this core module instead.
    #[arg(long, conflicts_with = "folder")]
    pub(crate) module: Option<PathBuf>,
    /// World of the core module, where it holds no component types.
    #[arg(long, requires = "module", value_enum)]
    pub(crate) world: Option<WorldName>,
    /// The component that is written; MODULE.component.wasm if it is left out.
    #[arg(long, short, requires = "module")]
    pub(crate) output: Option<PathBuf>,
}

/// What a new project is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum KindName {
    /// Says what is wrong.
    Rule,
    /// Computes values that are tags like any other.
    Function,
    /// Reaches people in a way that Andon lacks.
    Sink,
}

impl From<KindName> for ProjectKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Rule => Self::Rule,
            KindName::Function => Self::Function,
            KindName::Sink => Self::Sink,
        }
    }
}

/// A world of the contract.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum WorldName {
    /// A rule.
    #[value(name = "rule-plugin")]
    Rule,
    /// A function.
    #[value(name = "function-plugin")]
    Function,
    /// A sink; it may also import WASI's outgoing HTTP.
    #[value(name = "sink-plugin")]
    Sink,
}

impl From<WorldName> for World {
    fn from(name: WorldName) -> Self {
        match name {
            WorldName::Rule => Self::RulePlugin,
            WorldName::Function => Self::FunctionPlugin,
            WorldName::Sink => Self::SinkPlugin,
        }
    }
}

/// Options of `andon record`.
#[derive(Debug, Args)]
pub(crate) struct Record {
    /// The file; it must not exist yet.
    #[arg(long, default_value = "recording.csv")]
    pub(crate) out: PathBuf,
    /// For how long: `90s`, `1h`.
    #[arg(long = "for", default_value = "1h")]
    pub(crate) duration: DurationText,
    /// Most samples.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) rows: u64,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Options of `andon replay`.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The recording: a CSV file, or a folder of them.
    pub(crate) recording: PathBuf,
    /// Folder of the rules; without it that of the settings.
    #[arg(long)]
    pub(crate) plugins: Option<PathBuf>,
    /// Run a second version beside it: a component, or a folder whose files replace those of the
    /// first.
    #[arg(long)]
    pub(crate) compare: Option<PathBuf>,
    /// By how much the times of a message may differ for it to be the same in both versions.
    #[arg(long, default_value = "5m")]
    pub(crate) tolerance: DurationText,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Options of `andon report`.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Begin: a date, a date with a time, or how long ago, like 7d; 30 days before the end if it is
    /// left out.
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// End, itself not counted; now if it is left out.
    #[arg(long)]
    pub(crate) to: Option<String>,
    /// Only this operator group.
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// How it is printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: ReportFormat,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people.
    Text,
    /// One object; the same as `--json`.
    Json,
    /// One table for spreadsheets.
    Csv,
    /// A page to keep or to print.
    Html,
}

/// Commands about plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// List instances and refused files of the running host.
    List(Place),
    /// Start a project that works: a rule, a function or a sink, in the language of your choice.
    New {
        /// The language; a wrong one is answered with those that there are.
        language: String,
        /// Name of the plugin: lower case, digits, dashes.
        name: String,
        /// What it shall be.
        #[arg(long, value_enum, default_value_t = KindName::Rule)]
        kind: KindName,
        /// Folder of the project; its name if it is left out.
        #[arg(long)]
        folder: Option<PathBuf>,
    },
    /// Build a project into NAME.wasm, a component that the host takes.
    Build(Build),
    /// Show what a component is: kind, inputs, parameters, imports; or why it is refused.
    Inspect {
        /// The `.wasm` file.
        file: PathBuf,
        /// Public key of minisign, or its file, to check the signature beside the component by.
        #[arg(long)]
        key: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Fetch a component from a registry into the cache of the host, and show its digest and hash.
    Pull {
        /// `oci://HOST/NAME:TAG`, with or without `@sha256:DIGEST`.
        reference: String,
        #[command(flatten)]
        place: Place,
    },
    /// Run scenario files against components with a virtual clock.
    Test {
        /// Scenario files, folders that hold them, or projects.
        #[arg(required = true)]
        scenarios: Vec<PathBuf>,
        /// Folder of the components; without it, the folders `plugins` and that of each scenario.
        #[arg(long)]
        plugins: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let a component run beside an instance: compared with it, not heard.
    Shadow {
        /// Name of the instance.
        instance: String,
        /// The component to try; it need not lie in the plugins folder.
        #[arg(long)]
        component: PathBuf,
        /// For how long, like 10m; without it until `promote` or `refuse`.
        #[arg(long = "for", value_parser = duration)]
        run_for: Option<DurationText>,
        /// What becomes of it then: promote-if-same, promote-if-sound or wait.
        #[arg(long, value_parser = shadow_end, requires = "run_for", default_value = "wait")]
        end: ShadowEnd,
        #[command(flatten)]
        place: Place,
    },
    /// Put the shadow of an instance in its place.
    Promote {
        /// Name of the instance.
        instance: String,
        #[command(flatten)]
        place: Place,
    },
    /// End the shadow of an instance; the running version stays.
    Refuse {
        /// Name of the instance.
        instance: String,
        #[command(flatten)]
        place: Place,
    },
    /// Measure a component: compiling, starting, calls by the size of the batch, memory.
    Bench(Bench),
    /// Go back to the last good version of a component.
    Rollback {
        /// File name or stem of the component.
        component: String,
        #[command(flatten)]
        place: Place,
    },
}

fn duration(text: &str) -> Result<DurationText, String> {
    let time: DurationText = text.parse()?;
    if time.0.is_zero() {
        return Err("a shadow needs some time to be compared in".into());
    }
    Ok(time)
}

fn lifetime(text: &str) -> Result<DurationText, String> {
    let time: DurationText = text.parse()?;
    if time.0.is_zero() {
        return Err("a token that counts for no time is none".into());
    }
    Ok(time)
}

fn role(text: &str) -> Result<Role, String> {
    Role::ALL
        .into_iter()
        .find(|role| role.word() == text)
        .ok_or_else(|| format!("`{text}` is none of viewer, operator, engineer, admin"))
}

fn shadow_end(text: &str) -> Result<ShadowEnd, String> {
    let ends = [
        ShadowEnd::PromoteIfSame,
        ShadowEnd::PromoteIfSound,
        ShadowEnd::Wait,
    ];
    ends.into_iter()
        .find(|end| end.word() == text)
        .ok_or_else(|| format!("`{text}` is none of promote-if-same, promote-if-sound, wait"))
}

/// Options of `andon plugin bench`.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// The `.wasm` file.
    pub(crate) file: PathBuf,
    /// Parameters of the instance, a JSON object.
    #[arg(long)]
    pub(crate) parameters: Option<String>,
    /// How many tags are bound to a port that takes many.
    #[arg(long, default_value_t = 10)]
    pub(crate) inputs: usize,
    /// Sizes of the batches.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 100, 1_000])]
    pub(crate) rows: Vec<usize>,
    /// How many calls of each size are measured.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) calls: usize,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

fn tag_value(text: &str) -> Result<(String, String), String> {
    let (tag, value) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is not TAG=VALUE"))?;
    if tag.is_empty() {
        Err(format!("`{text}` names no tag"))
    } else {
        Ok((tag.to_owned(), value.to_owned()))
    }
}
