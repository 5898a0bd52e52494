//! Routes: names, patterns, what they inherit, and which of them can never match.

use std::collections::{BTreeMap, BTreeSet};

use andon_model::{Finding, Priority};
use globset::Glob;

use super::Check;
use super::whom::Chosen;
use crate::plan::{Level, Pattern, Route, RouteTree, Target};
use crate::settings::{EscalationSettings, RouteSettings};

/// Most routes within one another.
const DEPTH_MAX: usize = 16;

pub(super) type Escalations<'a> = BTreeMap<&'a str, &'a EscalationSettings>;

/// What a route takes from the one that it is within.
#[derive(Clone, Copy)]
struct Inherited<'a> {
    priority: Priority,
    whom: Option<Whom<'a>>,
    channels: &'a [String],
    resolved: bool,
    notice: Option<bool>,
}

#[derive(Clone, Copy)]
enum Whom<'a> {
    People(&'a [String]),
    Escalation(&'a str),
}

/// Routes beside each other, where they stand, and what they take over.
struct Beside<'a> {
    path: String,
    routes: &'a [RouteSettings],
    within: Option<usize>,
    inherited: Inherited<'a>,
    depth: usize,
}

impl<'a> Beside<'a> {
    fn top(routes: &'a [RouteSettings]) -> Self {
        Self {
            path: "/routes".to_owned(),
            routes,
            within: None,
            inherited: Inherited {
                priority: Priority::Diagnostic,
                whom: None,
                channels: &[],
                resolved: true,
                notice: None,
            },
            depth: 1,
        }
    }
}

impl<'a> Check<'a> {
    /// The tree of all routes. Walks with its own stack, so that no depth can hurt.
    pub(super) fn routes(&mut self, escalations: &Escalations<'a>) -> RouteTree {
        let mut tree = RouteTree::default();
        let mut names: BTreeSet<&str> = BTreeSet::new();
        let mut used: BTreeSet<&str> = BTreeSet::new();
        let mut open = vec![Beside::top(&self.settings.routes)];
        while let Some(beside) = open.pop() {
            let mut places = Vec::new();
            for (index, settings) in beside.routes.iter().enumerate() {
                let path = format!("{}/{index}", beside.path);
                self.route_name(&path, settings, &mut names);
                let inherited = self.inherit(&path, settings, &beside.inherited);
                if let Some(Whom::Escalation(name)) = inherited.whom {
                    used.insert(name);
                }
                let route = self.route(&path, settings, &inherited, escalations);
                let place = tree.add(route);
                places.push(place);
                if !settings.routes.is_empty() && !self.is_too_deep(&path, beside.depth) {
                    open.push(Beside {
                        path: format!("{path}/routes"),
                        routes: &settings.routes,
                        within: Some(place),
                        inherited,
                        depth: beside.depth + 1,
                    });
                }
            }
            self.dead(&beside.path, &tree, &places);
            tree.link(beside.within, places);
        }
        self.count("/routes", names.len());
        self.unused(&used);
        tree
    }

    fn route_name(
        &mut self,
        path: &str,
        settings: &'a RouteSettings,
        names: &mut BTreeSet<&'a str>,
    ) {
        self.name(&format!("{path}/name"), "route", &settings.name);
        if !names.insert(&settings.name) {
            self.error(
                format!("{path}/name"),
                format!("there are two routes named `{}`", settings.name),
                Some("give each route its own name".to_owned()),
            );
        }
        if settings.priority == Some(Priority::Diagnostic) {
            self.findings.push(
                Finding::warning(
                    format!("{path}/priority"),
                    "diagnostic alarms are journalled and never sent",
                )
                .hint("the lowest priority that is sent is `low`"),
            );
        }
    }

    fn is_too_deep(&mut self, path: &str, depth: usize) -> bool {
        let deep = depth >= DEPTH_MAX;
        if deep {
            let says = format!("more than {DEPTH_MAX} routes are within one another");
            self.error(format!("{path}/routes"), says, None);
        }
        deep
    }

