//! The checked plan: people with their channels, routes with the people whom they tell.
//!
//! Groups are gone: each route holds its recipients, resolved once by [`crate::check`].
//! A plan is never empty of meaning; what it cannot hold was refused there.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use andon_model::{AlarmId, AlarmRecord, Channel, PhoneNumber, Priority};
use globset::GlobMatcher;

use crate::oncall::Schedule;
use crate::settings::ExpirySettings;

/// What the plan must know of a configured sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSink {
    /// Name in the settings.
    pub name: String,
    /// What its addresses look like.
    pub address: AddressForm,
}

/// What addresses of a sink look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressForm {
    /// Phone numbers; a contact's phone number is the default.
    Phone,
    /// Anything else, so each channel must give its address.
    Other,
}

/// A person of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Name in the settings.
    pub name: Arc<str>,
    /// What other people call this person.
    pub display_name: Arc<str>,
    /// Where messages from this person come from, beside the addresses of channels.
    pub phone: Option<PhoneNumber>,
    /// Ways to this person in their order; never empty.
    pub channels: Vec<Channel>,
}

/// Somebody whom a route tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Name of the contact.
    pub contact: Arc<str>,
    /// The channels to use, in failover order; never empty.
    pub channels: Arc<[Channel]>,
}

/// A recipient and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<'plan> {
    /// Who.
    pub recipient: &'plan Recipient,
    /// The first route that named the contact; `None` for the fallback.
    pub route: Option<&'plan str>,
    /// Whether any of the routes wants the contact to hear when it is over.
    pub resolved: bool,
}

/// Who is told of what: the checked settings.
#[derive(Debug, Clone, Default)]
pub struct RoutingPlan {
    pub(crate) people: BTreeMap<Arc<str>, Person>,
    pub(crate) schedules: BTreeMap<Arc<str>, Arc<Schedule>>,
    pub(crate) by_phone: HashMap<PhoneNumber, Arc<str>>,
    pub(crate) routes: Vec<Route>,
    pub(crate) fallback: Vec<Recipient>,
    pub(crate) expire_after: ExpirySettings,
    pub(crate) text_chars_max: usize,
    pub(crate) retry_round: Duration,
    pub(crate) owed_max: usize,
}

impl RoutingPlan {
    /// The people, sorted by name.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    /// The person of this name.
    #[must_use]
    pub fn person(&self, name: &str) -> Option<&Person> {
        self.people.get(name)
    }

    /// The schedules, sorted by name.
    pub fn schedules(&self) -> impl Iterator<Item = &Arc<Schedule>> {
        self.schedules.values()
    }

    /// The schedule of this name.
    #[must_use]
    pub fn schedule(&self, name: &str) -> Option<&Arc<Schedule>> {
        self.schedules.get(name)
    }

    /// The person whose phone this is.
    #[must_use]
    pub fn person_of_phone(&self, phone: &PhoneNumber) -> Option<&Person> {
        self.people.get(self.by_phone.get(phone)?)
    }

    /// Who is told of this alarm, each contact once, in the order of the routes; the fallback if
    /// no route matches.
    #[must_use]
    pub fn recipients(&self, record: &AlarmRecord) -> Vec<Match<'_>> {
        let mut found: Vec<Match<'_>> = Vec::new();
        let mut any = false;
        for route in &self.routes {
            if !route.matches(record) {
                continue;
            }
            any = true;
            for recipient in &route.recipients {
                let known = found
                    .iter_mut()
                    .find(|m| m.recipient.contact == recipient.contact);
                match known {
                    Some(known) => known.resolved |= route.resolved,
                    None => found.push(Match {
                        recipient,
                        route: Some(&route.name),
                        resolved: route.resolved,
                    }),
                }
            }
            if !route.goes_on {
                break;
            }
        }
        if any { found } else { self.fallback() }
    }

    /// Those who are told when nobody else is.
    pub(crate) fn fallback(&self) -> Vec<Match<'_>> {
        self.fallback
            .iter()
            .map(|recipient| Match {
                recipient,
                route: None,
                resolved: true,
            })
            .collect()
    }
}

/// A route with its patterns compiled and its recipients resolved.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, Pattern)>,
    pub(crate) priority: Priority,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) goes_on: bool,
    pub(crate) resolved: bool,
}

impl Route {
    fn matches(&self, record: &AlarmRecord) -> bool {
        record.priority >= self.priority
            && self.labels.iter().all(|(name, pattern)| {
                label(record, name).is_some_and(|value| pattern.matches(value))
            })
    }
}

/// A label of the alarm; its instance and key count as labels where no label has that name.
fn label<'a>(record: &'a AlarmRecord, name: &str) -> Option<&'a str> {
    let AlarmId { instance, key } = &record.id;
    match (record.labels.get(name), name) {
        (Some(value), _) => Some(value),
        (None, "instance") => Some(instance),
        (None, "key") => Some(key),
        (None, _) => None,
    }
}

/// A pattern for the value of a label.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    /// No special signs: compared as it is, which is most of them and quick.
    Exact(String),
    /// With `*`, `?`, `[…]` or `{…}`.
    Glob(Box<GlobMatcher>),
}

impl Pattern {
    fn matches(&self, value: &str) -> bool {
        match self {
            Self::Exact(text) => text == value,
            Self::Glob(glob) => glob.is_match(value),
        }
    }
}
