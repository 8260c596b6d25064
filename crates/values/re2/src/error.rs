//! Why a pattern is refused, in Go's words.

/// A refused pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {code}: `{expression}`")]
pub struct PatternError {
    /// What is wrong.
    pub code: ErrorCode,
    /// The part of the pattern concerned.
    pub expression: String,
}

/// What is wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorCode {
    /// A range that runs backwards, or a class name that does not exist.
    #[error("invalid character class range")]
    InvalidCharRange,
    /// A backslash before a letter or digit that means nothing.
    #[error("invalid escape sequence")]
    InvalidEscape,
    /// `(?P<name>` without an end or with an unfit name.
    #[error("invalid named capture")]
    InvalidNamedCapture,
    /// `(?` followed by something unknown, as in lookahead.
    #[error("invalid or unsupported Perl syntax")]
    InvalidPerlOp,
    /// `**`, `+?+` and the like.
    #[error("invalid nested repetition operator")]
    InvalidRepeatOp,
    /// `{n,m}` with numbers above 1000, or in the wrong order.
    #[error("invalid repeat count")]
    InvalidRepeatSize,
    /// `[` without `]`.
    #[error("missing closing ]")]
    MissingBracket,
    /// `(` without `)`.
    #[error("missing closing )")]
    MissingParen,
    /// A repetition of nothing.
    #[error("missing argument to repetition operator")]
    MissingRepeatArgument,
    /// The pattern ends in a backslash.
    #[error("trailing backslash at end of expression")]
    TrailingBackslash,
    /// `)` without `(`.
    #[error("unexpected )")]
    UnexpectedParen,
    /// Groups or repetitions are nested too deep (Go's limit is 1000, weir's 250).
    #[error("expression nests too deeply")]
    NestingDepth,
    /// The compiled pattern would take too much memory.
    #[error("expression too large")]
    Large,
}

impl PatternError {
    pub(crate) fn new(code: ErrorCode, expression: impl Into<String>) -> Self {
        Self {
            code,
            expression: expression.into(),
        }
    }
}
