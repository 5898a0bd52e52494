//! Routes as a tree: which of them an alarm takes.
//!
//! An alarm goes down from route to route as long as one below matches; the deepest ones tell.
//! Of the routes beside each other the first that matches ends the search, unless it continues.
//! Where many stand beside each other, those with an exact label are found by it, so that the cost
//! of an alarm does not grow with the number of routes.

use std::collections::HashMap;
use std::sync::Arc;

use andon_model::{AlarmId, AlarmRecord, Priority};
use globset::GlobMatcher;

use super::{Escalation, Party};

/// From so many routes beside each other on they are looked up by an exact label.
const INDEX_FROM: usize = 8;

/// All routes.
#[derive(Debug, Clone, Default)]
pub(crate) struct RouteTree {
    /// Each route before those within it.
    routes: Vec<Route>,
    by_name: HashMap<Arc<str>, usize>,
    top: Level,
}

/// A route with its patterns compiled, its recipients resolved and what it inherits filled in.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) name: Arc<str>,
    pub(crate) labels: Vec<(String, Pattern)>,
    /// The lowest priority that matches.
    pub(crate) priority: Priority,
    pub(crate) target: Target,
    pub(crate) goes_on: bool,
    /// Whether those who were told hear that it is over.
    pub(crate) resolved: bool,
    /// Whether those who were told hear that somebody else answered.
    pub(crate) notice: bool,
    pub(crate) below: Level,
}

/// Whom a route tells.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// These people, once.
    People(Vec<Party>),
    /// The people of these steps until somebody answers.
    Escalation(Arc<Escalation>),
    /// Nobody: some route within it always matches.
    Below,
}

impl Route {
    fn matches(&self, record: &AlarmRecord) -> bool {
        record.priority >= self.priority
            && self.labels.iter().all(|(name, pattern)| {
                label(record, name).is_some_and(|value| pattern.matches(value))
            })
    }

    /// Whether this one matches whatever another beside it matches, as far as can be told.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.priority <= other.priority
            && self.labels.iter().all(|(name, pattern)| {
                let theirs = other.labels.iter().filter(|(their, _)| their == name);
                theirs.into_iter().any(|(_, their)| pattern.covers(their))
            })
    }

    /// Whether the route may tell this contact at any step.
    pub(crate) fn names(&self, contact: &str) -> bool {
        let names = |people: &[Party]| people.iter().any(|one| one.may_be(contact));
        match &self.target {
            Target::People(people) => names(people),
            Target::Escalation(escalation) => escalation.steps.iter().any(|step| names(&step.to)),
            Target::Below => false,
        }
    }
}

/// Routes beside each other, by their places in the tree.
#[derive(Debug, Clone, Default)]
pub(crate) struct Level {
    all: Vec<usize>,
    /// Routes by the value of one of their exact labels; empty where there are few routes.
    by_label: Vec<(String, HashMap<String, Vec<usize>>)>,
    /// Routes without an exact label.
    rest: Vec<usize>,
}

impl Level {
    /// The places of routes that may match, in their order.
    fn candidates(&self, record: &AlarmRecord) -> Vec<usize> {
        if self.by_label.is_empty() {
            return self.all.clone();
        }
        let mut places = self.rest.clone();
        for (name, values) in &self.by_label {
            let value = label(record, name);
            places.extend(
                value
                    .and_then(|value| values.get(value))
                    .into_iter()
                    .flatten(),
            );
        }
        places.sort_unstable();
        places
    }
}

impl RouteTree {
    /// Adds a route; those within it are added after it and linked by [`RouteTree::link`].
    pub(crate) fn add(&mut self, route: Route) -> usize {
        let place = self.routes.len();
        self.by_name.insert(Arc::clone(&route.name), place);
        self.routes.push(route);
        place
    }

    /// Puts routes beside each other, within a route or at the top.
    pub(crate) fn link(&mut self, within: Option<usize>, places: Vec<usize>) {
        let level = self.level(places);
        match within {
            None => self.top = level,
            Some(place) => {
                if let Some(route) = self.routes.get_mut(place) {
                    route.below = level;
                }
            }
        }
    }

