//! A disk that fills up under the host: people are told all the same, and of the disk too.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::kit::{ANNA, Site, wait_for};

#[test]
fn a_full_disk_stops_no_alert_and_is_told() {
    let mut site = Site::new();
    let disk = site.path("data");
    std::fs::create_dir(&disk).expect("a folder");
    let Some(_mounted) = Mounted::small(&disk) else {
        println!("skipped: a tmpfs cannot be mounted by this user");
        return;
    };
    site.start();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "500");

    fill(&disk, "first");
    // Something to write, until the database needs a block that there is not.
    let mut level = 1000;
    wait_for("the reserve to be in use", || {
        disturb(&site, &mut level);
        (site.alarms("andon/store.full").len() == 1).then_some(())
    });
    site.inbox.wait(ANNA, "its reserve is in use");
    fill(&disk, "second");
    wait_for("the host to say that it cannot write", || {
        disturb(&site, &mut level);
        let (status, _, _) = site.get("/readyz");
        (status == 503).then_some(())
    });
    assert_eq!(site.get("/healthz").0, 200);
    site.plc.set(2, 7777);
    site.inbox.wait(ANNA, "tank2.level high: 7777 ");
    site.inbox.wait(ANNA, "The host cannot write");

    std::fs::remove_file(disk.join("first")).expect("a file");
    std::fs::remove_file(disk.join("second")).expect("a file");
    wait_for("the host to write again", || {
        (site.get("/readyz").0 == 200).then_some(())
    });
    site.wait_no_alarm("andon/store.write");
    let number = site.wait_alarm("tank2")["occurrence"].clone();
    site.restart();
    // The reserve is taken again now and then, and at a start.
    site.wait_no_alarm("andon/store.full");
    assert_eq!(site.wait_alarm("tank2")["occurrence"], number);
    let told = site.tell(&["explain", &number.to_string()]);
    assert!(told.contains("7777"), "{told}");
    site.inbox.assert_nothing_came_twice_unmarked();
    site.stop();
}

/// An alarm that comes and goes.
fn disturb(site: &Site, level: &mut u16) {
    *level += 1;
    site.plc
        .set(1, if level.is_multiple_of(2) { *level } else { 0 });
}

/// Takes all the room that there is.
fn fill(disk: &Path, name: &str) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(disk.join(name)).expect("a file");
    for size in [1 << 16, 1 << 12, 1] {
        let block = vec![1; size];
        while file.write(&block).is_ok_and(|written| written == size) {}
    }
}

/// A small disk; it is unmounted when this is dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn small(folder: &Path) -> Option<Self> {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=48m", "tmpfs"])
            .arg(folder)
            .output();
        mount
            .is_ok_and(|output| output.status.success())
            .then(|| Self(folder.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: the host may still hold files in it.
        let unmount = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(unmount.is_ok_and(|status| status.success()));
    }
}
