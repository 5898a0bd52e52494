//! The exports: `plain` doubles what comes in; the other modes answer nonsense.

use std::cell::RefCell;

#[allow(missing_docs, clippy::all, reason = "generated from the contract")]
mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "function-plugin" });
}

use bindings::andon::plugin::types::{Failure, Samples};

thread_local! {
    static MODE: RefCell<String> = RefCell::default();
}

struct Guest;

impl bindings::exports::andon::plugin::plugin::Guest for Guest {
    fn describe() -> String {
        serde_json::json!({
            "name": "hostile-function",
            "version": "0.1.0",
            "summary": "Doubles its input, or answers nonsense",
            "inputs": [{"name": "input", "many": true}],
            "outputs": [{"name": "doubled"}, {"name": "count"}],
        })
        .to_string()
    }

    fn configure(config: String) -> Result<(), Failure> {
        let config: serde_json::Value = serde_json::from_str(&config).map_err(|e| Failure {
            code: "bad-json".to_owned(),
            message: e.to_string(),
            attributes: Vec::new(),
        })?;
        let mode = config.pointer("/parameters/mode").and_then(|m| m.as_str());
        MODE.set(mode.unwrap_or("plain").to_owned());
        Ok(())
    }
}

impl bindings::exports::andon::plugin::function::Guest for Guest {
    fn compute(now: i64, samples: Samples) -> Result<Samples, Failure> {
        let mut answer = Samples {
            input: vec![0; samples.input.len()],
            value: samples.value.iter().map(|value| value * 2.0).collect(),
            quality: samples.quality,
            time: samples.time,
        };
        MODE.with_borrow(|mode| match mode.as_str() {
            "uneven" => answer.value.push(1.0),
            "bad-index" => answer.input.fill(2),
            "nan" => answer.value.fill(f64::NAN),
            "infinite" => answer.value.fill(f64::NEG_INFINITY),
            "future" => answer.time.fill(now.saturating_add(1)),
            "flood" => {
                answer.input.resize(1_000_000, 0);
                answer.value.resize(1_000_000, 0.0);
                answer.quality.resize(1_000_000, 192);
                answer.time.resize(1_000_000, now);
            }
            _ => {}
        });
        Ok(answer)
    }
}

bindings::export!(Guest with_types_in bindings);
