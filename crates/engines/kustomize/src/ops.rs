//! Small changes to trees, with the side conditions that kyaml's setters have.

use weir_yaml::{Data, Dialect, Node, Resolved, Style, Tag, Text, emit, resolve};

use crate::error::{Error, Result};

/// What a node is, in yaml v3's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Sequence,
    Mapping,
}

impl Kind {
    pub(crate) fn of(node: &Node) -> Self {
        match node.data() {
            Data::Scalar(_) | Data::Alias(_) => Self::Scalar,
            Data::Sequence(_) => Self::Sequence,
            Data::Mapping(_) => Self::Mapping,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scalar => "ScalarNode",
            Self::Sequence => "SequenceNode",
            Self::Mapping => "MappingNode",
        }
    }

    /// An empty node of this kind, its type open.
    pub(crate) fn create(self) -> Node {
        let mut node = match self {
            Self::Scalar => Node::plain(""),
            Self::Sequence => Node::sequence(Vec::new()),
            Self::Mapping => Node::mapping(Vec::new()),
        };
        node.set_tag(Tag::None);
        node
    }
}

/// Refuses a node of another kind; null passes.
pub(crate) fn expect(node: &Node, kind: Kind) -> Result<()> {
    let actual = Kind::of(node);
    if node.is_null() || actual == kind {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "wrong node kind: expected {} but got {}: node contents:\n{}",
        kind.name(),
        actual.name(),
        emit::kyaml(node)
    )))
}

/// Replaces the value of a scalar; the old style stays.
pub(crate) fn set_scalar(node: &mut Node, text: impl Into<Text>, tag: Tag) -> Result<()> {
    expect(node, Kind::Scalar)?;
    if tag == Tag::Null {
        return Ok(());
    }
    node.set_data(Data::Scalar(text.into()));
    node.set_tag(tag);
    node.set_tag_is_explicit(false);
    Ok(())
}

/// Sets a field of a mapping. A null value removes it; an existing field keeps its style.
pub(crate) fn set_field(node: &mut Node, name: impl AsRef<str> + Into<Text>, mut value: Node) -> Result<()> {
    if value.is_null() {
        expect(node, Kind::Mapping)?;
        node.remove(name.as_ref());
        return Ok(());
    }
    set_field_keeping_null(node, name, {
        quote_if_ambiguous(&mut value);
        value
    })
}

/// As [`set_field`], but null is a value.
pub(crate) fn set_field_keeping_null(
    node: &mut Node,
    name: impl AsRef<str> + Into<Text>,
    mut value: Node,
) -> Result<()> {
    expect(node, Kind::Mapping)?;
    if let Some(field) = node.get_mut(name.as_ref()) {
        value.set_style(field.style());
        value.set_span(field.span());
        *field = value;
        return Ok(());
    }
    if node.entries().is_none() {
        // A null that takes its first field.
        *node = Kind::Mapping.create();
    }
    if let Some(entries) = node.entries_mut() {
        entries.add((Node::plain(name), value));
    }
    Ok(())
}

/// Text that YAML 1.1 would read as something else gets quotes.
pub(crate) fn quote_if_ambiguous(value: &mut Node) {
    if matches!(value.tag(), Tag::Str | Tag::None)
        && value.style() == Style::Plain
        && let Some(text) = value.as_str()
        && !text.is_empty()
        && resolve(text, Dialect::Sigs) != Resolved::Str
        && !text.contains('\n')
    {
        value.set_style(Style::DoubleQuoted);
    }
}

/// The value of a scalar; empty for null and for anything else.
pub(crate) fn text(node: &Node) -> &str {
    if node.is_null() {
        return "";
    }
    node.as_str().unwrap_or_default()
}

/// Whether a path part selects an item: `[name=value]`.
pub(crate) fn is_item_selector(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

/// The two sides of `[name=value]`.
pub(crate) fn item_selector(part: &str) -> Result<(&str, &str)> {
    let inner = part.strip_prefix('[').unwrap_or(part);
    let inner = inner.strip_suffix(']').unwrap_or(inner);
    inner.split_once('=').ok_or_else(|| {
        Error::invalid("list path element must contain fieldName=fieldValue for element to match")
    })
}

/// Follows a path of field names, indexes and item selectors.
pub(crate) fn lookup<'a, S: AsRef<str>>(node: &'a Node, path: &[S]) -> Result<Option<&'a Node>> {
    let mut at = node;
    for part in path {
        let part = part.as_ref().trim();
        if part.is_empty() {
            continue;
        }
        let next = if at.is_null() {
            None
        } else if let Ok(index) = part.parse::<usize>() {
            expect(at, Kind::Sequence)?;
            at.items().and_then(|items| items.get(index))
        } else if part == "-" {
            expect(at, Kind::Sequence)?;
            at.items().and_then(<[Node]>::last)
        } else if part == "*" {
            return Err(Error::invalid("wildcard is not supported in PathGetter"));
        } else if is_item_selector(part) {
            let (name, value) = item_selector(part)?;
            expect(at, Kind::Sequence)?;
            at.items()
                .and_then(|items| items.iter().find(|item| item_matches(item, name, value)))
        } else {
            expect(at, Kind::Mapping)?;
            at.get(part)
        };
        match next {
            Some(next) => at = next,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// Whether an item has a field of a value; without a name, whether it is that value.
pub(crate) fn item_matches(item: &Node, name: &str, value: &str) -> bool {
    if name.is_empty() {
        return item.as_str() == Some(value);
    }
    item.get(name)
        .is_some_and(|field| field.as_str().unwrap_or_default() == value)
}

/// Follows field names, making what is missing: mappings on the way, `last` at the end.
pub(crate) fn lookup_create<'a, S: AsRef<str>>(
    node: &'a mut Node,
    path: &[S],
    last: Kind,
) -> Result<&'a mut Node> {
    let mut at = node;
    for (number, part) in path.iter().enumerate() {
        let kind = if number + 1 == path.len() {
            last
        } else {
            Kind::Mapping
        };
        at = field_or_create(at, part.as_ref(), kind)?;
    }
    Ok(at)
}

fn field_or_create<'a>(node: &'a mut Node, name: &str, kind: Kind) -> Result<&'a mut Node> {
    expect(node, Kind::Mapping)?;
    if node.get(name).is_none() {
        set_field_keeping_null(node, name, kind.create())?;
    }
    node.get_mut(name)
        .ok_or_else(|| Error::invalid(format!("cannot create field '{name}'")))
}
