//! From settings to a plan, with every problem at once.
//!
//! Paths in findings are JSON pointers into [`PeopleSettings`]: `/contacts/2/channels/0`.
//! A finding that stops the settings leaves no plan, so nothing after this checks again.

mod escalations;
mod quiet;
mod routes;
mod schedules;
mod whom;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Channel, Finding, PhoneNumber, Priority, Severity};

use crate::oncall::Outside;
use crate::plan::{
    AddressForm, ChosenSink, Duty, KnownSink, Party, Person, Recipient, RouteTree, RoutingPlan,
    chosen_channels,
};
use crate::settings::{ChannelSettings, ContactSettings, PeopleSettings};

/// Most contacts, groups and routes each.
const ENTRIES_MAX: usize = 10_000;
/// Longest name.
const NAME_BYTES_MAX: usize = 64;

/// Checks what the settings say about people against the sinks that exist.
///
/// The plan is there exactly when no finding is an error.
#[must_use]
pub fn check(
    settings: &PeopleSettings,
    sinks: &[KnownSink],
) -> (Option<RoutingPlan>, Vec<Finding>) {
    check_with(settings, sinks, &Outside::nothing())
}

/// The same with the files that the settings name, and what is to be told of the coming weeks.
#[must_use]
pub fn check_with(
    settings: &PeopleSettings,
    sinks: &[KnownSink],
    outside: &Outside<'_>,
) -> (Option<RoutingPlan>, Vec<Finding>) {
    let mut check = Check {
        settings,
        sinks,
        findings: Vec::new(),
        people: BTreeMap::new(),
        by_phone: HashMap::new(),
        members: HashMap::new(),
    };
    check.contacts();
    check.groups();
    let schedules = check.schedules(outside);
    let escalations = check.escalations();
    let routes = check.routes(&escalations);
    let fallback = check.fallback();
    check.coverage(&routes, &fallback);
    check.bounds();
    let plan = RoutingPlan {
        people: check.people,
        schedules,
        by_phone: check.by_phone,
        routes,
        fallback,
        expire_after: settings.routing.expire_after,
        text_chars_max: usize::try_from(settings.routing.text_chars_max).unwrap_or(usize::MAX),
        retry_round: settings.routing.retry_round.0,
        owed_max: usize::try_from(settings.routing.owed_max).unwrap_or(usize::MAX),
    };
    let refused = check
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    ((!refused).then_some(plan), check.findings)
}

/// What a name stands for, once groups are opened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Contact(Arc<str>),
    Schedule(Arc<str>),
}

struct Check<'a> {
    settings: &'a PeopleSettings,
    sinks: &'a [KnownSink],
    findings: Vec<Finding>,
    people: BTreeMap<Arc<str>, Person>,
    by_phone: HashMap<PhoneNumber, Arc<str>>,
    /// Contacts and schedules of each group, in the order in which the groups name them.
    members: HashMap<String, Vec<Named>>,
}

impl<'a> Check<'a> {
    fn error(&mut self, path: impl Into<String>, says: impl Into<String>, hint: Option<String>) {
        let mut finding = Finding::error(path, says);
        finding.hint = hint;
        self.findings.push(finding);
    }

    fn contacts(&mut self) {
        let settings = self.settings;
        self.count("/contacts", settings.contacts.len());
        for (index, contact) in settings.contacts.iter().enumerate() {
            let path = format!("/contacts/{index}");
            self.name(&format!("{path}/name"), "contact", &contact.name);
            if self.people.contains_key(contact.name.as_str()) {
                self.error(
                    format!("{path}/name"),
                    format!("there are two contacts named `{}`", contact.name),
                    Some("give each contact its own name".to_owned()),
                );
                continue;
            }
            let channels = self.channels(&path, contact);
            let name: Arc<str> = contact.name.as_str().into();
            self.phones(&path, contact, &name, &channels);
            let display_name = contact.display_name.as_deref().unwrap_or(&contact.name);
            let person = Person {
                name: Arc::clone(&name),
                display_name: display_name.into(),
                phone: contact.phone.clone(),
                channels,
                quiet: self.quiet(&path, contact),
            };
            self.people.insert(name, person);
        }
    }

