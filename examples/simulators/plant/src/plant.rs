//! The physics of a small pump station: a wet well that rain fills and two pumps empty, and a
//! dosing unit. Values are held by name; any of them can be pinned from outside.

use std::collections::BTreeMap;

/// The plant's values by name. Booleans are 0 or 1.
#[derive(Debug, Clone)]
pub(crate) struct Plant {
    values: BTreeMap<&'static str, f64>,
    pinned: BTreeMap<&'static str, f64>,
    elapsed_s: f64,
    storms: bool,
}

/// Names and first values of everything that the registers show.
const START: [(&str, f64); 36] = [
    ("wetwell.level", 45.0),
    ("wetwell.inflow", 60.0),
    ("wetwell.outflow", 0.0),
    ("discharge.pressure", 1.2),
    ("wetwell.turbidity_raw", 9000.0),
    ("wetwell.temperature", 11.4),
    ("pump1.current", 0.0),
    ("pump2.current", 0.0),
    ("pump1.hours", 4211.0),
    ("pump2.hours", 3998.0),
    ("pump1.speed", 0.0),
    ("pump2.speed", 0.0),
    ("energy.total", 81_234_567.0),
    ("battery.voltage", 26.9),
    ("pump1.running", 0.0),
    ("pump2.running", 0.0),
    ("pump1.fault", 0.0),
    ("pump2.fault", 0.0),
    ("mains.failed", 0.0),
    ("door.open", 0.0),
    ("float.high", 0.0),
    ("float.low", 0.0),
    ("pump1.command", 0.0),
    ("pump2.command", 0.0),
    ("setpoint.start", 60.0),
    ("setpoint.stop", 30.0),
    ("station.mode", 1.0),
    ("station.status", 1.0),
    ("dosing.chlorine", 0.6),
    ("dosing.rate", 2.1),
    ("dosing.tank_level", 71.0),
    ("dosing.temperature", 18.2),
    ("dosing.running", 1.0),
    ("dosing.fault", 0.0),
    ("dosing.command", 1.0),
    ("dosing.heartbeat", 0.0),
];

/// Flow of one pump at full speed, m³/h.
const PUMP_FLOW: f64 = 55.0;
/// Percent of the wet well that one m³/h fills in one second. A real well is a thousand times
/// slower; nobody would watch that.
const FILL_RATE: f64 = 0.02;
/// A storm comes this often, and lasts a third of it.
const STORM_PERIOD_S: f64 = 90.0;

impl Plant {
    /// A plant at rest. With `storms`, rain comes now and then and drives the level over its limits.
    pub(crate) fn new(storms: bool) -> Self {
        Self {
            values: START.into_iter().collect(),
            pinned: BTreeMap::new(),
            elapsed_s: 0.0,
            storms,
        }
    }

    /// The value by this name; 0 for a name that there is not.
    pub(crate) fn get(&self, name: &str) -> f64 {
        self.pinned
            .get(name)
            .or_else(|| self.values.get(name))
            .copied()
            .unwrap_or(0.0)
    }

