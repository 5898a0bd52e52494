//! The host: a folder with settings and plugins, and the program that runs on it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::plc::Plc;
use crate::smsc::Smsc;

/// A plant of one PLC, one SMSC and one person, and a folder for the host.
pub(crate) struct Plant {
    pub(crate) plc: Plc,
    pub(crate) smsc: Smsc,
    folder: TempDir,
}

/// A host at work; killed when it is dropped.
pub(crate) struct Host(Child);

impl Plant {
    /// A plant with this many tags `t0`, `t1`, … of one register each.
    pub(crate) fn new(tags: usize, poll: &str) -> Self {
        let (plc, smsc) = (Plc::start(), Smsc::start());
        // On the disk that programs are built on; a folder in memory would hide what a commit costs.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let settings = settings(&plc, &smsc, tags, poll);
        fs::write(folder.path().join("andon.toml"), settings).unwrap();
        fs::create_dir(folder.path().join("plugins")).unwrap();
        Self { plc, smsc, folder }
    }

    /// Puts a component into the plugins folder, whole at once.
    pub(crate) fn put_component(&self, name: &str, bytes: &[u8]) {
        let plugins = self.folder.path().join("plugins");
        let new = plugins.join(format!(".{name}.new"));
        fs::write(&new, bytes).unwrap();
        fs::rename(new, plugins.join(name)).unwrap();
    }

    /// Puts the file of an instance into the plugins folder.
    pub(crate) fn put_instance(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("plugins").join(name), text).unwrap();
    }

    /// Starts the host and waits until it says that it is ready.
    pub(crate) fn start(&self) -> Host {
        let log = File::create(self.folder.path().join("andon.log")).unwrap();
        let mut child = Command::new(program())
            .args(["run", "--config"])
            .arg(self.folder.path().join("andon.toml"))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the host starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.any(|line| line.unwrap().contains("is ready"));
        assert!(ready, "the host ended; it said:\n{}", self.log());
        Host(child)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("andon.log")).unwrap()
    }
}

impl Host {
    /// Resident memory, MB.
    pub(crate) fn resident_mb(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024.0 / 1e6
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already.
        self.0.kill().unwrap_or_default();
        self.0.wait().map(drop).unwrap_or_default();
    }
}

fn settings(plc: &Plc, smsc: &Smsc, tags: usize, poll: &str) -> String {
    let mut text = format!(
        r#"
[host]
listen = "127.0.0.1:0"

[poll.bench]
interval = "{poll}"

[[devices]]
name = "plc"
address = "{plc}"

[[sinks]]
kind = "smpp"
name = "sms"
address = "{smsc}"
system_id = "andon"
password = "bench"
source = "+4759440000"
throughput = 10000
window = 1000

[[contacts]]
name = "anna"
phone = "+4790000001"
channels = ["sms"]

[[routes]]
name = "all"
to = ["anna"]
resolved = false
"#,
        plc = plc.address,
        smsc = smsc.address,
    );
    for tag in 0..tags {
        text.push_str(&format!(
            "\n[[tags]]\nname = \"t{tag}\"\ndevice = \"plc\"\naddress = \"holding:{tag}\"\ntype = \"u16\"\npoll = \"bench\"\n"
        ));
    }
    text
}

/// A rule over tags that alarms above 500 and needs no acknowledgement.
pub(crate) fn high_above_500(tags: &str) -> String {
    format!(
        "component = \"limits.wasm\"\nneeds_acknowledgement = false\n\n[inputs]\ninputs = {tags}\n\n[parameters]\nhigh = 500.0\n"
    )
}

/// The host as it was built with this bench, unless `ANDON_PROGRAMS` names another folder.
fn program() -> PathBuf {
    std::env::var_os("ANDON_PROGRAMS").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_andon")),
        |folder| Path::new(&folder).join("andon"),
    )
}

/// A component of `cargo xtask guests`: from `ANDON_GUESTS`, or `guests` in the target folder.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("ANDON_GUESTS").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests"),
        PathBuf::from,
    );
    fs::read(folder.join(name)).expect("run `cargo xtask guests`")
}
