//! `cargo xtask image`: builds the container image and tries it, where the machine can.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::process::{Beside, Echo, exists, output, say};
use crate::workspace::Workspace;
use crate::{guests, process, web};

const NAME: &str = "localhost/andon:check";
/// Largest image, bytes.
const SIZE_MAX: u64 = 60_000_000;
const TARGET: &str = "x86_64-unknown-linux-musl";

/// Builds the image with docker, podman or buildah and runs the host in it; says clearly where
/// the machine cannot.
pub(crate) fn run() -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let staged = stage(&workspace)?;
    let size = fs::metadata(staged.join("andon"))?.len();
    say(format!(
        "the static program has {:.1} MB",
        size as f64 / 1e6
    ));
    if size > SIZE_MAX {
        bail!("the program alone is larger than {SIZE_MAX} bytes");
    }
    smoke(&staged)?;
    let Some(builder) = ["docker", "podman", "buildah"]
        .into_iter()
        .find(|name| works(name))
    else {
        say(
            "NOT DONE: no docker, podman or buildah works on this machine, so the image was not built.",
        );
        say("Done instead: the same static program ran from the same files, see above.");
        return Ok(());
    };
    let mut build = Command::new(builder);
    if builder == "buildah" {
        build.args(["build", "--isolation", "chroot"]);
    } else {
        build.arg("build");
    }
    build
        .args(["--file"])
        .arg(staged.join("Containerfile"))
        .args(["--target", "prebuilt", "--tag", NAME])
        .arg(&staged);
    process::run(&mut build)?;
    say(format!("built {NAME} with {builder}"));
    if builder == "buildah" {
        say("NOT DONE: buildah builds but does not run; the image was not started.");
        return Ok(());
    }
    try_image(builder)
}

/// Whether the builder is there and has what it needs (a daemon, user namespaces, storage).
fn works(builder: &str) -> bool {
    exists(builder)
        && Command::new(builder)
            .arg("info")
            .output()
            .is_ok_and(|output| output.status.success())
}

/// The files that the image holds: a static program and the shipped plugins.
fn stage(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let guests = guests::build()?;
    add_musl()?;
    process::run(
        process::cargo()
            .args([
                "build",
                "--release",
                "--package",
                "andon",
                "--target",
                TARGET,
            ])
            .env(
                "CC_x86_64_unknown_linux_musl",
                if exists("musl-gcc") { "musl-gcc" } else { "cc" },
            ),
    )?;
    let staged = workspace.target().join("image");
    if staged.exists() {
        fs::remove_dir_all(&staged)?;
    }
    fs::create_dir_all(staged.join("shipped"))?;
    fs::copy(
        workspace.target().join(TARGET).join("release/andon"),
        staged.join("andon"),
    )?;
    fs::copy(
        workspace.root().join("Containerfile"),
        staged.join("Containerfile"),
    )?;
    for plugin in workspace.root().join("plugins").read_dir()? {
        let name = plugin?.file_name().to_string_lossy().into_owned();
        let from = guests.join(format!("{name}.wasm"));
        if from.is_file() {
            fs::copy(&from, staged.join("shipped").join(format!("{name}.wasm")))?;
        }
    }
    let roots = Path::new("/etc/ssl/certs/ca-certificates.crt");
    fs::copy(roots, staged.join("ca-certificates.crt"))
        .with_context(|| format!("read {}: install ca-certificates", roots.display()))?;
    Ok(staged)
}

fn add_musl() -> anyhow::Result<()> {
    if !exists("musl-gcc") {
        if !exists("apt-get") {
            bail!("SQLite's C code wants musl-gcc: install the package musl-tools");
        }
        say("installing musl-tools");
        process::run(Command::new("apt-get").args(["install", "-y", "-qq", "musl-tools"]))?;
    }
    process::run(Command::new("rustup").args(["target", "add", TARGET]))
}

/// Runs the static program as the image would: its own folders, an unprivileged environment.
fn smoke(staged: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for name in ["config", "plugins", "data"] {
        fs::create_dir(folder.path().join(name))?;
    }
    let settings = folder.path().join("config/andon.toml");
    let text = format!(
        "[host]\nlisten = \"127.0.0.1:0\"\nplugins = {:?}\ndata = {:?}\n",
        folder.path().join("plugins"),
        folder.path().join("data")
    );
    fs::write(&settings, text)?;
    let mut andon = Beside::start(
        "andon",
        &staged.join("andon"),
        |command| {
            command
                .arg("run")
                .arg("--config")
                .arg(&settings)
                .env_clear();
        },
        Echo::No,
    )?;
    let ready = andon.wait_line("http://", Duration::from_secs(60))?;
    let address = address_of(&ready)?;
    web::get(&address, "/healthz")?;
    web::get(&address, "/readyz")?;
    andon.stop(Duration::from_secs(20))?;
    say("the static program starts, answers /healthz and /readyz, and drains on SIGTERM");
    Ok(())
}

fn try_image(builder: &str) -> anyhow::Result<()> {
    let size =
        output(Command::new(builder).args(["image", "inspect", "--format", "{{.Size}}", NAME]))?;
    let bytes: u64 = size.trim().parse().context("the size of the image")?;
    if bytes > SIZE_MAX {
        bail!("the image has {bytes} bytes; at most {SIZE_MAX} are allowed");
    }
    say(format!("the image has {:.1} MB", bytes as f64 / 1e6));
    let id = output(Command::new(builder).args([
        "run",
        "--detach",
        "--read-only",
        "--tmpfs",
        "/data",
        "--network",
        "host",
        NAME,
    ]))?;
    let id = id.trim();
    let mut healthy = false;
    for _ in 0..100 {
        if web::get("127.0.0.1:8080", "/readyz").is_ok() {
            healthy = true;
            break;
        }
        process::pause(Duration::from_millis(200));
    }
    let logs = output(Command::new(builder).args(["logs", id])).unwrap_or_default();
    process::run(Command::new(builder).args(["stop", "--time", "20", id]))?;
    let code =
        output(Command::new(builder).args(["inspect", "--format", "{{.State.ExitCode}}", id]))?;
    process::run(Command::new(builder).args(["rm", "--force", id]))?;
    if !healthy || code.trim() != "0" {
        bail!(
            "in the image andon was {} and ended with {}; its log:\n{logs}",
            if healthy { "ready" } else { "never ready" },
            code.trim()
        );
    }
    say(
        "the image starts as an unprivileged user on a read-only root, is ready, and drains on SIGTERM",
    );
    Ok(())
}

/// `host:port` of the ready line.
pub(crate) fn address_of(line: &str) -> anyhow::Result<String> {
    let (_, tail) = line
        .split_once("http://")
        .context("no address in the ready line")?;
    Ok(tail.split(['/', ' ']).next().unwrap_or("").to_owned())
}
