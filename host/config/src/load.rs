//! From the text of `andon.toml` to a plan that can be built, or to every problem at once.

use std::sync::Arc;

use andon_alarms::{AlarmPolicy, ConditioningPlan};
use andon_kpi::KpiPlan;
use andon_model::{Finding, Limits};
use andon_provenance::Policy;
use andon_routing::{AddressForm, KnownSink, Outside, RoutingPlan};
use andon_tags::{TagSettings, TagsPlan};
use andon_web::ApiPlan;

use crate::salvage::{Salvaged, salvage};
use crate::schema::SchemaCheck;
use crate::secrets::{Surroundings, resolve};
use crate::{Document, InstanceDefaults, Problem, Settings};

/// Checked settings.
#[derive(Debug)]
pub struct Plan {
    /// What the file says.
    pub settings: Settings,
    /// What is read.
    pub tags: TagsPlan,
    /// Who is told.
    pub routing: RoutingPlan,
    /// What holds for all plugin instances.
    pub instances: InstanceDefaults,
    /// What holds for the life of all alarms.
    pub alarms: AlarmPolicy,
    /// Delays, suppressions and floods.
    pub conditioning: ConditioningPlan,
    /// How alarm figures are counted.
    pub kpi: Arc<KpiPlan>,
    /// Which components are trusted.
    pub trust: Policy,
    /// Who may use the API.
    pub api: ApiPlan,
    /// What somebody should look at.
    pub warnings: Vec<Problem>,
}

/// What the check of people reads.
const PEOPLE: [&str; 7] = [
    "sinks",
    "contacts",
    "groups",
    "schedules",
    "routes",
    "escalations",
    "routing",
];

/// Checks the text of the settings. `file` is its name for messages.
///
/// # Errors
/// Every problem that stops the settings, and the warnings beside them, sorted by place.
pub fn load(file: &str, text: &str, around: &dyn Surroundings) -> Result<Plan, Vec<Problem>> {
    let mut document = Document::parse(file, text)?;
    let check = SchemaCheck::of::<Settings>().map_err(|why| vec![Problem::of_file(file, why)])?;
    let unresolved = resolve(document.value_mut(), check.schema(), around);
    let salvaged = salvage(document.value(), &check, unresolved);
    let settings = &salvaged.settings;
    let (lists, mut problems) = TagLists::read(&document, settings, around);
    let refused = salvaged.findings.iter().cloned();
    problems.extend(refused.map(|finding| document.locate("", finding)));
    let mut tell = |prefix: &str, findings: Vec<Finding>| {
        let about_the_text = findings
            .into_iter()
            .filter(|one| salvaged.is_about_the_text(&format!("{prefix}{}", one.path)));
        problems.extend(about_the_text.map(|finding| lists.locate(&document, prefix, finding)));
    };
    let read = |file: &str| around.read(file);
    let mut tags = None;
    if salvaged.spares(&["devices", "poll", "tags"]) {
        let (plan, findings) = andon_tags::check(&settings.devices, &settings.poll, &lists.tags);
        tell("", findings);
        tags = plan;
    }
    let mut routing = None;
    if salvaged.spares(&PEOPLE) {
        let outside = Outside {
            read: &read,
            now: around.now(),
        };
        let (plan, findings) =
            andon_routing::check_with(&settings.people(), &known_sinks(settings), &outside);
        tell("", findings);
        routing = plan;
    }
    if salvaged.spares(&["sinks"]) {
        tell("/sinks", andon_sinks::check(&settings.sinks));
    }
    if salvaged.spares(&["courier"]) {
        tell("/courier", settings.courier.check());
    }
    let (alarms, findings) = policy(&salvaged);
    tell("/alarms", findings);
    let conditioning = check_conditioning(&salvaged, &mut tell);
    let (kpi, findings) = figures(&salvaged);
    tell("/kpi", findings);
    let plugins = salvaged.spares(&["plugins"]);
    let trust = plugins.then(|| andon_provenance::check(&settings.plugins, &read));
    let (trust, findings) = trust.unwrap_or_default();
    tell("/plugins", findings);
    let (doors, listen) = (salvaged.spares(&["api", "host"]), settings.host.listen);
    let api = doors.then(|| andon_web::check(&settings.api, listen, &read));
    let (api, findings) = api.unwrap_or_default();
    tell("", findings);
    problems.sort();
    problems.dedup();
    match (tags, routing) {
        (Some(tags), Some(routing)) if !problems.iter().any(Problem::is_error) => Ok(Plan {
            instances: instance_defaults(settings),
            alarms,
            settings: salvaged.settings,
            conditioning,
            kpi,
            trust,
            api,
            tags,
            routing,
            warnings: problems,
        }),
        _ => Err(problems),
    }
}

