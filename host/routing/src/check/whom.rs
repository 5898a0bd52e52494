//! Whom a route tells, and by which channels.

use std::sync::Arc;

use super::routes::Escalations;
use super::{Check, Named, nearest};
use crate::plan::{ChosenSink, Escalation, Party, Repeat, Spread, Step, Target};
use crate::settings::{RouteSettings, StepSettings};

/// The sinks that a route uses in place of the contacts' own order.
pub(super) struct Chosen<'a> {
    pub(super) path: &'a str,
    pub(super) route: &'a RouteSettings,
    pub(super) sinks: Vec<ChosenSink>,
}

impl Check<'_> {
    /// The sinks of a route; findings only where the route itself names them.
    pub(super) fn chosen_sinks(
        &mut self,
        path: &str,
        route: &RouteSettings,
        sinks: &[String],
    ) -> Vec<ChosenSink> {
        let mut chosen = Vec::with_capacity(sinks.len());
        for (place, name) in sinks.iter().enumerate() {
            let form = if route.channels.is_some() {
                self.sink(&format!("{path}/channels/{place}"), name)
            } else {
                let known = self.sinks.iter().find(|known| known.name == *name);
                known.map(|known| known.address)
            };
            let name = name.clone();
            chosen.push(ChosenSink { name, form });
        }
        chosen
    }

    /// The people of `to`, the route's own or that of a route above it.
    pub(super) fn told(&mut self, to: &[String], chosen: &Chosen<'_>) -> Vec<Party> {
        let (path, route) = (chosen.path, chosen.route);
        let own = route.to.is_some();
        if to.is_empty() && own {
            self.error(
                format!("{path}/to"),
                format!("route `{}` tells nobody", route.name),
                Some("name contacts or groups: to = [\"…\"]".to_owned()),
            );
        }
        let named = if own {
            self.resolve(&format!("{path}/to"), to)
        } else {
            self.all_behind(to)
        };
        self.parties(named, chosen)
    }

    fn parties(&mut self, named: Vec<Named>, chosen: &Chosen<'_>) -> Vec<Party> {
        let mut parties = Vec::with_capacity(named.len());
        for one in named {
            let party = self.party(one, &chosen.sinks);
            if let Some(Party::Contact(recipient)) = &party
                && recipient.channels.is_empty()
                && !chosen.sinks.is_empty()
            {
                self.error(
                    format!("{}/channels", chosen.path),
                    format!(
                        "contact `{}` has no address in any sink that route `{}` uses",
                        recipient.contact, chosen.route.name
                    ),
                    Some("add a channel to the contact, or another sink to the route".to_owned()),
                );
            }
            parties.extend(party);
        }
        parties
    }

    /// The escalation of this name with the channels of the route.
    pub(super) fn escalation(
        &mut self,
        name: &str,
        escalations: &Escalations<'_>,
        chosen: &Chosen<'_>,
    ) -> Target {
        let Some(settings) = escalations.get(name).copied() else {
            let hint = nearest(name, escalations.keys().copied())
                .unwrap_or_else(|| "add it under [[escalations]]".to_owned());
            // A route within another takes the name over; the finding is about the one above.
            if chosen.route.escalation.is_some() {
                let says = format!("there is no escalation named `{name}`");
                self.error(format!("{}/escalation", chosen.path), says, Some(hint));
            }
            return Target::Below;
        };
        let mut steps = Vec::with_capacity(settings.steps.len());
        for step in &settings.steps {
            steps.push(self.told_step(step, chosen));
        }
        Target::Escalation(Arc::new(Escalation {
            name: name.into(),
            steps,
            until: settings.until.into(),
            acknowledgements: settings.acknowledgements,
            unanswered_after: settings.unanswered_after.0,
            again_every: settings.again_every.0,
            again_times: settings.again_times,
        }))
    }

    fn told_step(&mut self, step: &StepSettings, chosen: &Chosen<'_>) -> Step {
        let named = self.all_behind(&step.to);
        Step {
            to: self.parties(named, chosen),
            after: step.after.0,
            repeat: step.repeat.as_ref().map(|repeat| Repeat {
                times: repeat.times,
                every: repeat.every.0,
            }),
            spread: if step.parallel {
                Spread::Parallel
            } else {
                Spread::Failover
            },
        }
    }
}