    fn level(&self, all: Vec<usize>) -> Level {
        let mut level = Level::default();
        if all.len() >= INDEX_FROM {
            for &place in &all {
                let exact = self.routes.get(place).and_then(|route| {
                    route
                        .labels
                        .iter()
                        .find_map(|(name, pattern)| match pattern {
                            Pattern::Exact(value) => Some((name, value)),
                            Pattern::Glob(_) => None,
                        })
                });
                match exact {
                    Some((name, value)) => level.index(name, value, place),
                    None => level.rest.push(place),
                }
            }
        }
        level.all = all;
        level
    }

    /// The route at this place.
    pub(crate) fn at(&self, place: usize) -> Option<&Route> {
        self.routes.get(place)
    }

    /// The routes at the top.
    pub(crate) fn top(&self) -> impl Iterator<Item = &Route> {
        self.top
            .all
            .iter()
            .filter_map(|place| self.routes.get(*place))
    }

    /// The route of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Route> {
        self.routes.get(*self.by_name.get(name)?)
    }

    /// The routes that an alarm takes, in their order.
    pub(crate) fn matches(&self, record: &AlarmRecord) -> Vec<&Route> {
        let mut found = Vec::new();
        self.descend(&self.top, record, &mut found);
        found
    }

    /// Collects the deepest matches; answers whether any route of the level matched. The depth is
    /// bounded by the check.
    fn descend<'a>(
        &'a self,
        level: &'a Level,
        record: &AlarmRecord,
        found: &mut Vec<&'a Route>,
    ) -> bool {
        let mut any = false;
        for place in level.candidates(record) {
            let Some(route) = self.routes.get(place).filter(|r| r.matches(record)) else {
                continue;
            };
            any = true;
            if !self.descend(&route.below, record, found) {
                found.push(route);
            }
            if !route.goes_on {
                break;
            }
        }
        any
    }
}

impl Level {
    fn index(&mut self, name: &str, value: &str, place: usize) {
        let at = self.by_label.iter().position(|(known, _)| known == name);
        let at = at.unwrap_or_else(|| {
            self.by_label.push((name.to_owned(), HashMap::new()));
            self.by_label.len() - 1
        });
        if let Some((_, values)) = self.by_label.get_mut(at) {
            values.entry(value.to_owned()).or_default().push(place);
        }
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
    Exact(String),
    Glob(Box<GlobMatcher>),
}

impl Pattern {
    fn matches(&self, value: &str) -> bool {
        match self {
            Self::Exact(text) => text == value,
            Self::Glob(glob) => glob.is_match(value),
        }
    }

    /// Whether every value that `other` matches surely matches this too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exact(value)) => self.matches(value),
            (Self::Glob(all), Self::Glob(glob)) => {
                all.glob().glob() == "*" || all.glob() == glob.glob()
            }
            (Self::Exact(_), Self::Glob(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use andon_model::{AlarmFlags, AlarmState, Labels, OccurrenceId, ShortCode, Timestamp};

    use super::*;

    fn tree(routes: usize) -> RouteTree {
        let mut tree = RouteTree::default();
        let places = (0..routes)
            .map(|number| {
                tree.add(Route {
                    name: format!("area{number}").into(),
                    labels: vec![("area".into(), Pattern::Exact(format!("a{number}")))],
                    priority: Priority::Low,
                    target: Target::Below,
                    goes_on: true,
                    resolved: true,
                    notice: false,
                    below: Level::default(),
                })
            })
            .collect();
        tree.link(None, places);
        tree
    }

    fn record(area: &str) -> AlarmRecord {
        AlarmRecord {
            id: AlarmId::new("tanks", "tank1.high"),
            occurrence: OccurrenceId(1),
            code: ShortCode::from_number(1, 2),
            state: AlarmState::Unacknowledged,
            priority: Priority::High,
            message: "high".into(),
            labels: Labels::from([("area".to_owned(), area.to_owned())]),
            raised_at: Timestamp::EPOCH,
            changed_at: Timestamp::EPOCH,
            cleared_at: None,
            acknowledged: None,
            raises: 1,
            test: false,
            flags: AlarmFlags::default(),
        }
    }

    #[test]
    fn as_many_routes_are_looked_at_whether_there_are_ten_or_ten_thousand() {
        for routes in [10, 100, 10_000] {
            let tree = tree(routes);
            let looked_at = tree.top.candidates(&record("a7"));
            assert_eq!(looked_at, [7], "of {routes} routes");
            assert_eq!(tree.matches(&record("a7")).len(), 1);
            assert!(tree.matches(&record("b")).is_empty());
        }
    }
}
