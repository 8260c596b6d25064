//! From text to trees.

use std::collections::HashMap;

use granit_parser::{Event, Parser, Placement, ScalarStyle, StructureStyle};

use crate::comments::append;
use crate::input::GoInput;
use crate::refuse::Refusals;
use crate::{Data, Dialect, Document, Node, ParseError, Span, Style, Tag, Text, Texts, resolve};

/// What to do with a key that a mapping already has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// Refuse the document, naming both lines.
    #[default]
    Refuse,
    /// Keep both entries in the tree; [`crate::to_json`] lets the last one win, as
    /// sigs.k8s.io/yaml does.
    Keep,
}

/// Bounds on what a text may ask for (N10).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Block collections within each other; flow collections are counted apart.
    pub depth: usize,
    /// Nodes of all documents together.
    pub nodes: usize,
}

impl Default for Limits {
    /// 64 MiB, 255 levels, 8 million nodes: far above any manifest, far below harm.
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            depth: 255,
            nodes: 8_000_000,
        }
    }
}

/// How to read.
#[derive(Clone, Copy, Debug, Default)]
pub struct ParseOptions {
    /// What to do with repeated keys.
    pub duplicates: Duplicates,
    /// Bounds.
    pub limits: Limits,
    /// Pass comments over: for who looks at values alone. Reading is faster then.
    pub without_comments: bool,
}

/// Reads all documents of a stream, refusing repeated keys.
pub fn parse_all(text: &str) -> Result<Vec<Document>, ParseError> {
    parse_all_with(text, ParseOptions::default())
}

/// Reads a text that must hold one document; none is read as null.
pub fn parse_one(text: &str) -> Result<Node, ParseError> {
    let mut documents = parse_all(text)?;
    if let Some(second) = documents.get(1) {
        let span = second.root.as_ref().map(Node::span).unwrap_or_default();
        return Err(ParseError::new(span, "expected a single document"));
    }
    Ok(documents
        .pop()
        .and_then(|document| document.root)
        .unwrap_or_else(Node::null))
}

/// Reads all documents of a stream.
pub fn parse_all_with(text: &str, options: ParseOptions) -> Result<Vec<Document>, ParseError> {
    parse_all_shared(text, options, &mut Texts::default())
}

/// Reads the first document of a stream, as Go's `Unmarshal` does: what follows may be anything.
pub fn parse_first_with(text: &str, options: ParseOptions) -> Result<Option<Document>, ParseError> {
    let mut texts = Texts::default();
    let mut builder = Builder::new(options, &mut texts);
    let mut ended = false;
    let read = events(text, options, |event, span| {
        let is_last = matches!(event, Event::DocumentEnd);
        builder.event(event, span)?;
        if is_last {
            ended = true;
            return Err(ParseError::new(span, "ended"));
        }
        Ok(())
    });
    if !ended {
        read?;
    }
    Ok(builder.documents.into_iter().next())
}

/// Reads all documents of a stream, and shares its texts with those that were read before.
pub fn parse_all_shared(
    text: &str,
    options: ParseOptions,
    texts: &mut Texts,
) -> Result<Vec<Document>, ParseError> {
    let mut builder = Builder::new(options, texts);
    events(text, options, |event, span| builder.event(event, span))?;
    Ok(builder.documents)
}

/// Reads a text too large for a tree: hands over each node that lies in `depth` collections, with the keys that lead to it
/// (lists in between have none), and forgets it. The first document comes back without these nodes.
///
/// In mappings at that depth, repeated keys are handed over as they come. An alias in a node whose anchor is elsewhere
/// stays an alias.
pub fn parse_pieces<E: From<ParseError>>(
    text: &str,
    options: ParseOptions,
    depth: usize,
    mut take: impl FnMut(&[String], Node) -> Result<(), E>,
) -> Result<Option<Node>, E> {
    let mut texts = Texts::default();
    let mut builder = Builder::new(options, &mut texts);
    builder.depth_of_pieces = depth;
    // What the consumer refuses ends the reading as an error of its own kind.
    let mut refused = None;
    let read = events(text, options, |event, span| {
        // An anchor's event follows its node.
        if !matches!(event, Event::Anchor(..))
            && let Some((path, node)) = builder.piece.take()
            && let Err(error) = take(&path, node)
        {
            refused = Some(error);
            return Err(ParseError::new(span, "refused"));
        }
        builder.event(event, span)
    });
    if let Some(error) = refused {
        return Err(error);
    }
    read?;
    if let Some((path, node)) = builder.piece.take() {
        take(&path, node)?;
    }
    Ok(builder
        .documents
        .into_iter()
        .next()
        .and_then(|document| document.root))
}