    fn channels(&mut self, path: &str, contact: &ContactSettings) -> Vec<Channel> {
        if contact.channels.is_empty() {
            self.error(
                format!("{path}/channels"),
                format!(
                    "contact `{}` has no channel, so nothing can reach it",
                    contact.name
                ),
                Some("name at least one sink: channels = [\"…\"]".to_owned()),
            );
        }
        let mut channels: Vec<Channel> = Vec::new();
        for (index, wanted) in contact.channels.iter().enumerate() {
            let path = format!("{path}/channels/{index}");
            let Some(channel) = self.channel(&path, contact, wanted) else {
                continue;
            };
            if channels.contains(&channel) {
                self.error(
                    path,
                    format!("contact `{}` has the channel {channel} twice", contact.name),
                    Some("remove one of them".to_owned()),
                );
            } else {
                channels.push(channel);
            }
        }
        channels
    }

    fn channel(
        &mut self,
        path: &str,
        contact: &ContactSettings,
        wanted: &ChannelSettings,
    ) -> Option<Channel> {
        let form = self.sink(path, &wanted.sink)?;
        let address = match (&wanted.address, form, &contact.phone) {
            (Some(text), AddressForm::Phone, _) => match text.parse::<PhoneNumber>() {
                Ok(phone) => phone.as_str().to_owned(),
                Err(error) => {
                    self.error(format!("{path}/address"), error.to_string(), None);
                    return None;
                }
            },
            (Some(text), AddressForm::Other, _) if !text.trim().is_empty() => text.clone(),
            (None, AddressForm::Phone, Some(phone)) => phone.as_str().to_owned(),
            (None, AddressForm::Phone, None) => {
                self.error(
                    path,
                    format!(
                        "contact `{}` has no phone number, which sink `{}` needs",
                        contact.name, wanted.sink
                    ),
                    Some("set phone = \"+…\" or give the channel an address".to_owned()),
                );
                return None;
            }
            (Some(_) | None, AddressForm::Other, _) => {
                self.error(
                    path,
                    format!(
                        "contact `{}` has no address for sink `{}`",
                        contact.name, wanted.sink
                    ),
                    Some("write { sink = \"…\", address = \"…\" }".to_owned()),
                );
                return None;
            }
        };
        Some(Channel {
            sink: wanted.sink.clone(),
            address,
        })
    }

    fn sink(&mut self, path: &str, name: &str) -> Option<AddressForm> {
        let sinks = self.sinks;
        if let Some(sink) = sinks.iter().find(|sink| sink.name == name) {
            return Some(sink.address);
        }
        let known = sinks.iter().map(|sink| sink.name.as_str());
        let hint = nearest(name, known).or_else(|| {
            sinks
                .is_empty()
                .then(|| "the settings have no sink yet".to_owned())
        });
        self.error(path, format!("there is no sink named `{name}`"), hint);
        None
    }

    fn phones(
        &mut self,
        path: &str,
        contact: &ContactSettings,
        name: &Arc<str>,
        channels: &[Channel],
    ) {
        let addresses = channels
            .iter()
            .filter_map(|channel| channel.address.parse::<PhoneNumber>().ok());
        let phones: BTreeSet<PhoneNumber> =
            contact.phone.clone().into_iter().chain(addresses).collect();
        for phone in phones {
            if let Some(other) = self.by_phone.get(&phone) {
                let says = format!(
                    "{phone} is also the phone of `{other}`; replies from it count as `{other}`'s"
                );
                self.findings
                    .push(Finding::warning(format!("{path}/phone"), says));
            } else {
                self.by_phone.insert(phone, Arc::clone(name));
            }
        }
    }