fn instance_defaults(settings: &Settings) -> InstanceDefaults {
    InstanceDefaults {
        limits: settings.limits.over(&Limits::default()),
        needs_acknowledgement: settings.alarms.needs_acknowledgement,
        latching: settings.alarms.latching,
    }
}

/// Checks what stands between rules and people; where something stops it the plan is not used.
fn check_conditioning(
    salvaged: &Salvaged,
    tell: &mut dyn FnMut(&str, Vec<Finding>),
) -> ConditioningPlan {
    if !salvaged.spares(&["alarms"]) {
        return ConditioningPlan::default();
    }
    let alarms = salvaged.settings.alarms.conditioning();
    let (plan, findings) = andon_alarms::check_conditioning(&alarms);
    tell("/alarms", findings);
    plan.unwrap_or_default()
}

/// What holds for silencing alarms, if that part of the settings can be understood at all.
fn policy(salvaged: &Salvaged) -> (AlarmPolicy, Vec<Finding>) {
    if !salvaged.spares(&["alarms"]) {
        return Default::default();
    }
    let life = &salvaged.settings.alarms;
    andon_alarms::check(&life.shelving, &life.priorities())
}

/// How alarm figures are counted, if that part of the settings can be understood at all.
fn figures(salvaged: &Salvaged) -> (Arc<KpiPlan>, Vec<Finding>) {
    if !salvaged.spares(&["kpi"]) {
        return Default::default();
    }
    let (plan, findings) = andon_kpi::check(&salvaged.settings.kpi);
    (plan.map(Arc::new).unwrap_or_default(), findings)
}

fn known_sinks(settings: &Settings) -> Vec<KnownSink> {
    settings
        .sinks
        .iter()
        .map(|sink| KnownSink {
            name: sink.name().to_owned(),
            address: if sink.takes_phone_numbers() {
                AddressForm::Phone
            } else {
                AddressForm::Other
            },
        })
        .collect()
}

/// The tags of the settings and of their CSV files, one list with the place of each.
struct TagLists {
    tags: Vec<TagSettings>,
    inline: usize,
    /// File and line of each tag that is not inline.
    places: Vec<(String, usize)>,
}

impl TagLists {
    fn read(
        document: &Document,
        settings: &Settings,
        around: &dyn Surroundings,
    ) -> (Self, Vec<Problem>) {
        let mut lists = Self {
            tags: settings.tags.clone(),
            inline: settings.tags.len(),
            places: Vec::new(),
        };
        let mut problems = Vec::new();
        for (index, file) in settings.tag_files.iter().enumerate() {
            let text = match around.read(file) {
                Ok(text) => text,
                Err(why) => {
                    let finding = Finding::error(
                        format!("/tag_files/{index}"),
                        format!("cannot read {file}: {why}"),
                    );
                    problems.push(document.locate(
                        "",
                        finding.hint("check the path, and that the host may read the file"),
                    ));
                    continue;
                }
            };
            let (rows, found) = andon_tags::parse_csv(&text);
            for row in rows {
                lists.places.push((file.clone(), line_of(row.line)));
                lists.tags.push(row.settings);
            }
            problems.extend(found.into_iter().map(|problem| Problem {
                line: line_of(problem.line),
                column: usize::from(problem.line > 0),
                key: problem.column.unwrap_or_default(),
                hint: problem.hint,
                ..Problem::of_file(file, problem.says)
            }));
        }
        (lists, problems)
    }

    /// A finding of the tags stage: in the settings, or on a line of a CSV file.
    fn locate(&self, document: &Document, prefix: &str, finding: Finding) -> Problem {
        let csv = finding
            .path
            .strip_prefix("/tags/")
            .filter(|_| prefix.is_empty())
            .map(|rest| rest.split_once('/').unwrap_or((rest, "")))
            .and_then(|(index, key)| {
                Some((index.parse::<usize>().ok()?.checked_sub(self.inline)?, key))
            })
            .and_then(|(index, key)| Some((self.places.get(index)?, key)));
        match csv {
            Some(((file, line), key)) => Problem {
                line: *line,
                column: 1,
                severity: finding.severity,
                key: key.to_owned(),
                hint: finding.hint,
                ..Problem::of_file(file, finding.says)
            },
            None => document.locate(prefix, finding),
        }
    }
}

fn line_of(line: u64) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX)
}
