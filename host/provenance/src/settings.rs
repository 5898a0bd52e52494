//! The section `[plugins]` of the settings: what is trusted, and registries.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use andon_model::{Finding, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Key, Policy, Sha256, tls};

/// Where components may come from. Their folder is `plugins` of `[host]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PluginsSettings {
    /// What is trusted. Without this section every component in the plugins folder is.
    pub trust: Option<TrustSettings>,
    /// OCI registries that need more than their name, by host or `host:port`.
    pub registries: BTreeMap<String, RegistrySettings>,
}

/// What is trusted: a component that is neither listed by its hash nor signed by a listed key is
/// refused before anything of it is compiled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrustSettings {
    /// SHA-256 of components, as `andon plugin inspect` shows them.
    pub sha256: Vec<String>,
    /// Public keys of minisign: the line that begins with RW. What they signed is taken when the
    /// signature lies beside it as `NAME.wasm.minisig`.
    pub keys: Vec<String>,
    /// Files that hold such keys, as `minisign -G` writes them.
    pub key_files: Vec<String>,
}

/// How a registry is spoken to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RegistrySettings {
    /// Name of the account; without it nobody logs in.
    pub username: Option<String>,
    /// Password or token of the account.
    pub password: Option<Secret>,
    /// Takes a tag without a digest, so that whoever may push decides what runs from the next
    /// start or reload on.
    pub allow_tags: bool,
    /// Speaks HTTP without TLS; only to this machine, for tests.
    pub plain_http: bool,
    /// Certificate authorities (PEM) in place of those of the machine.
    pub ca_file: Option<String>,
}

