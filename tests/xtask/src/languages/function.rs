//! The function of a language, for those that show one: `sdk/LANG/function` is a project but for the
//! glue, which it is given here as `andon plugin new` gives it to a rule.

use std::path::Path;

use anyhow::Context as _;

use super::Trial;
use crate::process::say;
use crate::tidy::each_file;

impl Trial<'_> {
    /// Builds it and plays its scenarios. A language without one is passed over.
    pub(super) fn function(&self) -> anyhow::Result<()> {
        let sdk = self.workspace.root().join("sdk").join(self.language);
        let source = sdk.join("function");
        if !source.is_dir() {
            return Ok(());
        }
        let project = self.folder.join("tank-volume");
        if project.exists() {
            std::fs::remove_dir_all(&project)?;
        }
        copy(&source, &project)?;
        copy(&sdk.join("glue"), &project.join("andon"))?;
        let place = project.display().to_string();
        self.andon(&["plugin", "build", &place])?;
        let tested = self.andon(&["plugin", "test", &place])?;
        let last = tested.lines().last().unwrap_or_default();
        say(format!("  the function: {last}"));
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    each_file(from, &mut |file| {
        let place = to.join(file.strip_prefix(from)?);
        if let Some(folder) = place.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::copy(file, &place).with_context(|| format!("copy {}", file.display()))?;
        Ok(())
    })
}
