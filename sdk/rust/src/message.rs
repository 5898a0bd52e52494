//! Messages that the person who configures a rule writes: `{tag} is at {value}`.

/// A text with `{names}` to fill in; `{{` and `}}` stand for the braces themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageTemplate {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

impl MessageTemplate {
    /// Reads a text; `known` are the names that may stand in braces.
    ///
    /// # Errors
    /// A sentence that says which name is unknown, or where a brace is alone.
    pub fn parse<S: AsRef<str>>(text: &str, known: &[S]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut letters = text.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '{' | '}' if letters.next_if(|(_, next)| *next == letter).is_some() => {
                    plain.push(letter);
                }
                '{' => {
                    let name = read_name(&mut letters).ok_or_else(|| alone('{', text, at))?;
                    if !known.iter().any(|known| known.as_ref() == name) {
                        return Err(unknown(&name, known));
                    }
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Name(name));
                }
                '}' => return Err(alone('}', text, at)),
                _ => plain.push(letter),
            }
        }
        parts.push(Part::Text(plain));
        parts.retain(|part| *part != Part::Text(String::new()));
        Ok(Self { parts })
    }

    /// The text with every name replaced by what `value` answers for it.
    #[must_use]
    pub fn fill(&self, mut value: impl FnMut(&str) -> String) -> String {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Name(name) => filled.push_str(&value(name)),
            }
        }
        filled
    }
}

fn read_name(letters: &mut impl Iterator<Item = (usize, char)>) -> Option<String> {
    let mut name = String::new();
    for (_, letter) in letters {
        match letter {
            '}' => return Some(name.trim().to_owned()),
            '{' => return None,
            _ => name.push(letter),
        }
    }
    None
}

fn alone(brace: char, text: &str, at: usize) -> String {
    let column = text.char_indices().take_while(|(i, _)| *i < at).count() + 1;
    format!(
        "the `{brace}` at character {column} stands alone: write `{brace}{brace}` for the character itself"
    )
}

fn unknown<S: AsRef<str>>(name: &str, known: &[S]) -> String {
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    format!(
        "`{{{name}}}` is not known here: use one of {{{}}}",
        known.join("}, {")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_names_and_keeps_doubled_braces() {
        let template = MessageTemplate::parse("{a}: {{{ b }}} ä", &["a", "b"]).unwrap();
        assert_eq!(template.fill(|name| format!("<{name}>")), "<a>: {<b>} ä");
    }

    #[test]
    fn says_what_is_wrong_with_a_text() {
        let error = |text| MessageTemplate::parse(text, &["tag", "value"]).unwrap_err();
        assert_eq!(
            error("{tga}"),
            "`{tga}` is not known here: use one of {tag}, {value}"
        );
        assert!(error("ä {tag").contains("character 3"));
        assert!(error("a } b").contains("character 3"));
    }
}