/// Checks the section and makes the policy. `read` gives the text of a file that settings name.
/// Paths of the findings start below `[plugins]`.
#[must_use]
pub fn check(
    settings: &PluginsSettings,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> (Policy, Vec<Finding>) {
    let mut findings = Vec::new();
    for (host, registry) in &settings.registries {
        check_registry(host, registry, read, &mut findings);
    }
    let policy = settings.trust.as_ref().map_or(Policy::Anything, |trust| {
        check_trust(trust, read, &mut findings)
    });
    (policy, findings)
}

fn check_trust(
    trust: &TrustSettings,
    read: &dyn Fn(&str) -> Result<String, String>,
    findings: &mut Vec<Finding>,
) -> Policy {
    let mut hashes = BTreeSet::new();
    for (index, text) in trust.sha256.iter().enumerate() {
        match Sha256::parse(text) {
            Ok(hash) => drop(hashes.insert(hash)),
            Err(error) => findings.push(Finding::error(
                format!("/trust/sha256/{index}"),
                error.to_string(),
            )),
        }
    }
    let mut keys: Vec<Key> = Vec::new();
    let inline = trust
        .keys
        .iter()
        .enumerate()
        .map(|(index, text)| (format!("/trust/keys/{index}"), Ok(text.clone())));
    let files = trust.key_files.iter().enumerate().map(|(index, file)| {
        let text = read(file).map_err(|why| format!("cannot read {file}: {why}"));
        (format!("/trust/key_files/{index}"), text)
    });
    for (path, text) in inline.chain(files) {
        match text.and_then(|text| Key::parse(&text).map_err(|error| error.to_string())) {
            Ok(key) => keys.push(key),
            Err(says) => findings.push(
                Finding::error(path, says)
                    .hint("`minisign -G` makes a pair of keys; the public one goes here"),
            ),
        }
    }
    if trust.sha256.is_empty() && trust.keys.is_empty() && trust.key_files.is_empty() {
        findings.push(
            Finding::warning(
                "/trust",
                "[plugins.trust] lists nothing, so no component is taken",
            )
            .hint("list hashes under `sha256`, or keys under `keys`"),
        );
    }
    Policy::Listed { hashes, keys }
}

fn check_registry(
    host: &str,
    registry: &RegistrySettings,
    read: &dyn Fn(&str) -> Result<String, String>,
    findings: &mut Vec<Finding>,
) {
    let path = format!("/registries/{}", host.replace('~', "~0").replace('/', "~1"));
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if host.is_empty() || host.contains(['/', '@', ' ']) {
        findings.push(
            Finding::error(&path, format!("`{host}` is not the name of a registry"))
                .hint("write it as it stands in references, like [plugins.registries.\"registry.example.org\"]"),
        );
    }
    if registry.username.is_some() != registry.password.is_some() {
        findings.push(
            Finding::error(&path, "`username` and `password` belong together")
                .hint("give both, or none for a registry that is open"),
        );
    }
    if registry.plain_http && !is_loopback(name) {
        findings.push(
            Finding::error(
                format!("{path}/plain_http"),
                format!("{host} is another machine, and without TLS anybody between could read the password"),
            )
            .hint("leave `plain_http` away, and name its authority with `ca_file` if it has one of its own"),
        );
    }
    let Some(file) = &registry.ca_file else {
        return;
    };
    if registry.plain_http {
        findings.push(Finding::warning(
            format!("{path}/ca_file"),
            "`ca_file` is not looked at with `plain_http`",
        ));
    } else if let Err(says) = check_authorities(file, read) {
        findings.push(
            Finding::error(format!("{path}/ca_file"), says)
                .hint("it is the certificate of the authority that signed the registry's own, and begins with -----BEGIN CERTIFICATE-----"),
        );
    }
}

fn check_authorities(
    file: &str,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> Result<(), String> {
    let pem = read(file).map_err(|why| format!("cannot read {file}: {why}"))?;
    tls::authorities_in(file, &pem).map(drop)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing_to_read(_: &str) -> Result<String, String> {
        Err("no such file".to_owned())
    }

    fn trust(trust: TrustSettings) -> (Policy, Vec<Finding>) {
        let settings = PluginsSettings {
            trust: Some(trust),
            ..PluginsSettings::default()
        };
        check(&settings, &nothing_to_read)
    }

    fn registry(host: &str, registry: RegistrySettings) -> Vec<String> {
        let settings = PluginsSettings {
            registries: [(host.to_owned(), registry)].into(),
            ..PluginsSettings::default()
        };
        let (_, findings) = check(&settings, &nothing_to_read);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn no_section_trusts_everything_and_an_empty_one_nothing() {
        let (policy, findings) = check(&PluginsSettings::default(), &nothing_to_read);
        assert_eq!((policy, findings.len()), (Policy::Anything, 0));
        let (policy, findings) = trust(TrustSettings::default());
        assert!(matches!(policy, Policy::Listed { .. }));
        assert!(findings[0].says.contains("no component is taken"));
    }

    #[test]
    fn wrong_hashes_keys_and_files_are_all_told() {
        let (_, findings) = trust(TrustSettings {
            sha256: vec!["12".into()],
            keys: vec!["rubbish".into()],
            key_files: vec!["missing.pub".into()],
        });
        let paths: Vec<&str> = findings.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(
            paths,
            ["/trust/sha256/0", "/trust/keys/0", "/trust/key_files/0"]
        );
    }

    #[test]
    fn a_key_comes_from_a_file_too() {
        let settings = PluginsSettings {
            trust: Some(TrustSettings {
                key_files: vec!["plant.pub".into()],
                ..TrustSettings::default()
            }),
            ..PluginsSettings::default()
        };
        let read = |_: &str| Ok(include_str!("../testdata/plant.pub").to_owned());
        let (policy, findings) = check(&settings, &read);
        assert_eq!(findings, []);
        assert!(matches!(policy, Policy::Listed { keys, .. } if keys.len() == 1));
    }

    #[test]
    fn http_without_tls_is_for_this_machine_alone() {
        let plain = RegistrySettings {
            plain_http: true,
            ..RegistrySettings::default()
        };
        for host in ["127.0.0.1:5000", "localhost:5000", "localhost"] {
            assert_eq!(registry(host, plain.clone()), [""; 0], "{host}");
        }
        for host in [
            "registry.example.org",
            "10.0.0.1:5000",
            "127.0.0.1.example.org",
        ] {
            assert_eq!(registry(host, plain.clone()).len(), 1, "{host}");
        }
    }

    #[test]
    fn authorities_that_are_none_are_refused() {
        let with_text = |text: &'static str| {
            let with_file = RegistrySettings {
                ca_file: Some("plant-ca.pem".into()),
                ..RegistrySettings::default()
            };
            let settings = PluginsSettings {
                registries: [("registry.example.org".into(), with_file)].into(),
                ..PluginsSettings::default()
            };
            check(&settings, &|_: &str| Ok(text.to_owned())).1
        };
        let good = include_str!("../../sinks/src/twilio/testdata/authority.pem");
        assert_eq!(with_text(good), []);
        for bad in [
            "",
            "no certificate",
            include_str!("../../sinks/src/twilio/testdata/server.key.pem"),
            "-----BEGIN CERTIFICATE-----\n====\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n",
        ] {
            let findings = with_text(bad);
            assert_eq!(findings.len(), 1, "{bad}: {findings:?}");
            assert!(findings[0].says.contains("plant-ca.pem cannot be used"));
            assert_eq!(findings[0].path, "/registries/registry.example.org/ca_file");
        }
        let missing = RegistrySettings {
            ca_file: Some("missing.pem".into()),
            ..RegistrySettings::default()
        };
        let findings = registry("registry.example.org", missing);
        assert!(findings[0].contains("cannot read missing.pem: no such file"));
    }

    #[test]
    fn a_name_without_its_password_is_refused() {
        let half = RegistrySettings {
            username: Some("plant".into()),
            ..RegistrySettings::default()
        };
        assert!(registry("registry.example.org", half)[0].contains("belong together"));
        assert_eq!(
            registry("https://a/b", RegistrySettings::default()).len(),
            1
        );
    }
}
