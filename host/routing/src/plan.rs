//! The checked plan: people with their channels, routes with the people whom they tell.
//!
//! Groups are gone: routes and the steps of escalations hold contacts with their channels, resolved
//! once by [`crate::check`], and schedules, which are asked when somebody is told. A plan is never empty of meaning; what it cannot hold was refused there.

mod escalation;
mod party;
mod tree;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use andon_model::{AlarmRecord, Channel, PhoneNumber, Timestamp};

pub(crate) use escalation::{Cursor, Escalation, Repeat, Spread, Step, Until};
pub(crate) use party::{ChosenSink, Duty, Party, Recipient, chosen_channels};
pub(crate) use tree::{Level, Pattern, Route, RouteTree, Target};

use crate::oncall::Schedule;
use crate::quiet::QuietHours;
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
    /// When this person is not to be woken.
    pub quiet: QuietHours,
}

/// Who is told of what: the checked settings.
#[derive(Debug, Clone, Default)]
pub struct RoutingPlan {
    pub(crate) people: BTreeMap<Arc<str>, Person>,
    pub(crate) schedules: BTreeMap<Arc<str>, Arc<Schedule>>,
    pub(crate) by_phone: HashMap<PhoneNumber, Arc<str>>,
    pub(crate) routes: RouteTree,
    pub(crate) fallback: Vec<Party>,
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

    /// The names of the routes that this alarm takes, in their order; none where the fallback is
    /// told.
    #[must_use]
    pub fn routes_of(&self, record: &AlarmRecord) -> Vec<&str> {
        let matches = self.routes.matches(record);
        matches.into_iter().map(|route| &*route.name).collect()
    }

    /// The people whom parties stand for at this moment, and the schedules by which nobody is on
    /// call.
    pub(crate) fn present(&self, parties: &[Party], now: Timestamp) -> Present {
        let mut present = Present::default();
        for party in parties {
            match party {
                Party::Contact(recipient) => present.people.push((recipient.clone(), None)),
                Party::Duty(duty) => {
                    let on_call = self
                        .schedule(&duty.schedule)
                        .map(|schedule| schedule.on_call(now))
                        .unwrap_or_default();
                    if on_call.is_empty() {
                        present.vacant.push(Arc::clone(&duty.schedule));
                    }
                    for on_duty in on_call {
                        let person = self.people.get(&on_duty.contact);
                        let recipient = person.map(|person| duty.recipient(person));
                        let why = on_duty.why().detail;
                        present.people.extend(recipient.map(|one| (one, Some(why))));
                    }
                }
            }
        }
        present
    }

    /// What other people call the contact of this name.
    pub(crate) fn display_name(&self, name: &str) -> String {
        self.person(name)
            .map_or_else(|| name.to_owned(), |person| person.display_name.to_string())
    }
}

/// Whom parties stand for at some moment.
#[derive(Debug, Default)]
pub(crate) struct Present {
    /// People, and why each is on call, where a schedule says so.
    pub(crate) people: Vec<(Recipient, Option<String>)>,
    /// Schedules by which nobody is on call.
    pub(crate) vacant: Vec<Arc<str>>,
}
