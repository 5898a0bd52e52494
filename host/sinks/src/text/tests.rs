//! The planner against plain references: counting by hand, and decoding what was planned.

use std::time::Duration;

use andon_model::Timestamp;
use proptest::prelude::*;

use super::*;

/// The default alphabet as the tables of the standard are usually printed, without the escape.
const DEFAULT_IN_ORDER: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED: &str = "\u{0C}^{}\\[~]|€";

fn exactly() -> PlanOptions {
    PlanOptions {
        transliteration: Transliteration::Off,
        segments_max: 255,
        ..PlanOptions::default()
    }
}

fn segments_of(text: &str) -> (Alphabet, usize) {
    let plan = plan(text, &exactly());
    (plan.alphabet, plan.segments.len())
}

/// What a reader with a pencil counts: septets, or nothing if a character is missing.
fn septets(text: &str) -> Option<usize> {
    text.chars()
        .map(|c| match c {
            c if DEFAULT_IN_ORDER.contains(c) => Some(1),
            c if EXTENDED.contains(c) => Some(2),
            _ => None,
        })
        .sum()
}

#[test]
fn every_code_of_the_default_table_has_its_place() {
    let all: Vec<u8> = (0..=0x7F).filter(|code| *code != 0x1B).collect();
    assert_eq!(decode(Alphabet::Gsm7, &all), DEFAULT_IN_ORDER);
    let planned = plan(DEFAULT_IN_ORDER, &exactly());
    assert_eq!(planned.segments, vec![all]);
}

#[test]
fn extended_characters_take_an_escape_and_a_code() {
    let planned = plan("[€]", &exactly());
    assert_eq!(
        planned.segments,
        vec![vec![0x1B, 0x3C, 0x1B, 0x65, 0x1B, 0x3E]]
    );
}

#[test]
fn segments_are_counted_as_the_standard_says() {
    assert_eq!(segments_of(""), (Alphabet::Gsm7, 1));
    assert_eq!(segments_of(&"a".repeat(160)), (Alphabet::Gsm7, 1));
    assert_eq!(segments_of(&"a".repeat(161)), (Alphabet::Gsm7, 2));
    assert_eq!(segments_of(&"a".repeat(306)), (Alphabet::Gsm7, 2));
    assert_eq!(segments_of(&"a".repeat(307)), (Alphabet::Gsm7, 3));
    assert_eq!(segments_of(&"€".repeat(80)), (Alphabet::Gsm7, 1));
    // 153 is odd: an escape pair does not go over the edge, so 76 a part.
    assert_eq!(segments_of(&"€".repeat(152)), (Alphabet::Gsm7, 2));
    assert_eq!(segments_of(&"€".repeat(153)), (Alphabet::Gsm7, 3));
    assert_eq!(segments_of(&"я".repeat(70)), (Alphabet::Ucs2, 1));
    assert_eq!(segments_of(&"я".repeat(71)), (Alphabet::Ucs2, 2));
    assert_eq!(segments_of(&"я".repeat(134)), (Alphabet::Ucs2, 2));
    assert_eq!(segments_of(&"я".repeat(135)), (Alphabet::Ucs2, 3));
    assert_eq!(segments_of(&"😀".repeat(35)), (Alphabet::Ucs2, 1));
    assert_eq!(segments_of(&"😀".repeat(66)), (Alphabet::Ucs2, 2));
    assert_eq!(segments_of(&"😀".repeat(67)), (Alphabet::Ucs2, 3));
    let wide = PlanOptions {
        reference: ReferenceWidth::Bits16,
        ..exactly()
    };
    assert_eq!(plan(&"a".repeat(305), &wide).segments.len(), 3);
    assert_eq!(plan(&"я".repeat(133), &wide).segments.len(), 3);
}

#[test]
fn a_degree_sign_no_longer_halves_the_message() {
    let text = "Tank 3: 81.5 °C „hot“, 12 µS/cm², tilt 45°, ΔT ≥ 5 °C – čerpadlo";
    let planned = plan(text, &PlanOptions::default());
    assert_eq!(planned.alphabet, Alphabet::Gsm7);
    assert_eq!(
        decode(Alphabet::Gsm7, &planned.segments.concat()),
        "Tank 3: 81.5 C \"hot\", 12 uS/cm2, tilt 45 deg, ΔT >= 5 C - cerpadlo"
    );
    assert_eq!(plan(text, &exactly()).alphabet, Alphabet::Ucs2);
}

#[test]
fn a_text_that_needs_ucs2_anyway_keeps_its_true_characters() {
    let text = "Насос 3: 81 °C";
    let planned = plan(text, &PlanOptions::default());
    assert_eq!(planned.alphabet, Alphabet::Ucs2);
    assert_eq!(decode(Alphabet::Ucs2, &planned.segments.concat()), text);
}

