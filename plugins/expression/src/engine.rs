//! The expression library, with only what an expression may do.
//!
//! An expression can neither loop nor call anything but the functions that are listed here. Each run is
//! bounded in operations and depth besides.

use andon_plugin::Failure;
use rhai::{
    AST, Dynamic, Engine, EvalAltResult, ImmutableString, OptimizationLevel, Position, Scope,
};

use crate::names::Names;
use crate::reader::{self, Mistake, Reading};
use crate::value::Value;

/// Longest expression, in characters.
const CHARACTERS_MAX: usize = 2_000;
/// Deepest nesting of parentheses and operators.
const DEPTH_MAX: usize = 64;
/// Steps of one run; an expression of the greatest length needs fewer.
const OPERATIONS_MAX: u64 = 20_000;
/// Characters of a text that is made in an expression.
const TEXT_MAX: usize = 4_096;

/// An expression, ready to run.
pub(crate) struct Compiled {
    engine: Engine,
    ast: AST,
    pub(crate) reading: Reading,
}

impl Compiled {
    /// Compiles an expression, and tries it with values of the inputs' types, so that it cannot turn
    /// out at night that a text is compared with a number. `samples` gives some values of an input.
    pub(crate) fn new(text: &str, names: &Names, trials: &[Vec<Value>]) -> Result<Self, Failure> {
        let length = text.chars().count();
        if length > CHARACTERS_MAX {
            let must = format!("at most {CHARACTERS_MAX} characters long");
            return Err(Failure::parameter(
                "expression",
                format!("{length} characters long"),
                &must,
            ));
        }
        let reading = reader::read(text, names).map_err(|mistake| explain(&mistake))?;
        let engine = engine();
        let ast = engine
            .compile_expression(&reading.script)
            .map_err(|error| {
                explain(&Mistake {
                    column: column_of(&reading, error.position()),
                    says: in_words(&reading, &error.err_type().to_string()),
                })
            })?;
        let compiled = Self {
            engine,
            ast,
            reading,
        };
        for values in trials {
            compiled
                .run(|place| values.get(place).cloned())
                .map_err(|mistake| explain(&mistake))?;
        }
        Ok(compiled)
    }

    /// Whether the expression holds for these values.
    pub(crate) fn run(&self, value: impl Fn(usize) -> Option<Value>) -> Result<bool, Mistake> {
        let mut scope = Scope::new();
        for (place, _) in &self.reading.used {
            if let Some(value) = value(*place) {
                scope.push_dynamic(reader::variable(*place), value.into());
            }
        }
        let answer = self
            .engine
            .eval_ast_with_scope::<Dynamic>(&mut scope, &self.ast)
            .map_err(|error| Mistake {
                column: column_of(&self.reading, error.position()),
                says: in_words(&self.reading, &without_position(&error)),
            })?;
        answer.as_bool().map_err(|kind| Mistake {
            column: 1,
            says: format!(
                "it gives {} where yes or no is needed: compare it with something",
                article(kind)
            ),
        })
    }
}

fn explain(mistake: &Mistake) -> Failure {
    let Mistake { column, says } = mistake;
    let mut failure = Failure::new(
        "bad-parameter",
        format!("parameter `expression`, character {column}: {says}"),
    );
    let mut say = |name: &str, value: String| failure.attributes.push((name.to_owned(), value));
    say("parameter", "expression".to_owned());
    say("character", column.to_string());
    failure
}

fn column_of(reading: &Reading, position: Position) -> usize {
    reading.column(position.position().unwrap_or(usize::MAX))
}

/// The engine's words with the names that people wrote.
fn in_words(reading: &Reading, says: &str) -> String {
    let mut says = says.to_owned();
    for (place, name) in &reading.used {
        says = says.replace(
            &format!("'{}'", reader::variable(*place)),
            &format!("`{name}`"),
        );
    }
    says.replace("f64", "number")
        .replace("ImmutableString", "text")
        .replace("&str", "text")
        .replace("bool", "yes/no")
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library has some thirty errors, most of which no expression can reach; they speak for themselves"
)]
fn without_position(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorRuntime(says, _) => says.to_string(),
        EvalAltResult::ErrorMismatchDataType(_, actual, _) => {
            format!(
                "{} stands where yes or no is needed: compare it with something",
                article(actual)
            )
        }
        EvalAltResult::ErrorFunctionNotFound(call, _) => {
            format!("these do not go together: {call}")
        }
        other => {
            let text = other.to_string();
            text.split(" (line ").next().unwrap_or(&text).to_owned()
        }
    }
}

fn article(kind: &str) -> &'static str {
    match kind {
        "f64" => "a number",
        "bool" => "yes or no",
        "string" | "&str" => "a text",
        _ => "nothing",
    }
}

type Answer = Result<bool, Box<EvalAltResult>>;

fn engine() -> Engine {
    let mut engine = Engine::new_raw();
    engine.set_optimization_level(OptimizationLevel::None);
    // Comparisons of unlike types are answered below, not by the engine's silent `false`.
    engine.set_fast_operators(false);
    engine.set_max_operations(OPERATIONS_MAX);
    engine.set_max_expr_depths(DEPTH_MAX);
    engine.set_max_string_size(TEXT_MAX);
    engine.register_fn("-", |a: f64| -a);
    engine.register_fn("!", |a: bool| !a);
    engine.register_fn("abs", f64::abs);
    engine.register_fn("round", f64::round);
    engine.register_fn("floor", f64::floor);
    engine.register_fn("ceiling", f64::ceil);
    engine.register_fn("sqrt", f64::sqrt);
    engine.register_fn("sign", |a: f64| if a == 0.0 { 0.0 } else { a.signum() });
    engine.register_fn("min", f64::min);
    engine.register_fn("max", f64::max);
    register_unlike(&mut engine);
    engine
}

/// A yes/no input equals 1 or 0; all other comparisons of unlike things are mistakes.
fn register_unlike(engine: &mut Engine) {
    engine.register_fn("==", |a: bool, b: f64| f64::from(u8::from(a)) == b);
    engine.register_fn("==", |a: f64, b: bool| a == f64::from(u8::from(b)));
    engine.register_fn("!=", |a: bool, b: f64| f64::from(u8::from(a)) != b);
    engine.register_fn("!=", |a: f64, b: bool| a != f64::from(u8::from(b)));
    for order in ["<", ">", "<=", ">="] {
        engine.register_fn(order, |_: bool, _: f64| unlike("yes or no", "a number"));
        engine.register_fn(order, |_: f64, _: bool| unlike("a number", "yes or no"));
        engine.register_fn(order, |_: bool, _: bool| -> Answer {
            Err("yes or no is neither more nor less than yes or no".into())
        });
    }
    for comparison in ["==", "!=", "<", ">", "<=", ">="] {
        engine.register_fn(comparison, |_: ImmutableString, _: f64| {
            unlike("a text", "a number")
        });
        engine.register_fn(comparison, |_: f64, _: ImmutableString| {
            unlike("a number", "a text")
        });
        engine.register_fn(comparison, |_: ImmutableString, _: bool| {
            unlike("a text", "yes or no")
        });
        engine.register_fn(comparison, |_: bool, _: ImmutableString| {
            unlike("yes or no", "a text")
        });
    }
}

fn unlike(left: &str, right: &str) -> Answer {
    Err(format!("{left} cannot be compared with {right}").into())
}
