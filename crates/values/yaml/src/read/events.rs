//! From tokens to events.

use std::borrow::Cow;

use super::comments::Position;
use super::scan::Scanner;
use super::token::{Kind, ScalarStyle, Token};
use super::{Mark, error, span};
use crate::{Comments, ParseError, Span};

const NO_KEY: &str = "did not find expected key: nothing stands before the colon";

/// What an event is.
#[derive(Debug)]
pub(crate) enum What<'a> {
    /// Its comments: the part of those above the document that a blank line separates from the first node.
    DocumentStart,
    /// Its comments: those below the document.
    DocumentEnd,
    StreamEnd,
    /// `*name`
    Alias(Cow<'a, str>),
    Scalar(Cow<'a, str>, ScalarStyle),
    SequenceStart {
        is_flow: bool,
    },
    /// Its comments replace those of the sequence that are not above it.
    SequenceEnd,
    MappingStart {
        is_flow: bool,
    },
    /// As [`Self::SequenceEnd`].
    MappingEnd,
}

/// What may stand before a node.
#[derive(Debug, Default)]
pub(crate) struct Properties<'a> {
    /// `&name`
    pub(crate) anchor: Option<Cow<'a, str>>,
    /// The tag with its handle resolved; `!` alone is one.
    pub(crate) tag: Option<String>,
}

/// One step through a text.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub(crate) what: What<'a>,
    /// Of a collection: its opening token.
    pub(crate) span: Span,
    pub(crate) properties: Option<Box<Properties<'a>>>,
    pub(crate) comments: Option<Box<Comments>>,
}

impl<'a> Event<'a> {
    fn new(what: What<'a>, start: Mark) -> Self {
        Self {
            what,
            span: span(start),
            properties: None,
            comments: None,
        }
    }

    /// A node that is not there.
    fn nothing(at: Mark) -> Self {
        Self::new(What::Scalar(Cow::Borrowed(""), ScalarStyle::Plain), at)
    }
}

/// What is expected next; named after the productions of YAML 1.1's grammar.
#[derive(Clone, Copy, Debug)]
enum State {
    StreamStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceEntry { is_first: bool },
    IndentlessSequenceEntry,
    BlockMappingKey { is_first: bool },
    BlockMappingValue,
    FlowSequenceEntry { is_first: bool },
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingKey { is_first: bool },
    FlowMappingValue,
    FlowMappingNoValue,
    End,
}

/// Reads a text event by event.
#[derive(Debug)]
pub(crate) struct Events<'a> {
    scanner: Scanner<'a>,
    state: State,
    /// What follows when the node that is being read has ended.
    states: Vec<State>,
    /// Where the collections that are being read began.
    marks: Vec<Mark>,
    /// Handles of tags and what they stand for, in this document.
    handles: Vec<(String, String)>,
    /// Whether the last document ended with `...`, so that another one needs no `---`.
    may_be_bare: bool,
    /// Comments that wait for the next node.
    comments: Comments,
    /// Comments of the collection that comes, not of its first member.
    stem: String,
}

impl<'a> Events<'a> {
    /// Collections may lie in each other up to a depth, those in blocks and in flow counted apart.
    pub(crate) fn new(text: &'a str, depth: usize, with_comments: bool) -> Self {
        Self {
            scanner: Scanner::new(text, depth, with_comments),
            state: State::StreamStart,
            states: Vec::new(),
            marks: Vec::new(),
            handles: Vec::new(),
            may_be_bare: true,
            comments: Comments::default(),
            stem: String::new(),
        }
    }

