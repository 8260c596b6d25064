//! Trees to JSON values and back.

use base64::Engine;
use serde_json::{Map, Number, Value};

use crate::alias::has_aliases;
use crate::{
    ConvertError, Data, Dialect, Node, Resolved, Style, Tag, emit, expand_aliases, go_float, parse_one,
    resolve, resolve_tagged,
};

/// Converts a tree as the Go libraries of the dialect do: aliases and merge keys are expanded, of
/// a repeated key the last entry wins, dates become strings.
///
/// Numbers that JSON cannot hold and keys that are no scalars are errors.
pub fn to_json(node: &Node, dialect: Dialect) -> Result<Value, ConvertError> {
    if !has_aliases(node) {
        return value(node, dialect, false);
    }
    let mut expanded = node.clone();
    expand_aliases(&mut expanded)?;
    value(&expanded, dialect, false)
}

fn value(node: &Node, dialect: Dialect, in_flow: bool) -> Result<Value, ConvertError> {
    let in_flow = in_flow || node.style == Style::Flow;
    match &node.data {
        // kyaml prints before it reads, and within flow collections it prints nothing as quotes.
        Data::Scalar(text)
            if in_flow
                && text.is_empty()
                && node.is_null()
                && !node.tag_is_explicit
                && dialect == Dialect::Kyaml =>
        {
            Ok(Value::String(String::new()))
        }
        // Likewise what has a colon in it gets quotes there, and is no time any more.
        Data::Scalar(text)
            if in_flow
                && dialect == Dialect::Kyaml
                && node.style == Style::Plain
                && node.tag == Tag::Timestamp
                && !node.tag_is_explicit
                && text.contains(':') =>
        {
            Ok(Value::String(text.to_string()))
        }
        Data::Scalar(text) => scalar(node, text, dialect),
        Data::Sequence(items) => items.iter().map(|item| value(item, dialect, in_flow)).collect(),
        Data::Mapping(entries) => {
            let mut map = Map::new();
            for (at, (key, entry)) in entries.iter().enumerate() {
                // What stands under null is dropped on kyaml's way to JSON.
                let is_null = key.is_null() && key.as_str().is_some_and(|text| !text.is_empty());
                if is_null && dialect == Dialect::Kyaml {
                    continue;
                }
                let entry = match value(entry, dialect, in_flow) {
                    // Nobody looks at a value that a later one of the same key replaces.
                    Err(_) if is_replaced(key, entries.get(at + 1..).unwrap_or_default()) => continue,
                    entry => entry?,
                };
                map.insert(key_to_string(key, dialect)?, entry);
            }
            Ok(Value::Object(map))
        }
        Data::Alias(name) => Err(ConvertError::new(
            node.span,
            format!("unknown anchor '{name}' referenced"),
        )),
    }
}

fn is_replaced(key: &Node, later: &[(Node, Node)]) -> bool {
    key.as_str()
        .is_some_and(|text| later.iter().any(|(other, _)| other.as_str() == Some(text)))
}

fn scalar(node: &Node, text: &str, dialect: Dialect) -> Result<Value, ConvertError> {
    if dialect == Dialect::Kyaml && starts_with_tab(node, text) {
        return Err(ConvertError::new(
            node.span,
            "found a tab character where an indentation space is expected",
        ));
    }
    let refolded;
    let text = if node.style == Style::Folded && dialect == Dialect::Kyaml {
        refolded = refold(text);
        refolded.as_str()
    } else {
        text
    };
    if node.tag == Tag::Binary && node.tag_is_explicit {
        return binary(node, text);
    }
    let resolved = resolve_tagged(text, node.tag, node.tag_is_explicit, node.style, dialect)
        .map_err(|message| ConvertError::new(node.span, message))?;
    Ok(match resolved {
        Resolved::Null => Value::Null,
        Resolved::Bool(value) => Value::Bool(value),
        Resolved::Int(value) => number(value),
        Resolved::Float(value) => float(value).ok_or_else(|| {
            ConvertError::new(node.span, format!("json: unsupported value: {}", go_float(value)))
        })?,
        Resolved::Timestamp(time) if dialect == Dialect::Kyaml => Value::String(time),
        Resolved::Str | Resolved::Timestamp(_) => Value::String(text.to_owned()),
    })
}

