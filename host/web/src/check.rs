//! Checks `[api]` and makes the plan of it: a decision on values; files come as their text.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use andon_model::Finding;
use rustls::ServerConfig;

use crate::access::PasswordHash;
use crate::settings::{ApiSettings, MetricsAccess, PlainHttp, Role, TlsSettings};
use crate::tls;

/// Where the address of the page stands.
const HOST_LISTEN: &str = "/host/listen";
/// Most users of the settings.
pub(crate) const USERS_MAX: usize = 1_000;

/// Checked `[api]`.
#[derive(Clone, Default)]
pub struct ApiPlan {
    pub(crate) users: Vec<User>,
    pub(crate) metrics: MetricsAccess,
    pub(crate) address_per_minute: u32,
    pub(crate) caller_per_minute: u32,
    /// Where the API is served beside `[host] listen`.
    pub listen: Option<SocketAddr>,
    /// TLS of that address, or of `[host] listen` if there is none.
    pub tls: Option<Arc<ServerConfig>>,
}

/// Neither hashes nor keys are printed.
impl std::fmt::Debug for ApiPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.users.iter().map(|user| &user.name);
        f.debug_struct("ApiPlan")
            .field("users", &names.collect::<Vec<_>>())
            .field("listen", &self.listen)
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

/// A person with a password.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) hash: PasswordHash,
}

/// Checks the section and makes the plan. `listen` is `[host] listen`, `read` gives the text of a
/// file that the settings name. Paths of the findings start at the whole settings.
#[must_use]
pub fn check(
    settings: &ApiSettings,
    listen: SocketAddr,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> (ApiPlan, Vec<Finding>) {
    let mut findings = Vec::new();
    let users = check_users(settings, &mut findings);
    let tls = settings
        .tls
        .as_ref()
        .and_then(|tls| check_tls(tls, read, &mut findings));
    check_addresses(settings, listen, &mut findings);
    let plan = ApiPlan {
        users,
        metrics: settings.metrics,
        address_per_minute: settings.requests_per_minute_address,
        caller_per_minute: settings.requests_per_minute_caller,
        listen: settings.listen,
        tls,
    };
    for finding in findings.iter_mut().filter(|one| one.path != HOST_LISTEN) {
        finding.path.insert_str(0, "/api");
    }
    (plan, findings)
}

/// Closed by default: what other machines reach speaks TLS, unless the settings say otherwise.
fn check_addresses(settings: &ApiSettings, listen: SocketAddr, findings: &mut Vec<Finding>) {
    let allowed = settings.plain_http == PlainHttp::Allowed;
    let beyond = |address: SocketAddr| !address.ip().is_loopback();
    let hint = "add [api.tls] with `cert` and `key`, or, behind a proxy that speaks TLS or in a protected network, [api] with plain_http = \"allowed\"";
    let mut refuse = |path: &str, address: SocketAddr| {
        let says = format!(
            "{address} is reached by other machines, and passwords and tokens would cross the network in the open"
        );
        findings.push(Finding::error(path, says).hint(hint));
    };
    if let Some(own) = settings.listen
        && beyond(own)
        && settings.tls.is_none()
        && !allowed
    {
        refuse("/listen", own);
    }
    let host_has_tls = settings.listen.is_none() && settings.tls.is_some();
    if beyond(listen) && !host_has_tls && !allowed {
        refuse(HOST_LISTEN, listen);
    }
    if settings
        .listen
        .is_some_and(|own| own == listen && own.port() != 0)
    {
        findings.push(
            Finding::error("/listen", "is the same address as [host] listen")
                .hint("leave `listen` away: the API is served there anyway"),
        );
    }
}

fn check_users(settings: &ApiSettings, findings: &mut Vec<Finding>) -> Vec<User> {
    let (mut names, mut users) = (BTreeSet::new(), Vec::new());
    if settings.users.len() > USERS_MAX {
        findings.push(Finding::error(
            "/users",
            format!("{} users are more than {USERS_MAX}", settings.users.len()),
        ));
    }
    for (index, user) in settings.users.iter().enumerate() {
        if !is_name(&user.name) {
            findings.push(
                Finding::error(
                    format!("/users/{index}/name"),
                    format!("`{}` cannot be a user's name", user.name),
                )
                .hint("use up to 64 letters, digits, `-`, `_`, `.` and `@`"),
            );
        } else if !names.insert(&user.name) {
            findings.push(Finding::error(
                format!("/users/{index}/name"),
                format!("there are two users `{}`", user.name),
            ));
        }
        match PasswordHash::parse(user.password_hash.expose()) {
            Ok(hash) => users.push(User {
                name: user.name.clone(),
                role: user.role,
                hash,
            }),
            Err(why) => findings.push(
                Finding::error(format!("/users/{index}/password_hash"), why)
                    .hint("`andon user hash` prints one for a password"),
            ),
        }
    }
    users
}

/// A name that can stand in a header, a path and a line of the journal.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@'))
}

