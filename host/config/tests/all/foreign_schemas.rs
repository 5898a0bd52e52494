//! Schemas that components give of their parameters: good ones of every kind are taken, and none
//! costs the host its stack, its memory or its time.

use andon_config::check_parameters;
use serde_json::{Map, Value, json};

/// What is said of these parameters by this schema.
fn says_of(parameters: &Value, schema: &Value) -> Vec<String> {
    let parameters = parameters.as_object().expect("a table");
    let found = check_parameters(parameters, schema);
    found.iter().map(ToString::to_string).collect()
}

fn says(schema: &Value) -> Vec<String> {
    let parameters = json!({"limit": 5.0, "names": ["a", "b"], "deep": {"deep": {"deep": {}}}});
    says_of(&parameters, schema)
}

/// Fails unless the schema itself is refused, with these words.
fn assert_refused(schema: &Value, words: &str) {
    let says = says(schema);
    let [only] = says.as_slice() else {
        panic!("{schema}: {says:?}")
    };
    let wanted = "the component's own schema of parameters ";
    assert!(only.contains(wanted) && only.contains(words), "{only}");
    assert!(only.chars().count() < 500, "{only}");
}

/// Definitions `d0` to `d{count}`, each made of the next; the last is this.
fn defined(count: usize, last: &Value, each: impl Fn(Value) -> Value) -> Value {
    let mut defs = Map::new();
    for index in 0..count {
        let next = json!({"$ref": format!("#/$defs/d{}", index + 1)});
        defs.insert(format!("d{index}"), each(next));
    }
    defs.insert(format!("d{count}"), last.clone());
    json!({"$ref": "#/$defs/d0", "$defs": defs})
}

#[test]
fn a_schema_that_refers_to_itself_without_end_is_refused() {
    let words = "refers to itself without end";
    assert_refused(&json!({"$ref": "#"}), words);
    assert_refused(&json!({"allOf": [{"$ref": "#"}]}), words);
    assert_refused(&json!({"not": {"if": true, "then": {"$ref": "#"}}}), words);
    let circle = json!({
        "$ref": "#/$defs/a",
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}},
    });
    assert_refused(&circle, words);
    // One that goes on below: it is reached where there are parameters for it.
    let below = json!({"properties": {"deep": {"oneOf": [{"$ref": "#/properties/deep"}]}}});
    assert_refused(&below, words);
}

#[test]
fn a_tree_of_tables_may_refer_to_itself() {
    let tree = json!({"$ref": "#/$defs/node", "$defs": {"node": {
        "properties": {"deep": {"$ref": "#/$defs/node"}, "limit": {"type": "number"}},
        "additionalProperties": {"type": "array"},
    }}});
    assert_eq!(says(&tree), [""; 0]);
    let wrong = json!({"deep": {"deep": {"limit": "high"}}});
    let found = says_of(&wrong, &tree);
    assert!(found.len() == 1 && found[0].contains("limit"), "{found:?}");
}

#[test]
fn a_schema_that_doubles_at_each_reference_is_refused() {
    let twice = |next: Value| json!({"allOf": [next.clone(), next]});
    for last in [json!({"type": "object"}), json!({"type": "string"})] {
        let schema = defined(40, &last, twice);
        assert_refused(&schema, "asks for more than 100000 checks");
    }
    // A few doublings are fine.
    assert_eq!(
        says(&defined(8, &json!({"type": "object"}), twice)),
        [""; 0]
    );
    let below =
        json!({"additionalProperties": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}, {"$ref": "#"}]}});
    assert_eq!(says(&below), [""; 0]);
    let mut deep = json!({});
    for _ in 0..40 {
        deep = json!({ "deep": deep });
    }
    let found = says_of(&deep, &below);
    assert!(found[0].contains("asks for more than 100000 checks"));
}

#[test]
fn branches_that_are_gone_through_twice_count_twice() {
    // What is unevaluated is found by another look at every branch, and so at each level.
    let level = |next: Value| json!({"unevaluatedProperties": true, "allOf": [next]});
    let schema = defined(60, &json!({"type": "object"}), level);
    assert_refused(&schema, "asks for more than 100000 checks");
}

#[test]
fn a_chain_of_references_does_not_use_up_the_stack() {
    let last = json!({"type": "object"});
    let applied = defined(900, &last, |next| next);
    assert_refused(&applied, "is more than 128 checks deep");
    let long = defined(60_000, &last, |next| next);
    assert_refused(&long, "has more than");
    // Not reached by the parameters, but compiled.
    let mut aside = defined(900, &last, |next| json!({"allOf": [next]}));
    aside["$ref"] = json!("#/$defs/d900");
    assert_eq!(says(&aside), [""; 0]);
    aside["properties"] = json!({"other": {"$ref": "#/$defs/d0"}});
    assert_eq!(says(&aside), [""; 0]);
}

