//! All fields that a replacement's path leads to.

use weir_yaml::{Data, Node, emit, parse_all};

use crate::error::{Error, Result};
use crate::ops::{self, Kind};
use crate::pattern::compile;

type Set<'a> = &'a mut dyn FnMut(&mut Node) -> Result<()>;

/// Calls `set` on each field of a path, and says how many there were.
///
/// Parts are field names, indexes, `*`, and `[name=pattern]`. With `create`, missing parts are
/// made, the last one of that kind.
pub(super) fn fields(node: &mut Node, parts: &[String], create: Option<Kind>, set: Set<'_>) -> Result<usize> {
    let Some((part, rest)) = parts.split_first() else {
        set(node)?;
        return Ok(1);
    };
    if let Ok(index) = part.parse::<usize>() {
        return item(node, index, rest, create, set);
    }
    if ops::is_item_selector(part) {
        return matching(node, part, rest, create, set);
    }
    if part == "*" {
        ops::expect(node, Kind::Sequence)?;
        let mut count = 0;
        for item in node.items_mut().into_iter().flatten() {
            count += fields(item, rest, create, set)?;
        }
        return Ok(count);
    }
    field(node, part, rest, create, set)
}

/// The kind of a part that has to be made, seen from the part behind it.
fn kind_before(rest: &[String], last: Kind) -> Kind {
    match rest.first() {
        None => last,
        Some(next) if ops::is_item_selector(next) || next.parse::<usize>().is_ok() => Kind::Sequence,
        Some(_) => Kind::Mapping,
    }
}

fn field(node: &mut Node, name: &str, rest: &[String], create: Option<Kind>, set: Set<'_>) -> Result<usize> {
    if !node.is_null() {
        ops::expect(node, Kind::Mapping)?;
    }
    if node.get(name).is_none() {
        let Some(last) = create else {
            return Ok(0);
        };
        let made = kind_before(rest, last).create();
        if node.is_null() && node.entries().is_none() {
            // kustomize gives the null a field without making a map of it, so that what is set there is never seen.
            return fields(&mut { made }, rest, create, set);
        }
        ops::set_field_keeping_null(node, name, made)?;
    }
    let Some(field) = node.get_mut(name) else {
        return Ok(0);
    };
    if let (Data::Scalar(text), false) = (field.data(), rest.is_empty()) {
        // Fields within text: kustomize finds them here, but what it sets is lost.
        let mut parsed = parse_all(text)
            .map_err(|error| Error::invalid(error.to_string()))?
            .into_iter()
            .next()
            .and_then(|document| document.root)
            .ok_or_else(|| {
                let part = rest.first().map_or("", String::as_str);
                Error::invalid(format!(
                    "wrong node kind: expected MappingNode but got none: {name} is empty, so that nothing can have \
                     the field {part}"
                ))
            })?;
        return fields(&mut parsed, rest, create, set);
    }
    fields(field, rest, create, set)
}

fn item(node: &mut Node, index: usize, rest: &[String], create: Option<Kind>, set: Set<'_>) -> Result<usize> {
    ops::expect(node, Kind::Sequence)?;
    let mut lost = create.map(|_| Kind::Sequence.create());
    let list = if node.is_null() { lost.as_mut() } else { Some(node) };
    let Some(items) = list.and_then(Node::items_mut) else {
        return Err(Error::invalid(format!(
            "index {index} specified but no elements found"
        )));
    };
    if let (true, Some(last)) = (items.len() == index, create) {
        items.add(kind_before(rest, last).create());
    }
    let length = items.len();
    match items.get_mut(index) {
        Some(item) => fields(item, rest, create, set),
        None => Err(Error::invalid(format!(
            "index {index} specified but only {length} elements found"
        ))),
    }
}

fn matching(
    node: &mut Node,
    part: &str,
    rest: &[String],
    create: Option<Kind>,
    set: Set<'_>,
) -> Result<usize> {
    let (name, value) = ops::item_selector(part)?;
    ops::expect(node, Kind::Sequence)?;
    let pattern = compile(value)?;
    // What is appended to a null is never seen, as with fields.
    let mut lost = create.map(|_| Kind::Sequence.create());
    let list = if node.is_null() { lost.as_mut() } else { Some(node) };
    let Some(items) = list.and_then(Node::items_mut) else {
        return Ok(0);
    };
    // As kustomize does, match what would be printed, quotes included, anywhere in it.
    let matches = |node: &Node| pattern.is_match(emit::kyaml(node).trim());
    let mut count = 0;
    for item in items.iter_mut() {
        if name.is_empty() {
            if matches(item) {
                set(item)?;
                count += 1;
            }
        } else if item.get(name).is_some_and(matches) {
            count += fields(item, rest, create, set)?;
        }
    }
    if count > 0 || create.is_none() {
        return Ok(count);
    }
    let made = if name.is_empty() {
        Node::plain(value)
    } else {
        Node::mapping(vec![(Node::plain(name), Node::plain(value))])
    };
    items.add(made);
    match items.last_mut() {
        Some(item) if name.is_empty() => {
            set(item)?;
            Ok(1)
        }
        Some(item) => fields(item, rest, create, set),
        None => Ok(0),
    }
}
