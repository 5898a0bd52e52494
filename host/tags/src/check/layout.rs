//! How the registers of a tag are read, from its address, type and length.

use andon_model::ValueType;

use crate::Address;
use crate::decode::Layout;
use crate::settings::TagSettings;

/// Longest text: as many characters as fit into the largest request.
const CHARACTERS_MAX: u16 = 250;

/// The type that is said, or the usual one of such an address.
pub(super) fn value_type(tag: &TagSettings, address: Address) -> ValueType {
    let is_bit = address.table.is_bits() || address.bit.is_some();
    tag.value_type.unwrap_or(if is_bit {
        ValueType::Bool
    } else {
        ValueType::U16
    })
}

/// The layout, or the key that is wrong and what is wrong with it.
pub(super) fn read_layout(
    tag: &TagSettings,
    address: Address,
) -> Result<Layout, (&'static str, String)> {
    let kind = value_type(tag, address);
    if address.table.is_bits() && kind != ValueType::Bool {
        return Err((
            "type",
            format!("{address} holds one bit, so its type must be bool, not {kind}"),
        ));
    }
    if address.bit.is_some() && kind != ValueType::Bool {
        return Err((
            "type",
            format!("{address} is a bit, so its type must be bool, not {kind}"),
        ));
    }
    if kind != ValueType::Text && tag.length.is_some() {
        return Err((
            "length",
            format!("only a text has a length, and this is {kind}"),
        ));
    }
    let layout = match (kind, address.bit) {
        (ValueType::Bool, _) if address.table.is_bits() => Layout::Single,
        (ValueType::Bool, Some(bit)) => Layout::Bit(bit),
        (ValueType::Bool, None) => {
            return Err((
                "address",
                format!("{address} is a whole register: for a bool name its bit, like {address}.0"),
            ));
        }
        (ValueType::Text, _) => Layout::Text(read_length(tag)?),
        (ValueType::I16, _) => Layout::I16,
        (ValueType::U16, _) => Layout::U16,
        (ValueType::I32, _) => Layout::I32,
        (ValueType::U32, _) => Layout::U32,
        (ValueType::I64, _) => Layout::I64,
        (ValueType::U64, _) => Layout::U64,
        (ValueType::F32, _) => Layout::F32,
        (ValueType::F64, _) => Layout::F64,
    };
    Ok(layout)
}

fn read_length(tag: &TagSettings) -> Result<u16, (&'static str, String)> {
    match tag.length {
        Some(length) if (1..=CHARACTERS_MAX).contains(&length) => Ok(length),
        Some(length) => Err((
            "length",
            format!("length = {length} is not between 1 and {CHARACTERS_MAX} characters"),
        )),
        None => Err((
            "type",
            "a text needs its length in characters: add `length`".into(),
        )),
    }
}
