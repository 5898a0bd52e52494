//! Settings to a plan: every problem at once, and a plan only if none of them is an error.
//!
//! Pure. Paths of findings are JSON pointers into `{devices, poll, tags}`.

mod device;
mod layout;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Finding, Severity, Tag, TagId, TagTable, ValueType};
use layout::{read_layout, value_type};

use crate::Address;
use crate::decode::{Layout, Orders};
use crate::nearest::nearest;
use crate::overlap::{Place, overlaps, takes_room};
use crate::plan::{ClassPlan, DevicePlan, PointPlan, TagsPlan, UnitPlan};
use crate::settings::{DeviceSettings, PollClassSettings, TagSettings};

/// The poll class that is always there.
const DEFAULT_CLASS: &str = "default";
/// Its interval, unless the settings give it another.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);
const INTERVAL_MIN: Duration = Duration::from_millis(10);
const DAY: Duration = Duration::from_secs(86_400);

/// Checks devices, poll classes and tags; the plan is there if no finding is an error.
#[must_use]
pub fn check(
    devices: &[DeviceSettings],
    polls: &BTreeMap<String, PollClassSettings>,
    tags: &[TagSettings],
) -> (Option<TagsPlan>, Vec<Finding>) {
    let mut checker = Checker {
        intervals: intervals(polls),
        ..Checker::default()
    };
    checker.check_polls(polls);
    for (index, device) in devices.iter().enumerate() {
        checker.check_device(index, device);
    }
    if tags.len() > TagTable::TAGS_MAX {
        checker.error(
            "/tags",
            format!(
                "{} tags are more than the {} that one host holds",
                tags.len(),
                TagTable::TAGS_MAX
            ),
        );
        return (None, checker.findings);
    }
    for (index, tag) in tags.iter().enumerate() {
        checker.check_tag(index, tag, devices);
    }
    checker
        .findings
        .extend(overlaps(std::mem::take(&mut checker.places)));
    checker.finish()
}

fn intervals(polls: &BTreeMap<String, PollClassSettings>) -> BTreeMap<String, Duration> {
    let mut intervals: BTreeMap<String, Duration> = polls
        .iter()
        .map(|(name, class)| (name.clone(), class.interval.0))
        .collect();
    intervals
        .entry(DEFAULT_CLASS.into())
        .or_insert(DEFAULT_INTERVAL);
    intervals
}

#[derive(Default)]
struct Checker {
    intervals: BTreeMap<String, Duration>,
    device_names: HashMap<String, usize>,
    tag_names: HashMap<String, usize>,
    places: Vec<Place>,
    plan: TagsPlan,
    findings: Vec<Finding>,
}

impl Checker {
    fn error(&mut self, path: impl Into<String>, says: impl Into<String>) {
        self.findings.push(Finding::error(path, says));
    }

    fn error_hint(&mut self, path: String, says: String, hint: impl Into<String>) {
        self.findings.push(Finding::error(path, says).hint(hint));
    }

    fn finish(mut self) -> (Option<TagsPlan>, Vec<Finding>) {
        let refused = self.findings.iter().any(|f| f.severity == Severity::Error);
        if refused {
            return (None, self.findings);
        }
        for device in &mut self.plan.devices {
            device.units.sort_by_key(|unit| unit.unit_id);
        }
        (Some(self.plan), self.findings)
    }

    fn check_polls(&mut self, polls: &BTreeMap<String, PollClassSettings>) {
        for (name, class) in polls {
            let interval = class.interval.0;
            if !(INTERVAL_MIN..=DAY).contains(&interval) {
                self.error(
                    format!("/poll/{}/interval", pointer_part(name)),
                    format!(
                        "poll class `{name}`: the interval {} is not between 10ms and 1d",
                        class.interval
                    ),
                );
            }
        }
    }