fn number(value: i128) -> Value {
    i64::try_from(value)
        .map(Number::from)
        .or_else(|_| u64::try_from(value).map(Number::from))
        .map_or(Value::Null, Value::Number)
}

/// Whether kyaml prints a block scalar that it cannot read again: one whose first line starts with a tab.
fn starts_with_tab(node: &Node, text: &str) -> bool {
    matches!(node.style, Style::Literal | Style::Folded)
        && text.trim_start_matches('\n').starts_with('\t')
        && emit::kyaml(node).starts_with(['|', '>'])
}

/// What becomes of folded text on kyaml's way to JSON, which leads through printing and reading
/// again: its printer doubles the line break before a line that starts with a space.
fn refold(text: &str) -> String {
    let mut node = Node::string(text);
    node.style = Style::Folded;
    match parse_one(&emit::kyaml(&node)) {
        Ok(Node {
            data: Data::Scalar(text),
            ..
        }) => text.to_string(),
        _ => text.to_owned(),
    }
}

/// A float as Go's JSON writes it: whole numbers lose their point.
fn float(value: f64) -> Option<Value> {
    // 2^53: up to here every whole f64 is exact, and no conversion rounds.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within range")]
        return Some(Value::Number((value as i64).into()));
    }
    Number::from_f64(value).map(Value::Number)
}

fn binary(node: &Node, text: &str) -> Result<Value, ConvertError> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(compact)
        .map_err(|_| ConvertError::new(node.span, "!!binary value contains invalid base64 data"))?;
    Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The JSON key of a mapping key.
///
/// sigs.k8s.io/yaml turns booleans and numbers into text (`y: 1` has the key `true`); kyaml takes
/// the text as it stands.
pub fn key_to_string(key: &Node, dialect: Dialect) -> Result<String, ConvertError> {
    let Some(text) = key.as_str() else {
        return Err(ConvertError::new(key.span, "unsupported map key: not a scalar"));
    };
    if dialect == Dialect::Kyaml {
        return Ok(text.to_owned());
    }
    let resolved = resolve_tagged(text, key.tag, key.tag_is_explicit, key.style, dialect)
        .map_err(|message| ConvertError::new(key.span, message))?;
    Ok(match resolved {
        Resolved::Null => {
            return Err(ConvertError::new(key.span, "unsupported map key: null"));
        }
        Resolved::Bool(value) => value.to_string(),
        Resolved::Int(value) => value.to_string(),
        Resolved::Float(value) if value.is_infinite() => {
            if value > 0.0 { ".inf" } else { "-.inf" }.to_owned()
        }
        Resolved::Float(value) if value.is_nan() => ".nan".to_owned(),
        Resolved::Float(value) => go_float(value),
        Resolved::Str | Resolved::Timestamp(_) => text.to_owned(),
    })
}

/// Makes a tree of a JSON value, keys in the order of the value's map.
pub fn from_json(value: &Value) -> Node {
    match value {
        Value::Null => Node::null(),
        Value::Bool(value) => Node::scalar(value.to_string(), Tag::Bool),
        Value::Number(number) => from_number(number),
        Value::String(text) => Node::string(text.clone()),
        Value::Array(items) => Node::sequence(items.iter().map(from_json).collect()),
        Value::Object(map) => Node::mapping(
            map.iter()
                .map(|(key, value)| (key_node(key), from_json(value)))
                .collect(),
        ),
    }
}

fn from_number(number: &Number) -> Node {
    if number.is_i64() || number.is_u64() {
        return Node::scalar(number.to_string(), Tag::Int);
    }
    let text = go_float(number.as_f64().unwrap_or_default());
    let tag = resolve(&text, Dialect::Kyaml).tag();
    Node::scalar(text, tag)
}

fn key_node(key: &str) -> Node {
    Node::string(key)
}
