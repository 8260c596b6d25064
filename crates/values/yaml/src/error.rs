//! What can go wrong.

use crate::Span;

/// Text that is not YAML, or more YAML than the limits allow.
#[derive(Clone, Debug, thiserror::Error)]
#[error("yaml: line {}, column {}: {message}", .span.line, .span.column)]
pub struct ParseError {
    /// Where.
    pub span: Span,
    /// What, in a lower-case fragment.
    pub message: String,
}

impl ParseError {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
        }
    }
}

/// A tree that has no JSON form.
#[derive(Clone, Debug, thiserror::Error)]
#[error("yaml: line {}: {message}", .span.line)]
pub struct ConvertError {
    /// The node; line 0 if it was not read from text.
    pub span: Span,
    /// What, in a lower-case fragment.
    pub message: String,
}

impl ConvertError {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
        }
    }
}

impl From<ParseError> for ConvertError {
    fn from(error: ParseError) -> Self {
        Self::new(error.span, error.message)
    }
}
