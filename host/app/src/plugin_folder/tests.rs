//! The folder with real files and the system's real notices; nothing here waits for a fixed time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Clock, ManualClock, Timestamp};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::*;

/// Generous, because it only ever passes when something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// A clock that moves on by ten seconds with each look, so that a file settles at the second one.
#[derive(Default)]
struct LookClock(ManualClock);

impl Clock for LookClock {
    fn now(&self) -> Timestamp {
        self.0.advance(Duration::from_secs(10));
        self.0.now()
    }
}

fn quick() -> FolderSettings {
    FolderSettings {
        settle: Duration::from_millis(5),
        poll: Duration::from_millis(40),
        wasm_bytes_max: 1_000,
        toml_bytes_max: 100,
        files_max: 20,
    }
}

/// What the app would know of the folder.
struct Listener {
    dir: TempDir,
    changes: mpsc::Receiver<FolderChange>,
    files: BTreeMap<String, Result<FileContent, FolderProblem>>,
    problems: Vec<FolderProblem>,
    told: BTreeMap<String, usize>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Listener {
    fn start(dir: TempDir, settings: FolderSettings) -> Self {
        let clock = Arc::new(LookClock::default());
        let folder = PluginFolder::open(dir.path().join("plugins"), settings, clock).unwrap();
        let (tell, changes) = mpsc::channel(2);
        let stop = CancellationToken::new();
        #[expect(clippy::disallowed_methods, reason = "a test has no supervisor")]
        let task = tokio::spawn(folder.run(tell, stop.clone()));
        Self {
            dir,
            changes,
            files: BTreeMap::new(),
            problems: Vec::new(),
            told: BTreeMap::new(),
            stop,
            task,
        }
    }

    async fn next(&mut self) -> FolderChange {
        let change = tokio::time::timeout(PATIENCE, self.changes.recv())
            .await
            .expect("a change comes")
            .expect("the watch runs");
        for file in &change.changed {
            *self.told.entry(file.name.clone()).or_default() += 1;
            self.files.insert(file.name.clone(), file.content.clone());
        }
        for name in &change.removed {
            assert!(self.files.remove(name).is_some(), "{name} was told before");
        }
        if let Some(problems) = &change.problems {
            self.problems.clone_from(problems);
        }
        change
    }

    async fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            self.next().await;
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("plugins").join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn holds(&self, name: &str, expected: &[u8]) -> bool {
        match self.files.get(name) {
            Some(Ok(FileContent::Component { bytes, hash, .. })) => {
                assert_eq!(*hash, disk::sha256(bytes));
                **bytes == *expected
            }
            Some(Ok(FileContent::Sidecar { text })) => text.as_bytes() == expected,
            Some(Err(_)) | None => false,
        }
    }

    async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .expect("it stops")
            .unwrap();
    }
}

fn temp() -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("plugins")).unwrap();
    dir
}

#[tokio::test]
async fn an_empty_folder_is_told_and_a_missing_one_is_made() {
    let mut listener = Listener::start(TempDir::new().unwrap(), quick());
    let first = listener.next().await;
    assert!(first.changed.is_empty() && !first.more);
    assert_eq!(first.problems, Some(Vec::new()));
    assert!(listener.path("").is_dir());
    listener.end().await;
}

#[tokio::test]
async fn what_lies_there_comes_first_then_changes_then_removals() {
    let dir = temp();
    fs::write(dir.path().join("plugins/a.wasm"), b"one").unwrap();
    fs::write(dir.path().join("plugins/a.toml"), b"x = 1").unwrap();
    let mut listener = Listener::start(dir, quick());
    let first = listener.next().await;
    assert_eq!(first.changed.len(), 2);
    assert!(listener.holds("a.wasm", b"one") && listener.holds("a.toml", b"x = 1"));
    listener.write("a.wasm", b"two");
    listener.until(|l| l.holds("a.wasm", b"two")).await;
    fs::remove_file(listener.path("a.toml")).unwrap();
    listener.until(|l| !l.files.contains_key("a.toml")).await;
    listener.end().await;
}