/// Runs the parser over a text.
fn events(
    text: &str,
    options: ParseOptions,
    mut each: impl FnMut(Event<'_>, Span) -> Result<(), ParseError>,
) -> Result<(), ParseError> {
    if text.len() > options.limits.bytes {
        let message = format!("text is larger than {} bytes", options.limits.bytes);
        return Err(ParseError::new(
            Span {
                line: 1,
                column: 1,
                ..Span::default()
            },
            message,
        ));
    }
    let mut settings = granit_parser::Options::default();
    settings.emit_anchor_events = true;
    settings.set_emit_comments(!options.without_comments);
    settings.bom_inside_document_as_content = true;
    settings.block_scalar_eof_without_line_feed = true;
    settings.max_buffered_comment_events = usize::MAX;
    settings.block_nesting_limit = options.limits.depth;
    settings.flow_nesting_limit = options.limits.depth;
    let mut parser = Parser::with_options(GoInput::new(text), settings);
    let mut refusals = Refusals::new(text);
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| {
            let marker = error.marker();
            let byte = marker.byte_offset().unwrap_or_default();
            let span = make_span(byte, byte, marker.line(), marker.col());
            ParseError::new(span, error.kind().to_string())
        })?;
        let range = span.byte_range().unwrap_or_default();
        let span = make_span(range.start, range.end, span.start.line(), span.start.col());
        refusals.check(&event, span)?;
        each(event, span)?;
    }
    Ok(())
}

fn make_span(start: usize, end: usize, line: usize, column: usize) -> Span {
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Span {
        start: narrow(start),
        end: narrow(end),
        line: narrow(line),
        column: narrow(column.saturating_add(1)),
    }
}

/// A collection that is still open.
struct Frame {
    node: Node,
    /// The key whose value comes next.
    key: Option<Node>,
    /// Lines of the keys so far, built once a mapping outgrows a linear search.
    keys: HashMap<Text, u32>,
}

struct Builder<'a> {
    texts: &'a mut Texts,
    options: ParseOptions,
    documents: Vec<Document>,
    frames: Vec<Frame>,
    names: HashMap<usize, Text>,
    /// Comment lines that wait for the node below them.
    head: Option<String>,
    /// Comment lines that wait for the document below them.
    document_head: String,
    in_document: bool,
    nodes: usize,
    /// How many collections a node lies in that is handed over; none does where this is 0.
    depth_of_pieces: usize,
    /// The node to hand over, and the keys that lead to it.
    piece: Option<(Vec<String>, Node)>,
}

