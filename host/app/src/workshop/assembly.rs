//! From settings, components and their files to the set of instances that shall run: a decision,
//! nothing is started here.
//!
//! A file with a mistake costs only its own instance: one that ran goes on as it was. Derived tags
//! are entered before inputs are bound, so that functions may feed rules and each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use andon_alarms::{ConditioningPlan, InstanceDelays, Reach};
use andon_config::{InstanceDefaults, InstanceFile, Problem};
use andon_model::{
    BoundOutput, Component, InstancePlan, PluginKind, Severity, ShadowTerms, Tag, TagId, TagTable,
    ValueType,
};
use andon_tags::{ReadPlan, TagsPlan};

/// Components that load, files that do not, and the files beside them, by file name.
#[derive(Clone, Default)]
pub(crate) struct Shelf {
    /// The component that runs or may run under this file name.
    pub(crate) components: BTreeMap<String, Arc<dyn Component>>,
    /// Why the newest bytes of this file are refused.
    pub(crate) refusals: BTreeMap<String, String>,
    /// Texts of the `.toml` files.
    pub(crate) files: BTreeMap<String, String>,
    /// References to registries whose component is not here yet.
    pub(crate) pulls: BTreeMap<String, Pull>,
}

impl Shelf {
    /// Whether the same would come of it: the same components, files and refusals.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let hashes = |shelf: &Self| -> Vec<(String, String)> {
            let components = shelf.components.iter();
            components
                .map(|(file, component)| (file.clone(), component.hash().to_owned()))
                .collect()
        };
        hashes(self) == hashes(other)
            && self.refusals == other.refusals
            && self.files == other.files
            && self.pulls == other.pulls
    }
}

/// Where the component of a reference is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pull {
    /// It is being fetched.
    UnderWay,
    /// It cannot be had, for this reason; where that may change it is tried again.
    Failed(String),
}

/// An instance that shall run.
#[derive(Clone)]
pub(crate) struct Assembled {
    /// What it is bound to.
    pub(crate) plan: InstancePlan,
    /// Its component.
    pub(crate) component: Arc<dyn Component>,
    /// The `.toml` that makes it, or the component where there is none.
    pub(crate) file: String,
    /// The text of that `.toml`.
    pub(crate) text: Option<String>,
    /// How a changed version runs beside the old one first, if it does.
    pub(crate) shadow: Option<ShadowTerms>,
    /// Delays that its file gives for its alarms.
    pub(crate) delays: InstanceDelays,
}

/// The set that shall run, and what is wrong.
#[derive(Default)]
pub(crate) struct Assembly {
    /// All tags: of devices and of functions.
    pub(crate) tags: TagTable,
    /// What is read.
    pub(crate) reads: ReadPlan,
    /// Instances by name.
    pub(crate) instances: BTreeMap<String, Assembled>,
    /// What is wrong, by file.
    pub(crate) problems: BTreeMap<String, Vec<Problem>>,
    /// Components that wait for a `.toml`: nothing names them and they have no default inputs.
    pub(crate) waiting: BTreeSet<String>,
    /// Files whose component is being fetched: its reference, by file.
    pub(crate) pulling: BTreeMap<String, String>,
}

/// Decides what shall run. `before` is what runs now.
pub(crate) fn assemble(
    tags: &TagsPlan,
    defaults: &InstanceDefaults,
    shelf: &Shelf,
    before: &Assembly,
) -> Assembly {
    let mut assembler = Assembler {
        shelf,
        before,
        assembly: Assembly::default(),
        devices: BTreeSet::new(),
    };
    assembler.device_tags(tags);
    let candidates = assembler.candidates();
    let mut declared = Vec::new();
    for candidate in candidates {
        declared.extend(assembler.declare(candidate));
    }
    for (candidate, outputs) in declared {
        assembler.bind(candidate, outputs, defaults);
    }
    assembler.order();
    assembler.assembly
}

struct Candidate {
    file: InstanceFile,
    name: String,
    component: Arc<dyn Component>,
}

struct Assembler<'a> {
    shelf: &'a Shelf,
    before: &'a Assembly,
    assembly: Assembly,
    devices: BTreeSet<TagId>,
}

