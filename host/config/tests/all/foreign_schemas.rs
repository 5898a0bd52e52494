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
    assert_refused(&json!({"type": "no-such"}), "is no JSON Schema");
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

/// SplitMix64: the same numbers from the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = self.next() % of.len() as u64;
        &of[usize::try_from(at).expect("it is small")]
    }

    fn once_in(&mut self, times: u64) -> bool {
        self.next().is_multiple_of(times)
    }

    /// A schema of keywords of all drafts, one in forty with a value of another type.
    fn schema(&mut self, depth: u32) -> Value {
        if depth == 0 || self.once_in(12) {
            return json!(self.once_in(2));
        }
        let mut schema = Map::new();
        for _ in 0..=self.next() % 3 {
            let (keywords, kind) = *self.pick(&KEYWORDS);
            let keyword = (*self.pick(keywords)).to_owned();
            let value = self.value(kind, depth - 1);
            schema.insert(keyword, value);
        }
        if self.once_in(4) {
            schema.insert("$ref".into(), json!(*self.pick(&TARGETS)));
        }
        Value::Object(schema)
    }

    fn value(&mut self, kind: Kind, depth: u32) -> Value {
        if self.once_in(40) {
            return self.leaf();
        }
        match kind {
            Kind::Schema => self.schema(depth),
            Kind::Schemas => json!([self.schema(depth), self.schema(depth)]),
            Kind::Named => {
                let (one, other) = (*self.pick(&NAMES), *self.pick(&NAMES));
                json!({ one: self.schema(depth), other: self.schema(depth) })
            }
            Kind::Number => json!(self.next() % 4),
            Kind::Texts => json!([*self.pick(&NAMES)]),
            Kind::Text => json!(*self.pick(&TEXTS)),
            Kind::Anything => self.leaf(),
        }
    }

    fn leaf(&mut self) -> Value {
        let leaves = [
            json!(true),
            json!(false),
            json!(null),
            json!({}),
            json!([]),
            json!(0),
            json!(-1),
            json!(2),
            json!(1e308),
            json!(0.1),
            json!(u64::MAX),
            json!("object"),
            json!("string"),
            json!(["number", "null"]),
            json!("^(a|b)*$"),
            json!("(?=a)\\1"),
            json!("["),
            json!("date-time"),
            json!("#"),
            json!("a"),
        ];
        self.pick(&leaves).clone()
    }
}

const NAMES: [&str; 8] = ["limit", "names", "deep", "a", "", "~0/~1", "^.*$", "type"];

const TARGETS: [&str; 8] = [
    "#",
    "#/$defs/a",
    "#/definitions/a",
    "#/properties/deep",
    "#/allOf/0",
    "#/items",
    "#/$defs/~0~00~1~01",
    "#/",
];

const TEXTS: [&str; 10] = [
    "object",
    "string",
    "number",
    "array",
    "date-time",
    "^(a|b)*$",
    "(?=a)\\1",
    "[",
    "base64",
    "a",
];

/// What a keyword wants.
#[derive(Clone, Copy)]
enum Kind {
    Schema,
    Schemas,
    Named,
    Number,
    Texts,
    Text,
    Anything,
}

const KEYWORDS: [(&[&str], Kind); 7] = [
    (
        &[
            "not",
            "if",
            "then",
            "else",
            "additionalProperties",
            "propertyNames",
            "items",
            "unevaluatedProperties",
            "unevaluatedItems",
            "additionalItems",
            "contains",
            "contentSchema",
        ],
        Kind::Schema,
    ),
    (
        &["allOf", "anyOf", "oneOf", "prefixItems", "items"],
        Kind::Schemas,
    ),
    (
        &[
            "$defs",
            "definitions",
            "properties",
            "patternProperties",
            "dependentSchemas",
            "dependencies",
        ],
        Kind::Named,
    ),
    (
        &[
            "minContains",
            "maxContains",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
            "multipleOf",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "minLength",
            "maxLength",
        ],
        Kind::Number,
    ),
    (&["required", "enum"], Kind::Texts),
    (
        &[
            "type",
            "pattern",
            "format",
            "contentEncoding",
            "contentMediaType",
            "title",
            "$comment",
            "$anchor",
            "$dynamicAnchor",
            "$schema",
            "$id",
            "id",
        ],
        Kind::Text,
    ),
    (
        &[
            "const",
            "default",
            "examples",
            "uniqueItems",
            "$recursiveAnchor",
            "$vocabulary",
            "discriminator",
            "nullable",
            "dependentRequired",
        ],
        Kind::Anything,
    ),
];

#[test]
fn no_schema_takes_the_host_with_it() {
    let rounds = std::env::var("ANDON_SCHEMAS").ok();
    let rounds = rounds.and_then(|text| text.parse().ok()).unwrap_or(3_000);
    let (mut refused, mut told, mut taken) = (0, 0, 0);
    for seed in 0..rounds {
        let schema = Random(seed).schema(4);
        let says = says(&schema);
        let whole: usize = says.iter().map(String::len).sum();
        assert!(whole < 100_000, "{schema}");
        match says.first() {
            None => taken += 1,
            Some(first) if first.contains("own schema of parameters") => refused += 1,
            Some(_) => told += 1,
        }
    }
    println!("{rounds} schemas: {refused} refused, {told} told something, {taken} took all");
    assert!(refused > 0 && told > 0 && taken > 0);
}
