//! What a check found wrong in settings, before anybody knows on which line it stands.

use std::fmt;

/// Whether settings with this finding may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// They may, but somebody should look.
    Warning,
    /// They are refused.
    Error,
}

/// One thing that is wrong in settings. Checks return all of them at once; `config` adds file and
/// line from `path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it stops the settings.
    pub severity: Severity,
    /// JSON pointer into what the check was given: `/3/register` is key `register` of element 3;
    /// empty for the whole.
    pub path: String,
    /// What is wrong, with the value that is.
    pub says: String,
    /// What to do, where that can be told.
    pub hint: Option<String>,
    /// Name and line of another file that it is about, which the settings name at `path`; line 0
    /// for the whole file.
    pub file: Option<Box<(String, usize)>>,
}

impl Finding {
    /// Something that stops the settings.
    #[must_use]
    pub fn error(path: impl Into<String>, says: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            path: path.into(),
            says: says.into(),
            hint: None,
            file: None,
        }
    }

    /// Something that somebody should look at.
    #[must_use]
    pub fn warning(path: impl Into<String>, says: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(path, says)
        }
    }

    /// The same with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same about a line of another file, from 1.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>, line: usize) -> Self {
        self.file = Some(Box::new((file.into(), line)));
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.says)?;
        self.hint
            .as_ref()
            .map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}
