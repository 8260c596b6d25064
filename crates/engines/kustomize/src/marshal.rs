//! Objects to JSON values, as kyaml makes them.

use serde_json::Value;
use weir_yaml::{Data, Dialect, Node, Resolved, Style, Tag, resolve, to_json};

use crate::error::{Error, Result};

/// The JSON value of an object.
///
/// Keys below the top level must be strings: Go has no JSON for maps with others. None may repeat: kustomize keeps those
/// that do until it makes a map of the object.
pub(crate) fn marshal(node: &Node) -> Result<Value> {
    for (_, value) in node.entries().unwrap_or_default() {
        check_keys(value)?;
    }
    Ok(to_json(node, Dialect::Kyaml)?)
}

/// The JSON value of an object within a list, whose top-level keys must be strings too. It is made without printing on
/// the way, so that styles leave no traces.
pub(crate) fn marshal_item(mut node: Node) -> Result<Value> {
    check_keys(&node)?;
    forget_styles(&mut node);
    Ok(to_json(&node, Dialect::Kyaml)?)
}

fn forget_styles(node: &mut Node) {
    let is_block_scalar = matches!(node.style(), Style::Folded | Style::Literal);
    match node.data_mut() {
        Data::Sequence(items) => items.iter_mut().for_each(forget_styles),
        Data::Mapping(entries) => entries.iter_mut().for_each(|(_, value)| forget_styles(value)),
        _ if is_block_scalar => return node.set_style(Style::DoubleQuoted),
        _ => return,
    }
    node.set_style(Style::Plain);
}

fn check_keys(node: &Node) -> Result<()> {
    match node.data() {
        Data::Sequence(items) => items.iter().try_for_each(check_keys),
        Data::Mapping(entries) => entries.iter().try_for_each(|(key, value)| {
            if !is_string(key) {
                let line = match key.span().line {
                    0 => String::new(),
                    line => format!("yaml: line {line}: "),
                };
                return Err(Error::invalid(format!(
                    "{line}the key {} is no string, put it in quotes (json: unsupported type: \
                     map[interface {{}}]interface {{}})",
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
    // An empty key is printed in quotes on the way, and so becomes a string.
    text.is_empty()
        || key.style() != Style::Plain
        || matches!(key.tag(), Tag::Str | Tag::Merge)
        || resolve(text, Dialect::Kyaml) == Resolved::Str
}