    /// All values by name.
    pub(crate) fn all(&self) -> BTreeMap<&'static str, f64> {
        self.values
            .keys()
            .map(|name| (*name, self.get(name)))
            .collect()
    }

    /// Holds a value until it is released; `false` if there is no such name.
    pub(crate) fn pin(&mut self, name: &str, value: f64) -> bool {
        match self.values.get_key_value(name) {
            Some((name, _)) => {
                self.pinned.insert(name, value);
                true
            }
            None => false,
        }
    }

    /// Lets a value go its own way again, from where it is held.
    pub(crate) fn release(&mut self, name: &str) {
        if let Some(value) = self.pinned.remove(name)
            && let Some(slot) = self.values.get_mut(name)
        {
            *slot = value;
        }
    }

    fn set(&mut self, name: &'static str, value: f64) {
        self.values.insert(name, value);
    }

    /// Lets time pass.
    pub(crate) fn tick(&mut self, seconds: f64) {
        self.elapsed_s += seconds;
        self.weather();
        self.command_pumps();
        self.turn_pumps(seconds);
        self.move_water(seconds);
        self.dose();
    }

    fn weather(&mut self) {
        let phase = self.elapsed_s % STORM_PERIOD_S;
        let storm = self.storms && phase > STORM_PERIOD_S * 0.5 && phase < STORM_PERIOD_S * 0.83;
        let base = if storm { 210.0 } else { 48.0 };
        self.set("wetwell.inflow", base + 6.0 * (self.elapsed_s / 7.0).sin());
        self.set(
            "wetwell.turbidity_raw",
            if storm { 15_000.0 } else { 9_000.0 } + 120.0 * (self.elapsed_s / 3.0).sin(),
        );
        self.set(
            "wetwell.temperature",
            11.4 + 0.3 * (self.elapsed_s / 60.0).sin(),
        );
    }

    fn command_pumps(&mut self) {
        let level = self.get("wetwell.level");
        let (start, stop) = (self.get("setpoint.start"), self.get("setpoint.stop"));
        for (name, start) in [("pump1.command", start), ("pump2.command", start + 12.0)] {
            if level > start {
                self.set(name, 1.0);
            } else if level < stop {
                self.set(name, 0.0);
            }
        }
    }

    fn turn_pumps(&mut self, seconds: f64) {
        const PUMPS: [[&str; 6]; 2] = [
            [
                "pump1.command",
                "pump1.fault",
                "pump1.running",
                "pump1.current",
                "pump1.speed",
                "pump1.hours",
            ],
            [
                "pump2.command",
                "pump2.fault",
                "pump2.running",
                "pump2.current",
                "pump2.speed",
                "pump2.hours",
            ],
        ];
        for [command, fault, running, current, speed, hours] in PUMPS {
            let runs =
                self.get(command) > 0.5 && self.get(fault) < 0.5 && self.get("mains.failed") < 0.5;
            self.set(running, if runs { 1.0 } else { 0.0 });
            self.set(current, if runs { 14.2 } else { 0.0 });
            self.set(speed, if runs { 96.5 } else { 0.0 });
            self.set(
                hours,
                self.get(hours) + if runs { seconds / 3600.0 } else { 0.0 },
            );
        }
    }

    fn move_water(&mut self, seconds: f64) {
        let pumps = self.get("pump1.running") + self.get("pump2.running");
        let outflow = pumps * PUMP_FLOW;
        let level = self.get("wetwell.level")
            + (self.get("wetwell.inflow") - outflow) * FILL_RATE * seconds;
        let level = level.clamp(2.0, 98.0);
        self.set("wetwell.level", level);
        self.set("wetwell.outflow", outflow);
        self.set("discharge.pressure", 1.2 + pumps * 0.9);
        self.set(
            "energy.total",
            self.get("energy.total") + pumps * 7_500.0 * seconds / 3600.0,
        );
        self.set(
            "battery.voltage",
            if self.get("mains.failed") > 0.5 {
                24.1
            } else {
                26.9
            },
        );
        let level = self.get("wetwell.level");
        self.set("float.high", if level > 92.0 { 1.0 } else { 0.0 });
        self.set("float.low", if level < 8.0 { 1.0 } else { 0.0 });
    }

    fn dose(&mut self) {
        let runs = self.get("dosing.command") > 0.5 && self.get("dosing.fault") < 0.5;
        self.set("dosing.running", if runs { 1.0 } else { 0.0 });
        self.set("dosing.rate", if runs { 2.1 } else { 0.0 });
        self.set("dosing.chlorine", 0.6 + 0.05 * (self.elapsed_s / 5.0).sin());
        self.set(
            "dosing.heartbeat",
            (self.elapsed_s / 1.0).floor() % 65_536.0,
        );
    }
}
