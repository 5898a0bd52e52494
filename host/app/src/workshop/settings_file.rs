//! The settings file and every other file that it names, watched by looking at them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use andon_config::{Plan, Problem, Surroundings};
use andon_model::Timestamp;

use crate::surroundings::{Machine, folder_of};

/// Largest settings file, bytes.
const SETTINGS_BYTES_MAX: u64 = 8 << 20;

type Stamp = Option<(u64, Option<SystemTime>)>;

/// The settings on disk.
#[derive(Debug)]
pub(crate) struct SettingsFile {
    path: PathBuf,
    /// What each file that counts looked like when it was read last.
    stamps: BTreeMap<PathBuf, Stamp>,
    /// What they looked like at the last look, if that differs: a file that is being written is
    /// not read before it stands still for one look.
    moving: Option<BTreeMap<PathBuf, Stamp>>,
}

/// The machine, and a note of every file that was read.
struct Noting {
    machine: Machine,
    folder: PathBuf,
    read: Mutex<Vec<PathBuf>>,
}

impl Surroundings for Noting {
    fn variable(&self, name: &str) -> Option<String> {
        self.machine.variable(name)
    }

    fn read(&self, path: &str) -> Result<String, String> {
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self.folder.join(path));
        self.machine.read(path)
    }

    fn now(&self) -> Option<Timestamp> {
        self.machine.now()
    }
}

impl SettingsFile {
    /// Settings at a path.
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            stamps: BTreeMap::new(),
            moving: None,
        }
    }

    /// The name for messages.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Reads and checks.
    ///
    /// # Errors
    /// Every problem.
    pub(crate) fn read(&mut self) -> Result<Plan, Vec<Problem>> {
        let noting = Noting {
            machine: Machine::around(&self.path),
            folder: folder_of(&self.path),
            read: Mutex::default(),
        };
        // Looked at before it is read: a change in between is found by the next look.
        let own = stamp(&self.path);
        let result = self
            .text()
            .and_then(|text| andon_config::load(&self.name(), &text, &noting));
        let read = noting
            .read
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        self.stamps = read
            .into_iter()
            .map(|path| (path.clone(), stamp(&path)))
            .collect();
        self.stamps.insert(self.path.clone(), own);
        result
    }

    fn text(&self) -> Result<String, Vec<Problem>> {
        let refuse = |says: String| {
            let hint = "name the settings with --config FILE, or make the file; README.md shows a small one";
            vec![Problem::of_file(self.name(), says).hint(hint)]
        };
        let about = std::fs::metadata(&self.path)
            .map_err(|error| refuse(format!("cannot be read: {error}")))?;
        if about.len() > SETTINGS_BYTES_MAX {
            return Err(refuse(format!(
                "has {} bytes, more than the {SETTINGS_BYTES_MAX} that are read",
                about.len()
            )));
        }
        std::fs::read_to_string(&self.path)
            .map_err(|error| refuse(format!("cannot be read: {error}")))
    }

    /// Whether any of the files looks other than when it was read, and stands still.
    pub(crate) fn has_changed(&mut self) -> bool {
        let now: BTreeMap<PathBuf, Stamp> = self
            .stamps
            .keys()
            .map(|path| (path.clone(), stamp(path)))
            .collect();
        if now == self.stamps {
            self.moving = None;
            return false;
        }
        let still = self.moving.as_ref() == Some(&now);
        self.moving = Some(now);
        still
    }
}

fn stamp(path: &Path) -> Stamp {
    let about = std::fs::metadata(path).ok()?;
    Some((about.len(), about.modified().ok()))
}
