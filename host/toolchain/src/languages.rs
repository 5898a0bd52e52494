//! The languages that travel in the program, and new projects in them.
//!
//! A language is a folder of `sdk/` with a `template/`. A project is the template, with its name put
//! in, and below `andon/` the glue: what lies in the language's `glue/` or, for a language whose
//! folder is a package by itself, that package without its tests and its page. A file of the template
//! wins over one of the glue.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// All files of `sdk/`: path with `/`, and content; ascending.
const SDK: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The longest name of a project, characters.
const NAME_MAX: usize = 64;

/// Where the glue lies in a project.
const GLUE: &str = "andon";

/// A language in which projects can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language {
    /// Its name on the command line.
    pub name: String,
    /// One sentence for people.
    pub summary: String,
}

/// Why no project was made.
#[derive(Debug, thiserror::Error)]
pub enum NewProjectError {
    /// The language is not among those that travel in the program.
    #[error("there is no language `{language}`: choose one of {known}")]
    UnknownLanguage {
        /// What was asked for.
        language: String,
        /// Those that there are.
        known: String,
    },
    /// The name would not do as the name of a file, a package and a plugin.
    #[error(
        "`{0}` cannot be the name of a plugin: take a letter, then letters, digits and dashes, all \
         lower case, at most {NAME_MAX} of them, as in `tank-level`"
    )]
    BadName(String),
    /// Something is there already.
    #[error("{} exists already: choose another name, or another place with --folder", .0.display())]
    Exists(PathBuf),
    /// The disk refuses.
    #[error("cannot write {}", file.display())]
    Write {
        /// What could not be written.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// The languages that there are, by name.
#[must_use]
pub fn languages() -> Vec<Language> {
    let names: BTreeSet<&str> = SDK
        .iter()
        .filter_map(|(path, _)| path.split_once('/'))
        .filter(|(_, rest)| rest.starts_with("template/"))
        .map(|(name, _)| name)
        .collect();
    names
        .into_iter()
        .map(|name| Language {
            name: name.to_owned(),
            summary: summary(name),
        })
        .collect()
}

/// Writes a new project into a folder that does not exist yet; gives its files, relative to it.
///
/// # Errors
/// The language is unknown, the name will not do, the folder exists, or the disk refuses.
pub fn new_project(
    language: &str,
    name: &str,
    folder: &Path,
) -> Result<Vec<PathBuf>, NewProjectError> {
    let known = languages();
    if !known.iter().any(|each| each.name == language) {
        let names: Vec<&str> = known.iter().map(|each| each.name.as_str()).collect();
        return Err(NewProjectError::UnknownLanguage {
            language: language.to_owned(),
            known: names.join(", "),
        });
    }
    check_name(name)?;
    if folder.exists() {
        return Err(NewProjectError::Exists(folder.to_owned()));
    }
    let files = project_files(language, name);
    for (path, content) in &files {
        write(&folder.join(path), content)?;
    }
    Ok(files.into_keys().collect())
}

/// Checks the name of a plugin.
///
/// # Errors
/// It would not do as the name of a file, a package and a plugin.
pub fn check_name(name: &str) -> Result<(), NewProjectError> {
    let good = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= NAME_MAX
        && name
            .chars()
            .all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-')
        && !name.ends_with('-');
    if good {
        Ok(())
    } else {
        Err(NewProjectError::BadName(name.to_owned()))
    }
}

/// The first sentence of the language's page.
fn summary(language: &str) -> String {
    let page = format!("{language}/README.md");
    SDK.iter()
        .find(|(path, _)| *path == page)
        .and_then(|(_, content)| std::str::from_utf8(content).ok())
        .and_then(|text| {
            text.lines()
                .find(|line| !line.is_empty() && !line.starts_with('#'))
        })
        .unwrap_or_default()
        .to_owned()
}

fn project_files(language: &str, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let has_glue = files_below(language, "glue").next().is_some();
    let glue: Vec<(&str, &[u8])> = if has_glue {
        files_below(language, "glue").collect()
    } else {
        files_below(language, "")
            .filter(|(path, _)| is_package(path))
            .collect()
    };
    for (path, content) in glue {
        files.insert(Path::new(GLUE).join(path), content.to_vec());
    }
    for (path, content) in files_below(language, "template") {
        let content = match std::str::from_utf8(content) {
            Ok(text) => with_name(text, name).into_bytes(),
            Err(_) => content.to_vec(),
        };
        files.insert(PathBuf::from(with_name(path, name)), content);
    }
    files
}

/// Files of a language below one of its folders, their paths relative to that.
fn files_below(
    language: &str,
    folder: &str,
) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    let prefix = if folder.is_empty() {
        format!("{language}/")
    } else {
        format!("{language}/{folder}/")
    };
    SDK.iter()
        .filter_map(move |(path, content)| Some((path.strip_prefix(&prefix)?, *content)))
}

/// What of a language's folder is its package.
fn is_package(path: &str) -> bool {
    !path.starts_with("template/") && !path.starts_with("tests/") && path != "README.md"
}

fn with_name(text: &str, name: &str) -> String {
    text.replace("{{name}}", name)
        .replace("{{name_}}", &name.replace('-', "_"))
}

fn write(file: &Path, content: &[u8]) -> Result<(), NewProjectError> {
    let folder = file.parent().map_or(Ok(()), std::fs::create_dir_all);
    folder
        .and_then(|()| std::fs::write(file, content))
        .map_err(|source| NewProjectError::Write {
            file: file.to_owned(),
            source,
        })
}
