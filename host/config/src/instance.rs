//! The `.toml` beside a component: one file makes one instance.
//!
//! A component without a file is one instance by itself, with its defaults. The file may name the
//! component; without that its stem does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use andon_alarms::{InstanceDelays, check_instance_delays};
use andon_model::{
    BoundInput, BoundOutput, Description, DurationText, Finding, InputPort, InstancePlan, Labels,
    Limits, OnDown, PluginKind, PortType, Severity, ShadowEnd, ShadowTerms, Tag, TagTable,
    ValueType,
};
use andon_provenance::Reference;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::{escape, readable};
use crate::nearest::nearest;
use crate::{Document, Problem, SchemaCheck, foreign_schema};

/// What the file of an instance may say.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceSettings {
    /// File name of the component in the plugins folder, or its reference in an OCI registry,
    /// `oci://HOST/NAME:TAG@sha256:DIGEST`; without this key, this file's stem and `.wasm`.
    pub component: Option<String>,
    /// Whether the instance runs; `false` keeps the file and stops the instance.
    pub enabled: Option<bool>,
    /// Tags of each input port: a tag name, a pattern (`tank*.level`), or a list of them. A port
    /// that is not named takes the component's default pattern.
    pub inputs: BTreeMap<String, TagChoice>,
    /// Names of the tags that a function computes, by output port; without one, `INSTANCE.PORT`.
    pub outputs: BTreeMap<String, String>,
    /// Parameters, as the component's own schema describes them.
    pub parameters: Map<String, Value>,
    /// Labels of all its alarms; routes choose by them.
    pub labels: Labels,
    /// Bounds that differ from those of `[limits]` in `andon.toml`.
    pub limits: LimitSettings,
    /// What happens to its alarms when it is down: `keep`, `raise` or `clear`.
    pub on_down: OnDown,
    /// Whether its alarms need an acknowledgement; without this key, as `[alarms]` says.
    pub needs_acknowledgement: Option<bool>,
    /// Whether its alarms latch: after their return to normal somebody must reset them; without
    /// this key, as `[alarms]` says.
    pub latching: Option<bool>,
    /// For how long a condition must hold before it is an alarm; without this key, as
    /// `[[alarms.conditions]]` says.
    pub on_delay: Option<DurationText>,
    /// For how long a condition must be gone before its alarm is over; without this key, as
    /// `[[alarms.conditions]]` says.
    pub off_delay: Option<DurationText>,
    /// How long a changed component, or changed inputs, parameters or limits, run beside the old
    /// ones, compared and not heard, before they may take over: `10m`. Without this key they take
    /// over at once.
    pub shadow: Option<DurationText>,
    /// What becomes of a shadow after that time: `promote-if-same` (default), `promote-if-sound`
    /// or `wait`.
    pub shadow_end: Option<ShadowEnd>,
}

/// One tag name or pattern, or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TagChoice {
    /// One.
    One(String),
    /// Several, in this order.
    Many(Vec<String>),
}

impl TagChoice {
    fn patterns(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Bounds of an instance, as settings write them. What is not said keeps its default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Linear memory, MiB. Default 64.
    #[schemars(range(min = 1, max = 4096))]
    pub memory_mib: Option<u32>,
    /// Wall time of one call. Default 50ms.
    pub call_time: Option<DurationText>,
    /// Wall time of `describe` and `configure`. Default 2s.
    pub start_time: Option<DurationText>,
    /// Elements of all tables. Default 20000.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub table_elements: Option<u32>,
    /// Actions or samples in one answer. Default 10000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub answer_rows: Option<u32>,
    /// Characters of a message. Default 1000.
    #[schemars(range(min = 20, max = 100_000))]
    pub message_chars: Option<u32>,
    /// Lines of log a minute. Default 60.
    pub log_lines_per_minute: Option<u32>,
    /// Remembered state, KiB. Default 256.
    #[schemars(range(min = 0, max = 65_536))]
    pub state_kib: Option<u32>,
    /// Strikes within ten minutes before quarantine. Default 3.
    #[schemars(range(min = 1, max = 1000))]
    pub strikes_max: Option<u32>,
}

impl LimitSettings {
    /// These settings over given bounds.
    #[must_use]
    pub fn over(&self, base: &Limits) -> Limits {
        let size = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
        let time = |value: Option<DurationText>, base: Duration| value.map_or(base, |text| text.0);
        Limits {
            memory_bytes: self
                .memory_mib
                .map_or(base.memory_bytes, |mib| size(mib) << 20),
            call_time: time(self.call_time, base.call_time),
            start_time: time(self.start_time, base.start_time),
            table_elements: self.table_elements.map_or(base.table_elements, size),
            answer_rows: self.answer_rows.map_or(base.answer_rows, size),
            message_chars: self.message_chars.map_or(base.message_chars, size),
            log_lines_per_minute: self
                .log_lines_per_minute
                .unwrap_or(base.log_lines_per_minute),
            state_bytes: self
                .state_kib
                .map_or(base.state_bytes, |kib| size(kib) << 10),
            strikes_max: self.strikes_max.unwrap_or(base.strikes_max),
        }
    }
}

/// What the settings say for all instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceDefaults {
    /// Bounds.
    pub limits: Limits,
    /// Whether alarms need an acknowledgement.
    pub needs_acknowledgement: bool,
    /// Whether alarms latch.
    pub latching: bool,
}

