//! What can go wrong, and where.

use std::fmt;

use crate::{MAX_DEPTH, MAX_OUTPUT_BYTES};

/// A place in the text, counted from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Position {
    /// The place of the byte at `offset`.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..text.floor_char_boundary(offset)).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: 1 + before.matches('\n').count(),
            column: 1 + before.get(line_start..).unwrap_or_default().chars().count(),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text cannot be substituted. No value is ever part of the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at {position}{}", in_expression(.variable.as_deref(), .problem))]
pub struct SubstituteError {
    /// What is wrong.
    pub problem: Problem,
    /// Where the innermost `${` concerned starts.
    pub position: Position,
    /// The variable concerned, once its name is known.
    pub variable: Option<String>,
}

fn in_expression(variable: Option<&str>, problem: &Problem) -> String {
    match (variable, problem) {
        (Some(_), Problem::NotSet(_)) | (None, _) => String::new(),
        (Some(name), _) => format!(", in the expression of {name:?}"),
    }
}

/// The kinds of problems. Their first words are upstream's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// `${` is not followed by a name, as in `${{ … }}` or `${.x}`.
    #[error("unable to parse variable name")]
    VariableName,
    /// Neither `}` nor a known form follows the name, as in `${a-b}` or `${a`.
    #[error("missing closing brace")]
    MissingBrace,
    /// A form is begun but not completed, or has too many parts.
    #[error("bad substitution")]
    BadSubstitution,
    /// An argument of a form is missing or does not end.
    #[error("unable to parse substitution within function")]
    Argument,
    /// `${…}` stands inside `${…}` deeper than [`MAX_DEPTH`].
    #[error("substitutions nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// The variable is not known, in strict mode.
    #[error("variable not set (strict mode): {0:?}")]
    NotSet(String),
    /// A substring begins or ends inside a character of several bytes.
    #[error("substring cuts a character in two")]
    CutsCharacter,
    /// The result would be longer than [`MAX_OUTPUT_BYTES`].
    #[error("substituted text is longer than {MAX_OUTPUT_BYTES} bytes")]
    TooLong,
}
