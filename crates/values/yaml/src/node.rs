//! The tree.
//!
//! A build holds the trees of all its objects at the same time, so a node is small: what few nodes have stands apart
//! ([`Rare`]), texts are shared, and lists are one pointer.

use crate::head::Head;
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

/// Where a node starts in its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Line, counted from 1; 0 for a node that was not read from text.
    pub line: u32,
    /// Column in characters, counted from 1; 0 as above.
    pub column: u32,
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
pub struct Node(Repr);

/// A node in two words: the head of each variant lies beside its number.
#[derive(Clone, Debug)]
enum Repr {
    Scalar(Head, Text),
    Sequence(Head, List<Node>),
    Mapping(Head, List<(Node, Node)>),
    Alias(Head, Text),
    Rich(Head, Box<Rich>),
}

impl Repr {
    /// Makes room for what few nodes have.
    fn enrich(&mut self) {
        let empty = Self::Sequence(Head::new(Tag::None), List::new());
        let node = Node(std::mem::replace(self, empty));
        let head = *node.head();
        let rich = Rich {
            data: node.into_data(),
            rare: Rare::default(),
        };
        *self = Self::Rich(head, Box::new(rich));
    }
}

const _: () = assert!(size_of::<Node>() == 16, "trees are mostly nodes");

/// The content of a node that has what few have.
#[derive(Clone, Debug)]
struct Rich {
    data: Data,
    rare: Rare,
}

impl Node {
    /// A node of the given content and type, in plain notation.
    pub fn new(data: Data, tag: Tag) -> Self {
        Self::with(Head::new(tag), data)
    }

    fn with(head: Head, data: Data) -> Self {
        Self(match data {
            Data::Scalar(text) => Repr::Scalar(head, text),
            Data::Sequence(items) => Repr::Sequence(head, items),
            Data::Mapping(entries) => Repr::Mapping(head, entries),
            Data::Alias(name) => Repr::Alias(head, name),
        })
    }

    const fn head(&self) -> &Head {
        match &self.0 {
            Repr::Scalar(head, _)
            | Repr::Sequence(head, _)
            | Repr::Mapping(head, _)
            | Repr::Alias(head, _)
            | Repr::Rich(head, _) => head,
        }
    }

    const fn head_mut(&mut self) -> &mut Head {
        match &mut self.0 {
            Repr::Scalar(head, _)
            | Repr::Sequence(head, _)
            | Repr::Mapping(head, _)
            | Repr::Alias(head, _)
            | Repr::Rich(head, _) => head,
        }
    }

    /// Content.
    pub fn data(&self) -> DataRef<'_> {
        match &self.0 {
            Repr::Scalar(_, text) => Data::Scalar(text),
            Repr::Sequence(_, items) => Data::Sequence(items),
            Repr::Mapping(_, entries) => Data::Mapping(entries),
            Repr::Alias(_, name) => Data::Alias(name),
            Repr::Rich(_, rich) => rich.data.as_ref(),
        }
    }

    /// Content, to change.
    pub fn data_mut(&mut self) -> DataMut<'_> {
        match &mut self.0 {
            Repr::Scalar(_, text) => Data::Scalar(text),
            Repr::Sequence(_, items) => Data::Sequence(items),
            Repr::Mapping(_, entries) => Data::Mapping(entries),
            Repr::Alias(_, name) => Data::Alias(name),
            Repr::Rich(_, rich) => rich.data.as_mut(),
        }
    }

    /// The content alone.
    pub fn into_data(self) -> Data {
        match self.0 {
            Repr::Scalar(_, text) => Data::Scalar(text),
            Repr::Sequence(_, items) => Data::Sequence(items),
            Repr::Mapping(_, entries) => Data::Mapping(entries),
            Repr::Alias(_, name) => Data::Alias(name),
            Repr::Rich(_, rich) => rich.data,
        }
    }

    /// Puts other content in the place of what is there.
    pub fn set_data(&mut self, data: Data) {
        match &mut self.0 {
            Repr::Rich(_, rich) => rich.data = data,
            _ => *self = Self::with(*self.head(), data),
        }
    }

    /// Takes the node out, and leaves an empty one with its head.
    fn take(&mut self) -> Self {
        let empty = Self(Repr::Sequence(*self.head(), List::new()));
        std::mem::replace(self, empty)
    }

    /// Type.
    pub const fn tag(&self) -> Tag {
        self.head().tag
    }

    /// Says of what type it is.
    pub const fn set_tag(&mut self, tag: Tag) {
        self.head_mut().tag = tag;
    }

    /// Whether the tag was written in the source, and is to be written again. With [`Tag::None`] it was `!`, which is not.
    pub const fn tag_is_explicit(&self) -> bool {
        self.head().tag_is_explicit()
    }

    /// Says whether the tag is to be written.
    pub const fn set_tag_is_explicit(&mut self, is_explicit: bool) {
        self.head_mut().set_tag_is_explicit(is_explicit);
    }

    /// Notation.
    pub const fn style(&self) -> Style {
        self.head().style()
    }

    /// Says how it is to be written.
    pub const fn set_style(&mut self, style: Style) {
        self.head_mut().set_style(style);
    }

    /// Position in the source. Lines end at 16,777,215 and columns at 65,535, whatever the source has.
    pub const fn span(&self) -> Span {
        self.head().span()
    }

    /// Says where in a source the node stands.
    pub fn set_span(&mut self, span: Span) {
        self.head_mut().set_span(span);
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
        match (self.rare(), self.tag()) {
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
        match &self.0 {
            Repr::Rich(_, rich) => Some(&rich.rare),
            _ => None,
        }
    }

    /// Takes away what few nodes have.
    pub(crate) fn take_rare(&mut self) -> Option<Rare> {
        self.rare()?;
        let Self(Repr::Rich(head, rich)) = self.take() else {
            return None;
        };
        *self = Self::with(head, rich.data);
        Some(rich.rare)
    }

    /// What few nodes have, to add to it.
    pub fn rare_mut(&mut self) -> &mut Rare {
        let mut at = &mut self.0;
        loop {
            match at {
                Repr::Rich(_, rich) => return &mut rich.rare,
                plain => {
                    plain.enrich();
                    at = plain;
                }
            }
        }
    }

    /// Whether this is a scalar of type null.
    pub fn is_null(&self) -> bool {
        self.tag() == Tag::Null
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