impl Assembler<'_> {
    /// Starts the table from the old one, so that every name keeps its id.
    fn device_tags(&mut self, tags: &TagsPlan) {
        let mut table = self.before.tags.clone();
        let old: Vec<TagId> = table.iter().map(|(id, _)| id).collect();
        old.into_iter().for_each(|id| table.retire(id));
        self.assembly.reads = tags.build(&mut table);
        self.devices = table.iter().map(|(id, _)| id).collect();
        self.assembly.tags = table;
    }

    /// Every instance that the files ask for and whose component is there.
    fn candidates(&mut self) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let mut named = BTreeSet::new();
        for (file, text) in &self.shelf.files {
            let parsed = match InstanceFile::parse(file, text) {
                Ok(parsed) => parsed,
                Err(problems) => {
                    self.trouble(file, problems);
                    self.keep_instance(file);
                    named.extend(
                        self.before
                            .instances
                            .values()
                            .filter(|old| old.file == *file)
                            .map(|old| old.plan.component.clone()),
                    );
                    continue;
                }
            };
            named.insert(parsed.component.clone());
            if !parsed.is_enabled() {
                continue;
            }
            match self.shelf.components.get(&parsed.component) {
                Some(component) if component.kind() == PluginKind::Sink => {
                    let says = format!(
                        "its component {} is a sink, which reads no tags",
                        parsed.component
                    );
                    let problem = Problem::of_file(file, says).hint(
                        "remove this file, and name the component in a [[sinks]] table of the settings",
                    );
                    self.trouble(file, vec![problem]);
                }
                Some(component) => candidates.push(Candidate {
                    name: file.clone(),
                    component: Arc::clone(component),
                    file: parsed,
                }),
                None => {
                    match self.missing(&parsed.component) {
                        Some(problem) => {
                            let problem = Problem {
                                file: file.clone(),
                                ..problem
                            };
                            self.trouble(file, vec![problem]);
                        }
                        None => {
                            let on_its_way = (file.clone(), parsed.component);
                            self.assembly.pulling.extend([on_its_way]);
                        }
                    }
                    self.keep_instance(file);
                }
            }
        }
        candidates.extend(self.without_files(&named));
        candidates
    }

    /// Components that no file names: those that find their inputs by themselves are instances,
    /// the others wait. A sink is neither.
    fn without_files(&mut self, named: &BTreeSet<String>) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for (file, component) in &self.shelf.components {
            if named.contains(file) || component.kind() == PluginKind::Sink {
                continue;
            }
            let about = component.description();
            if about
                .inputs
                .iter()
                .all(|port| port.optional || port.default.is_some())
                && !about.inputs.is_empty()
            {
                candidates.push(Candidate {
                    name: file.clone(),
                    component: Arc::clone(component),
                    file: InstanceFile::bare(file),
                });
            } else {
                self.assembly.waiting.insert(file.clone());
            }
        }
        candidates
    }

    /// Why a component is not on the shelf; `None` while it is on its way.
    fn missing(&self, component: &str) -> Option<Problem> {
        if let Some(pull) = self.shelf.pulls.get(component) {
            return match pull {
                Pull::UnderWay => None,
                Pull::Failed(why) => Some(Problem::of_file(
                    component,
                    format!("its component {component} cannot be had: {why}"),
                )),
            };
        }
        let says = match self.shelf.refusals.get(component) {
            Some(why) => format!("its component {component} is refused: {why}"),
            None => format!("its component {component} is not in the plugins folder"),
        };
        let hint = "put the component beside this file, or name the right one with `component`";
        Some(Problem::of_file(component, says).hint(hint))
    }

    fn declare(&mut self, candidate: Candidate) -> Option<(Candidate, Vec<BoundOutput>)> {
        if candidate.component.kind() == PluginKind::Rule {
            return Some((candidate, Vec::new()));
        }
        let mut table = self.assembly.tags.clone();
        match candidate
            .file
            .declare_outputs(candidate.component.description(), &mut table)
        {
            Ok(outputs) => {
                self.assembly.tags = table;
                Some((candidate, outputs))
            }
            Err(problems) => {
                self.trouble(&candidate.name, problems);
                self.keep_instance(&candidate.name);
                None
            }
        }
    }

    fn bind(
        &mut self,
        candidate: Candidate,
        outputs: Vec<BoundOutput>,
        defaults: &InstanceDefaults,
    ) {
        let component = &candidate.component;
        let bound = candidate.file.bind(
            component.kind(),
            component.description(),
            outputs,
            &self.assembly.tags,
            defaults,
        );
        match bound {
            Ok(plan) => {
                let name = plan.name.clone();
                let assembled = Assembled {
                    shadow: candidate.file.shadow_terms(),
                    delays: candidate.file.delays(),
                    text: self.shelf.files.get(&candidate.name).cloned(),
                    plan,
                    component: candidate.component,
                    file: candidate.name,
                };
                self.assembly.instances.insert(name, assembled);
            }
            Err(problems) => {
                self.trouble(&candidate.name, problems);
                self.keep_instance(&candidate.name);
            }
        }
    }

    /// The instance that this file made before goes on as it was.
    fn keep_instance(&mut self, file: &str) {
        let Some(old) = self
            .before
            .instances
            .values()
            .find(|old| old.file == file)
            .cloned()
        else {
            return;
        };
        for output in &old.plan.outputs {
            let source: Arc<str> = format!("function {}", old.plan.name).into();
            let tag = self.before.tags.get(output.tag).cloned().unwrap_or(Tag {
                name: Arc::clone(&output.tag_name),
                value_type: ValueType::F64,
                unit: None,
                description: None,
                source,
            });
            self.assembly.tags.put(tag);
        }
        self.assembly.instances.insert(old.plan.name.clone(), old);
    }

    fn trouble(&mut self, file: &str, problems: Vec<Problem>) {
        self.assembly
            .problems
            .entry(file.to_owned())
            .or_default()
            .extend(problems);
    }

    /// Instances that cannot be ordered (a circle of functions) are all told; the set is then not
    /// to be used.
    fn order(&mut self) {
        let plans: Vec<InstancePlan> = self
            .assembly
            .instances
            .values()
            .map(|one| one.plan.clone())
            .collect();
        let Err(findings) = andon_plugins::check_order(&plans, |tag| self.devices.contains(&tag))
        else {
            return;
        };
        for finding in findings {
            let index = finding
                .path
                .trim_start_matches('/')
                .split('/')
                .next()
                .and_then(|part| part.parse::<usize>().ok());
            let file = index
                .and_then(|index| self.assembly.instances.values().nth(index))
                .map_or_else(|| "plugins".to_owned(), |one| one.file.clone());
            let mut problem = Problem::of_file(&file, finding.says);
            problem.hint = finding.hint;
            self.trouble(&file, vec![problem]);
        }
    }
}

