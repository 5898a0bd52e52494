//! Rules from a registry over TLS, whose certificate no authority of the machine has signed.

use crate::kit::{ANNA, AUTHORITY, Door, PASSWORD, STRANGER, Site, USER, guest};
use crate::pulls::{NAME, name_by, runs, settle_registry, wait_trouble};

#[test]
fn a_rule_comes_from_a_registry_of_the_plants_own_authority() {
    let mut site = Site::new();
    let (registry, _end) = site.registry_over_tls("127.0.0.1:0");
    registry.door(Door::Token);
    let digest = registry.push(NAME, "1.2", &guest("limits.wasm"));
    let reference = registry.reference(NAME, "1.2", &digest);
    site.write("registry-password", PASSWORD);
    site.write("plant-ca.pem", AUTHORITY);
    name_by(&site, &reference);
    let keys = format!(
        "ca_file = \"plant-ca.pem\"\nusername = \"{USER}\"\npassword_file = \"registry-password\""
    );
    settle_registry(&site, &registry, &keys);
    assert_eq!(site.ask(&["check"]).code, Some(0));
    site.start();
    runs(&site, "levels");
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    assert!(
        registry
            .asked()
            .iter()
            .any(|(_, with_password)| *with_password)
    );
    let told = site.tell(&["plugin", "pull", &reference]);
    assert!(told.contains("SHA-256"), "{told}");
}

#[test]
fn a_registry_that_no_authority_vouches_for_is_refused_until_its_own_is_named() {
    let mut site = Site::new();
    let (registry, _end) = site.registry_over_tls("127.0.0.1:0");
    let digest = registry.push(NAME, "1.2", &guest("limits.wasm"));
    let reference = registry.reference(NAME, "1.2", &digest);
    name_by(&site, &reference);
    // Of the authorities that the machine may have, none has signed for this registry.
    settle_registry(&site, &registry, "");
    site.start();
    wait_trouble(&site, "levels.toml", "`ca_file`");
    site.wait_alarm("plugin-file.levels.toml");
    site.plc.set(9, 500);
    site.inbox.wait(ANNA, "tank9.level high: 500 ");
    assert_eq!(registry.asked(), []);

    // One that vouches for somebody else.
    site.write("plant-ca.pem", STRANGER);
    let section = format!("[plugins.registries.\"{}\"]\n", registry.address);
    site.edit(&section, &format!("{section}ca_file = \"plant-ca.pem\"\n"));
    site.tell(&["reload"]);
    wait_trouble(
        &site,
        "levels.toml",
        "its authority must be among the certificates in `ca_file` plant-ca.pem",
    );
    let pulled = site.ask(&["plugin", "pull", &reference]);
    assert_eq!(pulled.code, Some(1));
    assert!(pulled.stderr.contains("not trusted"), "{}", pulled.stderr);
    assert_eq!(registry.asked(), []);

    site.write("plant-ca.pem", AUTHORITY);
    site.tell(&["reload"]);
    runs(&site, "levels");
    site.wait_no_alarm("plugin-file.levels.toml");
    site.plc.set(0, 600);
    site.inbox.wait(ANNA, "tank0.level high: 600 ");
}

#[test]
fn a_file_of_authorities_that_holds_none_is_refused_by_check_and_reload() {
    let site = Site::running();
    let (registry, _end) = site.registry_over_tls("127.0.0.1:0");
    site.write("plant-ca.pem", "the certificate is in the other folder");
    settle_registry(&site, &registry, "ca_file = \"plant-ca.pem\"");
    for command in ["check", "reload"] {
        let asked = site.ask(&[command]);
        assert_eq!(asked.code, Some(1), "{command}");
        let said = format!("{}{}", asked.stdout, asked.stderr);
        assert!(
            said.contains("`ca_file` plant-ca.pem cannot be used"),
            "{said}"
        );
        assert!(said.contains("-----BEGIN CERTIFICATE-----"), "{said}");
    }
    // What ran goes on.
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
}
