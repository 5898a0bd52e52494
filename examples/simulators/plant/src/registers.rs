//! How the plant's values lie in Modbus registers: unit 1 is the pump station, unit 2 the dosing
//! unit behind the same gateway. Addresses count from 0; words are big-endian, high word first.

use tokio_modbus::{ExceptionCode, Request, Response};

use crate::plant::Plant;

/// How a value is written into registers.
#[derive(Clone, Copy)]
enum Form {
    F32,
    U16 { scale: f64 },
    I16 { scale: f64 },
    U32,
    U64,
}

/// Unit, address, name, form.
type Row = (u8, u16, &'static str, Form);

const INPUT_REGISTERS: [Row; 19] = [
    (1, 0, "wetwell.level", Form::F32),
    (1, 2, "wetwell.inflow", Form::F32),
    (1, 4, "wetwell.outflow", Form::F32),
    (1, 6, "discharge.pressure", Form::F32),
    (1, 8, "wetwell.turbidity_raw", Form::U16 { scale: 1.0 }),
    (1, 9, "wetwell.temperature", Form::I16 { scale: 0.1 }),
    (1, 10, "pump1.current", Form::U16 { scale: 0.01 }),
    (1, 11, "pump2.current", Form::U16 { scale: 0.01 }),
    (1, 12, "pump1.hours", Form::U32),
    (1, 14, "pump2.hours", Form::U32),
    (1, 16, "pump1.speed", Form::U16 { scale: 0.1 }),
    (1, 17, "pump2.speed", Form::U16 { scale: 0.1 }),
    (1, 18, "energy.total", Form::U64),
    (1, 22, "battery.voltage", Form::U16 { scale: 0.01 }),
    (2, 0, "dosing.chlorine", Form::F32),
    (2, 2, "dosing.rate", Form::F32),
    (2, 4, "dosing.tank_level", Form::F32),
    (2, 6, "dosing.temperature", Form::I16 { scale: 0.1 }),
    (2, 7, "dosing.heartbeat", Form::U16 { scale: 1.0 }),
];

const HOLDING_REGISTERS: [Row; 4] = [
    (1, 0, "setpoint.start", Form::F32),
    (1, 2, "setpoint.stop", Form::F32),
    (1, 4, "station.mode", Form::U16 { scale: 1.0 }),
    (1, 5, "station.status", Form::U16 { scale: 1.0 }),
];

const STATION_NAME: (u16, &[u8; 16]) = (6, b"Fjordgata PS 3  ");

const DISCRETE_INPUTS: [(u8, u16, &str); 10] = [
    (1, 0, "pump1.running"),
    (1, 1, "pump2.running"),
    (1, 2, "pump1.fault"),
    (1, 3, "pump2.fault"),
    (1, 4, "mains.failed"),
    (1, 5, "door.open"),
    (1, 6, "float.high"),
    (1, 7, "float.low"),
    (2, 0, "dosing.running"),
    (2, 1, "dosing.fault"),
];

const COILS: [(u8, u16, &str); 3] = [
    (1, 0, "pump1.command"),
    (1, 1, "pump2.command"),
    (2, 0, "dosing.command"),
];

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever is no read is refused, also what the crate learns later"
)]
/// Answers one request as the station's gateway would; a unit that there is not is exception 11.
pub(crate) fn answer(
    plant: &Plant,
    unit: u8,
    request: &Request<'_>,
) -> Result<Response, ExceptionCode> {
    if !(1..=2).contains(&unit) {
        return Err(ExceptionCode::GatewayTargetDevice);
    }
    match request {
        Request::ReadInputRegisters(address, count) => {
            words(&image(plant, unit, &INPUT_REGISTERS), *address, *count)
                .map(Response::ReadInputRegisters)
        }
        Request::ReadHoldingRegisters(address, count) => {
            let mut image = image(plant, unit, &HOLDING_REGISTERS);
            if unit == 1 {
                let (start, text) = STATION_NAME;
                let pairs = text.chunks_exact(2).zip(start..);
                image.extend(pairs.filter_map(|(pair, at)| {
                    Some((at, u16::from_be_bytes(pair.try_into().ok()?)))
                }));
            }
            words(&image, *address, *count).map(Response::ReadHoldingRegisters)
        }
        Request::ReadDiscreteInputs(address, count) => {
            bits(plant, unit, &DISCRETE_INPUTS, *address, *count).map(Response::ReadDiscreteInputs)
        }
        Request::ReadCoils(address, count) => {
            bits(plant, unit, &COILS, *address, *count).map(Response::ReadCoils)
        }
        // The host never writes; a simulator that took writes would hide it if it did.
        _ => Err(ExceptionCode::IllegalFunction),
    }
}

fn image(plant: &Plant, unit: u8, rows: &[Row]) -> Vec<(u16, u16)> {
    let mut image = Vec::new();
    for (_, address, name, form) in rows.iter().filter(|row| row.0 == unit) {
        image.extend((*address..).zip(encode(plant.get(name), *form)));
    }
    image
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a register holds what fits: float casts saturate"
)]
fn encode(value: f64, form: Form) -> Vec<u16> {
    let split = |bytes: &[u8]| {
        bytes
            .chunks_exact(2)
            .filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)))
            .collect()
    };
    match form {
        Form::F32 => split(&(value as f32).to_be_bytes()),
        Form::U16 { scale } => vec![(value / scale).round() as u16],
        Form::I16 { scale } => split(&((value / scale).round() as i16).to_be_bytes()),
        Form::U32 => split(&(value as u32).to_be_bytes()),
        Form::U64 => split(&(value as u64).to_be_bytes()),
    }
}

fn words(image: &[(u16, u16)], address: u16, count: u16) -> Result<Vec<u16>, ExceptionCode> {
    (0..count)
        .map(|offset| {
            let at = address.checked_add(offset)?;
            image
                .iter()
                .find(|(place, _)| *place == at)
                .map(|(_, word)| *word)
        })
        .collect::<Option<_>>()
        .ok_or(ExceptionCode::IllegalDataAddress)
}

fn bits(
    plant: &Plant,
    unit: u8,
    rows: &[(u8, u16, &str)],
    address: u16,
    count: u16,
) -> Result<Vec<bool>, ExceptionCode> {
    (0..count)
        .map(|offset| {
            let at = address.checked_add(offset)?;
            let (_, _, name) = rows
                .iter()
                .find(|(of, place, _)| *of == unit && *place == at)?;
            Some(plant.get(name) > 0.5)
        })
        .collect::<Option<_>>()
        .ok_or(ExceptionCode::IllegalDataAddress)
}
