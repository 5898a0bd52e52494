//! `cargo xtask image`: builds the container image and tries it, where the machine can.
//!
//! The program is built here, statically, and the image takes it as it is (stage `prebuilt` of the
//! Containerfile). What a machine cannot do is said at the end in capitals; it is no failure.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::container_engine::{self, Engine};
use crate::process::{Beside, Echo, exists, output, say};
use crate::workspace::Workspace;
use crate::{guests, process, web};

const NAME: &str = "localhost/andon:check";
/// Largest image, bytes.
const SIZE_MAX: u64 = 60_000_000;
const TARGET: &str = "x86_64-unknown-linux-musl";
/// Where the image listens, on the network of the machine.
const ADDRESS: &str = "127.0.0.1:8080";

/// Builds the image with docker, podman or buildah and runs the host in it; says clearly where
/// the machine cannot.
pub(crate) fn run() -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let staged = stage(&workspace)?;
    let program = staged.join("root/andon");
    let size = fs::metadata(&program)?.len();
    say(format!(
        "the static program has {:.1} MB",
        size as f64 / 1e6
    ));
    if size > SIZE_MAX {
        bail!("the program alone is larger than {SIZE_MAX} bytes");
    }
    smoke(&program)?;
    let mut built = None;
    for engine in container_engine::candidates(&workspace.target().join("containers"))? {
        if let Err(why) = engine.build(&staged, NAME) {
            say(format!("{engine} does not build here: {why:#}"));
            continue;
        }
        say(format!("built {NAME} with {engine}"));
        built = Some(engine.to_string());
        // The program has just run outside, so what fails here is the engine on this machine.
        if let Err(why) = engine.probe(NAME) {
            say(format!("{engine} does not run containers here: {why:#}"));
            continue;
        }
        return try_image(&engine);
    }
    match built {
        Some(engine) => say(format!(
            "NOT DONE: {engine} built the image, but nothing on this machine runs it."
        )),
        None => say("NOT DONE: no docker, podman or buildah works here; there is no image."),
    }
    say("Done instead: the same static program ran from the same files, see above.");
    Ok(())
}

/// What the image holds, laid out as the Containerfile wants it.
fn stage(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let guests = guests::build()?;
    add_musl()?;
    build_program()?;
    let staged = workspace.target().join("image");
    if staged.exists() {
        fs::remove_dir_all(&staged)?;
    }
    let root = staged.join("root");
    for folder in ["shipped", "config", "plugins", "etc/ssl/certs"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::create_dir(staged.join("empty"))?;
    let built = workspace.target().join(TARGET).join("release/andon");
    let authorities = "etc/ssl/certs/ca-certificates.crt";
    for (from, to) in [
        (built, root.join("andon")),
        (
            workspace.root().join("examples/container/andon.toml"),
            root.join("config/andon.toml"),
        ),
        (Path::new("/").join(authorities), root.join(authorities)),
        (
            workspace.root().join("Containerfile"),
            staged.join("Containerfile"),
        ),
    ] {
        fs::copy(&from, to).with_context(|| format!("copy {}", from.display()))?;
    }
    for plugin in workspace.root().join("plugins").read_dir()? {
        let file = format!("{}.wasm", plugin?.file_name().to_string_lossy());
        if guests.join(&file).is_file() {
            fs::copy(guests.join(&file), root.join("shipped").join(&file))?;
        }
    }
    Ok(staged)
}

fn build_program() -> anyhow::Result<()> {
    let compiler = if exists("musl-gcc") { "musl-gcc" } else { "cc" };
    process::run(
        process::cargo()
            .args(["build", "--release", "--package", "andon"])
            .args(["--target", TARGET])
            .env("CC_x86_64_unknown_linux_musl", compiler),
    )
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

/// Runs the static program as the image would: its own folders, an empty environment.
fn smoke(program: &Path) -> anyhow::Result<()> {
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
        program,
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

/// Runs the image as it is meant to be run: an unprivileged user, a read-only root, a volume.
fn try_image(engine: &Engine) -> anyhow::Result<()> {
    let size = output(
        engine
            .command()
            .args(["image", "inspect", "--format", "{{.Size}}", NAME]),
    )?;
    let bytes: u64 = size.trim().parse().context("the size of the image")?;
    if bytes > SIZE_MAX {
        bail!("the image has {bytes} bytes; at most {SIZE_MAX} are allowed");
    }
    say(format!("the image has {:.1} MB", bytes as f64 / 1e6));
    // With a host on that port the questions below would go to the wrong one.
    drop(std::net::TcpListener::bind(ADDRESS).with_context(|| format!("{ADDRESS} is taken"))?);
    let id = output(
        engine
            .start()
            .args(["--detach", "--read-only", "--volume", "/data", NAME]),
    )?;
    let id = id.trim();
    let tried = try_container(engine, id);
    let logs = output(engine.command().args(["logs", id])).unwrap_or_default();
    process::run(
        engine
            .command()
            .args(["rm", "--force", "--volumes", id])
            .stdout(std::process::Stdio::null()),
    )?;
    tried.with_context(|| format!("in the image; its log:\n{logs}"))?;
    say(
        "the image starts as an unprivileged user on a read-only root, is ready and healthy, and drains on SIGTERM",
    );
    Ok(())
}

fn try_container(engine: &Engine, id: &str) -> anyhow::Result<()> {
    let mut ready = false;
    for _ in 0..100 {
        if web::get(ADDRESS, "/readyz").is_ok() {
            ready = true;
            break;
        }
        process::pause(Duration::from_millis(200));
    }
    anyhow::ensure!(ready, "andon was never ready");
    let health = ["/andon", "health", "--config", "/config/andon.toml"];
    output(engine.command().args(["exec", id]).args(health)).context("the health check")?;
    output(engine.command().args(["stop", "--time", "20", id]))?;
    let format = "{{.State.ExitCode}}";
    let code = output(engine.command().args(["inspect", "--format", format, id]))?;
    anyhow::ensure!(
        code.trim() == "0",
        "andon ended with {} after SIGTERM",
        code.trim()
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
