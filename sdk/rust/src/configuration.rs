//! Reads the JSON of `configure`, and says which parameter is wrong and what it may be.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{About, Failure, Input, Inputs};

/// The JSON of `configure`, read. Unknown fields are let pass, so that a later host can say more.
#[derive(Debug)]
pub(crate) struct Configuration<P> {
    pub(crate) instance: String,
    pub(crate) parameters: P,
    pub(crate) inputs: Inputs,
}

impl<P: DeserializeOwned + JsonSchema> Configuration<P> {
    pub(crate) fn read(json: &str, about: &About) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Raw {
            #[serde(default)]
            instance: String,
            #[serde(default)]
            parameters: Value,
            #[serde(default)]
            inputs: Vec<Input>,
        }
        let raw: Raw = serde_json::from_str(json).map_err(|error| {
            Failure::new(
                "bad-configuration",
                format!("the configuration from the host cannot be read: {error}"),
            )
        })?;
        let inputs = Inputs::new(raw.inputs);
        check_ports(&inputs, about)?;
        Ok(Self {
            instance: raw.instance,
            parameters: read_parameters(raw.parameters)?,
            inputs,
        })
    }
}

fn check_ports(inputs: &Inputs, about: &About) -> Result<(), Failure> {
    let known = about.input_names();
    match inputs
        .iter()
        .find(|input| !known.contains(&input.port.as_str()))
    {
        None => Ok(()),
        Some(stranger) => Err(Failure::inputs(format!(
            "there is no input `{}`: this plugin has {}",
            stranger.port,
            listed(&known)
        ))),
    }
}

fn read_parameters<P: DeserializeOwned + JsonSchema>(given: Value) -> Result<P, Failure> {
    // Settings without any parameters are an empty table; `()` reads from null alone.
    let given = if given.is_null() {
        Value::Object(serde_json::Map::new())
    } else {
        given
    };
    if given.as_object().is_some_and(serde_json::Map::is_empty)
        && let Ok(none) = serde_json::from_value(Value::Null)
    {
        return Ok(none);
    }
    serde_path_to_error::deserialize(given).map_err(|error| {
        let path = error.path().to_string();
        let says = error.into_inner().to_string();
        let name = if path == "." {
            missing_field(&says).unwrap_or_default().to_owned()
        } else {
            path
        };
        explain::<P>(&name, &says)
    })
}

/// The name in ``missing field `high` ``.
fn missing_field(says: &str) -> Option<&str> {
    says.strip_prefix("missing field `")?.split('`').next()
}

fn explain<P: JsonSchema>(name: &str, says: &str) -> Failure {
    let schema = schemars::schema_for!(P).to_value();
    let mut message = if name.is_empty() {
        format!("parameters: {says}")
    } else {
        format!("parameter `{name}`: {says}")
    };
    if let Some(allowed) = allowed(&schema, name) {
        message.push_str(&format!(" ({allowed})"));
    }
    let mut failure = Failure::new("bad-parameter", message);
    if !name.is_empty() {
        failure
            .attributes
            .push(("parameter".into(), name.to_owned()));
    }
    failure
}

/// What the schema says of a parameter: its type and the author's own words.
fn allowed(schema: &Value, path: &str) -> Option<String> {
    let mut place = schema;
    for step in path.split('.') {
        place = resolve(schema, place).get("properties")?.get(step)?;
    }
    let place = resolve(schema, place);
    let kind = match place.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            let kinds: Vec<&str> = kinds.into_iter().filter(|kind| *kind != "null").collect();
            kinds.join(" or ")
        }
        _ => String::new(),
    };
    let words = place.get("description").and_then(Value::as_str);
    match (kind.as_str(), words) {
        ("", None) => None,
        (kind, None) => Some(kind.to_owned()),
        ("", Some(words)) => Some(one_line(words)),
        (kind, Some(words)) => Some(format!("{kind}: {}", one_line(words))),
    }
}

/// Follows a `$ref` into the schema's own definitions.
fn resolve<'a>(schema: &'a Value, place: &'a Value) -> &'a Value {
    place
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| schema.pointer(reference.strip_prefix('#')?))
        .unwrap_or(place)
}

fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".into();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DurationText, InputPort};

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "read by serde alone")]
    struct Parameters {
        /// High limit,
        /// in the unit of the tag.
        high: f64,
        #[serde(default)]
        on_delay: DurationText,
    }

    fn read(parameters: &str) -> Result<Configuration<Parameters>, Failure> {
        let json = format!(r#"{{"instance":"a","parameters":{parameters},"inputs":[],"new":1}}"#);
        Configuration::read(&json, &About::new("a", "1", "").input(InputPort::any("in")))
    }

    #[test]
    fn a_wrong_parameter_is_named_with_what_is_allowed() {
        let error = read(r#"{"high":"much"}"#).unwrap_err();
        assert_eq!(
            error.message,
            "parameter `high`: invalid type: string \"much\", expected f64 \
             (number: High limit, in the unit of the tag.)"
        );
        assert_eq!(error.code, "bad-parameter");
        let error = read(r#"{"high":1,"on_delay":"5"}"#).unwrap_err();
        assert!(
            error
                .message
                .starts_with("parameter `on_delay`: `5` is not a duration")
        );
    }

    #[test]
    fn a_missing_and_an_unknown_parameter_are_named() {
        let error = read("{}").unwrap_err();
        assert_eq!(
            error.message,
            "parameter `high`: missing field `high` (number: High limit, in the unit of the tag.)"
        );
        let error = read(r#"{"hihg":1}"#).unwrap_err();
        assert!(
            error
                .message
                .contains("unknown field `hihg`, expected `high` or `on_delay`")
        );
    }

    #[test]
    fn no_parameters_are_read_from_an_empty_table_and_from_nothing() {
        let about = About::new("a", "1", "");
        for json in [r#"{"parameters":{}}"#, r#"{"parameters":null}"#, "{}"] {
            assert!(Configuration::<()>::read(json, &about).is_ok(), "{json}");
        }
    }

    #[test]
    fn an_input_of_an_unknown_port_is_refused() {
        let json = r#"{"parameters":{},"inputs":[{"port":"levle","tag":"t","type":"f32"}]}"#;
        let about = About::new("a", "1", "").input(InputPort::any("level"));
        let error = Configuration::<()>::read(json, &about).unwrap_err();
        assert_eq!(
            error.message,
            "there is no input `levle`: this plugin has `level`"
        );
    }

    #[test]
    fn broken_json_is_a_failure_and_no_panic() {
        let about = About::new("a", "1", "");
        for json in ["", "3", "{", r#"{"inputs":3}"#] {
            assert!(Configuration::<()>::read(json, &about).is_err(), "{json}");
        }
    }
}
