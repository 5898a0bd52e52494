//! Every route for every role, and what the journal says of it.

use std::collections::BTreeSet;
use std::time::Duration;

use andon_model::{JournalKind, Reason};
use axum::http::StatusCode;

use super::kit::Stand;
use crate::Role;
use crate::api::gate::{Peer, may, may_unknown};
use crate::api::openapi::document;
use crate::api::routes::{Need, ROUTES, Route};

/// A path with something in the place of its parts.
fn filled(route: &Route) -> String {
    let parts = route.path.split('/').map(|part| match part {
        "{token}" => "nobodys-token",
        part if part.starts_with('{') => "K7",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn let_in(status: StatusCode) -> bool {
    !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

#[tokio::test]
async fn every_route_gives_every_role_what_the_table_says() {
    let stand = Stand::new();
    let (mut asked, mut refused) = (0, 0);
    for route in ROUTES {
        let method = route.verb.word().to_uppercase();
        for role in Role::ALL {
            let response = stand
                .send(stand.request(&method, &filled(route), Some(role)))
                .await;
            let expected = may(route.need, role);
            assert_eq!(
                let_in(response.status()),
                expected,
                "{method} {} for {role:?}: {}",
                route.path,
                response.status()
            );
            if !expected {
                assert_eq!(response.status(), StatusCode::FORBIDDEN);
                refused += 1;
            }
            asked += 1;
        }
        for local in [false, true] {
            let mut request = stand.request(&method, &filled(route), None);
            request.extensions_mut().insert(Peer {
                address: "127.0.0.1".parse().unwrap(),
                loopback: local,
            });
            request
                .headers_mut()
                .insert("host", "localhost:8080".parse().unwrap());
            let response = stand.send(request).await;
            let expected = may_unknown(route.need, local, false);
            assert_eq!(
                let_in(response.status()),
                expected,
                "{method} {} for nobody: {}",
                route.path,
                response.status()
            );
            if !expected {
                assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
                assert!(response.headers().contains_key("www-authenticate"));
            }
        }
    }
    assert_eq!(asked, 4 * ROUTES.len());
    // Viewers may not do most of what changes something.
    assert!(refused > ROUTES.len() / 2, "{refused}");
}

#[test]
fn nothing_that_changes_anything_is_for_viewers_or_strangers() {
    for route in ROUTES.iter().filter(|route| route.verb.changes()) {
        let Need::Role(role) = route.need else {
            panic!("{} is for everybody", route.path);
        };
        assert!(role >= Role::Operator, "{}", route.path);
    }
}

#[test]
fn the_description_holds_every_route_with_its_role_and_no_other() {
    let document = document();
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (verb, operation) in operations.as_object().unwrap() {
            described.insert((path.clone(), verb.clone()));
            let route = ROUTES
                .iter()
                .find(|route| route.path == path && route.verb.word() == verb);
            let route = route.unwrap_or_else(|| panic!("{verb} {path} is described and not there"));
            if let Need::Role(role) = route.need {
                assert_eq!(operation["x-andon-role"], role.word(), "{path}");
                assert_eq!(operation["security"].as_array().unwrap().len(), 2, "{path}");
            }
            assert!(
                operation["summary"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{path}"
            );
            assert!(operation["responses"]["default"].is_object(), "{path}");
        }
    }
    let there: BTreeSet<(String, String)> = ROUTES
        .iter()
        .filter(|route| route.path.starts_with("/api/"))
        .map(|route| (route.path.to_owned(), route.verb.word().to_owned()))
        .collect();
    assert_eq!(described, there);
}

#[tokio::test]
async fn a_change_is_journalled_with_who_asked_and_what_came_of_it() {
    let stand = Stand::new();
    let path = "/api/v1/alarms/K7/acknowledge";
    let answer = stand
        .ask(stand.request("POST", path, Some(Role::Operator)))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let [line] = &stand.notes()[..] else {
        panic!("{:?}", stand.notes());
    };
    assert_eq!(
        (line.kind, line.subject.as_str(), line.event.as_str()),
        (JournalKind::Operator, "operator", "acknowledge")
    );
    assert_eq!(line.occurrence.map(|number| number.0), Some(7));
    assert_eq!(line.why.reason, Reason::OperatorAsked);
    assert_eq!(line.data["from"], "10.0.0.9");
    assert_eq!(line.data["role"], "operator");
    assert_eq!(line.data["path"], path);
    assert_eq!(line.data["status"], 200);
    assert!(
        line.why.detail.contains("token operator") && line.why.detail.contains("levels/tank7.high"),
        "{}",
        line.why
    );
}

#[tokio::test]
async fn what_was_not_done_is_journalled_too_and_reading_is_not() {
    let stand = Stand::new();
    for (path, role, status, reason) in [
        (
            "/api/v1/alarms/none/take",
            Role::Operator,
            404,
            Reason::OperatorAsked,
        ),
        ("/api/v1/reload", Role::Viewer, 403, Reason::NotPermitted),
    ] {
        let answer = stand.ask(stand.request("POST", path, Some(role))).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
        let line = stand.notes().pop().unwrap();
        assert_eq!(line.data["status"], status);
        assert_eq!(line.why.reason, reason);
        assert!(line.why.detail.contains(answer.says()), "{}", line.why);
    }
    stand.get("/api/v1/alarms").await;
    assert_eq!(stand.notes().len(), 2);
    // What a viewer may not do was not done.
    assert_eq!(stand.fake.commands.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_a_caller_who_hung_up_is_journalled_all_the_same() {
    let stand = Stand::new();
    let path = "/api/v1/plugins/slow/promote";
    let request = stand.request("POST", path, Some(Role::Engineer));
    let asked = tokio::time::timeout(Duration::from_secs(1), stand.send(request)).await;
    assert!(asked.is_err(), "it was not slow");
    assert_eq!(stand.notes().len(), 0);
    stand.fake.slow.notify_one();
    while stand.notes().is_empty() {
        tokio::task::yield_now().await;
    }
    let line = stand.notes().pop().unwrap();
    assert_eq!(
        (line.subject.as_str(), line.event.as_str()),
        ("engineer", "promote shadow")
    );
    assert_eq!(line.data["status"], 200);
}

#[tokio::test]
async fn what_a_line_of_the_journal_repeats_is_bounded() {
    let stand = Stand::new();
    let path = format!("/api/v1/contacts/{}/test", "x".repeat(5_000));
    stand
        .ask(stand.request("POST", &path, Some(Role::Engineer)))
        .await;
    let line = stand.notes().pop().unwrap();
    assert!(line.why.detail.len() < 1_000, "{}", line.why);
    assert_eq!(line.data["path"].as_str().map(str::len), Some(500));
}