    fn groups(&mut self) {
        let settings = self.settings;
        self.count("/groups", settings.groups.len());
        let mut by_name: HashMap<&str, usize> = HashMap::new();
        for (index, group) in settings.groups.iter().enumerate() {
            let path = format!("/groups/{index}");
            self.name(&format!("{path}/name"), "group", &group.name);
            if self.people.contains_key(group.name.as_str()) {
                self.error(
                    format!("{path}/name"),
                    format!("`{}` is a contact and a group", group.name),
                    Some("give the group another name".to_owned()),
                );
            } else if by_name.insert(&group.name, index).is_some() {
                self.error(
                    format!("{path}/name"),
                    format!("there are two groups named `{}`", group.name),
                    Some("give each group its own name".to_owned()),
                );
            }
            if group.members.is_empty() {
                self.error(
                    format!("{path}/members"),
                    format!("group `{}` has no members", group.name),
                    Some("name contacts or groups, or remove the group".to_owned()),
                );
            }
            for (place, member) in group.members.iter().enumerate() {
                self.known_name(&format!("{path}/members/{place}"), member);
            }
        }
        for (index, group) in settings.groups.iter().enumerate() {
            let contacts = self.expand(index, &by_name);
            self.members.entry(group.name.clone()).or_insert(contacts);
        }
    }

