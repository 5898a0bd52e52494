//! The decision, with signatures that minisign 0.11 made: plain and prehashed, by a key that is
//! listed and by one that is not.

use super::*;

const COMPONENT: &[u8] = include_bytes!("../testdata/component.bin");
const PLANT: &str = include_str!("../testdata/plant.pub");
const OTHER: &str = include_str!("../testdata/other.pub");
const PREHASHED: &str = include_str!("../testdata/prehashed.minisig");
const LEGACY: &str = include_str!("../testdata/legacy.minisig");
const BY_OTHER: &str = include_str!("../testdata/other.minisig");

fn listed(hashes: &[&[u8]], keys: &[&str]) -> Policy {
    Policy::Listed {
        hashes: hashes.iter().map(|bytes| Sha256::of(bytes)).collect(),
        keys: keys
            .iter()
            .map(|text| Key::parse(text).expect("a key"))
            .collect(),
    }
}

fn judge(policy: &Policy, bytes: &[u8], signed: Signed<'_>) -> Result<TrustedBy, Refusal> {
    let hash = Sha256::of(bytes);
    policy.judge(&Evidence {
        hash: hash.hex(),
        bytes,
        signed,
    })
}

#[test]
fn without_a_rule_everything_is_taken() {
    let policy = Policy::default();
    assert_eq!(
        judge(&policy, b"whatever", Signed::Not),
        Ok(TrustedBy::NoRule)
    );
}

#[test]
fn a_listed_hash_needs_no_signature() {
    let policy = listed(&[COMPONENT], &[]);
    for signed in [Signed::Not, Signed::NotAsked, Signed::By("rubbish")] {
        assert_eq!(judge(&policy, COMPONENT, signed), Ok(TrustedBy::Hash));
    }
}

#[test]
fn empty_lists_trust_nothing_and_the_refusal_says_the_hash() {
    let hash = Sha256::of(COMPONENT).hex().to_owned();
    let policy = listed(&[], &[]);
    let refusal = judge(&policy, COMPONENT, Signed::Not).expect_err("refused");
    assert!(refusal.to_string().contains(&hash), "{refusal}");
    assert_eq!(refusal, Refusal::Unsigned { hash: hash.clone() });
    let pulled = judge(&policy, COMPONENT, Signed::NotAsked).expect_err("refused");
    assert_eq!(pulled, Refusal::PulledUnlisted { hash });
}

#[test]
fn both_forms_of_a_signature_by_a_listed_key_are_taken_with_their_comment() {
    let policy = listed(&[], &[OTHER, PLANT]);
    for (text, says) in [
        (PREHASHED, "tank-level 1.2 for plant north"),
        (LEGACY, "legacy form"),
    ] {
        let trusted = judge(&policy, COMPONENT, Signed::By(text)).expect("trusted");
        let TrustedBy::Key { id, comment } = &trusted else {
            panic!("{trusted}");
        };
        assert_eq!(comment, says);
        assert!(PLANT.contains(id.as_str()), "{id} is not the id in {PLANT}");
    }
}

#[test]
fn one_changed_byte_is_refused_in_both_forms() {
    let policy = listed(&[], &[PLANT]);
    for text in [PREHASHED, LEGACY] {
        for place in [0, 8, COMPONENT.len() - 1] {
            let mut changed = COMPONENT.to_vec();
            changed[place] ^= 1;
            let refusal = judge(&policy, &changed, Signed::By(text)).expect_err("refused");
            assert!(matches!(refusal, Refusal::Forged { .. }), "{refusal:?}");
        }
    }
}

#[test]
fn a_changed_signature_or_comment_is_refused() {
    let policy = listed(&[], &[PLANT]);
    let comment = PREHASHED.replace("tank-level 1.2", "tank-level 9.9");
    let lines: Vec<&str> = PREHASHED.lines().collect();
    let foreign: Vec<&str> = LEGACY.lines().collect();
    let mixed = [lines[0], foreign[1], lines[2], lines[3]].join("\n");
    // A letter in the middle of the line of the signature.
    let mut line: Vec<char> = lines[1].chars().collect();
    line[40] = if line[40] == 'A' { 'B' } else { 'A' };
    let line: String = line.into_iter().collect();
    let letter = [lines[0], &line, lines[2], lines[3]].join("\n");
    for text in [comment, mixed, letter] {
        let refusal = judge(&policy, COMPONENT, Signed::By(&text)).expect_err("refused");
        assert!(matches!(refusal, Refusal::Forged { .. }), "{refusal:?}");
    }
}

#[test]
fn a_key_that_is_not_listed_is_named() {
    let policy = listed(&[], &[PLANT]);
    let refusal = judge(&policy, COMPONENT, Signed::By(BY_OTHER)).expect_err("refused");
    let Refusal::OtherKey { id, .. } = &refusal else {
        panic!("{refusal:?}");
    };
    assert!(OTHER.contains(id.as_str()), "{id} is not the id in {OTHER}");
}

#[test]
fn what_is_no_signature_is_refused_whatever_it_is() {
    let policy = listed(&[], &[PLANT]);
    let long = format!("{PREHASHED}{}", "x".repeat(5000));
    let cut: String = PREHASHED.chars().take(150).collect();
    for text in ["", "rubbish", "\n\n\n\n", "a\n!!!!\nb\nc", &long, &cut] {
        let refusal = judge(&policy, COMPONENT, Signed::By(text)).expect_err("refused");
        assert!(matches!(refusal, Refusal::NoSignature { .. }), "{text}");
    }
}

#[test]
fn a_key_is_read_from_its_file_or_from_its_line() {
    let line = PLANT.lines().nth(1).expect("two lines");
    assert_eq!(Key::parse(PLANT), Key::parse(line));
    for text in [
        "",
        "untrusted comment: nothing",
        "RW",
        PREHASHED,
        "ssh-ed25519 AAAA",
    ] {
        assert!(Key::parse(text).is_err(), "{text}");
    }
}