#[tokio::test]
async fn a_signature_that_comes_changes_or_goes_tells_its_component_again() {
    let mut listener = Listener::start(temp(), quick());
    listener.next().await;
    // By itself it is nothing.
    listener.write("a.wasm.minisig", b"early");
    listener.write("b.toml", b"x = 1");
    listener.until(|l| l.holds("b.toml", b"x = 1")).await;
    assert_eq!(listener.files.len(), 1);
    let signed = |l: &Listener, text: Option<&str>| match l.files.get("a.wasm") {
        Some(Ok(FileContent::Component { signature, .. })) => signature.as_deref() == text,
        Some(_) | None => false,
    };
    listener.write("a.wasm", b"one");
    listener.until(|l| signed(l, Some("early"))).await;
    listener.write("a.wasm.minisig", b"late and longer");
    listener.until(|l| signed(l, Some("late and longer"))).await;
    listener.write("a.wasm.minisig", &[b'x'; 5_000]);
    listener.until(|l| signed(l, Some(""))).await;
    fs::remove_file(listener.path("a.wasm.minisig")).unwrap();
    listener.until(|l| signed(l, None)).await;
    assert!(listener.holds("a.wasm", b"one"));
    listener.end().await;
}

#[tokio::test]
async fn a_rename_into_place_and_a_replaced_link_are_changes() {
    let mut listener = Listener::start(temp(), quick());
    listener.next().await;
    listener.write(".a.wasm.new", b"one");
    fs::rename(listener.path(".a.wasm.new"), listener.path("a.wasm")).unwrap();
    listener.until(|l| l.holds("a.wasm", b"one")).await;
    // As a container mounts its settings: the files are links through a link that is swapped.
    for (version, bytes) in [("v1", b"1"), ("v2", b"2")] {
        fs::create_dir(listener.path(version)).unwrap();
        fs::write(listener.path(version).join("b.wasm"), bytes).unwrap();
    }
    std::os::unix::fs::symlink("v1", listener.path("..data")).unwrap();
    std::os::unix::fs::symlink("..data/b.wasm", listener.path("b.wasm")).unwrap();
    listener.until(|l| l.holds("b.wasm", b"1")).await;
    std::os::unix::fs::symlink("v2", listener.path("..data_tmp")).unwrap();
    fs::rename(listener.path("..data_tmp"), listener.path("..data")).unwrap();
    listener.until(|l| l.holds("b.wasm", b"2")).await;
    listener.end().await;
}

