//! Running other programs: to their end, or beside us until they are dropped.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, bail};

/// Says a line to whoever runs the task.
#[expect(clippy::print_stdout, reason = "a task talks to whoever runs it")]
pub(crate) fn say(line: impl AsRef<str>) {
    println!("{}", line.as_ref());
}

/// Runs a program to its end; fails if it does.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = show(command);
    let status = command
        .status()
        .with_context(|| format!("start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed: {status}");
    }
    Ok(())
}

/// Runs a program and gives what it printed; fails if it does.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let shown = show(command);
    let output = command
        .output()
        .with_context(|| format!("start `{shown}`"))?;
    if !output.status.success() {
        bail!(
            "`{shown}` failed: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program can be started at all.
pub(crate) fn exists(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Cargo, as this task was started by it.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Builds the programs with the development profile. The whole workspace is chosen, as tests do:
/// a build of one package would unify features otherwise and compile the dependencies once more.
pub(crate) fn build_programs() -> anyhow::Result<()> {
    run(cargo().args(["build", "--quiet", "--workspace", "--bins"]))
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A program that runs beside us. Its lines of standard output can be waited for; it is killed
/// when this is dropped.
pub(crate) struct Beside {
    name: String,
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

/// Whether the lines of a program beside us are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    /// Show them.
    Yes,
    /// Keep them for failures.
    No,
}

impl Beside {
    /// Starts a program.
    pub(crate) fn start(
        name: &str,
        program: &Path,
        set_up: impl FnOnce(&mut Command),
        echo: Echo,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        set_up(&mut command);
        let mut child = command
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let stdout = child.stdout.take().context("take its output")?;
        let lines = follow(stdout, name.to_owned(), echo);
        Ok(Self {
            name: name.to_owned(),
            child,
            lines,
            seen: Vec::new(),
        })
    }

    /// Waits for the first line that holds `text`.
    pub(crate) fn wait_line(&mut self, text: &str, patience: Duration) -> anyhow::Result<String> {
        loop {
            match self.lines.recv_timeout(patience) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return Ok(line);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!(
                        "{} printed nothing with `{text}` in {patience:?}; it printed:\n{}",
                        self.name,
                        self.seen.join("\n")
                    )
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!(
                        "{} ended before it printed `{text}`; it printed:\n{}",
                        self.name,
                        self.seen.join("\n")
                    )
                }
            }
        }
    }

    /// Asks it to end (SIGTERM) and waits; fails if it ends with anything but 0 or not in time.
    pub(crate) fn stop(mut self, patience: Duration) -> anyhow::Result<()> {
        run(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        let steps = patience.as_millis() / 50;
        for _ in 0..steps {
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("{} ended with {status} after SIGTERM", self.name);
            }
            pause(Duration::from_millis(50));
        }
        bail!(
            "{} did not end within {patience:?} after SIGTERM",
            self.name
        )
    }

    /// Kills it outright, as a power cut would.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child
            .kill()
            .with_context(|| format!("kill {}", self.name))?;
        self.child
            .wait()
            .with_context(|| format!("wait for {}", self.name))?;
        Ok(())
    }

    /// Whether it ended by itself.
    pub(crate) fn ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill and nothing to say.
        if self.child.kill().is_ok() {
            self.child.wait().map(|_| ()).unwrap_or_default();
        }
    }
}

fn follow(stdout: impl Read + Send + 'static, name: String, echo: Echo) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if echo == Echo::Yes {
                say(format!("{name}: {line}"));
            }
            // Nobody waits any more: keep reading, so that the program is not stopped by a full pipe.
            sender.send(line).unwrap_or_default();
        }
    });
    receiver
}

/// Waits between two looks at another program.
#[expect(
    clippy::disallowed_methods,
    reason = "other programs are asked now and then; there is no event to wait on"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
