//! Objects to JSON values, as kyaml makes them.

use serde_json::Value;
use weir_yaml::{Data, Dialect, Node, Resolved, Style, Tag, resolve, to_json};

use crate::error::{Error, Result};

/// The JSON value of an object.
///
/// Keys below the top level must be strings: Go has no JSON for maps with others. Only keys that
/// were read from a file can be something else.
pub(crate) fn marshal(node: &Node) -> Result<Value> {
    for (_, value) in node.entries().unwrap_or_default() {
        check_keys(value)?;
    }
    Ok(to_json(node, Dialect::Kyaml)?)
}

fn check_keys(node: &Node) -> Result<()> {
    match &node.data {
        Data::Sequence(items) => items.iter().try_for_each(check_keys),
        Data::Mapping(entries) => entries.iter().try_for_each(|(key, value)| {
            if !is_string(key) {
                return Err(Error::invalid(format!(
                    "yaml: line {}: the key {} is no string, put it in quotes (json: unsupported \
                     type: map[interface {{}}]interface {{}})",
                    key.span.line,
                    key.as_str().unwrap_or("of a collection")
                )));
            }
            check_keys(value)
        }),
        _ => Ok(()),
    }
}

fn is_string(key: &Node) -> bool {
    let Some(text) = key.as_str() else {
        return false;
    };
    let was_read = key.span.line > 0;
    // An empty key is printed in quotes on the way, and so becomes one.
    !was_read
        || text.is_empty()
        || key.style != Style::Plain
        || matches!(key.tag, Tag::Str | Tag::Merge)
        || resolve(text, Dialect::Kyaml) == Resolved::Str
}
