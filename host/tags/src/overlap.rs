//! Tags that lie on one another.
//!
//! Two tags on exactly the same registers may be meant (one raw, one scaled), so that is a warning.
//! Two that share some of their registers are a mistake in an address or a type: an error.
//! A bit of a register beside the register, or within a wider value, is usual and says nothing.

use andon_model::{Finding, ValueType};

use crate::Table;

/// Where one tag lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) device: usize,
    pub(crate) unit_id: u8,
    pub(crate) table: Table,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Index into the settings.
    pub(crate) tag: usize,
    pub(crate) name: String,
    pub(crate) value_type: &'static str,
}

/// Finds tags that lie on others. Bits of registers are not to be given.
pub(crate) fn overlaps(mut places: Vec<Place>) -> Vec<Finding> {
    places.sort();
    let mut findings = Vec::new();
    let mut before: Option<&Place> = None;
    for place in &places {
        let Some(widest) = before.filter(|other| same_table(other, place)) else {
            before = Some(place);
            continue;
        };
        if place.start < widest.end {
            findings.push(overlap(widest, place));
        }
        if place.end > widest.end {
            before = Some(place);
        }
    }
    findings
}

fn same_table(a: &Place, b: &Place) -> bool {
    (a.device, a.unit_id, a.table) == (b.device, b.unit_id, b.table)
}

fn overlap(first: &Place, second: &Place) -> Finding {
    // The one that stands later in the settings is the one to look at.
    let (other, place) = if first.tag < second.tag {
        (first, second)
    } else {
        (second, first)
    };
    let path = format!("/tags/{}/address", place.tag);
    if (first.start, first.end) == (second.start, second.end) {
        return Finding::warning(
            path,
            format!(
                "tag `{}` ({}) reads the same place as tag `{}` ({})",
                place.name, place.value_type, other.name, other.value_type
            ),
        )
        .hint("keep both only if both are meant");
    }
    Finding::error(
        path,
        format!(
            "tag `{}` ({} at {}) overlaps tag `{}` ({} at {})",
            place.name,
            place.value_type,
            shown(place),
            other.name,
            other.value_type,
            shown(other)
        ),
    )
    .hint("a 32 bit value takes two registers and a 64 bit value four: compare address and type with the device's list")
}

fn shown(place: &Place) -> String {
    format!("{}:{} to {}", place.table, place.start, place.end - 1)
}

/// Whether tags of this type lie in whole registers or bits of their own.
pub(crate) const fn takes_room(value_type: ValueType, bit: Option<u8>) -> bool {
    !(matches!(value_type, ValueType::Bool) && bit.is_some())
}
