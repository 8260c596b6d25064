//! From text to trees.

use std::collections::{HashMap, HashSet};

use crate::read::{Event, Events, ScalarStyle, What};
use crate::{Comments, Data, Dialect, Document, Node, ParseError, Span, Style, Tag, Text, Texts, resolve};

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
    let mut events = events(text, options)?;
    loop {
        let event = events.next()?;
        let ends = matches!(event.what, What::DocumentEnd | What::StreamEnd);
        builder.event(event)?;
        if ends {
            break;
        }
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
    let mut events = events(text, options)?;
    loop {
        let event = events.next()?;
        let ends = matches!(event.what, What::StreamEnd);
        builder.event(event)?;
        if ends {
            return Ok(builder.documents);
        }
    }
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
    let mut events = events(text, options)?;
    loop {
        let event = events.next()?;
        let ends = matches!(event.what, What::StreamEnd);
        builder.event(event)?;
        if let Some((path, node)) = builder.piece.take() {
            take(&path, node)?;
        }
        if ends {
            break;
        }
    }
    Ok(builder
        .documents
        .into_iter()
        .next()
        .and_then(|document| document.root))
}

/// The events of a text, unless it is too large.
fn events(text: &str, options: ParseOptions) -> Result<Events<'_>, ParseError> {
    if text.len() > options.limits.bytes {
        let message = format!("text is larger than {} bytes", options.limits.bytes);
        let span = Span { line: 1, column: 1 };
        return Err(ParseError::new(span, message));
    }
    Ok(Events::new(text, options.limits.depth, !options.without_comments))
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
    /// Anchors of the document so far.
    names: HashSet<Text>,
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
            names: HashSet::new(),
            nodes: 0,
            depth_of_pieces: 0,
            piece: None,
        }
    }

    fn event(&mut self, event: Event<'_>) -> Result<(), ParseError> {
        let comments = event.comments;
        let mut node = match event.what {
            What::StreamEnd => return Ok(()),
            What::DocumentStart => {
                self.names.clear();
                self.documents.push(Document {
                    root: None,
                    head_comment: comments.map(|comments| comments.head.into()),
                    foot_comment: None,
                });
                return Ok(());
            }
            What::DocumentEnd => {
                if let (Some(document), Some(comments)) = (self.documents.last_mut(), comments) {
                    document.foot_comment = (!comments.foot.is_empty()).then(|| comments.foot.into());
                }
                return Ok(());
            }
            What::SequenceEnd | What::MappingEnd => return self.close(comments),
            What::Alias(name) => {
                let Some(name) = self.names.get(name.as_ref()) else {
                    let message = format!("unknown anchor '{name}' referenced");
                    return Err(ParseError::new(event.span, message));
                };
                let mut node = Node::mapping(Vec::new());
                node.set_data(Data::Alias(name.clone()));
                node.set_tag(Tag::None);
                node
            }
            What::Scalar(text, style) => {
                let mut node = Node::plain(self.texts.share(text));
                node.set_style(match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::SingleQuoted,
                    ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                });
                node
            }
            What::SequenceStart { is_flow } => collection(Node::sequence(Vec::new()), is_flow),
            What::MappingStart { is_flow } => collection(Node::mapping(Vec::new()), is_flow),
        };
        node.set_span(event.span);
        self.count(event.span)?;
        let properties = event.properties.map(|properties| *properties).unwrap_or_default();
        if !matches!(node.data(), Data::Alias(_)) {
            set_tag(&mut node, properties.tag.as_deref());
        }
        if let Some(name) = properties.anchor {
            let name = Text::from(name);
            self.names.insert(name.clone());
            node.rare_mut().anchor = Some(name);
        }
        if let Some(comments) = comments {
            node.rare_mut().comments = *comments;
        }
        if matches!(node.data(), Data::Sequence(_) | Data::Mapping(_)) {
            self.frames.push(Frame {
                node,
                key: None,
                keys: HashMap::new(),
            });
            return Ok(());
        }
        self.place(node)
    }

    fn count(&mut self, span: Span) -> Result<(), ParseError> {
        self.nodes += 1;
        if self.nodes > self.options.limits.nodes {
            let message = format!("more than {} nodes", self.options.limits.nodes);
            return Err(ParseError::new(span, message));
        }
        Ok(())
    }

    /// Takes in a node that is complete.
    fn place(&mut self, mut node: Node) -> Result<(), ParseError> {
        let hands_over = self.depth_of_pieces > 0 && self.documents.len() == 1;
        if hands_over && self.frames.len() == self.depth_of_pieces {
            let is_key = self
                .frames
                .last()
                .is_some_and(|f| matches!(f.node.data(), Data::Mapping(_)) && f.key.is_none());
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
        let is_flow = frame.node.style() == Style::Flow;
        match frame.node.data_mut() {
            Data::Sequence(items) => items.push(node),
            Data::Mapping(entries) => {
                if let Some(mut key) = frame.key.take() {
                    // What is below a value is below its entry.
                    if key.foot().is_empty() && !node.foot().is_empty() {
                        let foot = node.take_foot();
                        key.rare_mut().comments.foot = foot;
                    }
                    entries.push((key, node));
                } else {
                    // What is below a key, before its value, is below the entry before it.
                    if !is_flow
                        && !node.foot().is_empty()
                        && let Some((before, _)) = entries.last_mut()
                    {
                        before.rare_mut().comments.foot = node.take_foot();
                    }
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

    /// Ends a collection. What stands behind and below it was found at its end.
    fn close(&mut self, comments: Option<Box<Comments>>) -> Result<(), ParseError> {
        let Some(Frame { mut node, .. }) = self.frames.pop() else {
            return Ok(());
        };
        if comments.is_some() || node.rare().is_some() {
            let Comments { line, mut foot, .. } = comments.map(|comments| *comments).unwrap_or_default();
            if node.style() != Style::Flow
                && !foot.is_empty()
                && let Data::Mapping(entries) = node.data_mut()
                && let Some((key, _)) = entries.last_mut()
            {
                key.rare_mut().comments.foot = std::mem::take(&mut foot);
            }
            let known = &mut node.rare_mut().comments;
            known.line = line;
            known.foot = foot;
        }
        // It is complete, and most collections have few members: room for more is never used.
        match node.data_mut() {
            Data::Sequence(items) if !items.is_empty() => items.shrink_to_fit(),
            Data::Mapping(entries) if !entries.is_empty() => entries.shrink_to_fit(),
            _ => {}
        }
        self.place(node)
    }
}

fn collection(mut node: Node, is_flow: bool) -> Node {
    if is_flow {
        node.set_style(Style::Flow);
    }
    node
}

/// Sets the tag that was written, or the one that the kyaml table finds.
fn set_tag(node: &mut Node, tag: Option<&str>) {
    if let Some(full) = tag.filter(|tag| *tag != "!") {
        node.set_tag_is_explicit(true);
        node.set_tag(match full.strip_prefix("tag:yaml.org,2002:") {
            Some(suffix) => Tag::core(suffix),
            None => Tag::Other,
        });
        if node.tag() == Tag::Other {
            let text = match full.strip_prefix("tag:yaml.org,2002:") {
                Some(suffix) => format!("!!{suffix}"),
                None => full.to_owned(),
            };
            node.rare_mut().tag = Some(text.into());
        }
        return;
    }
    if let Data::Scalar(text) = node.data() {
        // `!` alone makes a string for yaml v2, and is nothing to yaml v3. A merge key is one for both.
        if tag.is_some() && node.style() == Style::Plain && text != "<<" {
            node.set_tag(Tag::None);
            node.set_tag_is_explicit(true);
            return;
        }
        let tag = if node.style() == Style::Plain {
            if text == "<<" {
                Tag::Merge
            } else {
                resolve(text, Dialect::Kyaml).tag()
            }
        } else {
            Tag::Str
        };
        node.set_tag(tag);
    }
}

/// Mappings up to this size are searched; larger ones get an index.
const SEARCHED: usize = 16;

fn refuse_duplicate(
    entries: &[(Node, Node)],
    index: &mut HashMap<Text, u32>,
    key: &Node,
) -> Result<(), ParseError> {
    let Data::Scalar(text) = key.data() else {
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
                if let Data::Scalar(text) = k.data() {
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
