//! The function of a language, for those that show one.

use super::Trial;
use crate::process::say;

/// The project.
const PROJECT: &str = "tank-volume";

impl Trial<'_> {
    /// Starts it, builds it and plays its scenarios. A language without one is passed over.
    pub(super) fn function(&self) -> anyhow::Result<()> {
        let sdk = self.workspace.root().join("sdk").join(self.language);
        if !sdk.join("function").is_dir() {
            return Ok(());
        }
        let project = self.folder.join(PROJECT);
        self.clear(&project)?;
        self.andon(&[
            "plugin",
            "new",
            self.language,
            PROJECT,
            "--kind",
            "function",
        ])?;
        self.keep(&self.folder.join("tank-level"))?;
        self.furnish(&project)?;
        self.andon(&["plugin", "build", PROJECT])?;
        let tested = self.andon(&["plugin", "test", PROJECT])?;
        self.keep(&project)?;
        let last = tested.lines().last().unwrap_or_default();
        say(format!("  the function: {last}"));
        Ok(())
    }
}
