//! What the API answers: against its own description, and by filters and pages.

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::kit::Stand;
use crate::api::openapi::document;
use crate::api::routes::{ROUTES, Verb};
use crate::{ApiSettings, Command, LifeOrder, Role};

/// What a good answer of an operation looks like, if it is JSON.
fn schema(document: &Value, path: &str, verb: &str) -> Option<Value> {
    let content = &document["paths"][path][verb]["responses"]["200"]["content"]["application/json"];
    let mut schema = content.get("schema")?.clone();
    schema["components"] = document["components"].clone();
    Some(schema)
}

#[tokio::test]
async fn every_answer_is_as_the_description_says() {
    let (stand, document) = (Stand::new(), document());
    let mut checked = 0;
    for route in ROUTES
        .iter()
        .filter(|route| route.path.starts_with("/api/"))
    {
        let Some(schema) = schema(&document, route.path, route.verb.word()) else {
            assert_eq!(route.path, "/api/v1/events", "{} has no shape", route.path);
            continue;
        };
        let path = route
            .path
            .replace("{token}", "viewer")
            .replace("{alarm}", "K7");
        let path = path
            .split('/')
            .map(|part| if part.starts_with('{') { "x" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        let answer = match route.verb {
            Verb::Post if route.path.ends_with("/shelve") || route.path.ends_with("-out") => {
                stand
                    .post(
                        &path,
                        Role::Admin,
                        json!({ "reason": "the sensor is being changed" }),
                    )
                    .await
            }
            Verb::Post => {
                stand
                    .post(
                        &path,
                        Role::Admin,
                        json!({ "values": { "tank7.level": 1 } }),
                    )
                    .await
            }
            Verb::Get => {
                stand
                    .ask(stand.request("GET", &path, Some(Role::Admin)))
                    .await
            }
            Verb::Delete => {
                stand
                    .ask(stand.request("DELETE", &path, Some(Role::Admin)))
                    .await
            }
        };
        let path = if path.ends_with("/K7") {
            "/api/v1/alarms/9"
        } else {
            &path
        };
        let answer = match (answer.status, route.path) {
            // The one that stands is called by its number here.
            (StatusCode::NOT_FOUND, "/api/v1/alarms/{alarm}") => stand.get(path).await,
            _ => answer,
        };
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let problems: Vec<String> = validator
            .iter_errors(&answer.body)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(problems, Vec::<String>::new(), "{path}: {}", answer.text);
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        checked += 1;
    }
    assert!(checked >= 22, "{checked}");
}

#[tokio::test]
async fn the_description_is_strict_enough_to_notice_a_missing_field() {
    let (stand, document) = (Stand::new(), document());
    let schema = schema(&document, "/api/v1/alarms", "get").unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = stand.get("/api/v1/alarms").await.body;
    assert!(validator.is_valid(&good));
    for field in ["code", "state", "raised_at", "priority"] {
        let mut bad = good.clone();
        bad["alarms"][0]
            .as_object_mut()
            .unwrap()
            .remove(field)
            .unwrap();
        assert!(!validator.is_valid(&bad), "{field}");
    }
}

#[tokio::test]
async fn alarms_are_filtered_and_paged() {
    let stand = Stand::new();
    for (query, total, shown) in [
        ("", 9, 9),
        ("?limit=2&offset=8", 9, 1),
        ("?priority=high", 4, 4),
        ("?priority=low&limit=3", 9, 3),
        ("?text=TANK%207", 1, 1),
        ("?label=area=north", 9, 9),
        ("?label=area=south", 0, 0),
        ("?unacknowledged=false", 0, 0),
        ("?silenced=false&instance=levels", 9, 9),
    ] {
        let answer = stand.get(&format!("/api/v1/alarms{query}")).await;
        assert_eq!(answer.body["total"], total, "{query}: {}", answer.text);
        assert_eq!(
            answer.body["alarms"].as_array().unwrap().len(),
            shown,
            "{query}"
        );
    }
    for name in ["9", "%239", "levels%2Ftank9.high", "2b"] {
        let answer = stand.get(&format!("/api/v1/alarms/{name}")).await;
        assert_eq!(answer.body["number"], 9, "{name}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_question_that_is_not_understood_is_refused_with_what_to_do() {
    let stand = Stand::new();
    for (path, part) in [
        ("/api/v1/alarms?prioritty=high", "prioritty"),
        ("/api/v1/alarms?priority=urgent", "urgent"),
        ("/api/v1/alarms?limit=-1", "limit"),
        ("/api/v1/journal?kind=alarms", "use alarm, delivery"),
        ("/api/v1/journal?since=yesterday", "2026-11-23T"),
        ("/api/v1/deliveries?state=lost", "queued, sending"),
        ("/api/v1/events?kinds=alarm,none", "`none`"),
    ] {
        let answer = stand.get(path).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_REQUEST, "bad-request"),
            "{path}: {}",
            answer.text
        );
        assert!(answer.says().contains(part), "{path}: {}", answer.text);
    }
    for (path, status) in [
        ("/api/v1/alarms/none", 404),
        ("/api/v1/alarms/none/explain", 404),
        ("/api/v1/deliveries/none", 404),
        ("/api/v1/nothing", 404),
        ("/nothing", 404),
    ] {
        let answer = stand.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (status, "not-found"),
            "{path}"
        );
    }
    let answer = stand
        .ask(stand.request("DELETE", "/api/v1/alarms", Some(Role::Admin)))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (405, "method-not-allowed")
    );
}

