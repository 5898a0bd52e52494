//! Text of plugins, cut to what a line for people may hold.

/// At most so many characters of a text, with a sign where some are missing.
pub(crate) fn shortened(text: &str, chars: usize) -> String {
    let mut short: String = text.chars().take(chars).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
