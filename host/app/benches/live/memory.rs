//! Resident memory of a host that has nothing to do, and how long it takes to start: after a start
//! that had to compile (cold), and after one that found the code in its cache (warm).

use std::time::{Duration, Instant};

use crate::host::{Plant, component, high_above_500};

/// How long a host sits before it is looked at: garbage of the start is given back by then.
const REST: Duration = Duration::from_secs(30);

pub(crate) fn measure() {
    sit(&[("idle", small()), ("instances_200", large(200))]);
    // By itself, so that nothing else takes of the time of its start.
    sit(&[("instances_1000", large(1_000))]);
}

/// Starts a host in each plant, cold and then warm, and looks at it at once and after a rest.
fn sit(plants: &[(&str, Plant)]) {
    for start in ["cold", "warm"] {
        let hosts: Vec<_> = plants
            .iter()
            .map(|(what, plant)| {
                let begun = Instant::now();
                let host = plant.start();
                let took = begun.elapsed();
                println!("start_{what}_{start} {:.2} s", took.as_secs_f64());
                println!(
                    "resident_{what}_{start}_at_start {:.1} MB",
                    host.resident_mb()
                );
                (what, host)
            })
            .collect();
        std::thread::sleep(REST);
        for (what, host) in hosts {
            println!("resident_{what}_{start} {:.1} MB", host.resident_mb());
        }
    }
}

/// Ten tags, a rule and a function.
fn small() -> Plant {
    let plant = Plant::new(10, "1s");
    plant.put_component("limits.wasm", &component("limits.wasm"));
    plant.put_instance("levels.toml", &high_above_500("\"t*\""));
    plant.put_component("moving-average.wasm", &component("moving-average.wasm"));
    plant.put_instance(
        "mean.toml",
        "component = \"moving-average.wasm\"\n\n[inputs]\ninput = \"t0\"\n\n[parameters]\nwindow = \"1m\"\n",
    );
    plant
}

/// So many instances of one component, each over a tag of its own.
fn large(instances: usize) -> Plant {
    let plant = Plant::new(instances, "1s");
    plant.put_component("limits.wasm", &component("limits.wasm"));
    for number in 0..instances {
        let file = format!("level{number}.toml");
        plant.put_instance(&file, &high_above_500(&format!("\"t{number}\"")));
    }
    plant
}
