//! A plugin project: a folder with an `andon-plugin.toml`.
//!
//! ```toml
//! [plugin]
//! name = "my-rule"          # the component is my-rule.wasm
//! language = "c"            # for people
//!
//! [build]
//! commands = [["zig", "cc", "rule.c", "-o", "build/core.wasm"]]   # no shell
//! module = "build/core.wasm"
//! world = "rule-plugin"
//! namespaces = { own-wasi = "wasi" }   # imports `own-wasi:…` become `wasi:…`
//!
//! [build.env]               # what the commands find in their environment
//! ZIG_LOCAL_CACHE_DIR = "build/cache"
//!
//! [tools.zig]
//! version = "0.17.1"
//! install = "python3 -m pip install ziglang==0.17.1"
//! or = [["python3", "-m", "ziglang"]]
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::component::World;
use crate::languages::check_name;

/// Name of the file that makes a folder a project.
pub(crate) const MANIFEST: &str = "andon-plugin.toml";

/// A project on disk, with its manifest read and checked.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its folder, absolute.
    pub folder: PathBuf,
    /// What `andon-plugin.toml` says.
    pub manifest: Manifest,
}

/// What `andon-plugin.toml` says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub(crate) plugin: PluginText,
    pub(crate) build: BuildText,
    #[serde(default)]
    pub(crate) tools: BTreeMap<String, Tool>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PluginText {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) language: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BuildText {
    /// Run in order; none where the module is made by other means.
    #[serde(default)]
    pub(crate) commands: Vec<Vec<String>>,
    /// Variables that the commands find set, beside those of whoever builds.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) module: PathBuf,
    pub(crate) world: Option<World>,
    /// Other namespaces for imports of the component: from which, to which.
    #[serde(default)]
    pub(crate) namespaces: BTreeMap<String, String>,
}

/// A program that a build needs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// The version that the project was tried with.
    pub version: Option<String>,
    /// How to get it, as a person would type it.
    pub install: String,
    /// Other ways to call it, tried in order where it is not found by its name.
    #[serde(default)]
    pub or: Vec<Vec<String>>,
}

/// Why a folder is no project.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// There is no manifest.
    #[error(
        "{} holds no {MANIFEST}: make a project with `andon plugin new LANGUAGE NAME`, or name the \
         folder of one", .0.display()
    )]
    Missing(PathBuf),
    /// It cannot be read.
    #[error("cannot read {}", file.display())]
    Read {
        /// The manifest.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It does not say what a manifest says.
    #[error("{}: {says}", file.display())]
    Text {
        /// The manifest.
        file: PathBuf,
        /// What is wrong, where, and what to write instead.
        says: String,
    },
}

impl Project {
    /// Reads the project in a folder.
    ///
    /// # Errors
    /// The folder holds no manifest, or one that cannot be read or does not make sense.
    pub fn open(folder: &Path) -> Result<Self, ManifestError> {
        let file = folder.join(MANIFEST);
        if !file.is_file() {
            return Err(ManifestError::Missing(folder.to_owned()));
        }
        let read = |source| ManifestError::Read {
            file: file.clone(),
            source,
        };
        let text = std::fs::read_to_string(&file).map_err(read)?;
        let folder = folder.canonicalize().map_err(read)?;
        let manifest = Manifest::parse(&text).map_err(|says| ManifestError::Text { file, says })?;
        Ok(Self { folder, manifest })
    }

    /// Whether a folder is meant as a project.
    #[must_use]
    pub fn is_at(folder: &Path) -> bool {
        folder.join(MANIFEST).is_file()
    }

    /// Where its component lies once it is built.
    #[must_use]
    pub fn component(&self) -> PathBuf {
        self.folder
            .join(format!("{}.wasm", self.manifest.plugin.name))
    }

    /// Where its scenarios lie.
    #[must_use]
    pub fn scenarios(&self) -> PathBuf {
        self.folder.join("scenarios")
    }
}

impl Manifest {
    /// The name of the plugin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.plugin.name
    }

    /// The language, in words for people; empty if it is not said.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.plugin.language
    }

    /// The tools that it names.
    #[must_use]
    pub const fn tools(&self) -> &BTreeMap<String, Tool> {
        &self.tools
    }

    fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self =
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        check_name(&manifest.plugin.name).map_err(|error| error.to_string())?;
        let empty = |words: &Vec<String>| words.first().is_none_or(String::is_empty);
        if manifest.build.commands.iter().any(empty) {
            return Err(
                "a command below [build] has no program: write [\"zig\", \"cc\"]".to_owned(),
            );
        }
        let no_name = |name: &String| name.is_empty() || name.contains(['=', '\0']);
        let mut variables = manifest.build.env.iter();
        if variables.any(|(name, value)| no_name(name) || value.contains('\0')) {
            return Err(
                "a variable below [build.env] has no name, or holds `=` or a zero".to_owned(),
            );
        }
        Ok(manifest)
    }
}