#[tokio::test]
async fn a_touched_file_is_no_change_and_unfinished_names_are_ignored() {
    let mut listener = Listener::start(temp(), quick());
    listener.next().await;
    listener.write("a.wasm", b"one");
    listener.until(|l| l.holds("a.wasm", b"one")).await;
    let file = fs::File::options()
        .append(true)
        .open(listener.path("a.wasm"))
        .unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    for name in [
        ".b.wasm",
        "b.wasm~",
        "b.wasm.tmp",
        "b.wasm.part",
        ".b.wasm.swp",
        "notes.txt",
    ] {
        listener.write(name, b"no");
    }
    fs::create_dir(listener.path("folder.wasm")).unwrap();
    listener.write("z.toml", b"");
    listener.until(|l| l.holds("z.toml", b"")).await;
    assert_eq!(listener.told["a.wasm"], 1);
    assert_eq!(listener.files.len(), 2);
    listener.end().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_taken_is_told_as_a_problem_and_recovers() {
    let mut listener = Listener::start(temp(), quick());
    listener.next().await;
    listener.write("big.wasm", &[0; 1_001]);
    listener.write("long.toml", &[b'#'; 101]);
    listener.write("odd.toml", &[0xff, 0xfe]);
    std::os::unix::fs::symlink("nowhere", listener.path("lost.wasm")).unwrap();
    listener.until(|l| l.files.len() == 4).await;
    let problem = |name: &str| listener.files[name].clone().unwrap_err().to_string();
    assert_eq!(
        problem("big.wasm"),
        "big.wasm has 1001 bytes and the most is 1000; is it a release build?"
    );
    assert!(problem("long.toml").contains("101 bytes"));
    assert!(problem("odd.toml").contains("UTF-8"));
    assert!(problem("lost.wasm").contains("cannot be read"));
    listener.write("found", b"found");
    fs::rename(listener.path("found"), listener.path("nowhere")).unwrap();
    listener.write("big.wasm", b"small");
    listener
        .until(|l| l.holds("big.wasm", b"small") && l.holds("lost.wasm", b"found"))
        .await;
    assert_eq!(
        listener.told["lost.wasm"], 2,
        "a standing problem is told once"
    );
    listener.end().await;
}

#[tokio::test]
async fn too_many_files_are_a_problem_and_the_first_in_the_alphabet_stay() {
    let dir = temp();
    for n in 0..25 {
        fs::write(dir.path().join(format!("plugins/{n:02}.toml")), b"").unwrap();
    }
    let mut listener = Listener::start(dir, quick());
    listener.until(|l| l.files.len() == 20).await;
    assert!(
        listener.problems[0].to_string().contains("`20.toml`"),
        "{:?}",
        listener.problems
    );
    for n in 0..5 {
        fs::remove_file(listener.path(&format!("{n:02}.toml"))).unwrap();
    }
    listener
        .until(|l| l.problems.is_empty() && l.files.contains_key("24.toml"))
        .await;
    listener.end().await;
}

#[tokio::test]
async fn a_folder_that_goes_away_removes_nothing_and_is_watched_when_it_is_back() {
    let mut listener = Listener::start(temp(), quick());
    listener.next().await;
    listener.write("a.wasm", b"one");
    listener.until(|l| l.holds("a.wasm", b"one")).await;
    let away = listener.dir.path().join("away");
    fs::rename(listener.path(""), &away).unwrap();
    listener.until(|l| !l.problems.is_empty()).await;
    assert!(listener.problems[0].to_string().contains("goes on"));
    assert!(listener.holds("a.wasm", b"one"));
    fs::write(away.join("a.wasm"), b"two").unwrap();
    fs::rename(&away, listener.dir.path().join("plugins")).unwrap();
    listener
        .until(|l| l.problems.is_empty() && l.holds("a.wasm", b"two"))
        .await;
    listener.end().await;
}

#[tokio::test]
async fn a_listener_that_is_slow_or_gone_stops_nothing_for_ever() {
    let mut listener = Listener::start(temp(), quick());
    for n in 0..10 {
        listener.write(&format!("{n}.wasm"), b"x");
        listener.until(|l| l.files.len() > n / 5 * 5).await;
    }
    let Listener {
        changes, task, dir, ..
    } = listener;
    drop(changes);
    fs::write(dir.path().join("plugins/last.wasm"), b"x").unwrap();
    tokio::time::timeout(PATIENCE, task)
        .await
        .expect("it ends")
        .unwrap();
}

#[test]
fn a_path_that_is_a_file_is_refused_at_start() {
    let dir = temp();
    let path = dir.path().join("file");
    fs::write(&path, b"").unwrap();
    let clock = Arc::new(LookClock::default());
    let error = PluginFolder::open(path.clone(), quick(), clock.clone())
        .err()
        .unwrap();
    assert!(error.to_string().contains("is not a folder"));
    let error = PluginFolder::open(path.join("below"), quick(), clock)
        .err()
        .unwrap();
    assert!(error.to_string().contains("cannot be made"));
}

#[test]
fn a_partial_copy_never_settles_between_two_looks_that_differ() {
    let files = |path: &Path| BTreeMap::from([("a.wasm".to_owned(), disk::look(path).unwrap())]);
    let dir = temp();
    let path = dir.path().join("a.wasm");
    let settle = Duration::from_millis(100);
    let at = |ms| Timestamp::EPOCH.plus(Duration::from_millis(ms));
    let mut settling = settle::Settling::default();
    for n in 1..6_u64 {
        fs::write(&path, vec![0; usize::try_from(n).unwrap()]).unwrap();
        let settled = settling.observe(&files(&path), settle, at(n * 99));
        assert!(settled.pending && settled.ready.is_empty());
    }
    let early = settling.observe(&files(&path), settle, at(594));
    assert!(early.ready.is_empty());
    let late = settling.observe(&files(&path), settle, at(595));
    assert_eq!(late.ready.len(), 1);
    let look = late.ready[0].1.clone();
    fs::write(&path, b"moved on").unwrap();
    let reading = disk::read(dir.path(), "a.wasm", &look, &FolderSettings::default());
    assert_eq!(reading, disk::Reading::Moved);
}

#[test]
fn a_snapshot_shows_all_at_once() {
    let dir = temp();
    fs::write(dir.path().join("a.wasm"), b"one").unwrap();
    let change = snapshot(dir.path(), &quick());
    assert_eq!(change.changed.len(), 1);
    let missing = snapshot(&dir.path().join("missing"), &quick());
    assert_eq!(missing.problems.unwrap().len(), 1);
}

fn secs(n: i64) -> Timestamp {
    Timestamp::from_secs(n)
}

#[test]
fn the_newest_good_versions_stay_and_a_roll_back_goes_one_back_each_time() {
    let dir = TempDir::new().unwrap();
    let versions = Versions::new(dir.path().to_owned(), 3);
    assert_eq!(versions.list("limits").unwrap(), []);
    let hashes: Vec<String> = (0..5_u8)
        .map(|n| {
            versions
                .record_good("limits", &[n], secs(i64::from(n)))
                .unwrap()
                .hash
        })
        .collect();
    let kept: Vec<String> = versions
        .list("limits")
        .unwrap()
        .into_iter()
        .map(|v| v.hash)
        .collect();
    assert_eq!(
        kept,
        [hashes[4].clone(), hashes[3].clone(), hashes[2].clone()]
    );

    let bad = "never recorded";
    let pin = versions.roll_back("limits", &hashes[4], bad).unwrap();
    assert_eq!(pin.run, hashes[3]);
    assert_eq!(versions.pin("limits").unwrap(), Some(pin.clone()));
    assert_eq!(choose(bad, Some(&pin)), Choice::Recorded(hashes[3].clone()));
    assert_eq!(choose("repaired", Some(&pin)), Choice::FolderAndUnpin);
    assert_eq!(choose(bad, None), Choice::Folder);
    assert_eq!(*versions.read("limits", &pin.run).unwrap(), [3]);
    assert_eq!(
        versions.roll_back("limits", &pin.run, bad).unwrap().run,
        hashes[2]
    );
    let end = versions.roll_back("limits", &hashes[2], bad).unwrap_err();
    assert!(end.to_string().contains("no good version from before"));
    assert_eq!(
        versions.roll_back("limits", bad, bad).unwrap().run,
        hashes[4]
    );
    versions.unpin("limits").unwrap();
    versions.unpin("limits").unwrap();
    assert_eq!(versions.pin("limits").unwrap(), None);
}

#[test]
fn a_version_that_runs_again_is_the_newest_and_the_pinned_one_never_goes() {
    let dir = TempDir::new().unwrap();
    let versions = Versions::new(dir.path().to_owned(), 2);
    let one = versions.record_good("a", b"1", secs(10)).unwrap();
    let two = versions.record_good("a", b"2", secs(5)).unwrap();
    assert!(
        two.recorded_at > one.recorded_at,
        "also when the clock was set back"
    );
    versions.roll_back("a", &two.hash, &two.hash).unwrap();
    for n in 3..9_u8 {
        versions
            .record_good("a", &[n], secs(i64::from(n) * 10))
            .unwrap();
    }
    assert_eq!(*versions.read("a", &one.hash).unwrap(), *b"1");
    assert_eq!(versions.list("a").unwrap().len(), 3);
    let again = versions.record_good("a", b"1", secs(100)).unwrap();
    assert_eq!(versions.list("a").unwrap()[0], again);
}

#[test]
fn damage_and_bad_names_are_errors_that_say_what_to_do() {
    let dir = TempDir::new().unwrap();
    let versions = Versions::new(dir.path().to_owned(), 3);
    let good = versions.record_good("a", b"1", secs(1)).unwrap();
    let file = fs::read_dir(dir.path().join("a"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::write(&file, b"other").unwrap();
    let error = versions.read("a", &good.hash).unwrap_err();
    assert!(error.to_string().contains("is damaged"));
    assert!(versions.roll_back("a", "x", "x").is_err());
    assert_eq!(versions.pin("a").unwrap(), None, "nothing changed");
    fs::write(dir.path().join("a/pin.json"), b"{").unwrap();
    assert!(
        versions
            .pin("a")
            .unwrap_err()
            .to_string()
            .contains("remove it")
    );
    for name in ["", "..", ".hidden", "a/b", "a\\b", "a\0"] {
        assert!(versions.list(name).is_err(), "{name:?}");
    }
    assert!(
        versions
            .read("a", "0")
            .unwrap_err()
            .to_string()
            .contains("plugin list")
    );
}
