//! The exports: `configure` keeps the parameters, `evaluate` does what the mode says.

use std::cell::RefCell;

use crate::{hostile, plain};

#[allow(missing_docs, clippy::all, reason = "generated from the contract")]
pub(crate) mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "rule-plugin" });
}

pub(crate) use bindings::andon::plugin::types::{Action, Alarm, Failure, Priority, Samples};

/// What `configure` was given.
#[derive(Default, Clone)]
pub(crate) struct Parameters {
    /// How to behave.
    pub(crate) mode: String,
    /// A number whose meaning the mode gives.
    pub(crate) amount: u64,
}

thread_local! {
    static PARAMETERS: RefCell<Parameters> = RefCell::default();
}

struct Guest;

impl bindings::exports::andon::plugin::plugin::Guest for Guest {
    fn describe() -> String {
        serde_json::json!({
            "name": "hostile-rule",
            "version": "0.1.0",
            "summary": "Behaves as its mode says",
            "inputs": [{"name": "input", "type": "any", "many": true}],
            "parameters": {
                "type": "object",
                "properties": {"mode": {"type": "string"}, "amount": {"type": "integer"}},
            },
        })
        .to_string()
    }

    fn configure(config: String) -> Result<(), Failure> {
        let config: serde_json::Value =
            serde_json::from_str(&config).map_err(|error| failure("bad-json", error))?;
        let parameters = Parameters {
            mode: text(&config, "/parameters/mode").unwrap_or_else(|| "plain".to_owned()),
            amount: config
                .pointer("/parameters/amount")
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(0),
        };
        hostile::configure(&parameters)?;
        PARAMETERS.set(parameters);
        Ok(())
    }
}

impl bindings::exports::andon::plugin::rule::Guest for Guest {
    fn evaluate(now: i64, samples: Samples) -> Result<Vec<Action>, Failure> {
        PARAMETERS.with_borrow(|parameters| match parameters.mode.as_str() {
            "plain" => plain::evaluate(now, &samples),
            "threshold" => Ok(plain::threshold(&samples)),
            mode => hostile::evaluate(mode, parameters.amount, now, &samples),
        })
    }
}

/// A failure with no attributes.
pub(crate) fn failure(code: &str, message: impl ToString) -> Failure {
    Failure {
        code: code.to_owned(),
        message: message.to_string(),
        attributes: Vec::new(),
    }
}

/// An alarm with no attributes.
pub(crate) fn alarm(key: impl ToString, message: impl ToString) -> Alarm {
    Alarm {
        key: key.to_string(),
        priority: Priority::High,
        message: message.to_string(),
        attributes: Vec::new(),
    }
}

fn text(config: &serde_json::Value, pointer: &str) -> Option<String> {
    Some(config.pointer(pointer)?.as_str()?.to_owned())
}

bindings::export!(Guest with_types_in bindings);
