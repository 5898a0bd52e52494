//! Plugin projects: templates, builds, and from a core module to a component.
//!
//! A *language* is a folder below `sdk/` that holds a `template`. All of `sdk/` travels in the
//! program, so [`new_project`] needs no network, and no language is known here by name: what it takes
//! to build a project stands in the project's own `andon-plugin.toml`, which [`build`] follows.
//! [`componentize`] is for whatever makes core modules.
//!
//! This crate runs compilers that the author of a plugin has, and writes files. It knows neither the
//! engine nor the host; whether a component is a good plugin, the host's loader says.

mod component;
mod imports;
mod kind;
mod languages;
mod output;
mod project;
mod steps;
mod tool;

pub use component::{ComponentError, World, componentize};
pub use imports::UnreadableImports;
pub use kind::ProjectKind;
pub use languages::{Language, NewProjectError, check_name, languages, new_project};
pub use project::{Manifest, ManifestError, Project, Tool};
pub use steps::{BuildError, Built, Progress, build};
pub use tool::ToolError;