impl Assembled {
    /// The terms on which this runs beside the old one first: only where its own files changed.
    /// What a change of the tags brings is taken at once.
    pub(crate) fn shadow_beside(&self, old: Option<&Self>) -> Option<ShadowTerms> {
        let same =
            |old: &Self| old.component.hash() == self.component.hash() && old.text == self.text;
        self.shadow.filter(|_| !old.is_some_and(same))
    }
}

impl Assembly {
    /// Whether the instances go together; a set that does not must not be used.
    pub(crate) fn is_ordered(&self) -> bool {
        let plans: Vec<InstancePlan> = self
            .instances
            .values()
            .map(|one| one.plan.clone())
            .collect();
        andon_plugins::check_order(&plans, |_| false).is_ok()
    }

    /// Delays that instances give for their own alarms, by name of the instance.
    pub(crate) fn delays(&self) -> BTreeMap<String, InstanceDelays> {
        let given = self.instances.iter();
        given
            .filter(|(_, one)| !one.delays.is_empty())
            .map(|(name, one)| (name.clone(), one.delays))
            .collect()
    }

    /// Where the inputs of all instances lie.
    pub(crate) fn reach(&self) -> Reach {
        let units = self.reads.devices.iter().flat_map(|device| {
            let units = device.units.iter();
            units.map(move |unit| ((Arc::clone(&device.name), unit.unit_id), &unit.points))
        });
        let tags = units.flat_map(|(name, points)| {
            let points = points.iter();
            points.map(move |point| (point.id, name.clone()))
        });
        Reach::new(tags, self.instances.values().map(|one| &one.plan))
    }

    /// Suppressions that look at a tag which is neither read nor computed.
    pub(crate) fn unknown_tags(&self, plan: &ConditioningPlan, file: &str) -> Vec<Problem> {
        let unknown = plan.tags().filter(|(tag, _)| self.tags.find(tag).is_none());
        unknown
            .map(|(tag, key)| {
                let says = format!("there is no tag `{tag}`, so this suppression never holds");
                let problem = Problem {
                    severity: Severity::Warning,
                    key,
                    ..Problem::of_file(file, says)
                };
                problem.hint("`andon check --tags` lists the tags")
            })
            .collect()
    }

    /// Problems that were not there before, for a reload that is taken whole or not at all.
    pub(crate) fn new_problems(&self, before: &Self) -> Vec<Problem> {
        let known = |file: &str, problem: &Problem| {
            before
                .problems
                .get(file)
                .is_some_and(|old| old.contains(problem))
        };
        self.problems
            .iter()
            .flat_map(|(file, problems)| {
                problems.iter().filter(move |problem| !known(file, problem))
            })
            .cloned()
            .collect()
    }
}