#[tokio::test]
async fn values_of_any_kind_are_injected_and_others_refused() {
    let stand = Stand::new();
    let path = "/api/v1/tags/inject";
    let good = json!({ "values": { "a": 1.5, "b": true, "c": "text" } });
    let answer = stand.post(path, Role::Engineer, good).await;
    assert_eq!(answer.body, json!({ "injected": 3 }));
    let sent = stand.fake.commands.lock().unwrap().pop().unwrap();
    let Command::Inject { values } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(
        values,
        [("a", "1.5"), ("b", "true"), ("c", "text")].map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
    for bad in [
        json!({ "values": {} }),
        json!({ "values": { "a": null } }),
        json!({ "values": { "a": [1] } }),
        json!({ "valves": { "a": 1 } }),
        json!([]),
    ] {
        let answer = stand.post(path, Role::Engineer, bad.clone()).await;
        assert_eq!(answer.code(), "bad-request", "{bad}: {}", answer.text);
    }
    let large = json!({ "values": { "a": "x".repeat(100_000) } });
    assert_eq!(
        stand.post(path, Role::Engineer, large).await.code(),
        "too-large"
    );
    let mut form = stand.request("POST", path, Some(Role::Engineer));
    *form.body_mut() = Body::from("values=1");
    assert_eq!(stand.ask(form).await.code(), "not-json");
    assert!(stand.fake.commands.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_alarm_that_is_over_or_stands_again_is_told_so() {
    let stand = Stand::new();
    let answer = stand
        .ask(stand.request(
            "POST",
            "/api/v1/alarms/over/acknowledge",
            Some(Role::Operator),
        ))
        .await;
    assert_eq!(answer.body["result"], "over");
    assert_eq!(answer.body["again"]["number"], 3);
    let sent = stand.fake.commands.lock().unwrap().pop().unwrap();
    let Command::Wish(wish) = sent else {
        panic!("{sent:?}");
    };
    assert_eq!((wish.by.as_str(), wish.how.as_str()), ("operator", "api"));
}

#[tokio::test]
async fn who_is_on_call_is_told_in_moments_that_people_read() {
    let stand = Stand::new();
    let answer = stand.get("/api/v1/oncall?schedule=nights&days=3").await;
    let nights = &answer.body[0];
    assert_eq!(nights["on_call"][0]["contact"], "anna", "{}", answer.text);
    assert_eq!(nights["on_call"][0]["until"], "2027-01-15T08:00:00.000Z");
    assert_eq!(nights["coming"][0]["from_local"], "in 3 days");
    let answer = stand.get("/api/v1/oncall?days=400").await;
    assert_eq!(answer.code(), "bad-request", "{}", answer.text);
}

#[tokio::test]
async fn metrics_are_for_everybody_where_the_settings_say_so() {
    let closed = Stand::new();
    let request = closed.request("GET", "/metrics", None);
    assert_eq!(closed.ask(request).await.status, StatusCode::UNAUTHORIZED);
    let open = Stand::with(&ApiSettings {
        metrics: crate::MetricsAccess::Open,
        ..ApiSettings::default()
    });
    let answer = open.ask(open.request("GET", "/metrics", None)).await;
    assert_eq!(answer.text, "# EOF\n");
    let page = open.ask(open.request("GET", "/", None)).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_shelving_needs_a_reason_and_a_time_that_is_one() {
    let stand = Stand::new();
    let path = "/api/v1/alarms/K7/shelve";
    let good = json!({ "for": "90m", "reason": "the sensor is being changed" });
    let answer = stand.post(path, Role::Operator, good).await;
    assert_eq!(answer.body["result"], "shelved", "{}", answer.text);
    let sent = stand.fake.commands.lock().unwrap().pop().unwrap();
    let Command::Life(request) = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(
        (request.by.as_str(), request.how.as_str()),
        ("operator", "api")
    );
    let expected = LifeOrder::Shelve {
        for_ms: Some(5_400_000),
        reason: "the sensor is being changed".into(),
    };
    assert_eq!(request.order, expected);
    for bad in [
        json!({ "for": "90m" }),
        json!({ "for": "soon", "reason": "x" }),
        json!({ "until": "8h", "reason": "x" }),
    ] {
        let answer = stand.post(path, Role::Operator, bad.clone()).await;
        assert_eq!(answer.code(), "bad-request", "{bad}: {}", answer.text);
    }
}
