//! Values of inputs, as an expression sees them.

use andon_plugin::{Input, Reading, ValueType};
use rhai::Dynamic;

/// A value by the type of its tag.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    YesNo(bool),
    Text(String),
}

impl Value {
    /// Values to try an expression with.
    pub(crate) fn trials(kind: ValueType) -> [Self; 4] {
        match kind {
            ValueType::Number => [0.0, 1.0, 1e9, -1e9].map(Self::Number),
            ValueType::Bool => [false, true, false, true].map(Self::YesNo),
            ValueType::Text => [(); 4].map(|()| Self::Text(String::new())),
        }
    }

    /// As people read it.
    pub(crate) fn shown(&self, input: Option<&Input>) -> String {
        match self {
            Self::Number(value) => {
                let unit = input.and_then(|input| input.unit.as_deref());
                Reading::new(*value, unit).to_string()
            }
            Self::YesNo(yes) => yes.to_string(),
            Self::Text(text) => format!("\"{text}\""),
        }
    }
}

impl From<Value> for Dynamic {
    fn from(value: Value) -> Self {
        match value {
            Value::Number(value) => Self::from_float(value),
            Value::YesNo(yes) => Self::from_bool(yes),
            Value::Text(text) => text.into(),
        }
    }
}
