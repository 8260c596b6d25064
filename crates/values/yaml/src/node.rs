//! The tree.
//!
//! A build holds the trees of all its objects at the same time, so a node is small: what few nodes have stands apart
//! ([`Rare`]), texts are shared, and lists are one pointer.

use crate::{Data, DataMut, DataRef, List, Text};

/// One document of a stream.
#[derive(Clone, Debug)]
pub struct Document {
    /// The root, or nothing for a document without content.
    pub root: Option<Node>,
    /// Comments before the root that belong to no node, `#` included.
    pub head_comment: Option<Box<str>>,
    /// Comments after the root, `#` included.
    pub foot_comment: Option<Box<str>>,
}

impl Document {
    /// The root with the document's foot comment as its own: it is printed behind the root, and shows in what kyaml makes
    /// of a block scalar above it.
    pub fn into_root(self) -> Option<Node> {
        let mut root = self.root?;
        if let Some(foot) = self.foot_comment {
            root.rare_mut().comments.foot = foot.into();
        }
        Some(root)
    }
}

/// Where a node stands in its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte. Trees hold many of these; a text beyond 4 GiB has no places behind that.
    pub start: u32,
    /// One past the last byte. For a collection this is the end of its opening token.
    pub end: u32,
    /// Line of `start`, counted from 1; 0 for a node that was not read from text.
    pub line: u32,
    /// Column of `start` in characters, counted from 1; 0 as above.
    pub column: u32,
}

impl Span {
    /// The bytes, to cut them out of the text.
    pub fn bytes(self) -> std::ops::Range<usize> {
        let place = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        place(self.start)..place(self.end)
    }
}

/// How a node was, or shall be, written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Plain scalar, or block collection.
    #[default]
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
    /// `[…]` and `{…}`
    Flow,
}

/// The type of a node: explicit, or found by the kyaml table when the node was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tag {
    /// Not decided yet: the text decides when it is needed.
    #[default]
    None,
    /// `!!null`
    Null,
    /// `!!bool`
    Bool,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!str`
    Str,
    /// `!!timestamp`
    Timestamp,
    /// `!!binary`
    Binary,
    /// `!!merge`, the key `<<`
    Merge,
    /// `!!map`
    Map,
    /// `!!seq`
    Seq,
    /// Any other, such as `!Ref` or `tag:example.com,2000:x`; [`Node::tag_text`] says which.
    Other,
}

impl Tag {
    /// Short form as written in YAML, empty for [`Tag::None`] and for what only its node knows.
    pub const fn short(self) -> &'static str {
        match self {
            Self::None | Self::Other => "",
            Self::Null => "!!null",
            Self::Bool => "!!bool",
            Self::Int => "!!int",
            Self::Float => "!!float",
            Self::Str => "!!str",
            Self::Timestamp => "!!timestamp",
            Self::Binary => "!!binary",
            Self::Merge => "!!merge",
            Self::Map => "!!map",
            Self::Seq => "!!seq",
        }
    }

    /// The tag named by the part behind `tag:yaml.org,2002:`.
    pub(crate) fn core(suffix: &str) -> Self {
        match suffix {
            "null" => Self::Null,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "str" => Self::Str,
            "timestamp" => Self::Timestamp,
            "binary" => Self::Binary,
            "merge" => Self::Merge,
            "map" => Self::Map,
            "seq" => Self::Seq,
            _ => Self::Other,
        }
    }
}

/// Comments of a node, each with its `#`; several lines are joined by line feeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comments {
    /// Lines above the node.
    pub head: String,
    /// Behind the node on its line.
    pub line: String,
    /// Lines below the node, before the next blank line.
    pub foot: String,
}

/// What few nodes have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rare {
    /// `&name`
    pub anchor: Option<Text>,
    /// The tag, where it is none of YAML's own.
    pub tag: Option<Text>,
    /// Comments.
    pub comments: Comments,
}

/// A node of the tree.
#[derive(Clone, Debug)]
pub struct Node {
    data: Data,
    tag: Tag,
    tag_is_explicit: bool,
    style: Style,
    rare: Option<Box<Rare>>,
    place: Place,
}

/// A [`Span`] in three quarters of its size. Columns and lengths beyond what fits are cut.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    start: u32,
    line: u32,
    column: u16,
    length: u16,
}

impl From<Span> for Place {
    fn from(span: Span) -> Self {
        let cut = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
        Self {
            start: span.start,
            line: span.line,
            column: cut(span.column),
            length: cut(span.end.saturating_sub(span.start)),
        }
    }
}

impl From<Place> for Span {
    fn from(place: Place) -> Self {
        Self {
            start: place.start,
            end: place.start.saturating_add(place.length.into()),
            line: place.line,
            column: place.column.into(),
        }
    }
}

impl Node {
    /// A node of the given content and type, in plain notation.
    pub const fn new(data: Data, tag: Tag) -> Self {
        Self {
            data,
            tag,
            tag_is_explicit: false,
            style: Style::Plain,
            rare: None,
            place: Place {
                start: 0,
                line: 0,
                column: 0,
                length: 0,
            },
        }
    }

