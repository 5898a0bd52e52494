//! What hostile components take comes back: many rounds of them in a process that does nothing
//! else, whose memory and mappings are looked at.

use std::process::Command;

use andon_model::{Component, Loader};
use std::sync::Arc;

use super::table::{FAILS, GOES_ON, NOT_STARTED};
use super::{Case, call, shell};
use crate::guests::engine;

/// Tells the process that it is one.
const MARK: &str = "ANDON_HOSTILE_ROUNDS";

/// Rounds before the first look: caches and allocators fill.
const WARM_UP: u32 = 3;

/// Rounds between the looks.
const ROUNDS: u32 = 12;

/// What a round may leave, KiB of memory: an allocator keeps pages in its own ways. A guest that
/// stayed would leave up to 64 MiB.
const LEFT_KIB: u64 = 24 << 10;

/// No test: the process that the one below starts.
#[test]
fn process() {
    if std::env::var_os(MARK).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(async {
        let engine = engine();
        let mut components: Vec<(Arc<dyn Component>, &Case)> = Vec::new();
        for case in [NOT_STARTED, FAILS, GOES_ON].into_iter().flatten() {
            let bytes = shell::component(&shell::text(case.name));
            let loaded = engine.load("f", bytes.into()).await;
            components.push((loaded.expect("it loads"), case));
        }
        for round in 0..WARM_UP + ROUNDS {
            for (component, case) in &components {
                drop(call(component.as_ref(), case).await);
            }
            if round + 1 == WARM_UP || round + 1 == WARM_UP + ROUNDS {
                println!("held {} {}", resident_kib(), mappings());
            }
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn what_hostile_guests_took_comes_back() {
    let process = Command::new(std::env::current_exe().expect("a program"))
        .args([
            "--quiet",
            "--nocapture",
            "--exact",
            "hostile::rounds::process",
        ])
        .env(MARK, "1")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&process.stdout).into_owned();
    let looks: Vec<(u64, u64)> = said
        .lines()
        .filter_map(|line| line.strip_prefix("held "))
        .map(|line| line.split_once(' ').expect("two numbers"))
        .map(|(kib, maps)| {
            (
                kib.parse().expect("a number"),
                maps.parse().expect("a number"),
            )
        })
        .collect();
    let [(before, maps_before), (after, maps_after)] = looks.as_slice() else {
        panic!("{said}\n{}", String::from_utf8_lossy(&process.stderr));
    };
    assert!(
        after.saturating_sub(*before) < LEFT_KIB,
        "{before} KiB, then {after} KiB"
    );
    // Each guest has two mappings at least, and these were six hundred guests.
    assert!(
        maps_after.saturating_sub(*maps_before) < 50,
        "{maps_before}, then {maps_after}"
    );
}

/// Resident memory of this process.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Mappings of memory of this process.
fn mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines().count()
}
