//! `kill -9` while a component comes from a registry: what runs afterwards is whole.

use std::path::PathBuf;
use std::time::Duration;

use andon_provenance::Sha256;

use crate::kit::{ANNA, Mood, Random, Registry, Site, guest, pause, wait_for};
use crate::pulls::{NAME, hash, name_by, runs, settle_registry, wait_trouble};

/// A site whose rule `levels` comes from a registry, and the hash of that rule.
fn site_of(site: &Site, registry: &Registry) -> String {
    let component = guest("limits.wasm");
    let digest = registry.push(NAME, "1.2", &component);
    name_by(site, &registry.reference(NAME, "1.2", &digest));
    settle_registry(site, registry, "plain_http = true");
    Sha256::of(&component).hex().to_owned()
}

/// Files that the host keeps of what it pulled.
fn kept(site: &Site) -> Vec<PathBuf> {
    let Ok(folder) = std::fs::read_dir(site.path("data/pulled")) else {
        return Vec::new();
    };
    folder.map(|file| file.expect("a file").path()).collect()
}

/// Fails if a file that could be taken for a component or a manifest is not what its name says.
fn assert_all_whole(site: &Site) {
    for path in kept(site) {
        let name = path.file_name().expect("a name").to_string_lossy();
        let Some((name, "json" | "wasm")) = name.rsplit_once('.') else {
            continue;
        };
        let bytes = std::fs::read(&path).expect("a file");
        assert_eq!(name, format!("sha256-{}", Sha256::of(&bytes).hex()));
    }
}

fn wait_asked(registry: &Registry, before: usize, part: &str) {
    wait_for(&format!("the registry to be asked for {part}"), || {
        let asked = registry.asked();
        let mut news = asked.iter().skip(before);
        news.any(|(path, _)| path.contains(part)).then_some(())
    });
}

#[test]
fn a_host_killed_in_the_middle_of_a_download_fetches_the_whole_after_it() {
    let mut site = Site::new();
    let (registry, end) = site.registry("127.0.0.1:0");
    let whole = site_of(&site, &registry);
    registry.mood(Mood::Stalls);
    site.start();
    wait_asked(&registry, 0, "/blobs/");
    // The half that came makes nothing run, and the rule from a file goes on.
    site.plc.set(9, 500);
    site.inbox.wait(ANNA, "tank9.level high: 500 ");
    assert!(site.plugin("levels").is_none());
    site.kill();
    assert_eq!(kept(&site), Vec::<PathBuf>::new());

    registry.mood(Mood::Fine);
    site.start();
    runs(&site, "levels");
    assert!(whole.starts_with(&hash(&site)));
    site.plc.set(0, 600);
    site.inbox.wait(ANNA, "tank0.level high: 600 ");
    assert_all_whole(&site);

    // What came whole is there after the next kill, without the registry.
    end.abort();
    site.restart();
    assert_eq!(site.plugin("levels").expect("it runs")["state"], "running");
    assert!(whole.starts_with(&hash(&site)));
}

#[test]
fn a_host_killed_at_any_moment_of_a_pull_keeps_nothing_by_half() {
    let mut random = Random::seeded(3);
    let mut site = Site::new();
    let (registry, _end) = site.registry("127.0.0.1:0");
    let whole = site_of(&site, &registry);
    for round in 0..10 {
        for file in kept(&site) {
            std::fs::remove_file(file).expect("a file");
        }
        let before = registry.asked().len();
        let host = site.spawn();
        wait_asked(&registry, before, "/manifests/");
        pause(Duration::from_micros(random.below(40_000)));
        host.kill();
        println!("round {round}: {:?}", kept(&site));
        assert_all_whole(&site);
    }
    site.start();
    runs(&site, "levels");
    assert!(whole.starts_with(&hash(&site)));
    let unfinished = kept(&site)
        .iter()
        .filter(|path| path.to_string_lossy().ends_with(".part"))
        .count();
    assert_eq!(unfinished, 0);
}

#[test]
fn a_component_that_is_on_the_disk_by_half_is_not_run_and_is_fetched_again() {
    let mut site = Site::new();
    let (registry, end) = site.registry("127.0.0.1:0");
    let whole = site_of(&site, &registry);
    site.start();
    runs(&site, "levels");
    site.kill();
    end.abort();
    // As a disk leaves it that says too early that it has written.
    let file = site.path(&format!("data/pulled/sha256-{whole}.wasm"));
    let bytes = std::fs::read(&file).expect("it was kept");
    std::fs::write(&file, &bytes[..bytes.len() / 2]).expect("a file");
    site.start();
    wait_trouble(&site, "levels.toml", "cannot be reached");
    assert!(site.plugin("levels").is_none());

    let (again, _end) = site.registry(&registry.address);
    again.push(NAME, "1.2", &guest("limits.wasm"));
    runs(&site, "levels");
    assert!(whole.starts_with(&hash(&site)));
    assert_all_whole(&site);
    assert_eq!(std::fs::read(&file).expect("it was kept"), bytes);
}
