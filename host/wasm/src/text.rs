//! Cleaning of what a guest says, before a person or a log reads it.
//!
//! Every control character becomes a space, line ends included: a message is one line in a log, a
//! journal and an SMS. So do the characters that turn the direction of writing, with which a
//! message can be made to look like another one. Longer texts are cut at a character, with `…`.

/// A clean text of at most `chars_max` characters, the `…` included; the text itself where it is
/// clean already.
pub(crate) fn clean(text: String, chars_max: usize) -> String {
    let short = text.len() <= chars_max;
    if short && !text.contains(is_unwanted) && text.trim().len() == text.len() {
        return text;
    }
    // No more of it is copied than is kept: it may be a megabyte, in each call.
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || is_unwanted(c));
    let mut chars = trimmed.chars();
    let kept = chars.by_ref().take(chars_max);
    let mut cut: String = kept.map(|c| if is_unwanted(c) { ' ' } else { c }).collect();
    if chars.next().is_some() {
        cut.pop();
        cut.push('…');
    }
    cut
}

fn is_unwanted(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_text_stays_as_it_is() {
        assert_eq!(clean("Tank 1: 93 °C".to_owned(), 13), "Tank 1: 93 °C");
    }

    #[test]
    fn line_ends_and_turns_of_direction_become_spaces() {
        assert_eq!(clean("a\r\nb\u{202e}c\0".to_owned(), 100), "a  b c");
        assert_eq!(clean("\0 a\tb \u{feff}\n".to_owned(), 2), "a…");
        assert_eq!(clean("\0 ab \u{feff}\n".to_owned(), 2), "ab");
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(clean("ééééé".to_owned(), 4), "ééé…");
        assert_eq!(clean("éééé".to_owned(), 4), "éééé");
        assert_eq!(clean("xy".to_owned(), 0), "…");
    }
}
