//! What a text is made of.

use std::borrow::Cow;

use super::Mark;

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScalarStyle {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

/// What a token is, in the words of the YAML specification 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    StreamStart,
    StreamEnd,
    /// `%YAML`, or a directive that is passed over.
    Directive,
    /// `%TAG`
    TagDirective,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    Tag,
    Scalar(ScalarStyle),
}

/// A token.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) start: Mark,
    pub(super) end: Mark,
    /// The text of a scalar; the name of an anchor; handle and suffix of a tag, handle and prefix of its directive.
    pub(super) text: Cow<'a, str>,
    /// Bytes of a tag's handle.
    pub(super) handle: usize,
}

impl<'a> Token<'a> {
    /// A token without text.
    pub(super) fn new(kind: Kind, start: Mark, end: Mark) -> Self {
        Self {
            kind,
            start,
            end,
            text: Cow::Borrowed(""),
            handle: 0,
        }
    }

    /// A token with a text.
    pub(super) fn with(kind: Kind, start: Mark, end: Mark, text: Cow<'a, str>) -> Self {
        Self {
            text,
            ..Self::new(kind, start, end)
        }
    }

    /// A tag, or its directive: the handle, and what follows it.
    pub(super) fn parts(&self) -> (&str, &str) {
        self.text.split_at_checked(self.handle).unwrap_or_default()
    }
}
