//! Short codes: short, and never of two alarms at once.

use std::collections::BTreeSet;

use andon_model::Action;

use crate::desk::{Desk, request};

#[test]
fn codes_stay_unique_and_grow_only_when_two_signs_run_short() {
    let mut desk = Desk::new();
    let mut codes = BTreeSet::new();
    for n in 0..3_000 {
        let action = Action::Raise(request(&format!("k{n}"), "high"));
        let code = desk.event(action).record.code;
        if n < 400 {
            assert_eq!(code.as_str().len(), 2, "{n}");
        }
        assert!(code.as_str().len() <= 3, "{n}");
        assert!(codes.insert(code), "{n}");
    }
    for record in desk.book.standing() {
        assert_eq!(desk.book.by_code(&record.code), Some(record));
    }
}

#[test]
fn a_code_comes_back_only_after_hundreds_of_others() {
    let mut desk = Desk::new();
    let notice = || Action::Notify(request("done", "done"));
    let codes: Vec<String> = (0..900)
        .map(|_| desk.event(notice()).record.code.to_string())
        .collect();
    let distinct: BTreeSet<&String> = codes.iter().collect();
    assert_eq!(distinct.len(), codes.len());
    for pair in codes.windows(2) {
        let (a, b) = (pair[0].as_bytes(), pair[1].as_bytes());
        assert!(a[0] != b[0] && a[1] != b[1], "{pair:?}");
    }
}