fn check_tls(
    settings: &TlsSettings,
    read: &dyn Fn(&str) -> Result<String, String>,
    findings: &mut Vec<Finding>,
) -> Option<Arc<ServerConfig>> {
    let mut text = |path: &str, file: &str| match read(file) {
        Ok(text) => Some(text),
        Err(why) => {
            findings.push(
                Finding::error(path, format!("cannot read {file}: {why}"))
                    .hint("check the path, and that the host may read the file"),
            );
            None
        }
    };
    let cert = text("/tls/cert", &settings.cert);
    let key = text("/tls/key", &settings.key);
    match tls::server(&cert?, &key?) {
        Ok(config) => Some(Arc::new(config)),
        Err(error) => {
            let (path, file) = match &error {
                tls::TlsError::Certificate(_) => ("/tls/cert", &settings.cert),
                tls::TlsError::Key(_) | tls::TlsError::Pair(_) => ("/tls/key", &settings.key),
            };
            findings.push(
                Finding::error(path, format!("{file}: {error}")).hint(
                    "give PEM files: the certificate first and then its chain, and the key of that certificate without a passphrase",
                ),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: &str = "127.0.0.1:8080";
    const EVERYWHERE: &str = "0.0.0.0:8080";

    fn problems(settings: &ApiSettings, listen: &str) -> Vec<String> {
        let listen = listen.parse().unwrap();
        let read = |file: &str| match file {
            "cert.pem" => Ok(include_str!("testdata/server.pem").to_owned()),
            "key.pem" => Ok(include_str!("testdata/server.key.pem").to_owned()),
            "other.key.pem" => Ok(include_str!("testdata/other.key.pem").to_owned()),
            "text" => Ok("no PEM at all".to_owned()),
            _ => Err("no such file".to_owned()),
        };
        let (_, findings) = check(settings, listen, &read);
        findings.iter().map(ToString::to_string).collect()
    }

    fn tls(cert: &str, key: &str) -> ApiSettings {
        ApiSettings {
            tls: Some(TlsSettings {
                cert: cert.into(),
                key: key.into(),
            }),
            ..ApiSettings::default()
        }
    }

    #[test]
    fn an_address_for_others_needs_tls_or_a_word() {
        let plain = ApiSettings::default();
        assert_eq!(problems(&plain, LOOPBACK), Vec::<String>::new());
        assert!(problems(&plain, EVERYWHERE)[0].contains("plain_http"));
        assert_eq!(
            problems(&tls("cert.pem", "key.pem"), EVERYWHERE),
            Vec::<String>::new()
        );
        let allowed = ApiSettings {
            plain_http: PlainHttp::Allowed,
            ..ApiSettings::default()
        };
        assert_eq!(problems(&allowed, EVERYWHERE), Vec::<String>::new());
        let second = ApiSettings {
            listen: Some("[::]:8443".parse().unwrap()),
            ..ApiSettings::default()
        };
        assert!(problems(&second, LOOPBACK)[0].starts_with("/api/listen"));
        // TLS of the second address says nothing of the first.
        let second = ApiSettings {
            listen: second.listen,
            ..tls("cert.pem", "key.pem")
        };
        assert_eq!(problems(&second, LOOPBACK), Vec::<String>::new());
        assert_eq!(problems(&second, EVERYWHERE).len(), 1);
    }

    #[test]
    fn files_of_tls_that_do_not_do_are_named() {
        for (cert, key, place, says) in [
            ("none", "key.pem", "/api/tls/cert", "cannot read none"),
            ("cert.pem", "none", "/api/tls/key", "cannot read none"),
            ("text", "key.pem", "/api/tls/cert", "text: "),
            ("cert.pem", "text", "/api/tls/key", "text: "),
            (
                "cert.pem",
                "other.key.pem",
                "/api/tls/key",
                "other.key.pem: ",
            ),
        ] {
            let found = problems(&tls(cert, key), LOOPBACK);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(
                found[0].starts_with(place) && found[0].contains(says),
                "{found:?}"
            );
        }
    }

    #[test]
    fn users_need_names_of_their_own_and_hashes() {
        let user = |name: &str, hash: &str| crate::UserSettings {
            name: name.into(),
            role: Role::Viewer,
            password_hash: andon_model::Secret::new(hash),
        };
        let settings = ApiSettings {
            users: vec![
                user("anna", "hunter2"),
                user("anna", "$argon2id$x"),
                user("a:b", ""),
            ],
            ..ApiSettings::default()
        };
        let found = problems(&settings, LOOPBACK);
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(!found.concat().contains("hunter2"), "{found:?}");
    }
}
