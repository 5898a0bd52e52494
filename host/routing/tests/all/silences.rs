//! What is silent tells nobody, and speaks when its silence ends.

use andon_model::{
    AlarmRecord, AlarmState, DeliveryKind, OccurrenceId, Priority, Reason, Shelving, ShelvingKind,
    Transition,
};
use andon_routing::Reminding;

use crate::office::{Office, contacts, pump};

fn shelved(occurrence: u64) -> AlarmRecord {
    let mut record = pump(occurrence);
    record.flags.shelved = Some(Shelving {
        kind: ShelvingKind::Timed,
        until: record.raised_at.plus(std::time::Duration::from_secs(3_600)),
        by: "ola".to_owned(),
        at: record.raised_at,
        how: "command line".to_owned(),
        reason: "the pump is being replaced".to_owned(),
    });
    record
}

#[test]
fn a_raise_in_silence_tells_nobody_and_the_journal_says_why() {
    let mut office = Office::new();
    assert_eq!(office.raise(&shelved(7)), vec![]);
    let line = office.journal.last().unwrap();
    assert_eq!(line.event, "not told");
    assert_eq!(line.why.reason, Reason::Shelved);
    assert!(
        line.why.detail.contains("shelved by ola until"),
        "{}",
        line.why
    );
    assert_eq!(line.occurrence, Some(OccurrenceId(7)));
    // Its end is no news either.
    assert_eq!(office.clear(&shelved(7)), vec![]);
}

#[test]
fn the_end_of_a_silence_tells_as_if_it_had_just_been_raised() {
    for transition in [
        Transition::Unshelved,
        Transition::Unsuppressed,
        Transition::ReturnedToService,
    ] {
        let mut office = Office::new();
        office.raise(&shelved(7));
        let rows = office.event(transition, pump(7));
        assert_eq!(contacts(&rows), [("anna", "smsc"), ("bob", "smsc")]);
    }
}

#[test]
fn who_was_told_before_the_silence_is_told_again_after_it() {
    let mut office = Office::new();
    let before = office.raise(&pump(7));
    assert_eq!(office.event(Transition::Shelved, shelved(7)), vec![]);
    let after = office.event(Transition::Unshelved, pump(7));
    assert_eq!(contacts(&after), contacts(&before));
    assert!(after.iter().all(|row| row.step == 1));
    let again = office.event(Transition::ReAlarmed, pump(7));
    assert!(again.iter().all(|row| row.step == 2));
}

#[test]
fn the_end_of_a_silence_over_what_is_gone_tells_nobody() {
    let mut office = Office::new();
    let mut record = pump(7);
    record.state = AlarmState::ReturnedUnacknowledged;
    assert_eq!(office.event(Transition::Unshelved, record), vec![]);
    assert_eq!(office.event(Transition::Unshelved, shelved(8)), vec![]);
}

#[test]
fn a_reminder_goes_to_the_contact_who_left_it_open() {
    let mut office = Office::new();
    let reminding = |contact| Reminding {
        contact,
        subject: "tank1/high",
        text: "tank1/high, which you shelved (pump), comes back in 15m",
        priority: Priority::High,
    };
    let now = office.now;
    let decision = office
        .desk
        .remind(&reminding("anna"), || OccurrenceId(50), now);
    let rows = office.commit(decision);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].kind, DeliveryKind::Reminder);
    assert_eq!(
        rows[0].text,
        "REMINDER tank1/high, which you shelved (pump), comes back in 15m"
    );
    let nobody = office
        .desk
        .remind(&reminding("root"), || panic!("no number is used up"), now);
    assert!(nobody.is_empty());
}