    /// Content.
    pub const fn data(&self) -> DataRef<'_> {
        self.data.as_ref()
    }

    /// Content, to change.
    pub const fn data_mut(&mut self) -> DataMut<'_> {
        self.data.as_mut()
    }

    /// The content alone.
    pub fn into_data(self) -> Data {
        self.data
    }

    /// Puts other content in the place of what is there.
    pub fn set_data(&mut self, data: Data) {
        self.data = data;
    }

    /// Type.
    pub const fn tag(&self) -> Tag {
        self.tag
    }

    /// Says of what type it is.
    pub const fn set_tag(&mut self, tag: Tag) {
        self.tag = tag;
    }

    /// Whether the tag was written in the source, and is to be written again. With [`Tag::None`] it was `!`, which is not.
    pub const fn tag_is_explicit(&self) -> bool {
        self.tag_is_explicit
    }

    /// Says whether the tag is to be written.
    pub const fn set_tag_is_explicit(&mut self, is_explicit: bool) {
        self.tag_is_explicit = is_explicit;
    }

    /// Notation.
    pub const fn style(&self) -> Style {
        self.style
    }

    /// Says how it is to be written.
    pub const fn set_style(&mut self, style: Style) {
        self.style = style;
    }

    /// Position in the source. Columns and lengths end at 65,535, whatever the source has.
    pub fn span(&self) -> Span {
        self.place.into()
    }

    /// Says where in a source the node stands.
    pub fn set_span(&mut self, span: Span) {
        self.place = span.into();
    }

    /// A scalar without a type: its text decides.
    pub fn plain(text: impl Into<Text>) -> Self {
        Self::new(Data::Scalar(text.into()), Tag::None)
    }

    /// A string; quoted on output where its text would read as something else.
    pub fn string(text: impl Into<Text>) -> Self {
        Self::new(Data::Scalar(text.into()), Tag::Str)
    }

    /// A scalar of the given type.
    pub fn scalar(text: impl Into<Text>, tag: Tag) -> Self {
        Self::new(Data::Scalar(text.into()), tag)
    }

    /// `null`
    pub fn null() -> Self {
        Self::scalar("null", Tag::Null)
    }

    /// A block mapping.
    pub fn mapping(entries: Vec<(Self, Self)>) -> Self {
        Self::new(Data::Mapping(entries.into()), Tag::Map)
    }

    /// A block sequence.
    pub fn sequence(items: Vec<Self>) -> Self {
        Self::new(Data::Sequence(items.into()), Tag::Seq)
    }

    /// The text of a scalar.
    pub fn as_str(&self) -> Option<&str> {
        match self.data() {
            Data::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a mapping.
    pub fn entries(&self) -> Option<&[(Self, Self)]> {
        match self.data() {
            Data::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entries of a mapping, to change.
    pub fn entries_mut(&mut self) -> Option<&mut List<(Self, Self)>> {
        match self.data_mut() {
            Data::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items of a sequence.
    pub fn items(&self) -> Option<&[Self]> {
        match self.data() {
            Data::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The items of a sequence, to change.
    pub fn items_mut(&mut self) -> Option<&mut List<Self>> {
        match self.data_mut() {
            Data::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The value under a key, if this is a mapping that has it. The first one counts.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries()?
            .iter()
            .find(|(k, _)| k.as_str() == Some(key))
            .map(|(_, v)| v)
    }

    /// As [`Self::get`], to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        self.entries_mut()?
            .iter_mut()
            .find(|(k, _)| k.as_str() == Some(key))
            .map(|(_, v)| v)
    }

    /// The value found by following keys from here.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Sets a key of a mapping to a value, in place or at the end. Does nothing on other nodes.
    pub fn set(&mut self, key: &str, value: Self) {
        let Some(entries) = self.entries_mut() else {
            return;
        };
        match entries.iter_mut().find(|(k, _)| k.as_str() == Some(key)) {
            Some((_, old)) => *old = value,
            None => entries.add((Self::plain(key), value)),
        }
    }

    /// Takes a key out of a mapping.
    pub fn remove(&mut self, key: &str) -> Option<Self> {
        let entries = self.entries_mut()?;
        let index = entries.iter().position(|(k, _)| k.as_str() == Some(key))?;
        Some(entries.remove(index).1)
    }

    /// The tag as it is written, empty for [`Tag::None`].
    pub fn tag_text(&self) -> &str {
        match (self.rare(), self.tag) {
            (Some(rare), Tag::Other) => rare.tag.as_deref().unwrap_or_default(),
            (_, tag) => tag.short(),
        }
    }

    /// `&name`, where there is one.
    pub fn anchor(&self) -> Option<&Text> {
        self.rare()?.anchor.as_ref()
    }

    /// Takes `&name` away.
    pub(crate) fn take_anchor(&mut self) -> Option<Text> {
        self.anchor()?;
        self.rare_mut().anchor.take()
    }

    /// Comments, where there are any.
    pub fn comments(&self) -> Option<&Comments> {
        let comments = &self.rare()?.comments;
        (*comments != Comments::default()).then_some(comments)
    }

    /// What few nodes have, where it has any of it.
    pub(crate) fn rare(&self) -> Option<&Rare> {
        self.rare.as_deref()
    }

    /// Takes away what few nodes have.
    pub(crate) fn take_rare(&mut self) -> Option<Rare> {
        self.rare.take().map(|rare| *rare)
    }

    /// What few nodes have, to add to it.
    pub fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Whether this is a scalar of type null.
    pub fn is_null(&self) -> bool {
        self.tag == Tag::Null
    }

    /// Whether this is null, or a collection without members.
    pub fn is_null_or_empty(&self) -> bool {
        match self.data() {
            _ if self.is_null() => true,
            Data::Sequence(items) => items.is_empty(),
            Data::Mapping(entries) => entries.is_empty(),
            _ => false,
        }
    }
}
