//! Programs by others that some tests talk to: a Modbus server in Python, an SMSC in JavaScript.
//!
//! They are installed once below the target folder where the machine has `python3` or `npm` and
//! reaches their registries. Where it does not, the tests that want them say so and are skipped;
//! nothing else depends on them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{exists, run, say};
use crate::workspace::Workspace;

const PYMODBUS: &str = "pymodbus==3.16.1";
const SMPP: &str = "smpp@0.5.1";

/// What could be installed.
pub(crate) struct Counterparts {
    python: Option<PathBuf>,
    /// The folder that holds `node_modules`.
    node_modules: Option<PathBuf>,
}

impl Counterparts {
    /// Installs what the machine can.
    pub(crate) fn install(workspace: &Workspace) -> Self {
        let folder = workspace.target().join("counterparts");
        Self {
            python: python(&folder.join("python")),
            node_modules: node(&folder.join("node")),
        }
    }

    /// Tells a test run where they are.
    pub(crate) fn describe(&self, command: &mut Command) {
        if let Some(python) = &self.python {
            command.env("ANDON_PYTHON", python);
        }
        if let Some(folder) = &self.node_modules {
            command.env("ANDON_NODE_MODULES", folder);
        }
    }
}

fn python(folder: &Path) -> Option<PathBuf> {
    let interpreter = folder.join("bin/python");
    let installed = || {
        Command::new(&interpreter)
            .args(["-c", "import pymodbus"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if installed() {
        return Some(interpreter);
    }
    if !exists("python3") {
        say("no python3 here: tests against pymodbus will be skipped");
        return None;
    }
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(folder)).and_then(|()| {
        run(Command::new(&interpreter).args(["-m", "pip", "install", "--quiet", PYMODBUS]))
    });
    match made {
        Ok(()) => Some(interpreter),
        Err(why) => {
            say(format!(
                "pymodbus could not be installed ({why:#}): its tests will be skipped"
            ));
            None
        }
    }
}

fn node(folder: &Path) -> Option<PathBuf> {
    let modules = folder.join("node_modules");
    if modules.join("smpp").is_dir() {
        return Some(folder.to_owned());
    }
    if !exists("node") || !exists("npm") {
        say("no node and npm here: tests against the npm SMSC will be skipped");
        return None;
    }
    let made = std::fs::create_dir_all(folder)
        .map_err(Into::into)
        .and_then(|()| {
            run(Command::new("npm")
                .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
                .arg(folder)
                .arg(SMPP))
        });
    match made {
        Ok(()) => Some(folder.to_owned()),
        Err(why) => {
            say(format!(
                "the npm SMSC could not be installed ({why:#}): its tests will be skipped"
            ));
            None
        }
    }
}
