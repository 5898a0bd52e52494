//! Programs that build and run images, and the settings under which they do so inside of a
//! container or another small machine.
//!
//! As they are set up, first. Podman then once more in a bare way, which asks little of a machine:
//! no systemd, no network of its own, no raised limits, storage below the target folder.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::process::{exists, output, run};

/// One way to build and run images.
pub(crate) struct Engine {
    program: &'static str,
    environment: Vec<(&'static str, PathBuf)>,
    build_options: &'static [&'static str],
    run_options: &'static [&'static str],
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program)?;
        if self.environment.is_empty() {
            Ok(())
        } else {
            f.write_str(" (bare settings)")
        }
    }
}

/// The engines that this machine may have, the likeliest first. `folder` is for what the bare way
/// stores.
pub(crate) fn candidates(folder: &Path) -> anyhow::Result<Vec<Engine>> {
    let engine = |program, build_options, run_options| Engine {
        program,
        environment: Vec::new(),
        build_options,
        run_options,
    };
    // Images of docker's format hold a health check; podman runs it by systemd, which may not be
    // there, so the test asks for health itself.
    let podman = || {
        engine(
            "podman",
            &["build", "--format", "docker"],
            &["run", "--no-healthcheck"],
        )
    };
    let engines = [
        engine("docker", &["build"], &["run", "--no-healthcheck"]),
        podman(),
        Engine {
            environment: bare(folder)?,
            ..podman()
        },
        // Builds only: what it runs are steps of a build.
        engine(
            "buildah",
            &["build", "--format", "docker", "--isolation", "chroot"],
            &["run"],
        ),
    ];
    Ok(engines.into_iter().filter(Engine::is_there).collect())
}

/// Settings of podman for a machine without systemd and without the right to raise limits.
fn bare(folder: &Path) -> anyhow::Result<Vec<(&'static str, PathBuf)>> {
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    let settings = folder.join("containers.conf");
    let runtime = if exists("runc") { "runc" } else { "crun" };
    fs::write(
        &settings,
        format!(
            "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"]\n\
             [engine]\nruntime = \"{runtime}\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n\
             [network]\nnetwork_backend = \"netavark\"\n"
        ),
    )?;
    let storage = folder.join("storage.conf");
    fs::write(
        &storage,
        format!(
            "[storage]\ndriver = \"overlay\"\ngraphroot = {:?}\nrunroot = {:?}\n",
            folder.join("storage"),
            folder.join("run")
        ),
    )?;
    Ok(vec![
        ("CONTAINERS_CONF", settings),
        ("CONTAINERS_STORAGE_CONF", storage),
        ("BUILDAH_ISOLATION", PathBuf::from("chroot")),
    ])
}

impl Engine {
    /// The program with its environment, to add arguments to.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command
    }

    /// The start of a command that runs an image on the network of the machine.
    pub(crate) fn start(&self) -> Command {
        let mut command = self.command();
        command.args(self.run_options).args(["--network", "host"]);
        command
    }

    fn is_there(&self) -> bool {
        exists(self.program)
            && self
                .command()
                .arg("info")
                .output()
                .is_ok_and(|answer| answer.status.success())
    }

    /// Builds the stage `prebuilt` from a staged folder.
    pub(crate) fn build(&self, staged: &Path, name: &str) -> anyhow::Result<()> {
        run(self
            .command()
            .args(self.build_options)
            .arg("--file")
            .arg(staged.join("Containerfile"))
            .args(["--target", "prebuilt", "--tag", name])
            .arg(staged))
    }

    /// Runs the program in an image for its version alone.
    pub(crate) fn probe(&self, name: &str) -> anyhow::Result<()> {
        output(self.start().args(["--rm", name, "--version"])).map(drop)
    }
}