/// A checked file of an instance; it still has to be bound to tags.
#[derive(Debug, Clone)]
pub struct InstanceFile {
    /// Name of the instance: the file's stem.
    pub name: String,
    /// File name of the component.
    pub component: String,
    /// What the file says.
    pub settings: InstanceSettings,
    document: Option<Document>,
}

impl InstanceFile {
    /// The instance that a component without a file is.
    #[must_use]
    pub fn bare(component: &str) -> Self {
        Self {
            name: stem(component),
            component: component.to_owned(),
            settings: InstanceSettings::default(),
            document: None,
        }
    }

    /// Reads the file of an instance.
    ///
    /// # Errors
    /// Everything that is wrong with the file by itself.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let document = Document::parse(file, text)?;
        let check = SchemaCheck::of::<InstanceSettings>()
            .map_err(|why| vec![Problem::of_file(file, why)])?;
        let findings = check.check(document.value());
        if !findings.is_empty() {
            return Err(findings
                .into_iter()
                .map(|finding| document.locate("", finding))
                .collect());
        }
        let settings: InstanceSettings = serde_json::from_value(document.value().clone())
            .map_err(|error| vec![Problem::of_file(file, error.to_string())])?;
        let mut findings = shadow_findings(&settings);
        findings.extend(check_instance_delays(InstanceDelays {
            on_delay: settings.on_delay,
            off_delay: settings.off_delay,
        }));
        if !findings.is_empty() {
            return Err(findings
                .into_iter()
                .map(|finding| document.locate("", finding))
                .collect());
        }
        if let Some(Err(error)) = settings
            .component
            .as_deref()
            .filter(|component| Reference::is_meant(component))
            .map(Reference::parse)
        {
            let finding = Finding::error("/component", error.to_string());
            return Err(vec![document.locate("", finding)]);
        }
        let name = stem(file);
        let component = settings
            .component
            .clone()
            .unwrap_or_else(|| format!("{name}.wasm"));
        Ok(Self {
            name,
            component,
            settings,
            document: Some(document),
        })
    }

    /// Whether the instance shall run.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.settings.enabled.unwrap_or(true)
    }

    /// How a changed version runs beside the old one, if it does.
    #[must_use]
    pub fn shadow_terms(&self) -> Option<ShadowTerms> {
        self.settings.shadow.map(|time| ShadowTerms {
            run_for: Some(time.0),
            end: self.settings.shadow_end.unwrap_or_default(),
        })
    }

    /// The delays of its alarms at the host.
    #[must_use]
    pub const fn delays(&self) -> InstanceDelays {
        InstanceDelays {
            on_delay: self.settings.on_delay,
            off_delay: self.settings.off_delay,
        }
    }

    /// A finding about this instance, with file and line.
    #[must_use]
    pub fn locate(&self, finding: Finding) -> Problem {
        match &self.document {
            Some(document) => document.locate("", finding),
            None => Problem {
                severity: finding.severity,
                key: readable(&finding.path),
                hint: finding.hint,
                ..Problem::of_file(&self.component, finding.says)
            },
        }
    }

    /// Enters the tags that a function computes into the table, so that others can bind them.
    ///
    /// # Errors
    /// Output ports that do not exist, names that cannot be, names that are taken.
    pub fn declare_outputs(
        &self,
        about: &Description,
        tags: &mut TagTable,
    ) -> Result<Vec<BoundOutput>, Vec<Problem>> {
        let mut findings = unknown_ports(
            "outputs",
            self.settings.outputs.keys(),
            about.outputs.iter().map(|port| &port.name),
        );
        let source: Arc<str> = format!("function {}", self.name).into();
        let mut bound = Vec::new();
        for port in &about.outputs {
            let path = format!("/outputs/{}", escape(&port.name));
            let name = self
                .settings
                .outputs
                .get(&port.name)
                .cloned()
                .unwrap_or_else(|| format!("{}.{}", self.name, port.name));
            if let Some(says) = bad_tag_name(&name) {
                findings.push(Finding::error(path, says));
                continue;
            }
            if let Some(taken) = tags
                .find(&name)
                .and_then(|id| tags.get(id))
                .filter(|tag| tag.source != source)
            {
                findings.push(
                    Finding::error(
                        path,
                        format!("the tag `{name}` is taken by {}", taken.source),
                    )
                    .hint("give the output another name under [outputs]"),
                );
                continue;
            }
            let value_type = if port.port_type == PortType::Bool {
                ValueType::Bool
            } else {
                ValueType::F64
            };
            let tag = tags.put(Tag {
                name: name.as_str().into(),
                value_type,
                unit: port.unit.as_deref().map(Arc::from),
                description: (!port.summary.is_empty()).then(|| port.summary.as_str().into()),
                source: Arc::clone(&source),
            });
            bound.push(BoundOutput {
                port: port.name.clone(),
                tag,
                tag_name: name.as_str().into(),
            });
        }
        self.settle(findings, bound)
    }

    /// Binds the instance to tags and checks its parameters.
    ///
    /// # Errors
    /// Everything that keeps the instance from running, each with what to do.
    pub fn bind(
        &self,
        kind: PluginKind,
        about: &Description,
        outputs: Vec<BoundOutput>,
        tags: &TagTable,
        defaults: &InstanceDefaults,
    ) -> Result<InstancePlan, Vec<Problem>> {
        let mut findings = unknown_ports(
            "inputs",
            self.settings.inputs.keys(),
            about.inputs.iter().map(|port| &port.name),
        );
        let mut inputs = Vec::new();
        for port in &about.inputs {
            inputs.extend(self.bind_port(port, &outputs, tags, &mut findings));
        }
        if about.inputs.is_empty() {
            findings.push(Finding::error(
                "",
                format!(
                    "the component `{}` describes no inputs, so it would never be called",
                    about.name
                ),
            ));
        }
        findings.extend(check_parameters(
            &self.settings.parameters,
            &about.parameters,
        ));
        let plan = InstancePlan {
            name: self.name.clone(),
            component: self.component.clone(),
            kind,
            inputs,
            outputs,
            parameters: Value::Object(self.settings.parameters.clone()),
            labels: self.settings.labels.clone(),
            limits: self.settings.limits.over(&defaults.limits),
            on_down: self.settings.on_down,
            needs_acknowledgement: self
                .settings
                .needs_acknowledgement
                .unwrap_or(defaults.needs_acknowledgement),
            latching: self.settings.latching.unwrap_or(defaults.latching),
        };
        self.settle(findings, plan)
    }

    fn bind_port(
        &self,
        port: &InputPort,
        outputs: &[BoundOutput],
        tags: &TagTable,
        findings: &mut Vec<Finding>,
    ) -> Vec<BoundInput> {
        let path = format!("/inputs/{}", escape(&port.name));
        let patterns: Vec<String> = match (self.settings.inputs.get(&port.name), &port.default) {
            (Some(choice), _) => choice.patterns().to_vec(),
            (None, Some(default)) => vec![default.clone()],
            (None, None) => Vec::new(),
        };
        let mut chosen = Vec::new();
        for pattern in &patterns {
            match tags.matching(pattern) {
                Ok(found) if found.is_empty() && !port.optional => {
                    findings.push(no_such_tag(&path, pattern, tags))
                }
                Ok(found) => chosen.extend(
                    found
                        .into_iter()
                        .filter(|id| outputs.iter().all(|output| output.tag != *id)),
                ),
                Err(says) => findings.push(Finding::error(&path, says)),
            }
        }
        let mut seen = BTreeSet::new();
        chosen.retain(|id| seen.insert(*id));
        if patterns.is_empty() && !port.optional {
            findings.push(
                Finding::error(
                    "/inputs",
                    format!("the input `{}` is not bound to a tag", port.name),
                )
                .hint(format!("add `{} = \"TAG\"` under [inputs]", port.name)),
            );
        }
        if chosen.len() > 1 && !port.many {
            let names: Vec<&str> = chosen.iter().take(4).map(|id| tags.name(*id)).collect();
            findings.push(
                Finding::error(
                    &path,
                    format!(
                        "`{}` takes one tag, but {} match: {} …",
                        port.name,
                        chosen.len(),
                        names.join(", ")
                    ),
                )
                .hint("name one tag, or make one instance for each"),
            );
        }
        chosen
            .into_iter()
            .filter_map(|id| {
                let tag = tags.get(id)?;
                if !port.port_type.takes(tag.value_type) {
                    findings.push(Finding::error(
                        &path,
                        format!(
                            "`{}` takes {}, but the tag `{}` is {}",
                            port.name, port.port_type, tag.name, tag.value_type
                        ),
                    ));
                }
                Some(BoundInput {
                    port: port.name.clone(),
                    tag: id,
                    tag_name: Arc::clone(&tag.name),
                    unit: tag.unit.clone(),
                    value_type: tag.value_type,
                })
            })
            .collect()
    }

    fn settle<T>(&self, findings: Vec<Finding>, done: T) -> Result<T, Vec<Problem>> {
        if findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
        {
            Err(findings
                .into_iter()
                .map(|finding| self.locate(finding))
                .collect())
        } else {
            Ok(done)
        }
    }
}