#[test]
fn patterns_are_bounded_in_number_size_and_steps() {
    let mut properties = Map::new();
    for index in 0..65 {
        let pattern = format!("(\\w{{90}}){{2}}x{{{}}}", index + 1);
        properties.insert(format!("p{index}"), json!({"pattern": pattern}));
    }
    assert_refused(
        &json!({ "properties": properties }),
        "more than 64 patterns",
    );
    let named: Map<String, Value> = (0..65).map(|i| (format!("^x{i}$"), json!({}))).collect();
    assert_refused(
        &json!({ "patternProperties": named }),
        "more than 64 patterns",
    );
    let huge = json!({"properties": {"p": {"pattern": "((a{1000}){1000}){1000}"}}});
    assert_refused(&huge, "is no JSON Schema");
    let large = json!({"properties": {"p": {"pattern": "(\\p{L}{100}){20}"}}});
    assert_refused(&large, "is no JSON Schema");
    // Backtracking of this kind would take 2^60 steps.
    let slow = json!({"properties": {"p": {"pattern": "^(a|a)*\\1b$"}}});
    let parameters = json!({"p": "a".repeat(60)});
    assert_eq!(says_of(&parameters, &slow).len(), 1);
    let name = json!({"properties": {"p": {"pattern": "^[\\w-]{1,64}$"}}});
    assert_eq!(says_of(&json!({"p": "tank-1"}), &name), [""; 0]);
    assert_eq!(says_of(&json!({"p": "tank 1"}), &name).len(), 1);
}

#[test]
fn a_schema_that_is_too_large_is_refused() {
    let many: Map<String, Value> = (0..20_001).map(|i| (i.to_string(), json!(true))).collect();
    assert_refused(&json!({ "properties": many }), "has more than 20000 values");
}

#[test]
fn references_lead_to_places_in_the_schema_alone() {
    for target in [
        "https://example.org/schema.json",
        "file:///etc/passwd",
        "other.json",
        "#anchor",
        "#/$defs/a%2Fb",
        "",
    ] {
        assert_refused(&json!({ "$ref": target }), "is no place in it");
    }
    assert_refused(&json!({"$ref": "#/$defs/missing"}), "is no JSON Schema");
    assert_refused(
        &json!({"$dynamicAnchor": "a", "$dynamicRef": "#a"}),
        "uses `$dynamicRef`",
    );
    assert_refused(&json!({"$recursiveRef": "#"}), "uses `$recursiveRef`");
    assert_refused(
        &json!({"$defs": {"a": {"$id": "https://example.org/a"}}}),
        "has `$id` below its top",
    );
    let old = "http://json-schema.org/draft-04/schema#";
    assert_refused(
        &json!({"$schema": old, "definitions": {"a": {"id": "other", "type": "object"}}}),
        "has `id` below its top",
    );
    // A property may have any name, and a default may hold any key.
    let fine = json!({"properties": {
        "$ref": {"type": "string"}, "$id": {"type": "string"}, "id": {"default": {"id": "pump"}},
    }});
    assert_eq!(says(&fine), [""; 0]);
}

#[test]
fn a_schema_that_is_none_is_told_in_a_line() {
    assert_refused(&json!({"type": "tabel"}), "is no JSON Schema");
    assert_refused(&json!([{}]), "is no JSON Schema");
    assert_refused(&json!("x".repeat(100_000)), "is no JSON Schema");
    assert_refused(&json!({"type": "\u{1b}[2J"}), "is no JSON Schema");
    let escapes = json!({"properties": {"\u{1b}[2J": {}}});
    assert_refused(&escapes, "has a key with control characters");
    let draft = json!({"$schema": "https://example.org/draft"});
    assert_refused(&draft, "is no JSON Schema");
}

#[test]
fn schemas_of_every_draft_in_use_are_taken() {
    for draft in [
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ] {
        let schema = json!({
            "$schema": draft,
            "type": "object",
            "properties": {
                "limit": {"$ref": "#/definitions/limit"},
                "names": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]$"}},
            },
            "required": ["limit"],
            "definitions": {"limit": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
        });
        assert_eq!(says(&schema), [""; 0], "{draft}");
        let found = says_of(&json!({"limit": 1.0, "names": ["A"]}), &schema);
        assert_eq!(found.len(), 1, "{draft}: {found:?}");
    }
}
