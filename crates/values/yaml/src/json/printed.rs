//! What kyaml's way to JSON does to a tree: it is printed there and read again, and not all of it comes back as it was.

use serde_json::Value;

use crate::{
    ConvertError, Data, Dialect, Duplicates, Node, ParseOptions, Style, Tag, emit, parse_first_with,
    parse_one, resolve,
};

/// Where a node is printed on the way to JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere: it is read as it stands.
    Nowhere,
    Block,
    /// In a flow collection, or in what lies in one.
    Flow,
}

impl Place {
    /// The place of what lies in a collection.
    pub(super) fn within(self, collection: &Node) -> Self {
        match self {
            Self::Block if collection.style() == Style::Flow => Self::Flow,
            place => place,
        }
    }
}

/// What became of a scalar.
pub(super) enum Printed {
    Same,
    /// It got quotes, and is a string now.
    Quoted,
    /// Other text of the same type.
    Text(String),
}

/// Prints a scalar and reads it again, unless it is a key.
pub(super) fn scalar(node: &Node, text: &str, place: Place) -> Result<Printed, ConvertError> {
    Ok(match place {
        // In flow collections nothing is printed as quotes, and so is what has a colon in it, which is no time any more.
        Place::Flow if is_nothing(node, text) || text.contains(':') && is_time(node, text) => Printed::Quoted,
        Place::Block if starts_with_tab(node, text) => {
            return Err(ConvertError::new(
                node.span(),
                "found a tab character where an indentation space is expected",
            ));
        }
        Place::Block if node.style() == Style::Folded => Printed::Text(refold(text)),
        // In flow collections, block scalars are printed in quotes.
        Place::Nowhere | Place::Block | Place::Flow => Printed::Same,
    })
}

/// Prints a key and reads it again.
pub(super) fn key(node: &Node, text: &str, place: Place) -> Printed {
    match place {
        Place::Nowhere => Printed::Same,
        _ if is_nothing(node, text) => Printed::Quoted,
        Place::Block if node.style() == Style::Folded && text.contains('\n') => Printed::Text(refold(text)),
        Place::Block | Place::Flow => Printed::Same,
    }
}

/// Prints a tree that has anchors and reads it again, to where nothing changes any more: an alias stands for what its
/// anchor's node was read as, wherever the alias stands itself.
pub(super) fn settle(node: &mut Node, place: Place) -> Result<(), ConvertError> {
    let place = place.within(node);
    match node.data_mut() {
        Data::Scalar(_) => {
            let text = node.as_str().unwrap_or_default();
            let printed = scalar(node, text, place)?;
            become_printed(node, printed);
        }
        Data::Sequence(items) => {
            for item in items {
                settle(item, place)?;
            }
        }
        Data::Mapping(entries) => {
            for (name, value) in entries {
                match name.as_str() {
                    Some(text) => {
                        let printed = key(name, text, place);
                        become_printed(name, printed);
                    }
                    None => settle(name, place)?,
                }
                settle(value, place)?;
            }
        }
        Data::Alias(_) => {}
    }
    Ok(())
}

fn become_printed(node: &mut Node, printed: Printed) {
    match printed {
        Printed::Same => {}
        Printed::Quoted => {
            node.set_style(Style::SingleQuoted);
            node.set_tag(Tag::Str);
            node.set_tag_is_explicit(false);
        }
        Printed::Text(text) => node.set_data(Data::Scalar(text.into())),
    }
}

fn is_nothing(node: &Node, text: &str) -> bool {
    text.is_empty() && (node.tag() == Tag::None || node.is_null() && !node.tag_is_explicit())
}

fn is_time(node: &Node, text: &str) -> bool {
    node.style() == Style::Plain
        && match node.tag() {
            Tag::Timestamp => !node.tag_is_explicit(),
            // `!` is not printed.
            Tag::None => resolve(text, Dialect::Kyaml).tag() == Tag::Timestamp,
            _ => false,
        }
}