fn stem(file: &str) -> String {
    Path::new(file)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or(file)
        .to_owned()
}

/// What is wrong with the keys of shadows.
fn shadow_findings(settings: &InstanceSettings) -> Vec<Finding> {
    match (settings.shadow, settings.shadow_end) {
        (Some(time), _) if time.0.is_zero() => vec![
            Finding::error("/shadow", "a shadow needs some time to be compared in").hint(
                "write a time like `10m`, or take the key out: changes then take over at once",
            ),
        ],
        (None, Some(_)) => vec![
            Finding::error("/shadow_end", "there is no shadow that could end")
                .hint("add `shadow = \"10m\"`, or take this key out"),
        ],
        _ => Vec::new(),
    }
}

fn unknown_ports<'a>(
    table: &str,
    named: impl Iterator<Item = &'a String>,
    known: impl Iterator<Item = &'a String>,
) -> Vec<Finding> {
    let known: Vec<&str> = known.map(String::as_str).collect();
    named
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| {
            let finding = Finding::error(
                format!("/{table}/{}", escape(name)),
                format!("the component has no port `{name}`"),
            );
            match nearest(name, known.iter().copied()) {
                Some(near) => finding.hint(format!("did you mean `{near}`?")),
                None if known.is_empty() => finding.hint("it has none"),
                None => finding.hint(format!("it has {}", known.join(", "))),
            }
        })
        .collect()
}

