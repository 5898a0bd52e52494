//! The languages that travel in the program, and new projects in them.
//!
//! A language is a folder of `sdk/` with a `template/`, which is a rule. A project is the template,
//! with its name put in, and below `andon/` the glue: what lies in the language's `glue/` or, for a
//! language whose folder is a package by itself, that package without its tests and its page. A file of
//! the template wins over one of the glue.
//!
//! A function lies in `function/` and a sink in `sink/`, for languages that have them. Such a project
//! lies there whole, but for the glue and those files of the template that any project of the language
//! needs: what is hidden, and what belongs to the glue.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::kind::ProjectKind;

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

impl fmt::Display for Language {
    /// One line of a list: name and summary.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:<16} {}", self.name, self.summary)
    }
}

/// Why no project was made.
#[derive(Debug, thiserror::Error)]
pub enum NewProjectError {
    /// The language is not among those that travel in the program.
    #[error("there is no language `{language}`; there are\n{known}")]
    UnknownLanguage {
        /// What was asked for.
        language: String,
        /// Those that there are, one a line.
        known: String,
    },
    /// The language has no project of that kind.
    #[error("there is no {kind} in {language} yet; there is one in {known}")]
    UnknownKind {
        /// What was asked for.
        kind: ProjectKind,
        /// In which language.
        language: String,
        /// The languages that have one.
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
/// The language is unknown or has no such kind, the name will not do, the folder exists, or the disk
/// refuses.
pub fn new_project(
    language: &str,
    kind: ProjectKind,
    name: &str,
    folder: &Path,
) -> Result<Vec<PathBuf>, NewProjectError> {
    let known = languages();
    if !known.iter().any(|each| each.name == language) {
        let lines: Vec<String> = known.iter().map(ToString::to_string).collect();
        return Err(NewProjectError::UnknownLanguage {
            language: language.to_owned(),
            known: lines.join("\n"),
        });
    }
    if !has(language, kind) {
        let others = known.iter().filter(|each| has(&each.name, kind));
        let others: Vec<&str> = others.map(|each| each.name.as_str()).collect();
        return Err(NewProjectError::UnknownKind {
            kind,
            language: language.to_owned(),
            known: others.join(", "),
        });
    }
    check_name(name)?;
    if folder.exists() {
        return Err(NewProjectError::Exists(folder.to_owned()));
    }
    let files = project_files(language, kind, name);
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

fn has(language: &str, kind: ProjectKind) -> bool {
    files_below(language, kind.folder()).next().is_some()
}

fn project_files(language: &str, kind: ProjectKind, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
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
    let of_any = files_below(language, ProjectKind::Rule.folder())
        .filter(|(path, _)| path.starts_with('.') || path.starts_with("andon/"));
    for (path, content) in of_any.chain(files_below(language, kind.folder())) {
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
    let is_project = |kind: ProjectKind| {
        let below = path.strip_prefix(kind.folder());
        below.is_some_and(|below| below.starts_with('/'))
    };
    !ProjectKind::ALL.into_iter().any(is_project)
        && !path.starts_with("tests/")
        && path != "README.md"
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

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str) -> &'static str {
        let found = SDK.iter().find(|(name, _)| *name == path);
        let (_, content) = found.expect("a file of the SDK");
        std::str::from_utf8(content).expect("a text")
    }

    fn table(text: &str) -> toml::Table {
        text.parse().expect("TOML")
    }

    /// Name and version of each dependency, also of those for one target only.
    fn dependencies(manifest: &toml::Table) -> BTreeMap<String, Option<String>> {
        let targets = manifest.get("target").and_then(toml::Value::as_table);
        let tables = targets
            .into_iter()
            .flatten()
            .filter_map(|(_, each)| each.get("dependencies"));
        let tables = tables.chain(manifest.get("dependencies"));
        tables
            .filter_map(toml::Value::as_table)
            .flatten()
            .map(|(name, value)| {
                let version = value.as_str().or_else(|| value.get("version")?.as_str());
                (name.clone(), version.map(str::to_owned))
            })
            .collect()
    }

    #[test]
    fn every_language_has_a_page_and_a_manifest() {
        let all = languages();
        assert!(all.iter().any(|each| each.name == "rust"));
        for language in all {
            assert!(language.summary.ends_with('.'), "{language:?}");
            let manifest = text(&format!("{}/template/andon-plugin.toml", language.name));
            let manifest = table(&with_name(manifest, "tank-level"));
            assert_eq!(
                manifest
                    .get("plugin")
                    .and_then(|plugin| plugin.get("name")?.as_str()),
                Some("tank-level"),
                "{language:?}"
            );
        }
    }

    #[test]
    fn every_project_of_a_language_is_named_as_it_is_asked_for() {
        for language in languages() {
            for kind in ProjectKind::ALL {
                if !has(&language.name, kind) {
                    continue;
                }
                let files = project_files(&language.name, kind, "wet-well");
                let manifest = files
                    .get(Path::new("andon-plugin.toml"))
                    .expect("a manifest");
                let manifest = table(&String::from_utf8_lossy(manifest));
                let named = manifest
                    .get("plugin")
                    .and_then(|plugin| plugin.get("name")?.as_str());
                assert_eq!(named, Some("wet-well"), "{kind} in {language:?}");
                assert!(files.contains_key(Path::new(".gitignore")), "{language:?}");
                let page = files.get(Path::new("README.md")).expect("a page");
                let page = String::from_utf8_lossy(page);
                assert!(page.starts_with("# wet-well\n"), "{kind} in {language:?}");
                assert!(page.contains(&kind.to_string()), "{kind} in {language:?}");
                for (file, text) in &files {
                    let text = String::from_utf8_lossy(text);
                    let own = !file.starts_with(GLUE);
                    assert!(!own || !text.contains("{{name"), "{}", file.display());
                }
            }
        }
    }

    #[test]
    fn a_kind_that_a_language_lacks_is_refused_with_those_that_have_it() {
        // Every language has a rule, so this is looked at from within.
        assert!(has("rust", ProjectKind::Sink) && !has("nothing", ProjectKind::Sink));
        let folder = Path::new("/nowhere/at-all");
        for language in languages() {
            for kind in ProjectKind::ALL {
                if has(&language.name, kind) {
                    continue;
                }
                let refused = new_project(&language.name, kind, "wet-well", folder);
                let says = refused.expect_err("there is none").to_string();
                assert!(says.contains(&format!("no {kind} in {}", language.name)));
            }
        }
    }

    #[test]
    fn nothing_that_tools_leave_behind_is_embedded() {
        for (path, content) in SDK {
            assert!(
                !path.contains("node_modules") && !path.ends_with(".wasm"),
                "{path}"
            );
            assert!(
                content.len() < 1 << 20,
                "{path} has {} bytes",
                content.len()
            );
        }
    }

    /// The package stands in a workspace and its copy in a project does not, so the template brings a
    /// manifest of its own. This keeps both the same.
    #[test]
    fn the_copied_package_names_the_versions_of_the_workspace() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
        let root = table(&std::fs::read_to_string(root).expect("the workspace's manifest"));
        let workspace = root.get("workspace").and_then(toml::Value::as_table);
        let versions = dependencies(workspace.expect("a workspace"));
        let copy = dependencies(&table(text("rust/template/andon/Cargo.toml")));
        let package = dependencies(&table(text("rust/Cargo.toml")));
        assert!(copy.keys().eq(package.keys()), "{copy:?} {package:?}");
        for (name, version) in copy {
            assert_eq!(Some(&version), versions.get(&name), "{name}");
        }
    }

    #[test]
    fn the_name_is_put_into_texts_and_paths() {
        assert_eq!(
            with_name("{{name}} {{name_}}", "wet-well"),
            "wet-well wet_well"
        );
        let files = project_files("rust", ProjectKind::Rule, "wet-well");
        let manifest = files.get(Path::new("Cargo.toml")).expect("a manifest");
        assert!(String::from_utf8_lossy(manifest).contains("\"wet-well\""));
        // The template's manifest of the glue wins over the package's own.
        let glue = files
            .get(Path::new("andon/Cargo.toml"))
            .expect("a manifest");
        assert!(!String::from_utf8_lossy(glue).contains("workspace"));
        assert!(!files.contains_key(Path::new("andon/README.md")));
        let other = |path: &&PathBuf| {
            let kinds = ProjectKind::ALL;
            let mut folders = kinds.iter().map(|kind| Path::new(GLUE).join(kind.folder()));
            folders.any(|folder| path.starts_with(folder))
        };
        assert_eq!(files.keys().find(other), None);
    }
}