    /// The contacts of a group through all groups within it. Walks with its own stack and visits a
    /// group once, so that neither depth nor a cycle can hurt; a way back to the start is the
    /// cycle that is refused.
    fn expand(&mut self, start: usize, by_name: &HashMap<&str, usize>) -> Vec<Named> {
        let groups = &self.settings.groups;
        let mut found: Vec<Named> = Vec::new();
        let mut listed: BTreeSet<&str> = BTreeSet::new();
        let mut seen: BTreeSet<usize> = BTreeSet::from([start]);
        let mut stack: Vec<&'a str> = Vec::new();
        let push = |stack: &mut Vec<&'a str>, index: usize| {
            if let Some(group) = groups.get(index) {
                stack.extend(group.members.iter().rev().map(String::as_str));
            }
        };
        push(&mut stack, start);
        let mut cyclic = false;
        while let Some(member) = stack.pop() {
            if let Some((name, _)) = self.people.get_key_value(member) {
                if listed.insert(member) {
                    found.push(Named::Contact(Arc::clone(name)));
                }
            } else if self.is_schedule(member) {
                if listed.insert(member) {
                    found.push(Named::Schedule(member.into()));
                }
            } else if let Some(&inner) = by_name.get(member) {
                cyclic |= inner == start;
                if seen.insert(inner) {
                    push(&mut stack, inner);
                }
            }
        }
        if cyclic {
            let name = groups.get(start).map_or("", |group| &group.name);
            self.error(
                format!("/groups/{start}/members"),
                format!("group `{name}` contains itself"),
                Some("take the group out of its own members".to_owned()),
            );
        }
        found
    }

    /// What names stand for, each once, in the order in which they are named; a finding for each
    /// name that nothing has.
    fn resolve(&mut self, path: &str, names: &[String]) -> Vec<Named> {
        for (place, name) in names.iter().enumerate() {
            self.known_name(&format!("{path}/{place}"), name);
        }
        self.all_behind(names)
    }

    /// The same without findings, for names that were looked at before.
    fn all_behind(&self, names: &[String]) -> Vec<Named> {
        let mut seen: BTreeSet<Named> = BTreeSet::new();
        let named = names.iter().flat_map(|name| self.behind(name));
        named.filter(|one| seen.insert(one.clone())).collect()
    }

    /// What one name stands for; nothing for one that nothing has.
    fn behind(&self, name: &str) -> Vec<Named> {
        match self.people.get_key_value(name) {
            Some((contact, _)) => vec![Named::Contact(Arc::clone(contact))],
            None if self.is_schedule(name) => vec![Named::Schedule(name.into())],
            None => self.members.get(name).cloned().unwrap_or_default(),
        }
    }

    fn is_schedule(&self, name: &str) -> bool {
        self.settings.schedules.iter().any(|one| one.name == name)
    }

    fn fallback(&mut self) -> Vec<Party> {
        let settings = self.settings;
        let named = self.resolve("/routing/fallback", &settings.routing.fallback);
        named
            .into_iter()
            .filter_map(|named| self.party(named, &[]))
            .collect()
    }

    /// A party that is told by these sinks, or each person's own where there are none.
    fn party(&self, named: Named, sinks: &[ChosenSink]) -> Option<Party> {
        match named {
            Named::Contact(contact) => {
                let person = self.people.get(&contact)?;
                let channels = if sinks.is_empty() {
                    person.channels.clone()
                } else {
                    chosen_channels(person, sinks)
                };
                Some(Party::Contact(Recipient {
                    channels: channels.into(),
                    contact,
                }))
            }
            Named::Schedule(schedule) => Some(Party::Duty(Duty {
                schedule,
                sinks: sinks.into(),
            })),
        }
    }

    /// Whether some alarm could reach nobody.
    fn coverage(&mut self, routes: &RouteTree, fallback: &[Party]) {
        if !self.settings.routing.fallback.is_empty() {
            return;
        }
        if self.settings.contacts.is_empty()
            && self.settings.routes.is_empty()
            && fallback.is_empty()
        {
            self.findings.push(
                Finding::warning(
                    "",
                    "there are no contacts, so alarms are shown and told to nobody",
                )
                .hint("add [[contacts]] and [[routes]], or [routing] fallback"),
            );
            return;
        }
        let catches_all = routes
            .top()
            .any(|route| route.labels.is_empty() && route.priority <= Priority::Low);
        if catches_all {
            self.findings.push(
                Finding::warning(
                    "/routing",
                    "nobody is told when a contact cannot be reached by any channel",
                )
                .hint("set fallback = [\"…\"] in [routing]"),
            );
        } else {
            self.error(
                "/routing",
                "an alarm that no route matches would reach nobody",
                Some(
                    "set fallback = [\"…\"] in [routing], or add a last route without labels"
                        .to_owned(),
                ),
            );
        }
    }

    fn bounds(&mut self) {
        let routing = &self.settings.routing;
        let (text, owed, round) = (
            routing.text_chars_max,
            routing.owed_max,
            routing.retry_round.0,
        );
        if !(80..=1_600).contains(&text) {
            let says = format!("text_chars_max is {text}; it must be 80 to 1600");
            self.error("/routing/text_chars_max", says, None);
        }
        if !(100..=1_000_000).contains(&owed) {
            let says = format!("owed_max is {owed}; it must be 100 to 1000000");
            self.error("/routing/owed_max", says, None);
        }
        if round < Duration::from_secs(1) || round > Duration::from_secs(3_600) {
            let says = "retry_round must be 1s to 1h";
            self.error("/routing/retry_round", says, None);
        }
        for (name, limit) in routing.expire_after.named() {
            if limit < Duration::from_secs(60) || limit > Duration::from_secs(7 * 86_400) {
                self.error(
                    format!("/routing/expire_after/{name}"),
                    format!("expire_after of priority {name} must be 1m to 7d"),
                    None,
                );
            }
        }
    }

    fn count(&mut self, path: &str, count: usize) {
        if count > ENTRIES_MAX {
            let says = format!("there are {count} entries; at most {ENTRIES_MAX} are possible");
            self.error(path, says, None);
        }
    }

    fn name(&mut self, path: &str, what: &str, name: &str) {
        let valid = (1..=NAME_BYTES_MAX).contains(&name.len())
            && name
                .chars()
                .all(|sign| sign.is_alphanumeric() || matches!(sign, '.' | '_' | '-'));
        if !valid {
            self.error(
                path,
                format!("`{}` is not a name of a {what}", name.escape_debug()),
                Some("use 1 to 64 letters, digits and . _ -".to_owned()),
            );
        }
    }

    /// Whether a contact, a group or a schedule has this name; a finding says so if not.
    fn known_name(&mut self, path: &str, name: &str) {
        let settings = self.settings;
        let known = self.people.contains_key(name)
            || self.is_schedule(name)
            || settings.groups.iter().any(|group| group.name == name);
        if known {
            return;
        }
        let contacts = settings.contacts.iter().map(|one| one.name.as_str());
        let groups = settings.groups.iter().map(|one| one.name.as_str());
        let schedules = settings.schedules.iter().map(|one| one.name.as_str());
        let hint = nearest(name, contacts.chain(groups).chain(schedules));
        let says = if settings.schedules.is_empty() {
            format!("there is no contact or group named `{name}`")
        } else {
            format!("there is no contact, group or schedule named `{name}`")
        };
        self.error(path, says, hint);
    }
}

/// `did you mean …`, if some known name is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let (distance, best) = known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .min()?;
    let near = distance <= (name.chars().count() / 3).max(2);
    near.then(|| format!("did you mean `{best}`?"))
}
