//! Those who should not come in, or not so often.

use axum::http::StatusCode;

use super::kit::Stand;
use crate::{ApiSettings, Role};
use andon_model::Reason;

#[tokio::test]
async fn a_wrong_token_is_refused_and_journalled_once_a_minute() {
    let stand = Stand::new();
    for _ in 0..4 {
        let mut request = stand.request("GET", "/api/v1/alarms", None);
        let wrong = format!("{}x", stand.bearer(Role::Admin));
        request
            .headers_mut()
            .insert("authorization", wrong.parse().unwrap());
        let answer = stand.ask(request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(!answer.text.contains(&wrong), "{}", answer.text);
    }
    let notes = stand.notes();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(notes[0].why.reason, Reason::AccessRefused);
    assert!(notes[0].why.detail.contains("10.0.0.9"), "{}", notes[0].why);
    assert!(!format!("{notes:?}").contains("andon_"), "{notes:?}");
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let stand = Stand::new();
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let mut request = stand.request(
            "POST",
            "/api/v1/alarms/K7/acknowledge",
            Some(Role::Operator),
        );
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = stand.ask(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}");
    }
    assert!(stand.fake.commands.lock().unwrap().is_empty());
    let mut own = stand.request(
        "POST",
        "/api/v1/alarms/K7/acknowledge",
        Some(Role::Operator),
    );
    own.headers_mut()
        .insert("origin", "https://plant:8443".parse().unwrap());
    assert_eq!(stand.ask(own).await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let stand = Stand::with(&ApiSettings {
        requests_per_minute_caller: 12,
        ..ApiSettings::default()
    });
    let ask = |role| stand.ask(stand.request("GET", "/api/v1/whoami", Some(role)));
    for _ in 0..2 {
        assert_eq!(ask(Role::Viewer).await.status, StatusCode::OK);
    }
    let answer = ask(Role::Viewer).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::TOO_MANY_REQUESTS, "too-many-requests")
    );
    assert_eq!(answer.headers["retry-after"], "5");
    assert_eq!(ask(Role::Admin).await.status, StatusCode::OK);
    stand.later(5);
    assert_eq!(ask(Role::Viewer).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_address_that_asks_too_often_never_hides_the_health_of_the_host() {
    let stand = Stand::with(&ApiSettings {
        requests_per_minute_address: 6,
        ..ApiSettings::default()
    });
    let first = stand.get("/nothing").await;
    assert_eq!(first.status, StatusCode::NOT_FOUND);
    for path in ["/nothing", "/api/v1/whoami", "/"] {
        let answer = stand.get(path).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert!(answer.headers.contains_key("retry-after"));
    }
    for (path, status) in [("/healthz", 200), ("/readyz", 503)] {
        let answer = stand.ask(stand.request("GET", path, None)).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
    }
}
