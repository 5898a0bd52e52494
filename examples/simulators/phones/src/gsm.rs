//! Reading the texts of short messages: GSM 03.38 default alphabet, one septet an octet, and
//! UCS-2. Written apart from the host's own tables, so that a mistake there is seen here.

const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1b}', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

const EXTENSION: [(u8, char); 10] = [
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// The text of these octets in this data coding.
pub(crate) fn decode(octets: &[u8], coding: u8) -> String {
    match coding {
        8 => {
            let units: Vec<u16> = octets
                .chunks_exact(2)
                .filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)))
                .collect();
            String::from_utf16_lossy(&units)
        }
        3 => octets.iter().map(|octet| char::from(*octet)).collect(),
        _ => septets(octets),
    }
}

fn septets(octets: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = octets.iter();
    while let Some(octet) = rest.next() {
        if *octet == 0x1b {
            let code = rest.next().copied().unwrap_or(0x20);
            text.push(
                EXTENSION
                    .iter()
                    .find(|(at, _)| *at == code)
                    .map_or(' ', |(_, sign)| *sign),
            );
        } else {
            text.push(BASIC.get(usize::from(*octet)).copied().unwrap_or('?'));
        }
    }
    text
}

/// The octets of a text in the default alphabet, if it has room there.
pub(crate) fn encode(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    for sign in text.chars() {
        if let Some(at) = BASIC.iter().position(|c| *c == sign) {
            octets.push(u8::try_from(at).ok()?);
        } else {
            let (code, _) = EXTENSION.iter().find(|(_, c)| *c == sign)?;
            octets.extend([0x1b, *code]);
        }
    }
    Some(octets)
}
