//! From the read that shows a changed register to the submit_sm that tells of it. The wait for the
//! next poll is not in it; two commits to the disk are.

use crate::host::{Plant, component, high_above_500};
use crate::{pause, quantile};

/// Alarms of which the median is taken.
const ROUNDS: u64 = 200;

/// The first ones are not counted: the host has just started.
const WARM_UP: u64 = 20;

pub(crate) fn measure() {
    let plant = Plant::new(10, "20ms");
    plant.put_component("limits.wasm", &component("limits.wasm"));
    plant.put_instance("levels.toml", &high_above_500("\"t*\""));
    let _host = plant.start();
    let mut millis = Vec::new();
    for round in 0..ROUNDS + WARM_UP {
        let value = 1_000 + u16::try_from(round).unwrap();
        plant.plc.set(&[value]);
        let shown = plant.plc.wait_shown(value);
        let sms = plant.smsc.next();
        assert!(sms.text.contains(&value.to_string()), "{}", sms.text);
        if round >= WARM_UP {
            millis.push((sms.at - shown).as_secs_f64() * 1e3);
        }
        plant.plc.set(&[0]);
        plant.plc.wait_shown(0);
        pause(round);
    }
    println!("sms_latency {:.2} ms", quantile(&millis, 0.5));
    println!("sms_latency_p95 {:.2} ms", quantile(&millis, 0.95));
    println!("sms_latency_max {:.2} ms", quantile(&millis, 1.0));
}
