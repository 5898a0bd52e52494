//! `oci://registry.example.org/team/tank-level:1.2@sha256:…`: what an instance names.
//!
//! The registry must be named: there is no default one. A digest decides what is fetched; a tag
//! beside it is for people. A tag alone counts only where the settings of the registry allow it.

use std::fmt;

use crate::{NotASha256, Sha256};

/// Every reference begins with it.
const SCHEME: &str = "oci://";

/// Longest reference that is read, characters.
const CHARS_MAX: usize = 500;

/// A component in a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Sha256>,
}

/// A text that is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongReference {
    /// Its form.
    #[error(
        "`{text}` is not a reference ({why}); write it like oci://registry.example.org/team/tank-level:1.2@sha256:…"
    )]
    Form {
        /// What was given, cut.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// Another digest than SHA-256.
    #[error("`{text}` has a digest that is not a SHA-256")]
    Digest {
        /// What was given, cut.
        text: String,
        /// What is wrong with it.
        #[source]
        source: NotASha256,
    },
}

impl Reference {
    /// Whether a text means a component in a registry, and no file.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// Reads a reference.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, WrongReference> {
        let shown: String = text.chars().take(CHARS_MAX).collect();
        let wrong = |why: &str| WrongReference::Form {
            text: shown.clone(),
            why: why.to_owned(),
        };
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| wrong("it does not begin with oci://"))?;
        if shown.len() < text.len() {
            return Err(wrong("it is too long"));
        }
        let parsed: oci_client::Reference = rest
            .parse()
            .map_err(|error: oci_client::ParseError| wrong(&error.to_string()))?;
        // The parser puts Docker's registry where none is named, and `latest` where there is no tag.
        let registry = parsed.registry();
        if !rest.starts_with(&format!("{registry}/")) {
            return Err(wrong("it names no registry"));
        }
        let digest = parsed
            .digest()
            .map(Sha256::parse)
            .transpose()
            .map_err(|source| WrongReference::Digest {
                text: shown.clone(),
                source,
            })?;
        let name = rest.split('@').next().unwrap_or(rest);
        let named = name
            .rsplit('/')
            .next()
            .is_some_and(|last| last.contains(':'));
        let tag = parsed.tag().filter(|_| named).map(str::to_owned);
        if tag.is_none() && digest.is_none() {
            return Err(wrong("it has neither a digest nor a tag"));
        }
        Ok(Self {
            registry: registry.to_owned(),
            repository: parsed.repository().to_owned(),
            tag,
            digest,
        })
    }

    /// Host of the registry, with its port if that is named.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Name in the registry.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Digest of the manifest.
    #[must_use]
    pub const fn digest(&self) -> Option<&Sha256> {
        self.digest.as_ref()
    }

    /// The same with this digest.
    #[must_use]
    pub fn pinned(&self, digest: &Sha256) -> Self {
        Self {
            digest: Some(digest.clone()),
            ..self.clone()
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest
            .as_ref()
            .map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn is_read_and_written_as_it_was() {
        for rest in [
            format!("registry.example.org/team/tank-level:1.2@{DIGEST}"),
            format!("registry.example.org/tank-level@{DIGEST}"),
            "127.0.0.1:5000/tank:latest".to_owned(),
            format!("localhost/a/b/c@{DIGEST}"),
        ] {
            let text = format!("oci://{rest}");
            let reference = Reference::parse(&text).expect("a reference");
            assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn a_port_is_no_tag() {
        let reference = Reference::parse(&format!("oci://127.0.0.1:5000/tank@{DIGEST}"));
        assert_eq!(reference.expect("a reference").tag(), None);
    }

    #[test]
    fn what_leaves_open_what_is_meant_is_refused() {
        for (text, why) in [
            ("oci://team/tank-level:1.2", "no registry"),
            ("oci://tank-level:1.2", "no registry"),
            (
                "oci://registry.example.org/tank",
                "neither a digest nor a tag",
            ),
            ("registry.example.org/tank:1", "begin with oci://"),
            ("oci://registry.example.org/Tank:1", "reference"),
            ("oci://registry.example.org/tank@sha256:12", "reference"),
            ("oci://", "reference"),
            ("oci://registry.example.org/../../x:1", "reference"),
        ] {
            let error = Reference::parse(text).expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        let long = format!("oci://registry.example.org/{}:1", "a".repeat(600));
        assert!(Reference::parse(&long).is_err());
        let other = format!("oci://registry.example.org/a@sha512:{}", "a".repeat(128));
        assert!(matches!(
            Reference::parse(&other),
            Err(WrongReference::Digest { .. })
        ));
    }
}