impl<'a> Builder<'a> {
    fn new(options: ParseOptions, texts: &'a mut Texts) -> Self {
        Self {
            texts,
            options,
            documents: Vec::new(),
            frames: Vec::new(),
            names: HashMap::new(),
            head: None,
            document_head: String::new(),
            in_document: false,
            nodes: 0,
            depth_of_pieces: 0,
            piece: None,
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), ParseError> {
        match event {
            Event::DocumentStart(explicit, _) => {
                self.names.clear();
                if explicit && let Some(text) = self.head.take() {
                    append(&mut self.document_head, &text);
                }
                let head = std::mem::take(&mut self.document_head);
                self.documents.push(Document {
                    root: None,
                    head_comment: (!head.is_empty()).then(|| head.into()),
                    foot_comment: None,
                });
                self.in_document = true;
            }
            Event::Comment(text, placement) => self.comment(&text, placement, span),
            Event::Anchor(id, name) => self.anchor(id, &name),
            Event::Alias(id) => {
                let name = self.names.get(&id).cloned().unwrap_or_else(|| "".into());
                let mut node = Node::mapping(Vec::new());
                node.data = Data::Alias(name);
                node.tag = Tag::None;
                self.add(node, span)?;
            }
            Event::Scalar(text, style, _, tag) => {
                // The parser writes out the null that an empty plain scalar means.
                let is_empty = style == ScalarStyle::Plain && span.start == span.end;
                let text = if is_empty { "".into() } else { text };
                let mut node = Node::plain(self.texts.share(text));
                node.style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::SingleQuoted,
                    ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                };
                set_tag(&mut node, tag.as_deref());
                if matches!(node.style, Style::Literal | Style::Folded) {
                    check_separators(node.as_str().unwrap_or_default(), span)?;
                }
                self.add(node, span)?;
            }
            Event::SequenceStart(style, _, tag) => {
                let mut node = Node::sequence(Vec::new());
                self.open(&mut node, style, tag.as_deref(), span)?;
                self.frames.push(Frame {
                    node,
                    key: None,
                    keys: HashMap::new(),
                });
            }
            Event::MappingStart(style, _, tag) => {
                let mut node = Node::mapping(Vec::new());
                self.open(&mut node, style, tag.as_deref(), span)?;
                self.frames.push(Frame {
                    node,
                    key: None,
                    keys: HashMap::new(),
                });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close()?,
            Event::UnresolvedAlias(name) => {
                return Err(ParseError::new(
                    span,
                    format!("unknown anchor '{name}' referenced"),
                ));
            }
            Event::DocumentEnd | Event::StreamEnd => self.end_document(),
            // Nothing else carries content; kinds of events that later versions may add do not either.
            _ => {}
        }
        Ok(())
    }

    fn open(
        &mut self,
        node: &mut Node,
        style: StructureStyle,
        tag: Option<&granit_parser::Tag>,
        span: Span,
    ) -> Result<(), ParseError> {
        node.set_span(span);
        if style == StructureStyle::Flow {
            node.style = Style::Flow;
        }
        set_tag(node, tag);
        self.count(span)?;
        // The comment above `- a: 1` or `[…]` belongs to the item; that above a block mapping's
        // first key belongs to the key, which has not come yet.
        let is_item = self
            .frames
            .last()
            .is_some_and(|f| matches!(f.node.data, Data::Sequence(_)));
        if (is_item || node.style == Style::Flow)
            && let Some(text) = self.head.take()
        {
            node.add_head(text);
        }
        Ok(())
    }

    fn count(&mut self, span: Span) -> Result<(), ParseError> {
        self.nodes += 1;
        if self.nodes > self.options.limits.nodes {
            let message = format!("more than {} nodes", self.options.limits.nodes);
            return Err(ParseError::new(span, message));
        }
        Ok(())
    }

    /// Takes in a node without children.
    fn add(&mut self, mut node: Node, span: Span) -> Result<(), ParseError> {
        node.set_span(span);
        self.count(span)?;
        let is_value = self.frames.last().is_some_and(|frame| frame.key.is_some());
        if !is_value && let Some(text) = self.head.take() {
            node.add_head(text);
        }
        self.place(node)
    }

    fn place(&mut self, node: Node) -> Result<(), ParseError> {
        let hands_over = self.depth_of_pieces > 0 && self.documents.len() == 1;
        if hands_over && self.frames.len() == self.depth_of_pieces {
            let is_key = self
                .frames
                .last()
                .is_some_and(|f| matches!(f.node.data, Data::Mapping(_)) && f.key.is_none());
            if !is_key {
                let path = self.path();
                if let Some(frame) = self.frames.last_mut() {
                    frame.key = None;
                }
                self.piece = Some((path, node));
                return Ok(());
            }
        }
        let Some(frame) = self.frames.last_mut() else {
            if let Some(document) = self.documents.last_mut() {
                document.root = Some(node);
            }
            return Ok(());
        };
        match &mut frame.node.data {
            Data::Sequence(items) => items.push(node),
            Data::Mapping(entries) => {
                if let Some(key) = frame.key.take() {
                    entries.push((key, node));
                } else {
                    if self.options.duplicates == Duplicates::Refuse {
                        refuse_duplicate(entries, &mut frame.keys, &node)?;
                    }
                    frame.key = Some(node);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The keys that lead to the node that comes next.
    fn path(&self) -> Vec<String> {
        let key = |frame: &Frame| frame.key.as_ref()?.as_str().map(str::to_owned);
        self.frames.iter().filter_map(key).collect()
    }

    fn close(&mut self) -> Result<(), ParseError> {
        match self.frames.pop() {
            Some(mut frame) => {
                // It is complete, and most collections have few members: room for more is never used.
                match &mut frame.node.data {
                    Data::Sequence(items) if !items.is_empty() => items.shrink_to_fit(),
                    Data::Mapping(entries) if !entries.is_empty() => entries.shrink_to_fit(),
                    _ => {}
                }
                self.place(frame.node)
            }
            None => Ok(()),
        }
    }

    fn anchor(&mut self, id: usize, name: &str) {
        let name = Text::from(name);
        self.names.insert(id, name.clone());
        if let Some((_, node)) = &mut self.piece {
            node.rare_mut().anchor = Some(name);
            return;
        }
        // The event follows its node: an open collection without members, else the last node.
        if let Some(frame) = self.frames.last_mut()
            && frame.key.is_none()
            && (frame.node.items().is_some_and(<[_]>::is_empty)
                || frame.node.entries().is_some_and(<[_]>::is_empty))
        {
            frame.node.rare_mut().anchor = Some(name);
        } else if let Some(node) = self.last_node() {
            node.rare_mut().anchor = Some(name);
        }
    }

    /// The node that was taken in last.
    fn last_node(&mut self) -> Option<&mut Node> {
        let Some(frame) = self.frames.last_mut() else {
            return self.documents.last_mut()?.root.as_mut();
        };
        if frame.key.is_some() {
            return frame.key.as_mut();
        }
        match &mut frame.node.data {
            Data::Sequence(items) => items.last_mut(),
            Data::Mapping(entries) => entries.last_mut().map(|(_, value)| value),
            _ => None,
        }
    }

    fn comment(&mut self, text: &str, placement: Placement, span: Span) {
        let text = format!("#{text}");
        match placement {
            Placement::Right => match self.last_node() {
                Some(node) => node.add_line(&text),
                None => append(self.head.get_or_insert_default(), &text),
            },
            Placement::Above => append(self.head.get_or_insert_default(), &text),
            _ => self.foot(&text, span),
        }
    }

    fn foot(&mut self, text: &str, span: Span) {
        if !self.in_document {
            append(&mut self.document_head, text);
            return;
        }
        let at_root = self.frames.is_empty();
        let owner = self.frames.iter_mut().rev().find_map(|frame| {
            let node = match &mut frame.node.data {
                Data::Sequence(items) => items.last_mut(),
                Data::Mapping(entries) => entries.last_mut().map(|(key, _)| key),
                _ => None,
            };
            // The root's entries are the last resort.
            node.filter(|node| node.span().column <= span.column || span.column <= 1)
        });
        match (owner, self.documents.last_mut()) {
            (Some(node), _) => node.add_foot(text),
            (None, Some(document)) if document.root.is_some() => {
                let mut foot = document.foot_comment.take().map(String::from).unwrap_or_default();
                append(&mut foot, text);
                document.foot_comment = Some(foot.into());
            }
            (None, Some(document)) if at_root => {
                let mut head = document.head_comment.take().map(String::from).unwrap_or_default();
                append(&mut head, text);
                document.head_comment = Some(head.into());
            }
            _ => append(self.head.get_or_insert_default(), text),
        }
    }

    fn end_document(&mut self) {
        self.in_document = false;
        // Comments behind a block scalar that ends the document are the document's.
        if let Some(document) = self.documents.last_mut()
            && let Some(root) = &mut document.root
        {
            let mut feet = document.foot_comment.take().map(String::from).unwrap_or_default();
            take_feet_of_block(root, &mut feet);
            document.foot_comment = (!feet.is_empty()).then(|| feet.into());
        }
        if let (Some(text), Some(document)) = (self.head.take(), self.documents.last_mut()) {
            let mut foot = document.foot_comment.take().map(String::from).unwrap_or_default();
            append(&mut foot, &text);
            document.foot_comment = Some(foot.into());
        }
    }
}

/// Refuses what ends a block scalar for the Go libraries, to which line and paragraph separators break lines: text behind
/// one is not indented.
fn check_separators(text: &str, span: Span) -> Result<(), ParseError> {
    let ends_early = |rest: &str| !rest.is_empty() && !rest.starts_with([' ', '\n']);
    if text.split(['\u{2028}', '\u{2029}']).skip(1).any(ends_early) {
        let message = "could not find expected ':': a line or paragraph separator (U+2028, U+2029) breaks the line \
                       within this block scalar";
        return Err(ParseError::new(span, message));
    }
    Ok(())
}

/// Takes the foot comments on the way to a node's last scalar, if that is a block scalar. Says whether it is.
fn take_feet_of_block(node: &mut Node, feet: &mut String) -> bool {
    let owner = match &mut node.data {
        Data::Scalar(_) => return matches!(node.style, Style::Literal | Style::Folded),
        Data::Alias(_) => None,
        Data::Sequence(items) => items
            .last_mut()
            .and_then(|item| take_feet_of_block(item, feet).then_some(item)),
        Data::Mapping(entries) => entries
            .last_mut()
            .and_then(|(key, value)| take_feet_of_block(value, feet).then_some(key)),
    };
    let Some(owner) = owner else { return false };
    if let Some(rare) = &mut owner.rare
        && !rare.comments.foot.is_empty()
    {
        append(feet, &std::mem::take(&mut rare.comments.foot));
    }
    true
}

/// Sets the tag that was written, or the one that the kyaml table finds.
fn set_tag(node: &mut Node, tag: Option<&granit_parser::Tag>) {
    let is_open = |tag: &&granit_parser::Tag| matches!((tag.handle(), tag.suffix()), ("", "!") | ("!", ""));
    if let Some(tag) = tag.filter(|tag| !is_open(tag)) {
        node.tag_is_explicit = true;
        let full = format!("{}{}", tag.handle(), tag.suffix());
        node.tag = match full.strip_prefix("tag:yaml.org,2002:") {
            Some(suffix) => Tag::core(suffix),
            None => Tag::Other,
        };
        if node.tag == Tag::Other {
            let text = match full.strip_prefix("tag:yaml.org,2002:") {
                Some(suffix) => format!("!!{suffix}"),
                None => full,
            };
            node.rare_mut().tag = Some(text.into());
        }
        return;
    }
    if let Data::Scalar(text) = &node.data {
        // `!` alone makes a string for yaml v2, and is nothing to yaml v3. A merge key is one for both.
        if tag.is_some() && node.style == Style::Plain && text != "<<" {
            node.tag = Tag::None;
            node.tag_is_explicit = true;
            return;
        }
        node.tag = if node.style == Style::Plain {
            if text == "<<" {
                Tag::Merge
            } else {
                resolve(text, Dialect::Kyaml).tag()
            }
        } else {
            Tag::Str
        };
    }
}

/// Mappings up to this size are searched; larger ones get an index.
const SEARCHED: usize = 16;

fn refuse_duplicate(
    entries: &[(Node, Node)],
    index: &mut HashMap<Text, u32>,
    key: &Node,
) -> Result<(), ParseError> {
    let Data::Scalar(text) = &key.data else {
        return Ok(());
    };
    let earlier = if entries.len() < SEARCHED {
        entries
            .iter()
            .find(|(k, _)| k.as_str() == Some(text))
            .map(|(k, _)| k.span().line)
    } else {
        if index.is_empty() {
            for (k, _) in entries {
                if let Data::Scalar(text) = &k.data {
                    index.insert(text.clone(), k.span().line);
                }
            }
        }
        index.insert(text.clone(), key.span().line)
    };
    match earlier {
        Some(line) => Err(ParseError::new(
            key.span(),
            format!("mapping key \"{text}\" already defined at line {line}"),
        )),
        None => Ok(()),
    }
}
