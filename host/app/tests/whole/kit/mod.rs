//! The stand: a folder with settings and plugins, the devices and providers around it, and the
//! host that runs in it.

mod compiled;
mod http;
mod inbox;
mod ntfy;
mod plc;
pub(crate) mod process;
mod random;
// The same registry plays in the tests of host/provenance.
#[path = "../../../../provenance/tests/pull/registry.rs"]
mod registry;
mod settings;
mod signer;
mod site;
mod smsc;
mod twilio;

use std::time::Duration;

pub(crate) use http::exchange;
pub(crate) use ntfy::{NTFY_TOKEN, OnPublish};
pub(crate) use plc::Line;
pub(crate) use process::{andon, hash_of};
pub(crate) use random::Random;
pub(crate) use registry::{AUTHORITY, Door, Mood, PASSWORD, Registry, STRANGER, USER};
pub(crate) use settings::{ANNA, BO, CECILIE, SMPP_PASSWORD, TWILIO_TOKEN};
pub(crate) use signer::Signer;
pub(crate) use site::{Site, code_of, guest};
pub(crate) use smsc::OnSubmit;
pub(crate) use twilio::OnCreate;

/// How long anything that a test waits for may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(15);

/// Looks until there is something; fails the test if nothing comes.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let looks = PATIENCE.as_millis() / LOOK.as_millis();
    for _ in 0..looks {
        if let Some(found) = look() {
            return found;
        }
        pause(LOOK);
    }
    panic!("waited in vain for {what}");
}

/// Lets other programs go on for a while. No test may depend on how long that is.
#[expect(
    clippy::disallowed_methods,
    reason = "other programs are looked at now and then; there is no event to wait on"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