#[test]
fn a_latin1_smsc_gets_latin1_counted_in_septets() {
    let options = PlanOptions {
        spelling: Alphabet::Latin1,
        ..exactly()
    };
    let planned = plan("Käse [1]", &options);
    assert_eq!(planned.alphabet, Alphabet::Latin1);
    assert_eq!(planned.segments, vec![b"K\xE4se [1]".to_vec()]);
    assert_eq!(plan(&"{".repeat(81), &options).segments.len(), 2);
    assert_eq!(plan("ΔT", &options).alphabet, Alphabet::Ucs2);
}

#[test]
fn a_text_too_long_for_its_segments_ends_in_dots_and_says_how_much_is_gone() {
    let options = PlanOptions {
        segments_max: 2,
        ..exactly()
    };
    let planned = plan(&"a".repeat(1000), &options);
    assert_eq!(planned.segments.len(), 2);
    assert_eq!(planned.characters_cut, 1000 - 303);
    let read = decode(Alphabet::Gsm7, &planned.segments.concat());
    assert_eq!(read, format!("{}...", "a".repeat(303)));
    let one = PlanOptions {
        segments_max: 1,
        ..exactly()
    };
    assert_eq!(
        plan(&"a".repeat(161), &one).segments,
        vec![format!("{}...", "a".repeat(157)).into_bytes()]
    );
}

#[test]
fn unknown_escapes_and_halves_are_read_without_failing() {
    assert_eq!(decode(Alphabet::Gsm7, &[0x1B, 0x41, 0x1B]), "A ");
    assert_eq!(
        decode(Alphabet::Ucs2, &[0x00, 0x41, 0xD8, 0x3D, 0x00]),
        "A\u{FFFD}\u{FFFD}"
    );
    assert_eq!(decode(Alphabet::Latin1, &[0xE4, 0xB0]), "ä°");
}

fn part(index: u8, total: u8, reference: u16, text: &str) -> Part {
    Part {
        from: "+4790000001".to_owned(),
        to: "1999".to_owned(),
        place: Concatenation {
            reference,
            total,
            index,
        },
        alphabet: Alphabet::Latin1,
        octets: text.as_bytes().to_vec(),
    }
}

fn texts(done: Vec<Assembled>) -> Vec<String> {
    done.into_iter().map(|message| message.text).collect()
}

#[test]
fn parts_in_any_order_make_the_message_once() {
    let mut parts = Reassembly::default();
    let now = Timestamp::from_secs(100);
    assert!(parts.add(part(3, 3, 7, "night"), now).is_empty());
    assert!(parts.add(part(1, 3, 7, "all "), now).is_empty());
    assert!(parts.add(part(1, 3, 7, "all "), now).is_empty());
    assert_eq!(
        texts(parts.add(part(2, 3, 7, "quiet to"), now)),
        ["all quiet tonight"]
    );
    // The provider repeats one, not having seen the answer.
    assert!(parts.add(part(2, 3, 7, "quiet to"), now).is_empty());
    assert!(parts.expire(now.plus(Reassembly::AGE_MAX)).is_empty());
    assert!(parts.is_empty());
}

#[test]
fn what_came_of_an_old_incomplete_message_is_handed_on_with_its_gap() {
    let mut parts = Reassembly::default();
    let now = Timestamp::from_secs(100);
    assert!(parts.add(part(2, 3, 7, "A7 ok"), now).is_empty());
    let later = now.plus(Reassembly::AGE_MAX + Duration::from_secs(1));
    assert_eq!(texts(parts.expire(later)), ["[...]A7 ok[...]"]);
}

#[test]
fn a_reference_used_again_does_not_mix_two_messages() {
    let mut parts = Reassembly::default();
    let now = Timestamp::from_secs(100);
    assert!(parts.add(part(1, 2, 7, "old "), now).is_empty());
    assert_eq!(texts(parts.add(part(1, 2, 7, "new "), now)), ["old [...]"]);
    assert_eq!(texts(parts.add(part(2, 2, 7, "text"), now)), ["new text"]);
}

#[test]
fn a_flood_of_first_parts_is_bounded_and_nothing_of_it_is_lost() {
    let mut parts = Reassembly::default();
    let now = Timestamp::from_secs(100);
    let mut handed_on = 0;
    for reference in 0..1000 {
        handed_on += parts.add(part(1, 255, reference, "x"), now).len();
        assert!(parts.len() <= Reassembly::MESSAGES_MAX);
    }
    assert_eq!(handed_on + parts.len(), 1000);
}

