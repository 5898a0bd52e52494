//! The lines of an iCalendar file (RFC 5545, section 3.1): unfolded, each with the line of the
//! file on which it begins, and taken apart into name, parameters and value.

/// Longest line after unfolding, bytes; a longer one is refused.
const LINE_BYTES_MAX: usize = 64 << 10;

/// A property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Where it begins in the file, from 1.
    pub(crate) number: usize,
    /// In capitals.
    pub(crate) name: String,
    /// Names in capitals, values without their quotes.
    pub(crate) parameters: Vec<(String, String)>,
    /// As it stands in the file, folds taken out.
    pub(crate) value: String,
}

impl Line {
    /// The value of a parameter, given its name in capitals.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let mut named = self.parameters.iter().filter(|(own, _)| own == name);
        named.next().map(|(_, value)| value.as_str())
    }

    /// The value with its escapes resolved (section 3.3.11).
    pub(crate) fn text(&self) -> String {
        let mut text = String::with_capacity(self.value.len());
        let mut signs = self.value.chars();
        while let Some(sign) = signs.next() {
            match sign {
                '\\' => match signs.next() {
                    Some('n' | 'N') => text.push('\n'),
                    Some(other) => text.push(other),
                    None => {}
                },
                other => text.push(other),
            }
        }
        text
    }
}

/// A line that is none, with its number and what is wrong.
pub(crate) type BadLine = (usize, String);

/// The properties of a file in order, and the lines that are none.
pub(crate) fn lines(text: &str) -> (Vec<Line>, Vec<BadLine>) {
    let (mut lines, mut bad) = (Vec::new(), Vec::new());
    for (number, unfolded) in unfold(text) {
        if unfolded.len() > LINE_BYTES_MAX {
            let says = format!(
                "the line has {} bytes; at most {LINE_BYTES_MAX} are read",
                unfolded.len()
            );
            bad.push((number, says));
        } else if let Some(line) = parse(number, &unfolded) {
            lines.push(line);
        } else {
            let start: String = unfolded.chars().take(40).collect();
            bad.push((number, format!("`{start}` is not `NAME:VALUE`")));
        }
    }
    (lines, bad)
}

/// Joins lines that begin with a blank or a tab to the line before.
fn unfold(text: &str) -> Vec<(usize, String)> {
    let mut unfolded: Vec<(usize, String)> = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, raw) in text.split('\n').enumerate() {
        let raw = raw.strip_suffix('\r').unwrap_or(raw);
        let folded = raw.strip_prefix([' ', '\t']);
        match (folded, unfolded.last_mut()) {
            (Some(more), Some((_, line))) => line.push_str(more),
            (Some(_), None) | (None, _) if raw.trim().is_empty() => {}
            (Some(_), None) | (None, _) => unfolded.push((index + 1, raw.to_owned())),
        }
    }
    unfolded
}

fn parse(number: usize, line: &str) -> Option<Line> {
    let end = line.find([':', ';'])?;
    let (name, mut rest) = line.split_at(end);
    let named = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if !named {
        return None;
    }
    let mut parameters = Vec::new();
    while let Some(after) = rest.strip_prefix(';') {
        let (name, after) = after.split_once('=')?;
        let (value, after) = parameter_value(after)?;
        parameters.push((name.to_ascii_uppercase(), value));
        rest = after;
    }
    Some(Line {
        number,
        name: name.to_ascii_uppercase(),
        parameters,
        value: rest.strip_prefix(':')?.to_owned(),
    })
}

/// A parameter's value up to the next `;` or `:` outside of quotes, and the rest from there.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let mut quoted = false;
    for (at, sign) in text.char_indices() {
        match sign {
            '"' => quoted = !quoted,
            ';' | ':' if !quoted => {
                let (value, rest) = text.split_at(at);
                return Some((value.replace('"', ""), rest));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_and_quotes_and_escapes_are_resolved() {
        let text = "BEGIN:VEVENT\r\nSUMM\r\n ARY:Ada\\, then\\nBen\r\nATTENDEE;CN=\"Berg; Ada: x\";PARTSTAT=ACCEPTED\r\n\t:mailto:ada@example.com\r\n";
        let (lines, bad) = lines(text);
        assert_eq!(bad, []);
        assert_eq!(lines[1].text(), "Ada, then\nBen");
        assert_eq!((lines[1].number, lines[2].number), (2, 4));
        assert_eq!(lines[2].parameter("CN"), Some("Berg; Ada: x"));
        assert_eq!(lines[2].value, "mailto:ada@example.com");
    }

    #[test]
    fn a_line_that_is_none_is_told_with_its_number() {
        let (lines, bad) = lines("BEGIN:VCALENDAR\nhello there\n\nEND:VCALENDAR\nX;Y:Z\n");
        assert_eq!(lines.len(), 2);
        assert_eq!(
            bad.iter().map(|(line, _)| *line).collect::<Vec<_>>(),
            [2, 5]
        );
    }
}
