//! What a rule says.

use weir_yaml::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It stops the build.
    Error,
    /// It does nothing, or will stop the build one day.
    Warning,
    /// It may well be meant.
    Hint,
}

impl Severity {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Hint => "hint",
        }
    }
}

/// An edit, as the lines before and after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The lines that are replaced.
    pub before: String,
    /// What they become; empty if they go.
    pub after: String,
}

/// Something found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule, in kebab-case.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Path of the file, as the [`crate::Files`] that were given have it.
    pub file: String,
    /// Line, from 1; 0 if the file as a whole is meant.
    pub line: u32,
    /// Column in characters, from 1; 0 as above.
    pub column: u32,
    /// What is found: lower-case, no full stop.
    pub message: String,
    /// Why that matters.
    pub why: String,
    /// What to try, if that is not plain from the message.
    pub help: Option<String>,
    /// The edit that does it.
    pub change: Option<Change>,
}

impl Finding {
    pub(super) fn new(
        code: &'static str,
        severity: Severity,
        file: &str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity,
            file: file.to_owned(),
            line: 0,
            column: 0,
            message: message.into(),
            why: String::new(),
            help: None,
            change: None,
        }
    }

    pub(super) fn at(mut self, span: Span) -> Self {
        (self.line, self.column) = (span.line, span.column);
        self
    }

    pub(super) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    pub(super) fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    /// By file, then place.
    pub(super) fn order(&self) -> (&str, u32, u32, &str) {
        (&self.file, self.line, self.column, self.code)
    }
}