    /// The next event; behind [`What::StreamEnd`] the same again.
    pub(crate) fn next(&mut self) -> Result<Event<'a>, ParseError> {
        match self.state {
            State::StreamStart => {
                self.take()?;
                self.state = State::DocumentStart;
                self.document_start()
            }
            State::DocumentStart => self.document_start(),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceEntry { is_first } => self.block_sequence_entry(is_first),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingKey { is_first } => self.block_mapping_key(is_first),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceEntry { is_first } => self.flow_sequence_entry(is_first),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => {
                let (_, start) = self.peek()?;
                self.state = State::FlowSequenceEntry { is_first: false };
                Ok(Event::new(What::MappingEnd, start))
            }
            State::FlowMappingKey { is_first } => self.flow_mapping_key(is_first),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingNoValue => {
                let (_, start) = self.peek()?;
                self.state = State::FlowMappingKey { is_first: false };
                Ok(Event::nothing(start))
            }
            State::End => {
                let (_, start) = self.peek()?;
                Ok(Event::new(What::StreamEnd, start))
            }
        }
    }

    /// The next token, after the comments before it were taken in.
    #[inline]
    fn peek(&mut self) -> Result<(Kind, Mark), ParseError> {
        let (kind, start) = self.scanner.peek()?;
        if !self.scanner.comments.is_empty() {
            self.collect_comments(kind, start);
        }
        Ok((kind, start))
    }

    #[inline]
    fn take(&mut self) -> Result<Token<'a>, ParseError> {
        self.scanner.take()
    }

    fn collect_comments(&mut self, kind: Kind, start: Mark) {
        while let Some(comment) = self.scanner.comments.front()
            && comment.token <= start.byte
        {
            // What is above the end of a block is above what follows it.
            if comment.position == Position::Head && kind == Kind::BlockEnd {
                break;
            }
            let Some(comment) = self.scanner.comments.pop_front() else {
                break;
            };
            let waiting = match comment.position {
                Position::Head => &mut self.comments.head,
                Position::Line => &mut self.comments.line,
                Position::Foot => &mut self.comments.foot,
            };
            if !waiting.is_empty() {
                waiting.push('\n');
            }
            waiting.push_str(&comment.text);
        }
    }

    /// The comments that wait.
    #[inline]
    fn take_comments(&mut self) -> Option<Box<Comments>> {
        let waiting = &self.comments;
        if !self.stem.is_empty() {
            self.stem.clear();
        }
        if waiting.head.is_empty() && waiting.line.is_empty() && waiting.foot.is_empty() {
            return None;
        }
        Some(Box::new(std::mem::take(&mut self.comments)))
    }

    /// Goes back to what follows the node that has ended.
    fn pop(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    fn document_start(&mut self) -> Result<Event<'a>, ParseError> {
        let (mut kind, mut start) = self.peek()?;
        while kind == Kind::DocumentEnd {
            self.take()?;
            self.may_be_bare = true;
            (kind, start) = self.peek()?;
        }
        if kind == Kind::StreamEnd {
            self.state = State::End;
            return Ok(Event::new(What::StreamEnd, start));
        }
        self.handles.clear();
        let is_marked = matches!(kind, Kind::Directive | Kind::TagDirective | Kind::DocumentStart);
        if !is_marked {
            if !self.may_be_bare {
                return error(start, "did not find expected <document start>");
            }
            self.states.push(State::DocumentEnd);
            self.state = State::BlockNode;
            let mut event = Event::new(What::DocumentStart, start);
            event.comments = self.comments_of_document();
            return Ok(event);
        }
        let mut has_version = false;
        while matches!(kind, Kind::Directive | Kind::TagDirective) {
            let token = self.take()?;
            if kind == Kind::TagDirective {
                let (handle, prefix) = token.parts();
                if self.handles.iter().any(|(known, _)| known == handle) {
                    return error(token.start, "found duplicate %TAG directive");
                }
                self.handles.push((handle.to_owned(), prefix.to_owned()));
            } else if token.text == "YAML" && std::mem::replace(&mut has_version, true) {
                return error(token.start, "found duplicate %YAML directive");
            }
            (kind, start) = self.peek()?;
        }
        if kind != Kind::DocumentStart {
            return error(start, "did not find expected <document start>");
        }
        let token = self.take()?;
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok(Event::new(What::DocumentStart, token.start))
    }

    /// Of the comments above the first node, those before the last blank line are the document's.
    fn comments_of_document(&mut self) -> Option<Box<Comments>> {
        let head = &self.comments.head;
        let (document, node) = match head.strip_suffix('\n') {
            Some(document) => (document, ""),
            None => head.rsplit_once("\n\n")?,
        };
        let (document, node) = (document.to_owned(), node.to_owned());
        self.comments.head = node;
        Some(Box::new(Comments {
            head: document,
            ..Comments::default()
        }))
    }

    fn document_content(&mut self) -> Result<Event<'a>, ParseError> {
        let (kind, start) = self.peek()?;
        let is_empty = matches!(
            kind,
            Kind::Directive | Kind::TagDirective | Kind::DocumentStart | Kind::DocumentEnd | Kind::StreamEnd
        );
        if is_empty {
            self.pop();
            return Ok(Event::nothing(start));
        }
        self.node(true, false)
    }

    fn document_end(&mut self) -> Result<Event<'a>, ParseError> {
        let (kind, start) = self.peek()?;
        self.may_be_bare = kind == Kind::DocumentEnd;
        if self.may_be_bare {
            self.take()?;
        }
        self.state = State::DocumentStart;
        let mut event = Event::new(What::DocumentEnd, start);
        event.comments = self.take_comments();
        if let Some(comments) = &mut event.comments
            && comments.foot.is_empty()
        {
            comments.foot = std::mem::take(&mut comments.head);
        }
        Ok(event)
    }

    /// A node, or, in blocks, a sequence that is not indented.
    fn node(&mut self, is_block: bool, may_be_indentless: bool) -> Result<Event<'a>, ParseError> {
        let (mut kind, start) = self.peek()?;
        if kind == Kind::Alias {
            self.pop();
            let comments = self.take_comments();
            let token = self.take()?;
            let mut event = Event::new(What::Alias(token.text), token.start);
            event.comments = comments;
            return Ok(event);
        }
        let mut here = start;
        let mut properties: Option<Box<Properties<'a>>> = None;
        while matches!(kind, Kind::Anchor | Kind::Tag) {
            let properties = properties.get_or_insert_default();
            // One of each.
            if match kind {
                Kind::Anchor => properties.anchor.is_some(),
                _ => properties.tag.is_some(),
            } {
                break;
            }
            let token = self.take()?;
            if kind == Kind::Anchor {
                properties.anchor = Some(token.text);
            } else {
                properties.tag = Some(self.resolve_handle(&token)?);
            }
            (kind, here) = self.peek()?;
        }
        let event = match kind {
            Kind::BlockEntry if may_be_indentless => {
                self.state = State::IndentlessSequenceEntry;
                Event::new(What::SequenceStart { is_flow: false }, start)
            }
            Kind::Scalar(style) => {
                self.pop();
                let comments = self.take_comments();
                let token = self.take()?;
                let mut event = Event::new(What::Scalar(token.text, style), start);
                event.comments = comments;
                event
            }
            Kind::FlowSequenceStart | Kind::FlowMappingStart => {
                let what = if kind == Kind::FlowSequenceStart {
                    self.state = State::FlowSequenceEntry { is_first: true };
                    What::SequenceStart { is_flow: true }
                } else {
                    self.state = State::FlowMappingKey { is_first: true };
                    What::MappingStart { is_flow: true }
                };
                let mut event = Event::new(what, start);
                event.comments = self.take_comments();
                event
            }
            Kind::BlockSequenceStart | Kind::BlockMappingStart if is_block => {
                let what = if kind == Kind::BlockSequenceStart {
                    self.state = State::BlockSequenceEntry { is_first: true };
                    What::SequenceStart { is_flow: false }
                } else {
                    self.state = State::BlockMappingKey { is_first: true };
                    What::MappingStart { is_flow: false }
                };
                let mut event = Event::new(what, start);
                if !self.stem.is_empty() {
                    event.comments = Some(Box::new(Comments {
                        head: std::mem::take(&mut self.stem),
                        ..Comments::default()
                    }));
                }
                event
            }
            _ if properties.is_some() => {
                self.pop();
                Event::new(What::Scalar(Cow::Borrowed(""), ScalarStyle::Plain), start)
            }
            Kind::Value => return error(here, NO_KEY),
            Kind::StreamEnd if !is_block => return Err(self.unclosed()),
            _ => return error(here, "did not find expected node content"),
        };
        Ok(Event { properties, ..event })
    }

    /// A tag with what its handle stands for.
    fn resolve_handle(&self, token: &Token<'_>) -> Result<String, ParseError> {
        let (handle, suffix) = token.parts();
        if handle.is_empty() {
            return Ok(suffix.to_owned());
        }
        let known = self.handles.iter().find(|(known, _)| known == handle);
        let prefix = match (known, handle) {
            (Some((_, prefix)), _) => prefix,
            (None, "!") => "!",
            (None, "!!") => "tag:yaml.org,2002:",
            (None, _) => return error(token.start, format!("found undefined tag handle `{handle}`")),
        };
        Ok(format!("{prefix}{suffix}"))
    }

    /// Opens the collection whose first token comes.
    fn begin(&mut self) -> Result<(), ParseError> {
        let (_, start) = self.peek()?;
        self.marks.push(start);
        self.take().map(drop)
    }

    /// Takes the last token of a collection.
    fn finish(&mut self, what: What<'a>) -> Result<Event<'a>, ParseError> {
        let comments = match what {
            // A block sequence leaves them to what follows it.
            What::SequenceEnd if self.peek()?.0 == Kind::BlockEnd => None,
            _ => self.take_comments(),
        };
        self.pop();
        self.marks.pop();
        let token = self.take()?;
        let mut event = Event::new(what, token.start);
        event.comments = comments;
        Ok(event)
    }

    /// The text ends within a flow collection.
    fn unclosed(&self) -> ParseError {
        let begun = self.marks.last().copied().unwrap_or_default();
        let (opening, closing) = match self.scanner.cursor.slice(begun.byte, begun.byte + 1) {
            "[" => ('[', ']'),
            _ => ('{', '}'),
        };
        let message = format!("did not find expected ',' or '{closing}': this '{opening}' is never closed");
        ParseError::new(span(begun), message)
    }

    /// What comes is not what may follow in a collection.
    fn unexpected(&mut self, at: Mark, collection: &str, expected: &str) -> ParseError {
        if self.scanner.flow > 0 && matches!(self.scanner.peek(), Ok((Kind::StreamEnd, _))) {
            return self.unclosed();
        }
        let begun = self.marks.last().map_or(0, |mark| mark.line + 1);
        ParseError::new(
            span(at),
            format!("did not find expected {expected} in the {collection} that begins on line {begun}"),
        )
    }

    fn block_sequence_entry(&mut self, is_first: bool) -> Result<Event<'a>, ParseError> {
        if is_first {
            self.begin()?;
        }
        let (kind, start) = self.peek()?;
        match kind {
            Kind::BlockEntry => {
                let end = self.take_dash()?;
                self.state = State::BlockSequenceEntry { is_first: false };
                match self.peek()?.0 {
                    Kind::BlockEntry | Kind::BlockEnd => Ok(Event::nothing(end)),
                    _ => {
                        self.states.push(self.state);
                        self.node(true, false)
                    }
                }
            }
            Kind::BlockEnd => self.finish(What::SequenceEnd),
            _ => Err(self.unexpected(start, "list", "'-' indicator")),
        }
    }

    fn indentless_sequence_entry(&mut self) -> Result<Event<'a>, ParseError> {
        let (kind, start) = self.peek()?;
        if kind != Kind::BlockEntry {
            self.pop();
            return Ok(Event::new(What::SequenceEnd, start));
        }
        let end = self.take_dash()?;
        self.state = State::IndentlessSequenceEntry;
        match self.peek()?.0 {
            Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => Ok(Event::nothing(end)),
            _ => {
                self.states.push(self.state);
                self.node(true, false)
            }
        }
    }

    /// Takes a dash. The comment above it is that of the collection behind it, if one is there, not that of the
    /// collection's first member.
    fn take_dash(&mut self) -> Result<Mark, ParseError> {
        let above = self.comments.head.len();
        let end = self.take()?.end;
        if above > 0
            && let (Kind::BlockSequenceStart | Kind::BlockMappingStart, _) = self.peek()?
        {
            let rest = self.comments.head.split_off(above);
            self.stem = std::mem::take(&mut self.comments.head);
            // Without the line break between the two.
            rest.get(1..)
                .unwrap_or_default()
                .clone_into(&mut self.comments.head);
        }
        Ok(end)
    }

    fn block_mapping_key(&mut self, is_first: bool) -> Result<Event<'a>, ParseError> {
        if is_first {
            self.begin()?;
        }
        let (kind, start) = self.peek()?;
        match kind {
            Kind::Key => {
                let end = self.take()?.end;
                self.state = State::BlockMappingValue;
                self.block_node_unless_next(end)
            }
            Kind::BlockEnd => self.finish(What::MappingEnd),
            Kind::Value => error(start, NO_KEY),
            _ => Err(self.unexpected(start, "mapping", "key")),
        }
    }

    fn block_mapping_value(&mut self) -> Result<Event<'a>, ParseError> {
        let (kind, start) = self.peek()?;
        self.state = State::BlockMappingKey { is_first: false };
        if kind != Kind::Value {
            return Ok(Event::nothing(start));
        }
        let end = self.take()?.end;
        self.block_node_unless_next(end)
    }

    /// The node behind `?` or `:`, or nothing if the mapping goes on without.
    fn block_node_unless_next(&mut self, end: Mark) -> Result<Event<'a>, ParseError> {
        match self.peek()?.0 {
            Kind::Key | Kind::Value | Kind::BlockEnd => Ok(Event::nothing(end)),
            _ => {
                self.states.push(self.state);
                self.node(true, true)
            }
        }
    }

    fn flow_sequence_entry(&mut self, is_first: bool) -> Result<Event<'a>, ParseError> {
        if is_first {
            self.begin()?;
        }
        let (mut kind, mut start) = self.peek()?;
        if kind != Kind::FlowSequenceEnd && !is_first {
            if kind != Kind::FlowEntry {
                return Err(self.unexpected(start, "list", "',' or ']'"));
            }
            self.take()?;
            (kind, start) = self.peek()?;
        }
        match kind {
            Kind::FlowSequenceEnd => self.finish(What::SequenceEnd),
            Kind::Key => {
                self.state = State::FlowPairKey;
                self.take()?;
                Ok(Event::new(What::MappingStart { is_flow: true }, start))
            }
            _ => {
                self.states.push(State::FlowSequenceEntry { is_first: false });
                self.node(false, false)
            }
        }
    }

    fn flow_pair_key(&mut self) -> Result<Event<'a>, ParseError> {
        let (kind, start) = self.peek()?;
        if matches!(kind, Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd) {
            self.state = State::FlowPairValue;
            return Ok(Event::nothing(start));
        }
        self.states.push(State::FlowPairValue);
        self.node(false, false)
    }

    fn flow_pair_value(&mut self) -> Result<Event<'a>, ParseError> {
        let (mut kind, mut start) = self.peek()?;
        if kind == Kind::Value {
            self.take()?;
            (kind, start) = self.peek()?;
            if !matches!(kind, Kind::FlowEntry | Kind::FlowSequenceEnd) {
                self.states.push(State::FlowPairEnd);
                return self.node(false, false);
            }
        }
        self.state = State::FlowPairEnd;
        Ok(Event::nothing(start))
    }

    fn flow_mapping_key(&mut self, is_first: bool) -> Result<Event<'a>, ParseError> {
        if is_first {
            self.begin()?;
        }
        let (mut kind, start) = self.peek()?;
        if kind != Kind::FlowMappingEnd && !is_first {
            if kind != Kind::FlowEntry {
                return Err(self.unexpected(start, "mapping", "',' or '}'"));
            }
            self.take()?;
            kind = self.peek()?.0;
        }
        match kind {
            Kind::FlowMappingEnd => self.finish(What::MappingEnd),
            Kind::Key => {
                self.take()?;
                let (kind, start) = self.peek()?;
                if matches!(kind, Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd) {
                    self.state = State::FlowMappingValue;
                    return Ok(Event::nothing(start));
                }
                self.states.push(State::FlowMappingValue);
                self.node(false, false)
            }
            _ => {
                self.states.push(State::FlowMappingNoValue);
                self.node(false, false)
            }
        }
    }

    fn flow_mapping_value(&mut self) -> Result<Event<'a>, ParseError> {
        let (mut kind, mut start) = self.peek()?;
        self.state = State::FlowMappingKey { is_first: false };
        if kind == Kind::Value {
            self.take()?;
            (kind, start) = self.peek()?;
            if !matches!(kind, Kind::FlowEntry | Kind::FlowMappingEnd) {
                self.states.push(self.state);
                return self.node(false, false);
            }
        }
        Ok(Event::nothing(start))
    }
}
