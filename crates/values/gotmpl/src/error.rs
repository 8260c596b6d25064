//! Go's messages, and the same as data.

use std::fmt;

/// A text is no template. The message is Go's: `template: name:3: unexpected "}" in operand`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {name}:{line}: {message}")]
pub struct ParseError {
    /// The name under which the text was parsed.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, in Go's words.
    pub message: String,
}

/// Where an execution was when it failed: one for each nested template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The template that was executing.
    pub template: String,
    /// The name of the text it was parsed from, usually a file.
    pub file: String,
    /// The line, from 1. Zero if the failure has no place.
    pub line: usize,
    /// The column in bytes, from 0 as Go counts.
    pub column: usize,
    /// The expression, as Go prints it.
    pub expression: String,
}

/// Why a function failed.
#[derive(Clone, Debug)]
pub struct CallError(Box<Failure>);

/// Why an execution failed.
///
/// It prints as Go's error does. [`ExecError::chain`] is what Go's `errors.Unwrap` would walk through, and
/// [`ExecError::frames`] where each nested template was.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.0.message())]
pub struct ExecError(pub(crate) Box<Failure>);

#[derive(Clone, Debug, Default)]
pub(crate) struct Failure {
    /// Innermost first. The message of one level is its own text and those of all before it.
    links: Vec<String>,
    frames: Vec<Frame>,
    is_limit: bool,
}

impl Failure {
    fn message(&self) -> String {
        self.links.iter().rev().map(String::as_str).collect()
    }
}

impl CallError {
    /// A failure with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Failure {
            links: vec![message.into()],
            ..Failure::default()
        }))
    }

    /// A bound of [`crate::Limits`] was reached: nothing may catch it.
    pub(crate) fn limit(message: impl Into<String>) -> Self {
        let mut error = Self::new(message);
        error.0.is_limit = true;
        error
    }

    /// Whether a bound of [`crate::Limits`] was reached.
    pub fn is_limit(&self) -> bool {
        self.0.is_limit
    }

    /// The same failure behind a text, as Go's `fmt.Errorf("text%w", err)`.
    #[must_use]
    pub fn wrap(mut self, text: impl Into<String>) -> Self {
        self.0.links.push(text.into());
        self
    }

    /// A failure of the evaluator itself: the message in one piece, and where.
    pub(crate) fn merged(text: String, frame: Frame) -> ExecError {
        ExecError(Box::new(Failure {
            links: vec![text],
            frames: vec![frame],
            is_limit: false,
        }))
    }

    /// Adds where it happened.
    pub(crate) fn at(mut self, text: String, frame: Frame) -> ExecError {
        self.0.links.push(text);
        self.0.frames.push(frame);
        ExecError(self.0)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message())
    }
}

impl std::error::Error for CallError {}

impl From<ExecError> for CallError {
    fn from(error: ExecError) -> Self {
        Self(error.0)
    }
}

impl ExecError {
    pub(crate) fn new(text: String) -> Self {
        Self(Box::new(Failure {
            links: vec![text],
            ..Failure::default()
        }))
    }

    /// The messages from the outermost to the innermost error, each holding the ones after it, as repeated
    /// `errors.Unwrap` gives them in Go (where a wrapper says the same as what it wraps, it is there once).
    pub fn chain(&self) -> impl Iterator<Item = String> + '_ {
        (1..=self.0.links.len()).rev().map(|level| {
            self.0
                .links
                .iter()
                .take(level)
                .rev()
                .map(String::as_str)
                .collect()
        })
    }

    /// The texts that the levels of the chain add, outermost first; joined they are the message.
    pub fn links(&self) -> impl Iterator<Item = &str> {
        self.0.links.iter().rev().map(String::as_str)
    }

    /// Where each nested template was, outermost first.
    pub fn frames(&self) -> impl DoubleEndedIterator<Item = &Frame> {
        self.0.frames.iter().rev()
    }

    /// Whether a bound of [`crate::Limits`] was reached.
    pub fn is_limit(&self) -> bool {
        self.0.is_limit
    }
}