fn no_such_tag(path: &str, pattern: &str, tags: &TagTable) -> Finding {
    let finding = Finding::error(path, format!("no tag is called `{pattern}`"));
    match nearest(pattern, tags.iter().map(|(_, tag)| &*tag.name)) {
        Some(near) => finding.hint(format!("did you mean `{near}`?")),
        None => finding.hint("`andon check` lists the tags with --tags"),
    }
}

/// What is wrong with a tag name, if anything.
fn bad_tag_name(name: &str) -> Option<String> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    if name.is_empty() || name.len() > 200 || !name.chars().all(fine) {
        Some(format!(
            "`{name}` cannot be a tag name: use letters, digits and . _ - / (at most 200)"
        ))
    } else {
        None
    }
}

/// What is wrong with the parameters of a component, by the schema that it gives of them; null where
/// it has none. Paths start with `/parameters`. A schema that would cost the checker too much, or
/// that leads out of itself, is refused.
#[must_use]
pub fn check_parameters(parameters: &Map<String, Value>, schema: &Value) -> Vec<Finding> {
    let none = schema.is_null() || schema.get("type").is_some_and(|kind| kind == "null");
    if none {
        return parameters
            .keys()
            .map(|key| {
                Finding::error(
                    format!("/parameters/{}", escape(key)),
                    format!("unknown key `{key}`"),
                )
                .hint("this component has no parameters")
            })
            .collect();
    }
    let judged = foreign_schema::judge(schema, parameters);
    let check = judged.and_then(|()| {
        let check = SchemaCheck::new(schema.clone());
        check.map_err(|why| format!("is no JSON Schema: {why}"))
    });
    match check {
        Ok(check) => check
            .check(&Value::Object(parameters.clone()))
            .into_iter()
            .map(|finding| Finding {
                path: format!("/parameters{}", finding.path),
                ..finding
            })
            .collect(),
        Err(why) => vec![Finding::error(
            "",
            format!("the component's own schema of parameters {why}"),
        )],
    }
}
