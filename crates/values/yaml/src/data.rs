//! What nodes hold.

use crate::{List, Node, Text};

/// What a node holds: the content itself, or content that a node lends.
#[derive(Clone, Copy, Debug)]
pub enum Data<T = Text, I = List<Node>, E = List<(Node, Node)>> {
    /// Text after unescaping and folding.
    Scalar(T),
    /// Items in order.
    Sequence(I),
    /// Entries in order; keys may repeat if the parser was told to let them.
    Mapping(E),
    /// `*name`; [`crate::expand_aliases`] replaces it by what it stands for.
    Alias(T),
}

/// What a node holds, to look at.
pub type DataRef<'a> = Data<&'a Text, &'a List<Node>, &'a List<(Node, Node)>>;

/// What a node holds, to change.
pub type DataMut<'a> = Data<&'a mut Text, &'a mut List<Node>, &'a mut List<(Node, Node)>>;

impl Data {
    /// Lends the content.
    pub const fn as_ref(&self) -> DataRef<'_> {
        match self {
            Self::Scalar(text) => Data::Scalar(text),
            Self::Sequence(items) => Data::Sequence(items),
            Self::Mapping(entries) => Data::Mapping(entries),
            Self::Alias(name) => Data::Alias(name),
        }
    }

    /// Lends the content, to change.
    pub const fn as_mut(&mut self) -> DataMut<'_> {
        match self {
            Self::Scalar(text) => Data::Scalar(text),
            Self::Sequence(items) => Data::Sequence(items),
            Self::Mapping(entries) => Data::Mapping(entries),
            Self::Alias(name) => Data::Alias(name),
        }
    }
}
