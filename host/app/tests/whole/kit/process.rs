//! The program: as a host that runs, and as a command that is asked.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::wait_for;

/// The program that is tested.
pub(crate) fn andon() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_andon"));
    command.stdin(Stdio::null()).env_remove("ANDON_CONFIG");
    // What `andon plugin` compiles is kept beside the tests, not in the cache of whoever runs them.
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// What `andon user hash` prints for a password; it is kept nowhere else.
pub(crate) fn hash_of(password: &str) -> String {
    let mut command = andon();
    command
        .args(["user", "hash"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    writeln!(stdin, "{password}").expect("a line");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

/// Everything that the program printed in one test, of all its runs and commands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printed(Arc<Mutex<String>>);

impl Printed {
    pub(crate) fn add(&self, text: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_str(text);
        all.push('\n');
    }

    pub(crate) fn all(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What a command answered.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Asked {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command, printed: &Printed) -> Self {
        let output = command.output().expect("the program starts");
        let asked = Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        printed.add(&asked.stdout);
        printed.add(&asked.stderr);
        asked
    }
}

/// A host that runs; it is killed when this is dropped.
pub(crate) struct Host {
    child: Child,
    /// What this run printed.
    own: Printed,
    /// `http://127.0.0.1:PORT/`, once it is ready.
    pub(crate) page: String,
}

impl Host {
    /// Starts `andon run` and does not wait for it.
    pub(crate) fn spawn(config: &Path, printed: &Printed) -> Self {
        Self::spawn_as(andon(), config, printed)
    }

    /// The same by another command, which ends in the program.
    pub(crate) fn spawn_as(mut command: Command, config: &Path, printed: &Printed) -> Self {
        let mut child = command
            .arg("run")
            .arg("--config")
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let own = Printed::default();
        follow(child.stdout.take().expect("piped"), &own, printed);
        follow(child.stderr.take().expect("piped"), &own, printed);
        let page = String::new();
        Self { child, own, page }
    }

    /// Waits until it says that it is ready.
    pub(crate) fn ready(mut self) -> Self {
        let page = wait_for("the host to be ready", || {
            let printed = self.own.all();
            let line = printed.lines().find(|line| line.contains(" is ready "))?;
            if let Some((_, page)) = line.split_once("its page is ") {
                return Some(page.trim().to_owned());
            }
            None
        });
        self.page = page;
        self
    }

    /// Everything that this run printed so far.
    pub(crate) fn printed(&self) -> String {
        self.own.all()
    }

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of this process")
    }

    pub(crate) fn wait_end(&mut self) -> ExitStatus {
        wait_for("the host to end", || self.ended())
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("a process that runs");
        self.child.wait().expect("a child of this process");
    }

    /// SIGTERM; does not wait.
    pub(crate) fn ask_to_end(&self) {
        let status = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(status.expect("`kill` is there").success());
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill and nothing to say.
        if self.child.kill().is_ok() {
            self.child.wait().map(|_| ()).unwrap_or_default();
        }
    }
}

fn follow(stream: impl Read + Send + 'static, own: &Printed, printed: &Printed) {
    let (own, printed) = (own.clone(), printed.clone());
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            printed.add(&line);
            own.add(&line);
        }
    });
}