    fn check_tag(&mut self, index: usize, tag: &TagSettings, devices: &[DeviceSettings]) {
        let path = |key: &str| format!("/tags/{index}/{key}");
        if let Err(says) = check_name("tag", &tag.name) {
            self.error(path("name"), says);
        }
        if let Some(first) = self.tag_names.get(&tag.name) {
            let says = format!(
                "two tags are named `{}` (the other is the {} tag)",
                tag.name,
                ordinal(*first)
            );
            self.error_hint(path("name"), says, "give each tag a name of its own");
        } else {
            self.tag_names.insert(tag.name.clone(), index);
        }
        let device = self.find_device(index, tag, devices);
        let class = self.find_class(index, tag);
        let address = match tag.address.parse::<Address>() {
            Ok(address) => Some(address),
            Err(says) => {
                self.error(path("address"), says);
                None
            }
        };
        let layout = address.and_then(|address| self.check_layout(index, tag, address));
        self.check_numbers(index, tag, address);
        if let (Some((place, device)), Some(class), Some(address), Some(layout)) =
            (device, class, address, layout)
        {
            self.add(
                index,
                tag,
                Found {
                    place,
                    device,
                    class,
                    address,
                    layout,
                },
            );
        }
    }

    fn find_device<'a>(
        &mut self,
        index: usize,
        tag: &TagSettings,
        devices: &'a [DeviceSettings],
    ) -> Option<(usize, &'a DeviceSettings)> {
        if let Some(place) = self.device_names.get(&tag.device) {
            return devices.get(*place).map(|device| (*place, device));
        }
        let path = format!("/tags/{index}/device");
        let says = format!("tag `{}`: there is no device `{}`", tag.name, tag.device);
        let names = devices.iter().map(|device| device.name.as_str());
        let finding = Finding::error(path, says);
        self.findings.push(match nearest(&tag.device, names) {
            Some(name) => finding.hint(format!("did you mean `{name}`?")),
            None => finding.hint("add it under [[devices]]"),
        });
        None
    }

    fn find_class(&mut self, index: usize, tag: &TagSettings) -> Option<ClassPlan> {
        let name = tag.poll.as_deref().unwrap_or(DEFAULT_CLASS);
        if let Some(interval) = self.intervals.get(name) {
            return Some(ClassPlan {
                name: name.into(),
                interval: *interval,
            });
        }
        let says = format!("tag `{}`: there is no poll class `{name}`", tag.name);
        let hint = match nearest(name, self.intervals.keys().map(String::as_str)) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("add it as [poll.{name}] with an interval"),
        };
        self.error_hint(format!("/tags/{index}/poll"), says, hint);
        None
    }

    fn check_layout(
        &mut self,
        index: usize,
        tag: &TagSettings,
        address: Address,
    ) -> Option<Layout> {
        match read_layout(tag, address) {
            Ok(layout) => {
                let last = u32::from(address.start) + u32::from(layout.width()) - 1;
                if last > u32::from(u16::MAX) {
                    let says = format!(
                        "tag `{}`: {address} is {} registers wide and goes past address 65535",
                        tag.name,
                        layout.width()
                    );
                    self.error(format!("/tags/{index}/address"), says);
                    return None;
                }
                Some(layout)
            }
            Err((key, says)) => {
                self.error(
                    format!("/tags/{index}/{key}"),
                    format!("tag `{}`: {says}", tag.name),
                );
                None
            }
        }
    }

    fn check_numbers(&mut self, index: usize, tag: &TagSettings, address: Option<Address>) {
        let path = |key: &str| format!("/tags/{index}/{key}");
        let numbers = [
            ("scale", tag.scale),
            ("offset", tag.offset),
            ("deadband", tag.deadband),
        ];
        let kind = address.map(|address| value_type(tag, address));
        let scales = !matches!(kind, Some(ValueType::Bool | ValueType::Text));
        for (key, value) in numbers {
            let Some(value) = value else { continue };
            if !value.is_finite() {
                self.error(
                    path(key),
                    format!("tag `{}`: {key} must be a finite number", tag.name),
                );
            } else if !scales && value != 0.0 && !(key == "scale" && value == 1.0) {
                self.error(
                    path(key),
                    format!("tag `{}`: a bool or a text has no {key}", tag.name),
                );
            }
        }
        if tag.scale == Some(0.0) && scales {
            self.error(
                path("scale"),
                format!(
                    "tag `{}`: a scale of 0 makes every value the same",
                    tag.name
                ),
            );
        }
        if tag.deadband.is_some_and(|deadband| deadband < 0.0) {
            self.error(
                path("deadband"),
                format!("tag `{}`: a deadband cannot be negative", tag.name),
            );
        }
    }

    fn add(&mut self, index: usize, tag: &TagSettings, found: Found<'_>) {
        let Found {
            place,
            device,
            address,
            layout,
            ..
        } = found;
        let unit_id = tag.unit_id.unwrap_or(device.unit_id);
        if !address.table.is_bits() && layout.width() > device.max_registers {
            let says = format!(
                "tag `{}` is {} registers wide, but device `{}` takes at most {} in one request",
                tag.name,
                layout.width(),
                device.name,
                device.max_registers
            );
            self.error_hint(
                format!("/tags/{index}/address"),
                says,
                "raise max_registers of the device or shorten the tag",
            );
        }
        let kind = value_type(tag, address);
        self.places.extend(place_of(index, tag, unit_id, &found));
        let name: Arc<str> = tag.name.as_str().into();
        let id = TagId(u32::try_from(self.plan.tags.len()).unwrap_or(u32::MAX));
        self.plan.tags.push(Tag {
            name: Arc::clone(&name),
            value_type: kind,
            unit: tag
                .unit
                .as_deref()
                .filter(|unit| !unit.is_empty())
                .map(Arc::from),
            description: tag
                .description
                .as_deref()
                .filter(|text| !text.is_empty())
                .map(Arc::from),
            source: source(device, unit_id, address).into(),
        });
        let Some(plan) = self.plan.devices.get_mut(place) else {
            return;
        };
        let class = class_of(plan, found.class);
        unit_of(plan, unit_id).points.push(PointPlan {
            id,
            name,
            class,
            table: address.table,
            start: address.start,
            layout,
            orders: Orders {
                bytes: tag.byte_order.unwrap_or(device.byte_order),
                words: tag.word_order.unwrap_or(device.word_order),
            },
            scale: tag.scale.unwrap_or(1.0),
            offset: tag.offset.unwrap_or(0.0),
            deadband: tag.deadband.unwrap_or(0.0),
        });
    }
}

