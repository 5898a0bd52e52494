//! Folders of a case: as settings see them, and the golden file in them.

use std::fs;
use std::path::{Path, PathBuf};

use andon_config::{Problem, Surroundings};

/// A machine with one folder and two variables, the same on every machine that runs the tests.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Surroundings for Folder {
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "ANDON_TEST_TOKEN" => Some("the-token-of-the-environment".to_owned()),
            "ANDON_TEST_HOST" => Some("10.0.0.5".to_owned()),
            _ => None,
        }
    }

    fn read(&self, path: &str) -> Result<String, String> {
        let path = self.0.join(path);
        if !path.exists() {
            return Err("no such file".to_owned());
        }
        fs::read_to_string(path).map_err(|error| error.to_string())
    }
}

/// Every problem as a person reads it.
pub(crate) fn rendered(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("{problem}\n"))
        .collect()
}

/// The folders below one, in order.
pub(crate) fn below(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut folders: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "{} holds no case", folder.display());
    folders
}

/// What differs between the golden file and what is told; writes the file if that is asked for.
pub(crate) fn difference(folder: &Path, told: &str) -> Option<String> {
    let golden = folder.join("expected.txt");
    if std::env::var_os("ANDON_BLESS").is_some() {
        fs::write(&golden, told).expect("write the golden file");
        return None;
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    (expected != told).then(|| {
        format!(
            "{}\n--- expected\n{expected}--- told\n{told}",
            golden.display()
        )
    })
}

/// Fails with all differences at once.
pub(crate) fn assert_none(differences: &[String]) {
    assert!(
        differences.is_empty(),
        "{} goldens differ; if what is told is better, run with ANDON_BLESS=1\n{}",
        differences.len(),
        differences.join("\n")
    );
}
