//! What a component says of itself; becomes the JSON of `describe`.

use schemars::JsonSchema;
use serde::Serialize;

/// Who a component is, what it reads and what it gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct About {
    name: &'static str,
    version: &'static str,
    summary: &'static str,
    inputs: Vec<InputPort>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<OutputPort>,
}

impl About {
    /// A component with its name (`tank-level`), version (`env!("CARGO_PKG_VERSION")`) and one
    /// sentence for people.
    #[must_use]
    pub const fn new(name: &'static str, version: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            version,
            summary,
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// Adds an input.
    #[must_use]
    pub fn input(mut self, port: InputPort) -> Self {
        self.inputs.push(port);
        self
    }

    /// Adds an output, of a function only. The order is that of [`crate::Output`].
    #[must_use]
    pub fn output(mut self, port: OutputPort) -> Self {
        self.outputs.push(port);
        self
    }

    /// The names of the outputs, in their order.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn output_names(&self) -> Vec<&'static str> {
        self.outputs.iter().map(|port| port.name).collect()
    }

    /// The names of the inputs, in their order.
    pub(crate) fn input_names(&self) -> Vec<&'static str> {
        self.inputs.iter().map(|port| port.name).collect()
    }

    /// The JSON of `describe`, with the schema of the parameters.
    pub(crate) fn describe<P: JsonSchema>(&self) -> String {
        #[derive(Serialize)]
        struct Description<'a> {
            #[serde(flatten)]
            about: &'a About,
            parameters: serde_json::Value,
        }
        let description = Description {
            about: self,
            parameters: schemars::schema_for!(P).to_value(),
        };
        // Plain structs with string keys: writing them cannot fail, and the host refuses an empty text.
        serde_json::to_string(&description).unwrap_or_default()
    }
}

/// The type that a port takes or gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PortType {
    /// Any integer, float or boolean.
    Number,
    /// 0 or 1.
    Bool,
    /// Characters; ask for them with [`crate::Call::text`].
    Text,
    /// Whatever there is.
    Any,
}

/// An input that a component reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InputPort {
    name: &'static str,
    #[serde(rename = "type")]
    port_type: PortType,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<&'static str>,
    many: bool,
    optional: bool,
    summary: &'static str,
}

impl InputPort {
    /// An input of this type; exactly one tag is bound to it.
    #[must_use]
    pub const fn new(name: &'static str, port_type: PortType) -> Self {
        Self {
            name,
            port_type,
            default: None,
            many: false,
            optional: false,
            summary: "",
        }
    }

    /// An input for numbers.
    #[must_use]
    pub const fn number(name: &'static str) -> Self {
        Self::new(name, PortType::Number)
    }

    /// An input for 0 or 1.
    #[must_use]
    pub const fn bool(name: &'static str) -> Self {
        Self::new(name, PortType::Bool)
    }

    /// An input for characters.
    #[must_use]
    pub const fn text(name: &'static str) -> Self {
        Self::new(name, PortType::Text)
    }

    /// An input for whatever there is.
    #[must_use]
    pub const fn any(name: &'static str) -> Self {
        Self::new(name, PortType::Any)
    }

    /// Lets more than one tag be bound.
    #[must_use]
    pub const fn many(mut self) -> Self {
        self.many = true;
        self
    }

    /// Lets the port stay unbound.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The tag name or pattern (`*.level`) that is bound where the settings name none.
    #[must_use]
    pub const fn default_tags(mut self, pattern: &'static str) -> Self {
        self.default = Some(pattern);
        self
    }

    /// What it is, for people.
    #[must_use]
    pub const fn summary(mut self, text: &'static str) -> Self {
        self.summary = text;
        self
    }
}

/// A value that a function computes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutputPort {
    name: &'static str,
    #[serde(rename = "type")]
    port_type: PortType,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'static str>,
    summary: &'static str,
}

impl OutputPort {
    /// An output that is a number.
    #[must_use]
    pub const fn number(name: &'static str) -> Self {
        Self {
            name,
            port_type: PortType::Number,
            unit: None,
            summary: "",
        }
    }

    /// An output that is 0 or 1.
    #[must_use]
    pub const fn bool(name: &'static str) -> Self {
        Self {
            port_type: PortType::Bool,
            ..Self::number(name)
        }
    }

    /// Its engineering unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    /// What it is, for people.
    #[must_use]
    pub const fn summary(mut self, text: &'static str) -> Self {
        self.summary = text;
        self
    }
}
