//! What a registry asks for with `WWW-Authenticate` (RFC 9110, section 11.6.1). Pure.

use std::collections::BTreeMap;

/// Longest header that is read, characters.
const CHARS_MAX: usize = 4096;

/// How to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Name and password with every request.
    Basic,
    /// A token, fetched from an address.
    Bearer {
        /// Where.
        realm: String,
        /// For which service, if it says.
        service: Option<String>,
    },
}

impl Challenge {
    /// Reads the header; `None` if it asks for something else.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        if header.len() > CHARS_MAX {
            return None;
        }
        let header = header.trim();
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut parameters = parameters(rest);
        Some(Self::Bearer {
            realm: parameters.remove("realm")?,
            service: parameters.remove("service"),
        })
    }
}

/// `a="x, y",b=z` by name; a quoted value may hold commas and escaped characters.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text.trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim().to_ascii_lowercase();
        let (value, left) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let (value, left) = after.split_once(',').unwrap_or((after, ""));
                (value.trim().to_owned(), left)
            }
        };
        found.insert(name, value);
        rest = left.trim_start_matches([',', ' ', '\t']);
    }
    found
}

/// The value up to the closing quote, and what follows it.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.chars();
    while let Some(one) = characters.next() {
        match one {
            '"' => break,
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_headers_are_read() {
        let bearer = r#"Bearer realm="https://auth.example.org/token?a=b,c",service="registry.example.org",scope="repository:a:pull,push""#;
        assert_eq!(
            Challenge::parse(bearer),
            Some(Challenge::Bearer {
                realm: "https://auth.example.org/token?a=b,c".into(),
                service: Some("registry.example.org".into()),
            })
        );
        assert_eq!(
            Challenge::parse("Basic realm=\"Registry\""),
            Some(Challenge::Basic)
        );
        let bare = Challenge::parse("bearer Realm=https://a/t , service = x");
        assert_eq!(
            bare,
            Some(Challenge::Bearer {
                realm: "https://a/t".into(),
                service: Some("x".into())
            })
        );
    }

    #[test]
    fn nothing_breaks_it() {
        let long = format!("Bearer realm=\"{}\"", "a".repeat(5000));
        for text in [
            "",
            " ",
            "Digest a=b",
            "Bearer",
            "Bearer =",
            "Bearer realm",
            &long,
        ] {
            assert_eq!(Challenge::parse(text), None, "{text}");
        }
        for text in [
            "Bearer realm=\"",
            "Bearer realm=\"\\",
            "Bearer realm=,=,=\"\"",
        ] {
            let Some(Challenge::Bearer { realm, .. }) = Challenge::parse(text) else {
                panic!("{text}");
            };
            assert_eq!(realm, "");
        }
    }
}
