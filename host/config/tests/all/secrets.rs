//! However a secret is written down wrong, no message shows it.

use andon_config::load;

use crate::folder::{Folder, rendered};

const SECRET: &str = "hunter2hunter2";

fn sink(password: &str) -> String {
    format!(
        "[[sinks]]\nkind = \"smpp\"\nname = \"smsc\"\naddress = \"10.0.0.9:2775\"\nsystem_id = \"andon\"\n{password}\n"
    )
}

fn told(text: &str) -> String {
    match load("andon.toml", text, &Folder("/nowhere".into())) {
        Ok(plan) => format!("{}{:?}", rendered(&plan.warnings), plan.settings),
        Err(problems) => format!("{}{problems:?}", rendered(&problems)),
    }
}

#[test]
fn a_secret_of_the_wrong_form_is_never_shown() {
    for password in [
        format!("password = [\"{SECRET}\"]"),
        format!("password = {{ is = \"{SECRET}\" }}"),
        format!("pasword = \"{SECRET}\""),
        format!("password = \"{SECRET}"),
        format!("password = '{SECRET}' '"),
        format!("password = {SECRET}"),
        format!("password = \"{SECRET}\"\npassword_file = \"x\""),
        format!("password = \"{SECRET}\"\npassword = \"{SECRET}\""),
        format!("password = \"${{{SECRET}\""),
    ] {
        let told = told(&sink(&password));
        assert!(told.contains("error"), "`{password}` was taken:\n{told}");
        assert!(!told.contains(SECRET), "`{password}` shows it:\n{told}");
    }
}

#[test]
fn a_secret_that_is_a_number_is_never_shown() {
    for form in ["271828182845", "2718.28182845", "true", "2026-11-23"] {
        let told = told(&sink(&format!("password = {form}")));
        assert!(told.contains("sinks[0].password"), "{told}");
        assert!(!told.contains(form), "{told}");
    }
}

#[test]
fn an_optional_secret_of_the_wrong_form_is_never_shown() {
    let told = told(
        "[[sinks]]\nkind = \"twilio\"\nname = \"t\"\naccount_sid = \"AC00000000000000000000000000000001\"\nfrom = \"+4759440001\"\nauth_token = 271828182845\n",
    );
    assert!(told.contains("sinks[0].auth_token"), "{told}");
    assert!(!told.contains("271828182845"), "{told}");
}

#[test]
fn a_secret_that_is_taken_prints_as_stars() {
    let told = told(&sink(&format!("password = \"{SECRET}\"")));
    assert!(told.contains("***"), "{told}");
    assert!(!told.contains(SECRET), "{told}");
}

#[test]
fn a_secret_from_the_environment_prints_as_stars() {
    let told = told(&sink("password = \"${ANDON_TEST_TOKEN}\""));
    assert!(told.contains("***"), "{told}");
    assert!(!told.contains("the-token-of-the-environment"), "{told}");
}
