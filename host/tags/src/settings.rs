//! What people write about devices, poll classes and tags: the tables `[[devices]]`,
//! `[poll.NAME]` and `[[tags]]` of the settings.
//!
//! Only the shape is read here; [`crate::check`] judges the values, all at once.
//! Defaults stand here and nowhere else.

use andon_model::{DurationText, ValueType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One device: `[[devices]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceSettings {
    /// Unique name, by which tags speak of the device: letters, digits and `. _ - /`.
    pub name: String,
    /// How the device is spoken to.
    #[serde(default)]
    pub protocol: Protocol,
    /// Host name or IP address, with `:port` if the port is not 502. IPv6 as `[::1]:502`.
    pub address: String,
    /// Modbus unit id of tags that name none: 1 to 247 behind a gateway; many devices that are
    /// directly on TCP take 1, 0 or 255.
    #[serde(default = "default_unit_id")]
    pub unit_id: u8,
    /// How long to wait for a connection, and for an answer.
    #[serde(default = "default_timeout")]
    pub timeout: DurationText,
    /// How often a request is tried before its unit counts as silent, 1 to 5. Every further try
    /// uses a new connection.
    #[serde(default = "default_attempts")]
    pub attempts: u8,
    /// How many registers that nobody asked for may be read to save a request, 0 to 124. For coils
    /// and discrete inputs sixteen times as many bits.
    #[serde(default = "default_gap")]
    pub gap: u16,
    /// Most registers in one request, 1 to 125; some devices take fewer than the protocol allows.
    #[serde(default = "default_max_registers")]
    pub max_registers: u16,
    /// Most coils or discrete inputs in one request, 1 to 2000.
    #[serde(default = "default_max_bits")]
    pub max_bits: u16,
    /// First pause before a device that refused a connection, or a unit that did not answer, is
    /// tried again. Doubles with each failure, with jitter.
    #[serde(default = "default_reconnect_min")]
    pub reconnect_min: DurationText,
    /// Longest pause between two tries.
    #[serde(default = "default_reconnect_max")]
    pub reconnect_max: DurationText,
    /// After this time addresses that the device refused are tried again. They are also tried
    /// again when the device comes back after it was lost.
    #[serde(default = "default_refused_retry")]
    pub refused_retry: DurationText,
    /// Order of the two bytes in a register, for tags that name none.
    #[serde(default)]
    pub byte_order: ByteOrder,
    /// Order of the registers of a value, for tags that name none.
    #[serde(default)]
    pub word_order: WordOrder,
}

/// How a device is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Protocol {
    /// Modbus TCP.
    #[default]
    #[serde(rename = "modbus-tcp")]
    ModbusTcp,
}

/// Order of the two bytes in a register. Bits are counted after the bytes are put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ByteOrder {
    /// High byte first, as the protocol says: `AB`.
    #[default]
    Big,
    /// Low byte first: `BA`.
    Little,
}

/// Order of the registers of a value that has several; texts are not touched by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WordOrder {
    /// High register first: `AB CD`.
    #[default]
    Big,
    /// Low register first: `CD AB`.
    Little,
}

/// How often tags of a class are read: `[poll.NAME]`. The class `default`, 1 s, is always there
/// and may be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PollClassSettings {
    /// Time from the start of one read to the start of the next, 10 ms to 1 day. A read that is
    /// late is skipped and counted.
    pub interval: DurationText,
}

/// One tag: `[[tags]]`, or one line of a CSV file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagSettings {
    /// Unique name: letters, digits and `. _ - /`, like `tank1.level`.
    pub name: String,
    /// Name of the device that holds it.
    pub device: String,
    /// Modbus unit id, if it is not the device's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_id: Option<u8>,
    /// Where it is in the device.
    ///
    /// `coil:5`, `discrete:7`, `input:30`, `holding:100` count from 0, as the protocol does;
    /// `holding:100.3` is bit 3 of the register, bit 0 the lowest.
    ///
    /// The classic numbers count from 1: `00001` is coil 0, `10001` discrete input 0, `30001`
    /// input register 0, `40001` holding register 0; with six digits (`400001` to `465536`) all
    /// addresses can be said. `40101.3` is bit 3 of holding register 100.
    pub address: String,
    /// Type in the device. If it is not said: `bool` for a coil, a discrete input or a bit, else
    /// `u16`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub value_type: Option<ValueType>,
    /// Characters of a text, 1 to 250, two in a register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u16>,
    /// The value is what the device holds, times this, plus `offset`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// Added after scaling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<f64>,
    /// Engineering unit, for people: `bar`, `%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// A change of the value by no more than this, in engineering units, is not told. 0 tells
    /// every change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadband: Option<f64>,
    /// Name of the poll class; `default` if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<String>,
    /// What a person calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Order of the two bytes in a register, if it is not the device's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte_order: Option<ByteOrder>,
    /// Order of the registers of the value, if it is not the device's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_order: Option<WordOrder>,
}

const fn default_unit_id() -> u8 {
    1
}

const fn default_timeout() -> DurationText {
    DurationText::from_secs(1)
}

const fn default_attempts() -> u8 {
    2
}

/// A request and its answer cost 21 bytes beside the data, and a round trip: sixteen registers
/// more are cheaper.
const fn default_gap() -> u16 {
    16
}

const fn default_max_registers() -> u16 {
    125
}

const fn default_max_bits() -> u16 {
    2000
}

const fn default_reconnect_min() -> DurationText {
    DurationText::from_millis(500)
}

const fn default_reconnect_max() -> DurationText {
    DurationText::from_secs(30)
}

const fn default_refused_retry() -> DurationText {
    DurationText::from_secs(600)
}
