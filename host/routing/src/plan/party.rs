//! Who is named where people are told: a contact, or whoever is on call.

use std::sync::Arc;

use andon_model::Channel;

use super::{AddressForm, Person};

/// A name in a route, a step or the fallback.
#[derive(Debug, Clone)]
pub(crate) enum Party {
    /// This person.
    Contact(Recipient),
    /// Whoever is on call when somebody is told.
    Duty(Duty),
}

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recipient {
    /// Name of the contact.
    pub(crate) contact: Arc<str>,
    /// The channels to use, in failover order; never empty.
    pub(crate) channels: Arc<[Channel]>,
}

/// A schedule, and the sinks by which its people are told.
#[derive(Debug, Clone)]
pub(crate) struct Duty {
    pub(crate) schedule: Arc<str>,
    /// Empty for each person's own order.
    pub(crate) sinks: Arc<[ChosenSink]>,
}

/// A sink that a route uses in place of the contacts' own order.
#[derive(Debug, Clone)]
pub(crate) struct ChosenSink {
    pub(crate) name: String,
    /// What its addresses look like; nothing where there is no such sink.
    pub(crate) form: Option<AddressForm>,
}

impl Party {
    /// Whether this may stand for the contact.
    pub(crate) fn may_be(&self, contact: &str) -> bool {
        match self {
            Self::Contact(recipient) => *recipient.contact == *contact,
            Self::Duty(_) => true,
        }
    }
}

impl Duty {
    /// A person who is on call. Who has no address in the sinks of the route is told by their own
    /// channels rather than not at all.
    pub(crate) fn recipient(&self, person: &Person) -> Recipient {
        let mut channels = chosen_channels(person, &self.sinks);
        if channels.is_empty() {
            channels.clone_from(&person.channels);
        }
        Recipient {
            contact: Arc::clone(&person.name),
            channels: channels.into(),
        }
    }
}

/// The contact's channels by these sinks, in their order. A phone number serves in every sink that
/// takes phone numbers, also where the contact does not list that sink.
pub(crate) fn chosen_channels(person: &Person, sinks: &[ChosenSink]) -> Vec<Channel> {
    let mut channels: Vec<Channel> = Vec::new();
    for sink in sinks {
        let own = person.channels.iter().filter(|own| own.sink == sink.name);
        let mut found: Vec<Channel> = own.cloned().collect();
        if let (true, Some(AddressForm::Phone), Some(phone)) =
            (found.is_empty(), sink.form, &person.phone)
        {
            found.push(Channel {
                sink: sink.name.clone(),
                address: phone.as_str().to_owned(),
            });
        }
        for channel in found {
            if !channels.contains(&channel) {
                channels.push(channel);
            }
        }
    }
    channels
}
