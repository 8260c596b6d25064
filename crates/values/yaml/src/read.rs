//! Text in, events out, as the YAML libraries of Kubernetes' tools read it.
//!
//! These are go.yaml.in/yaml v2 and v3, descendants of libyaml: what they take for a token, a key or a comment decides what
//! kustomize and helm make of a manifest, and what they refuse is no manifest. [`Scanner`] takes a text apart into tokens as
//! they do, [`Events`] puts tokens together; comments go to the nodes to which v3 gives them.
//!
//! Where they refuse valid YAML 1.2 that has only one meaning, it is read here: names of anchors with any characters, `\/`,
//! texts at the margin that are the whole document, documents without `---` behind `...`, `%YAML` of any version, and
//! directives of other tools.

mod block;
mod comments;
mod cursor;
mod events;
mod names;
mod plain;
mod quoted;
mod scan;
mod token;

pub(crate) use cursor::Mark;
pub(crate) use events::{Event, Events, What};
pub(crate) use token::ScalarStyle;

use crate::{ParseError, Span};

/// The span of what starts at a place.
pub(crate) fn span(start: Mark) -> Span {
    Span {
        line: start.line.saturating_add(1),
        column: start.column.saturating_add(1),
    }
}

/// An error at a place.
fn error<T>(at: Mark, problem: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError::new(span(at), problem))
}
