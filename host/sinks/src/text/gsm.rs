//! The GSM 03.38 default alphabet and its extension table (3GPP TS 23.038 section 6.2.1).
//!
//! A character costs one septet, or two when it stands in the extension table (escape, then code).

/// The escape to the extension table.
pub(super) const ESCAPE: u8 = 0x1B;

/// The default alphabet in the order of its codes. Code 0x1B is the escape and stands for nothing.
const DEFAULT: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1B}', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// The extension table.
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// A character in this alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// One septet of the default table.
    Single(u8),
    /// Escape and this septet.
    Extended(u8),
}

impl Code {
    /// How many septets it takes.
    pub(super) const fn septets(self) -> usize {
        match self {
            Self::Single(_) => 1,
            Self::Extended(_) => 2,
        }
    }

    /// Appends its septets, one an octet.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Single(code) => out.push(code),
            Self::Extended(code) => out.extend([ESCAPE, code]),
        }
    }
}

/// The code of a character, or nothing if the alphabet lacks it.
pub(super) fn code_of(character: char) -> Option<Code> {
    // Most of ASCII has its own place: asked first, because nearly every character ends here.
    if character.is_ascii_alphanumeric() {
        return u8::try_from(character).ok().map(Code::Single);
    }
    if let Some((code, _)) = EXTENSION.iter().find(|(_, c)| *c == character) {
        return Some(Code::Extended(*code));
    }
    if character == '\u{1B}' {
        return None;
    }
    DEFAULT
        .iter()
        .position(|c| *c == character)
        .and_then(|place| u8::try_from(place).ok())
        .map(Code::Single)
}

/// Reads septets, one an octet. The top bit is ignored; an escape before a code that the extension
/// table lacks shows that code's default character, as TS 23.038 asks of phones; a lone escape at
/// the end is a space.
pub(super) fn read(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    let mut escaped = false;
    for octet in octets {
        let code = octet & 0x7F;
        if code == ESCAPE && !escaped {
            escaped = true;
            continue;
        }
        let extended = escaped
            .then(|| EXTENSION.iter().find(|(place, _)| *place == code))
            .flatten()
            .map(|(_, character)| *character);
        let plain = DEFAULT.get(usize::from(code)).copied().unwrap_or(' ');
        let plain = if code == ESCAPE { ' ' } else { plain };
        text.push(extended.unwrap_or(plain));
        escaped = false;
    }
    if escaped {
        text.push(' ');
    }
    text
}