#[test]
fn a_surrogate_pair_cut_by_the_sender_is_joined() {
    let mut parts = Reassembly::default();
    let now = Timestamp::from_secs(1);
    let mut first = part(1, 2, 1, "");
    first.alphabet = Alphabet::Ucs2;
    let mut second = first.clone();
    second.place.index = 2;
    first.octets = vec![0xD8, 0x3D];
    second.octets = vec![0xDE, 0x00];
    assert!(parts.add(first, now).is_empty());
    assert_eq!(texts(parts.add(second, now)), ["😀"]);
}

#[test]
fn headers_are_read_among_other_elements_and_nonsense_is_text() {
    let place = Concatenation {
        reference: 0x1234,
        total: 3,
        index: 2,
    };
    for width in [ReferenceWidth::Bits8, ReferenceWidth::Bits16] {
        let mut octets = user_data_header(place, width);
        octets.extend(b"text");
        let (found, body) = split_header(&octets);
        assert_eq!(found.map(|f| (f.total, f.index)), Some((3, 2)));
        assert_eq!(body, b"text");
    }
    // A port element before the concatenation.
    let octets = [0x0B, 0x05, 0x04, 0, 1, 0, 2, 0x00, 0x03, 9, 2, 1, b'x'];
    assert_eq!(split_header(&octets).0.map(|f| f.reference), Some(9));
    assert_eq!(split_header(b"text"), (None, b"text".as_slice()));
    assert_eq!(
        split_header(&[5, 0, 3, 1, 0, 0, b'x']),
        (None, b"x".as_slice())
    );
}

/// Texts that mix what is cheap, what costs two, and what needs UCS-2.
fn some_text() -> impl Strategy<Value = String> {
    let gsm: Vec<char> = DEFAULT_IN_ORDER.chars().chain(EXTENDED.chars()).collect();
    let mixed: Vec<char> = "aB1 €[я°😀\u{10FFFF}".chars().collect();
    prop_oneof![
        proptest::collection::vec(proptest::sample::select(gsm), 0..700),
        proptest::collection::vec(proptest::sample::select(mixed), 0..400),
    ]
    .prop_map(|characters| characters.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_planned_reads_as_the_text(text in some_text(), wide in any::<bool>()) {
        let reference = if wide { ReferenceWidth::Bits16 } else { ReferenceWidth::Bits8 };
        let planned = plan(&text, &PlanOptions { reference, ..exactly() });
        prop_assert_eq!(planned.characters_cut, 0);
        let (alone, room, unit) = match (septets(&text), wide) {
            (Some(_), false) => (160, 153, 1),
            (Some(_), true) => (160, 152, 1),
            (None, false) => (70, 67, 2),
            (None, true) => (70, 66, 2),
        };
        prop_assert_eq!(planned.alphabet == Alphabet::Gsm7, septets(&text).is_some());
        let cost = septets(&text).unwrap_or_else(|| text.encode_utf16().count());
        prop_assert_eq!(planned.segments.len() == 1, cost <= alone);
        let mut read = String::new();
        for segment in &planned.segments {
            let most = if planned.segments.len() == 1 { alone } else { room };
            prop_assert!(segment.len() <= unit * most);
            // Each segment reads for itself: no pair was cut.
            let part = decode(planned.alphabet, segment);
            prop_assert!(!part.contains(char::REPLACEMENT_CHARACTER) || text.contains(char::REPLACEMENT_CHARACTER));
            read.push_str(&part);
        }
        prop_assert_eq!(read, text);
        // No segment is wasted: two neighbours never fit into one but for a pair at the edge.
        for pair in planned.segments.windows(2) {
            prop_assert!(pair[0].len() >= unit * (room - 1));
        }
    }

    #[test]
    fn a_cut_text_keeps_to_its_segments(text in some_text(), segments_max in 1_u8..5) {
        let planned = plan(&text, &PlanOptions { segments_max, ..exactly() });
        prop_assert!(planned.segments.len() <= usize::from(segments_max));
        let read = decode(planned.alphabet, &planned.segments.concat());
        if planned.characters_cut > 0 {
            let kept = text.chars().count() - planned.characters_cut;
            let start: String = text.chars().take(kept).collect();
            prop_assert_eq!(read, format!("{start}..."));
        } else {
            prop_assert_eq!(read, text);
        }
    }

    #[test]
    fn random_user_data_is_read_without_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        for alphabet in [Alphabet::Gsm7, Alphabet::Latin1, Alphabet::Ucs2, Alphabet::Binary] {
            prop_assert!(decode(alphabet, &octets).chars().count() <= octets.len() + 40);
        }
        let (_, body) = split_header(&octets);
        prop_assert!(body.len() <= octets.len());
    }
}
