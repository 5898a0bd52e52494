//! A thousand registers that all go over their limit between two polls: how long until the last
//! submit_sm. Nothing is promised of it; it shows where work grows faster than the alarms.

use std::time::Instant;

use crate::host::{Plant, component, high_above_500};
use crate::quantile;

const ALARMS: u16 = 1_000;
const ROUNDS: u16 = 5;

pub(crate) fn measure() {
    let plant = Plant::new(usize::from(ALARMS), "100ms");
    plant.put_component("limits.wasm", &component("limits.wasm"));
    plant.put_instance("levels.toml", &high_above_500("\"t*\""));
    let _host = plant.start();
    let mut millis = Vec::new();
    for round in 1..=ROUNDS {
        plant.plc.set(&vec![1_000 + round; usize::from(ALARMS)]);
        let shown: Instant = plant.plc.wait_shown(1_000 + round);
        let last = (0..ALARMS).map(|_| plant.smsc.next().at).max().unwrap();
        millis.push((last - shown).as_secs_f64() * 1e3);
        plant.plc.set(&vec![0; usize::from(ALARMS)]);
        plant.plc.wait_shown(0);
        std::thread::sleep(std::time::Duration::from_secs(2));
    }
    println!("burst_1000_sms {:.0} ms", quantile(&millis, 0.5));
}
