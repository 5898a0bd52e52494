//! One device: its name, its address, its limits.

use std::net::Ipv6Addr;
use std::time::Duration;

use andon_model::DurationText;

use super::{Checker, DAY, check_name, ordinal};
use crate::plan::{DevicePlan, Endpoint};
use crate::settings::{DeviceSettings, Protocol};

/// The port that IANA gave to Modbus.
const MODBUS_PORT: u16 = 502;

impl Checker {
    pub(super) fn check_device(&mut self, index: usize, device: &DeviceSettings) {
        let path = |key: &str| format!("/devices/{index}/{key}");
        let Protocol::ModbusTcp = device.protocol;
        if let Err(says) = check_name("device", &device.name) {
            self.error(path("name"), says);
        }
        if let Some(first) = self.device_names.get(&device.name) {
            let says = format!(
                "two devices are named `{}` (the other is the {} device)",
                device.name,
                ordinal(*first)
            );
            self.error_hint(path("name"), says, "give each device a name of its own");
        } else {
            self.device_names.insert(device.name.clone(), index);
        }
        let numbers = [
            ("attempts", u16::from(device.attempts), 1, 5),
            ("gap", device.gap, 0, 124),
            ("max_registers", device.max_registers, 1, 125),
            ("max_bits", device.max_bits, 1, 2000),
        ];
        for (key, value, least, most) in numbers {
            if !(least..=most).contains(&value) {
                self.error(
                    path(key),
                    format!("{key} = {value} is not between {least} and {most}"),
                );
            }
        }
        self.check_times(index, device);
        let endpoint = read_endpoint(&device.address).unwrap_or_else(|says| {
            self.error_hint(
                path("address"),
                says,
                "write host:port, like 192.168.0.10:502; the port may be left out",
            );
            Endpoint {
                host: String::new(),
                port: MODBUS_PORT,
            }
        });
        self.plan.devices.push(DevicePlan {
            name: device.name.as_str().into(),
            endpoint,
            timeout: device.timeout.0,
            attempts: device.attempts,
            gap: device.gap,
            max_registers: device.max_registers,
            max_bits: device.max_bits,
            reconnect_min: device.reconnect_min.0,
            reconnect_max: device.reconnect_max.0,
            refused_retry: device.refused_retry.0,
            classes: Vec::new(),
            units: Vec::new(),
        });
    }

    fn check_times(&mut self, index: usize, device: &DeviceSettings) {
        let path = |key: &str| format!("/devices/{index}/{key}");
        let times = [
            (
                "timeout",
                device.timeout,
                Duration::from_millis(10),
                Duration::from_secs(60),
            ),
            (
                "reconnect_min",
                device.reconnect_min,
                Duration::from_millis(10),
                Duration::from_secs(3600),
            ),
            (
                "reconnect_max",
                device.reconnect_max,
                Duration::from_millis(10),
                Duration::from_secs(3600),
            ),
            (
                "refused_retry",
                device.refused_retry,
                Duration::from_secs(1),
                30 * DAY,
            ),
        ];
        for (key, value, least, most) in times {
            if !(least..=most).contains(&value.0) {
                let (least, most) = (DurationText(least), DurationText(most));
                self.error(
                    path(key),
                    format!("{key} = {value} is not between {least} and {most}"),
                );
            }
        }
        if device.reconnect_max < device.reconnect_min {
            let says = format!(
                "reconnect_max = {} is less than reconnect_min = {}",
                device.reconnect_max, device.reconnect_min
            );
            self.error(path("reconnect_max"), says);
        }
    }
}

/// Host and port from text. The port may be left out, and IPv6 may stand in brackets.
fn read_endpoint(text: &str) -> Result<Endpoint, String> {
    let bad = |why: &str| Err(format!("`{text}` is not the address of a device: {why}"));
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, port.strip_prefix(':').or(Some(""))),
            None => return bad("the bracket is not closed"),
        },
        None if text.matches(':').count() > 1 => (text, None),
        None => text
            .split_once(':')
            .map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-:%".contains(c);
    let is_ip = |host: &str| {
        host.split('%')
            .next()
            .is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok())
    };
    if host.is_empty() || !host.chars().all(allowed) || (host.contains(':') && !is_ip(host)) {
        return bad("the host is not a name or an IP address");
    }
    let port = match port {
        None => MODBUS_PORT,
        Some(port) => match port.parse::<u16>() {
            Ok(number) if number > 0 && !port.starts_with('+') => number,
            _ => return bad("the port is not a number from 1 to 65535"),
        },
    };
    Ok(Endpoint {
        host: host.into(),
        port,
    })
}
