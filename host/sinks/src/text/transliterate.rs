//! Stand-ins for characters that the GSM alphabet lacks.
//!
//! One `°` turns 160 characters into 70, so the usual signs of a plant and the accents of Latin
//! scripts get a plain spelling. Characters without a stand-in stay, and the planner then sends the
//! original text in UCS-2.

use super::gsm;

/// Spells a text with the characters of the GSM alphabet where a stand-in is known.
#[must_use]
pub fn transliterate(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if gsm::code_of(character).is_some() {
            plain.push(character);
        } else if character == '°' || character == 'º' {
            let unit_follows = matches!(characters.peek(), Some('C' | 'F' | 'K'));
            if plain.chars().next_back().is_some_and(|c| c != ' ') {
                plain.push(' ');
            }
            if !unit_follows {
                plain.push_str("deg");
            }
        } else if let Some(stand_in) = stand_in(character) {
            plain.push_str(stand_in);
        } else {
            plain.push(character);
        }
    }
    plain
}

/// The stand-in of one character.
const fn stand_in(character: char) -> Option<&'static str> {
    if let Some(sign) = sign(character) {
        return Some(sign);
    }
    letter(character)
}

/// Signs, units and punctuation.
const fn sign(character: char) -> Option<&'static str> {
    Some(match character {
        'µ' | 'μ' => "u",
        '\u{2126}' => "Ω",
        '\u{2206}' => "Δ",
        '∑' => "Σ",
        '¹' => "1",
        '²' => "2",
        '³' => "3",
        '½' => "1/2",
        '¼' => "1/4",
        '¾' => "3/4",
        '‰' => "o/oo",
        '±' => "+/-",
        '×' => "x",
        '÷' => "/",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "<>",
        '≈' => "~",
        '→' => "->",
        '←' => "<-",
        '„' | '“' | '”' | '«' | '»' | '″' => "\"",
        '‘' | '’' | '‚' | '‹' | '›' | '′' | '`' | '´' => "'",
        '‐' | '‑' | '‒' | '–' | '—' | '−' => "-",
        '…' => "...",
        '•' | '·' => "*",
        '¦' => "|",
        '¢' => "c",
        '©' => "(c)",
        '®' => "(R)",
        '™' => "TM",
        '№' => "No.",
        '\t' | '\u{A0}' | '\u{2007}' | '\u{2009}' | '\u{200A}' | '\u{202F}' => " ",
        '\u{AD}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{FEFF}' => "",
        _ => return None,
    })
}

/// Letters of Latin scripts, and capitals of Greek that look like Latin ones.
const fn letter(character: char) -> Option<&'static str> {
    Some(match character {
        'Á' | 'À' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' | 'Α' => "A",
        'á' | 'â' | 'ã' | 'ā' | 'ă' | 'ą' | 'ª' => "a",
        'Β' => "B",
        'Ć' | 'Č' | 'Ċ' => "C",
        'ç' | 'ć' | 'č' | 'ċ' => "c",
        'Ď' | 'Đ' | 'Ð' => "D",
        'ď' | 'đ' | 'ð' => "d",
        'È' | 'Ê' | 'Ë' | 'Ē' | 'Ė' | 'Ę' | 'Ě' | 'Ε' => "E",
        'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'Ğ' | 'Ģ' | 'Ġ' => "G",
        'ğ' | 'ģ' | 'ġ' => "g",
        'Ħ' | 'Η' => "H",
        'ħ' => "h",
        'Í' | 'Ì' | 'Î' | 'Ï' | 'Ī' | 'Į' | 'İ' | 'Ι' => "I",
        'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => "i",
        'Ķ' | 'Κ' => "K",
        'ķ' => "k",
        'Ĺ' | 'Ļ' | 'Ľ' | 'Ł' => "L",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'Μ' => "M",
        'Ń' | 'Ņ' | 'Ň' | 'Ν' => "N",
        'ń' | 'ņ' | 'ň' => "n",
        'Ó' | 'Ò' | 'Ô' | 'Õ' | 'Ő' | 'Ō' | 'Ο' => "O",
        'ó' | 'ô' | 'õ' | 'ő' | 'ō' => "o",
        'Œ' => "OE",
        'œ' => "oe",
        'Ρ' => "P",
        'Ŕ' | 'Ř' => "R",
        'ŕ' | 'ř' => "r",
        'Ś' | 'Ş' | 'Š' | 'Ș' => "S",
        'ś' | 'ş' | 'š' | 'ș' => "s",
        'ẞ' => "SS",
        'Ţ' | 'Ť' | 'Ț' | 'Τ' => "T",
        'ţ' | 'ť' | 'ț' => "t",
        'Þ' => "Th",
        'þ' => "th",
        'Ú' | 'Ù' | 'Û' | 'Ů' | 'Ű' | 'Ū' | 'Ų' => "U",
        'ú' | 'û' | 'ů' | 'ű' | 'ū' | 'ų' => "u",
        'Χ' => "X",
        'Ý' | 'Ÿ' | 'Υ' => "Y",
        'ý' | 'ÿ' => "y",
        'Ź' | 'Ż' | 'Ž' | 'Ζ' => "Z",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}
