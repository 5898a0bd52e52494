//! Access as the doors use it, on a clock that is moved by hand.

use super::*;
use crate::settings::{ApiSettings, UserSettings};
use andon_model::{ManualClock, Secret};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

struct Stand {
    access: Access,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

fn plan(users: &[(&str, &str, Role)]) -> ApiPlan {
    let users = users.iter().map(|(name, password, role)| UserSettings {
        name: (*name).to_owned(),
        role: *role,
        password_hash: Secret::new(hash_password(password).unwrap()),
    });
    let settings = ApiSettings {
        users: users.collect(),
        ..ApiSettings::default()
    };
    let listen = "127.0.0.1:0".parse().unwrap();
    let (plan, findings) = crate::check::check(&settings, listen, &|_| Err("none".into()));
    assert!(findings.is_empty(), "{findings:?}");
    plan
}

fn stand(users: &[(&str, &str, Role)]) -> Stand {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000)));
    let access = Access::new(plan(users), folder.path(), clock.clone());
    Stand {
        access,
        clock,
        _folder: folder,
    }
}

fn password(name: &str, password: &str) -> Vec<u8> {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))).into_bytes()
}

#[tokio::test]
async fn a_password_lets_its_user_in_and_nobody_else() {
    let stand = stand(&[("anna", "correct horse", Role::Operator)]);
    let who = |text: Vec<u8>| async move { text };
    let right = who(password("anna", "correct horse")).await;
    for _ in 0..2 {
        let caller = stand.access.who(&right, HERE).await.unwrap();
        assert_eq!(
            (caller.name.as_str(), caller.role, caller.kind()),
            ("anna", Role::Operator, "user")
        );
        assert!(stand.access.still(&caller));
    }
    for wrong in [
        password("anna", "correct horsf"),
        password("bo", "correct horse"),
        password("anna", ""),
    ] {
        let denied = stand.access.who(&wrong, HERE).await.unwrap_err();
        assert!(matches!(denied, Denied::Wrong { .. }), "{denied:?}");
    }
    for unreadable in [&b"Basic"[..], b"Basic !!", b"Digest x", b"\xff\xfe", b""] {
        assert_eq!(
            stand.access.who(unreadable, HERE).await,
            Err(Denied::Unreadable)
        );
    }
}

#[tokio::test]
async fn whoever_guesses_waits_and_others_do_not() {
    let stand = stand(&[("anna", "correct horse", Role::Operator)]);
    for number in 1..=5 {
        let denied = stand
            .access
            .who(&password("anna", "guess"), HERE)
            .await
            .unwrap_err();
        let Denied::Wrong {
            locked, telling, ..
        } = denied
        else {
            panic!("{denied:?}");
        };
        assert_eq!((telling, locked), (number == 1 || number == 5, number == 5));
    }
    let right = password("anna", "correct horse");
    assert!(matches!(
        stand.access.who(&right, HERE).await,
        Err(Denied::Locked(_))
    ));
    assert!(stand.access.who(&right, THERE).await.is_ok());
    // A token cannot be guessed, so it is not kept waiting.
    let token = stand.access.make_token("hmi", Role::Viewer, None).unwrap();
    let bearer = format!("Bearer {token}").into_bytes();
    assert!(stand.access.who(&bearer, HERE).await.is_ok());
    stand.clock.advance(Duration::from_secs(61));
    assert!(stand.access.who(&right, HERE).await.is_ok());
}

#[tokio::test]
async fn new_settings_count_at_once_for_who_is_in() {
    let stand = stand(&[("anna", "correct horse", Role::Operator)]);
    let right = password("anna", "correct horse");
    let caller = stand.access.who(&right, HERE).await.unwrap();
    stand
        .access
        .apply(plan(&[("anna", "another one", Role::Operator)]));
    assert!(!stand.access.still(&caller));
    assert!(stand.access.who(&right, HERE).await.is_err());
    stand.access.apply(plan(&[]));
    assert!(
        stand
            .access
            .who(&password("anna", "another one"), HERE)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_token_that_expired_or_was_revoked_ends_what_it_opened() {
    let stand = stand(&[]);
    let hour = Duration::from_secs(3_600);
    let token = stand
        .access
        .make_token("hmi", Role::Viewer, Some(hour))
        .unwrap();
    let bearer = format!("bearer {token}").into_bytes();
    let caller = stand.access.who(&bearer, HERE).await.unwrap();
    assert!(stand.access.still(&caller));
    stand.clock.advance(hour);
    assert!(!stand.access.still(&caller));
    let denied = stand.access.who(&bearer, HERE).await.unwrap_err();
    let Denied::Wrong { name, .. } = denied else {
        panic!("{denied:?}");
    };
    assert!(name.contains("hmi, which expired"), "{name}");
    assert!(stand.access.revoke_token("hmi").is_ok());
    assert!(stand.access.revoke_token("hmi").is_err());
}

#[test]
fn a_password_of_nobody_is_checked_like_any_other() {
    assert!(PasswordHash::parse(NOBODY).is_ok());
}