/// What a tag's settings were found to mean.
struct Found<'a> {
    place: usize,
    device: &'a DeviceSettings,
    class: ClassPlan,
    address: Address,
    layout: Layout,
}

/// Where a tag lies, if it takes room there.
fn place_of(index: usize, tag: &TagSettings, unit_id: u8, found: &Found<'_>) -> Option<Place> {
    let address = found.address;
    let kind = value_type(tag, address);
    takes_room(kind, address.bit).then(|| Place {
        device: found.place,
        unit_id,
        table: address.table,
        start: u32::from(address.start),
        end: u32::from(address.start) + u32::from(found.layout.width()),
        tag: index,
        name: tag.name.clone(),
        value_type: kind.name(),
    })
}

fn class_of(plan: &mut DevicePlan, class: ClassPlan) -> usize {
    let known = plan
        .classes
        .iter()
        .position(|other| other.name == class.name);
    known.unwrap_or_else(|| {
        plan.classes.push(class);
        plan.classes.len() - 1
    })
}

fn unit_of(plan: &mut DevicePlan, unit_id: u8) -> &mut UnitPlan {
    let place = plan.units.partition_point(|unit| unit.unit_id < unit_id);
    if plan
        .units
        .get(place)
        .is_none_or(|unit| unit.unit_id != unit_id)
    {
        plan.units.insert(
            place,
            UnitPlan {
                unit_id,
                points: Vec::new(),
            },
        );
    }
    #[expect(
        clippy::indexing_slicing,
        reason = "the unit was found or put there above"
    )]
    &mut plan.units[place]
}

fn source(device: &DeviceSettings, unit_id: u8, address: Address) -> String {
    if unit_id == device.unit_id {
        format!("{} {address}", device.name)
    } else {
        format!("{} unit {unit_id} {address}", device.name)
    }
}

fn check_name(what: &str, name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if name.is_empty() {
        return Err(format!("a {what} needs a name"));
    }
    if name.len() > 200 {
        return Err(format!(
            "the name of a {what} has at most 200 characters, and this has {}",
            name.len()
        ));
    }
    match name.chars().find(|c| !allowed(*c)) {
        Some(other) => Err(format!(
            "`{name}` is not a name of a {what}: `{other}` is none of letters, digits and . _ - /"
        )),
        None => Ok(()),
    }
}

/// A key as a part of a JSON pointer (RFC 6901, section 3).
fn pointer_part(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn ordinal(index: usize) -> String {
    let number = index + 1;
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