    fn inherit(
        &mut self,
        path: &str,
        settings: &'a RouteSettings,
        above: &Inherited<'a>,
    ) -> Inherited<'a> {
        let whom = match (&settings.to, &settings.escalation) {
            (Some(to), Some(_)) => {
                self.error(
                    format!("{path}/escalation"),
                    format!("route `{}` has both `to` and `escalation`", settings.name),
                    Some("keep `escalation` and name the people in its first step".to_owned()),
                );
                Some(Whom::People(to))
            }
            (Some(to), None) => Some(Whom::People(to)),
            (None, Some(name)) => Some(Whom::Escalation(name)),
            (None, None) => above.whom,
        };
        let priority = settings.priority.unwrap_or(Priority::Low);
        Inherited {
            priority: priority.max(above.priority),
            whom,
            channels: settings.channels.as_deref().unwrap_or(above.channels),
            resolved: settings.resolved.unwrap_or(above.resolved),
            notice: settings.notice_when_taken.or(above.notice),
        }
    }

    fn route(
        &mut self,
        path: &str,
        settings: &'a RouteSettings,
        inherited: &Inherited<'a>,
        escalations: &Escalations<'a>,
    ) -> Route {
        let labels = self.labels(path, settings);
        let chosen = Chosen {
            path,
            route: settings,
            sinks: self.chosen_sinks(path, settings, inherited.channels),
        };
        let target = match inherited.whom {
            Some(Whom::People(to)) => Target::People(self.told(to, &chosen)),
            Some(Whom::Escalation(name)) => self.escalation(name, escalations, &chosen),
            None => {
                self.needs_below(path, settings);
                Target::Below
            }
        };
        Route {
            name: settings.name.as_str().into(),
            labels,
            priority: inherited.priority,
            goes_on: settings.goes_on,
            resolved: inherited.resolved,
            notice: inherited
                .notice
                .unwrap_or(matches!(target, Target::Escalation(_))),
            target,
            below: Level::default(),
        }
    }

    fn labels(&mut self, path: &str, route: &RouteSettings) -> Vec<(String, Pattern)> {
        let mut labels = Vec::new();
        for (name, text) in &route.labels {
            if !text.contains(['*', '?', '[', '{', '\\']) {
                labels.push((name.clone(), Pattern::Exact(text.clone())));
                continue;
            }
            match Glob::new(text) {
                Ok(glob) => {
                    let pattern = Pattern::Glob(Box::new(glob.compile_matcher()));
                    labels.push((name.clone(), pattern));
                }
                Err(error) => self.error(
                    format!("{path}/labels/{}", pointer(name)),
                    format!("`{text}` is not a pattern: {}", error.kind()),
                    Some(
                        "`*` stands for any characters, `?` for one, `{a,b}` for either".to_owned(),
                    ),
                ),
            }
        }
        labels
    }

    /// A route that tells nobody itself is only right if one within it always matches.
    fn needs_below(&mut self, path: &str, settings: &RouteSettings) {
        let least = settings.priority.unwrap_or(Priority::Low);
        let always = settings.routes.iter().any(|route| {
            route.labels.is_empty() && route.priority.unwrap_or(Priority::Low) <= least
        });
        if always {
            return;
        }
        let name = &settings.name;
        let says = if settings.routes.is_empty() {
            format!("route `{name}` tells nobody")
        } else {
            format!("route `{name}` tells nobody where none of the routes within it matches")
        };
        let hint = "set to = [\"…\"] or escalation = \"…\"";
        self.error(path, says, Some(hint.to_owned()));
    }

    /// Refuses routes that an earlier one beside them keeps all alarms from.
    fn dead(&mut self, path: &str, tree: &RouteTree, places: &[usize]) {
        let mut ends: Vec<&Route> = Vec::new();
        let routes = places.iter().filter_map(|place| tree.at(*place));
        for (index, route) in routes.enumerate() {
            let mut before = ends.iter().filter(|earlier| earlier.name != route.name);
            if let Some(earlier) = before.find(|earlier| earlier.covers(route)) {
                let (name, earlier) = (&route.name, &earlier.name);
                self.error(
                    format!("{path}/{index}"),
                    format!("no alarm reaches route `{name}`: `{earlier}` takes them all"),
                    Some(format!(
                        "put it before `{earlier}`, or set continue = true there"
                    )),
                );
            }
            if !route.goes_on {
                ends.push(route);
            }
        }
    }

    fn unused(&mut self, used: &BTreeSet<&str>) {
        for (index, escalation) in self.settings.escalations.iter().enumerate() {
            let name = &escalation.name;
            if !used.contains(name.as_str()) {
                self.findings.push(
                    Finding::warning(
                        format!("/escalations/{index}/name"),
                        format!("no route uses escalation `{name}`"),
                    )
                    .hint(format!("set escalation = \"{name}\" in a route")),
                );
            }
        }
    }
}

/// A key as a step of a JSON pointer (RFC 6901, section 3).
fn pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
