//! Resident memory of a host that has nothing to do, after a start that had to compile (cold) and
//! after one that found the code in its cache (warm).

use std::time::Duration;

use crate::host::{Plant, component, high_above_500};

/// How long a host sits before it is looked at: garbage of the start is given back by then.
const REST: Duration = Duration::from_secs(30);

/// Instances of one component in the large plant.
const INSTANCES: usize = 200;

pub(crate) fn measure() {
    let plants = [("idle", small()), ("instances_200", large())];
    for start in ["cold", "warm"] {
        let hosts: Vec<_> = plants
            .iter()
            .map(|(what, plant)| {
                let host = plant.start();
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

fn large() -> Plant {
    let plant = Plant::new(INSTANCES, "1s");
    plant.put_component("limits.wasm", &component("limits.wasm"));
    for number in 0..INSTANCES {
        let file = format!("level{number}.toml");
        plant.put_instance(&file, &high_above_500(&format!("\"t{number}\"")));
    }
    plant
}