/// Whether kyaml prints a block scalar that it cannot read again: one whose first line starts with a tab.
fn starts_with_tab(node: &Node, text: &str) -> bool {
    matches!(node.style(), Style::Literal | Style::Folded)
        && text.trim_start_matches('\n').starts_with('\t')
        && block_header(&emit::kyaml(node)).is_some()
}

/// `|`, `>` and what belongs to it, if a scalar was printed as a block.
fn block_header(printed: &str) -> Option<&str> {
    let line = printed.lines().find(|line| !line.starts_with('#'))?;
    let header = line.split(' ').find(|word| !word.starts_with(['&', '!']))?;
    header.starts_with(['|', '>']).then_some(header)
}

/// What becomes of folded text: the printer doubles the line break before a line that starts with a space.
fn refold(text: &str) -> String {
    let mut node = Node::string(text);
    node.set_style(Style::Folded);
    match parse_one(&emit::kyaml(&node)) {
        Ok(node) => node.as_str().unwrap_or(text).to_owned(),
        Err(_) => text.to_owned(),
    }
}

/// Whether there is a comment behind something that may leave it no place: what is empty, has an anchor or a tag, or is
/// no block. yaml v3 prints such a comment where the next one could be, or between a key and its value.
pub(super) fn has_loose_comment(node: &Node) -> bool {
    let has_line = |node: &Node| node.comments().is_some_and(|comments| !comments.line.is_empty());
    match node.data() {
        Data::Scalar(text) => has_line(node) && (text.is_empty() || node.tag_is_explicit()),
        Data::Sequence(items) => has_line(node) || items.iter().any(has_loose_comment),
        Data::Mapping(entries) => {
            let is_loose = |(key, value): &(Node, Node)| {
                has_line(key) && !has_place(value) || has_loose_comment(key) || has_loose_comment(value)
            };
            has_line(node) || entries.iter().any(is_loose)
        }
        Data::Alias(_) => has_line(node),
    }
}

/// Whether a comment behind a key is sure to find its place behind or before the value.
fn has_place(value: &Node) -> bool {
    let is_bare = value.rare().is_none() && !value.tag_is_explicit();
    is_bare
        && match value.data() {
            Data::Scalar(text) => !text.is_empty(),
            Data::Sequence(items) => !items.is_empty() && value.style() != Style::Flow,
            Data::Mapping(entries) => !entries.is_empty() && value.style() != Style::Flow,
            Data::Alias(_) => false,
        }
}

/// Prints a tree, and makes JSON of what is read of that.
pub(super) fn read_again(node: &Node) -> Result<Value, ConvertError> {
    let options = ParseOptions {
        duplicates: Duplicates::Keep,
        without_comments: true,
        ..ParseOptions::default()
    };
    let document = parse_first_with(&emit::kyaml(node), options).map_err(|error| {
        let message = format!("a comment breaks what is printed: {}", error.message);
        ConvertError::new(node.span(), message)
    })?;
    let root = document.and_then(|document| document.root);
    super::settled_root(root.unwrap_or_else(Node::null), Dialect::Kyaml)
}

/// What a document's foot comment does: the blank line that is printed above it becomes part of a block scalar that ends
/// there and keeps its line breaks.
pub(super) fn add_break_before_foot(node: &Node, value: &mut Value) {
    let (mut node, mut value) = (node, value);
    while node.style() != Style::Flow {
        let inner = match (node.data(), value) {
            (Data::Mapping(entries), Value::Object(map)) => entries.last().and_then(|(key, node)| {
                let key = super::key_to_string(key, Dialect::Kyaml).ok()?;
                Some((node, map.get_mut(&key)?))
            }),
            (Data::Sequence(items), Value::Array(values)) => items.last().zip(values.last_mut()),
            (Data::Scalar(_), Value::String(text)) => {
                if block_header(&emit::kyaml(node)).is_some_and(|header| header.ends_with('+')) {
                    text.push('\n');
                }
                return;
            }
            _ => None,
        };
        let Some(next) = inner else { return };
        (node, value) = next;
    }
}
