//! Schedules among the other names of the settings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Check, Named};
use crate::oncall::{self, Names, Outside, Schedule};

impl Check<'_> {
    /// The checked schedules; after contacts and groups, because those take the turns.
    pub(super) fn schedules(&mut self, outside: &Outside<'_>) -> BTreeMap<Arc<str>, Arc<Schedule>> {
        let settings = self.settings;
        self.count("/schedules", settings.schedules.len());
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for (index, one) in settings.schedules.iter().enumerate() {
            let path = format!("/schedules/{index}/name");
            self.name(&path, "schedule", &one.name);
            let other = if !seen.insert(&one.name) {
                Some("another schedule")
            } else if self.people.contains_key(one.name.as_str()) {
                Some("a contact")
            } else if self.members.contains_key(&one.name) {
                Some("a group")
            } else {
                None
            };
            if let Some(other) = other {
                let says = format!("`{}` is the name of {other} as well", one.name);
                let hint = "give the schedule a name of its own".to_owned();
                self.error(path, says, Some(hint));
            }
        }
        let (schedules, findings) = oncall::check(&settings.schedules, &self.names(), outside);
        self.findings.extend(findings);
        schedules
            .into_iter()
            .map(|one| (Arc::clone(one.name()), one))
            .collect()
    }

    fn names(&self) -> Names {
        let mut names = Names::default();
        for person in self.people.values() {
            let addresses = person.channels.iter().map(|own| own.address.as_str());
            names.contact(&person.name, &person.display_name, addresses);
        }
        // In the order of the settings, so that the same names always mean the same.
        for group in &self.settings.groups {
            let members = self.members.get(&group.name);
            let people: Option<Vec<Arc<str>>> = members
                .into_iter()
                .flatten()
                .map(|named| match named {
                    Named::Contact(contact) => Some(Arc::clone(contact)),
                    Named::Schedule(_) => None,
                })
                .collect();
            match people {
                Some(people) => names.group(&group.name, &people),
                // A turn of a schedule cannot be whoever another one says.
                None => names.schedule(&group.name),
            }
        }
        for schedule in &self.settings.schedules {
            names.schedule(&schedule.name);
        }
        names
    }
}
