//! `kill -9` at chosen and at random moments: no alert is lost, and none comes twice unmarked.

use crate::kit::{ANNA, BO, OnSubmit, Site, wait_for};

#[test]
fn an_alert_that_was_owed_before_the_crash_goes_out_after_it() {
    let mut site = Site::new();
    site.smsc.on_submit(OnSubmit::Away);
    let host = site.spawn().ready();
    site.adopt(host);
    site.plc.set(0, 500);
    site.wait_alarm("tank0");
    site.kill();
    assert_eq!(site.inbox.count(), 0);
    site.smsc.on_submit(OnSubmit::Take);
    site.plc.set(0, 0);
    site.start();
    // The level is back in order by now, and still nobody was told that it was not.
    site.inbox.wait(ANNA, "500");
    site.inbox.wait(BO, "500");
    site.inbox.assert_nothing_came_twice_unmarked();
}

#[test]
fn an_alert_that_the_smsc_has_but_did_not_answer_comes_again_marked() {
    let mut site = Site::running();
    site.smsc.on_submit(OnSubmit::Hold);
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "500");
    site.inbox.wait(BO, "500");
    site.kill();
    site.smsc.on_submit(OnSubmit::Take);
    site.start();
    for phone in [ANNA, BO] {
        site.inbox.wait(phone, "(repeat) ");
        wait_for("both", || (site.inbox.to(phone, "500").len() == 2).then_some(()));
    }
    site.inbox.assert_nothing_came_twice_unmarked();
}
