//! The commands that a language's page tells people to type, run in the folder of a running host.

use std::process::Command;

use anyhow::{Context as _, ensure};

use super::Trial;
use super::plant::Plant;
use crate::process::{self, say};

/// Most commands that a page may ask for before something runs.
const COMMANDS_MAX: usize = 4;

/// What a page leads to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lesson {
    /// The heading after which its block of commands stands.
    heading: &'static str,
    /// The project that the commands make.
    project: &'static str,
}

impl Lesson {
    /// The first rule, at the head of the page.
    pub(super) const RULE: Self = Self {
        heading: "# ",
        project: "my-rule",
    };
    /// A sink.
    pub(super) const SINK: Self = Self {
        heading: "## A channel of your own",
        project: "my-sink",
    };
}

impl Trial<'_> {
    /// Types the commands of a lesson. `like` is a project whose tools can be used again.
    pub(super) fn follow(&self, lesson: Lesson, plant: &Plant, like: &str) -> anyhow::Result<()> {
        for command in &self.commands(lesson)? {
            say(format!("  $ {command}"));
            process::output(
                self.toolbox.equip(
                    Command::new("sh")
                        .args(["-euc", command])
                        .current_dir(plant.folder()),
                    self.workspace,
                ),
            )?;
            let project = plant.folder().join(lesson.project);
            if project.is_dir() && !project.join("build").exists() {
                self.keep(&self.folder.join(like))?;
                self.furnish(&project)?;
            }
        }
        Ok(())
    }

    fn commands(&self, lesson: Lesson) -> anyhow::Result<Vec<String>> {
        let page = self
            .workspace
            .root()
            .join("sdk")
            .join(self.language)
            .join("README.md");
        let text =
            std::fs::read_to_string(&page).with_context(|| format!("read {}", page.display()))?;
        let commands = block(&text, lesson.heading).with_context(|| {
            format!(
                "{} has no block that begins with ```sh below `{}`",
                page.display(),
                lesson.heading
            )
        })?;
        ensure!(
            (1..=COMMANDS_MAX).contains(&commands.len()),
            "{} asks for {} commands below `{}`; at most {COMMANDS_MAX}",
            page.display(),
            commands.len(),
            lesson.heading
        );
        Ok(commands)
    }
}

/// The commands of the first fenced block of shell after a heading.
fn block(page: &str, heading: &str) -> Option<Vec<String>> {
    let mut lines = page.lines().map(str::trim);
    lines.find(|line| line.starts_with(heading))?;
    lines.find(|line| *line == "```sh")?;
    let block = lines.take_while(|line| *line != "```");
    let commands = block.filter(|line| !line.is_empty() && !line.starts_with('#'));
    Some(commands.map(str::to_owned).collect())
}
