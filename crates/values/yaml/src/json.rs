//! Trees to JSON values and back.

use std::collections::HashMap;

use base64::Engine;
use serde_json::{Map, Number, Value};

use crate::alias::has_aliases;
use crate::number::go_float32;
use crate::{
    ConvertError, Data, Dialect, Node, Resolved, Style, Tag, emit, expand_aliases, go_float, go_json_number,
    parse_one, resolve, resolve_tagged,
};

/// Converts a tree as the Go libraries of the dialect do: aliases and merge keys are expanded, dates become strings. Of a
/// repeated key, if the reader let it pass, the last entry wins for sigs.k8s.io/yaml; kyaml refuses it.
///
/// Numbers that JSON cannot hold and keys that are no scalars are errors.
pub fn to_json(node: &Node, dialect: Dialect) -> Result<Value, ConvertError> {
    if !has_aliases(node) {
        return root(node, dialect);
    }
    let mut expanded = node.clone();
    expand_aliases(&mut expanded, dialect)?;
    root(&expanded, dialect)
}

fn root(node: &Node, dialect: Dialect) -> Result<Value, ConvertError> {
    let mut value = value(node, dialect, false)?;
    let has_foot = node.comments().is_some_and(|c| !c.foot.is_empty());
    if has_foot && dialect == Dialect::Kyaml {
        add_break_before_foot(node, &mut value);
    }
    Ok(value)
}

/// What a document's foot comment does on kyaml's way to JSON: the blank line that is printed above it becomes part of a
/// block scalar that ends there and keeps its line breaks.
fn add_break_before_foot(node: &Node, value: &mut Value) {
    let (mut node, mut value) = (node, value);
    while node.style() != Style::Flow {
        let inner = match (node.data(), value) {
            (Data::Mapping(entries), Value::Object(map)) => entries.last().and_then(|(key, node)| {
                let key = key_to_string(key, Dialect::Kyaml).ok()?;
                Some((node, map.get_mut(&key)?))
            }),
            (Data::Sequence(items), Value::Array(values)) => items.last().zip(values.last_mut()),
            (Data::Scalar(_), Value::String(text)) => {
                let printed = emit::kyaml(node);
                // A comment may stand behind the header.
                let header = printed.split([' ', '\n']).next().unwrap_or_default();
                if header.starts_with(['|', '>']) && header.ends_with('+') {
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

fn value(node: &Node, dialect: Dialect, in_flow: bool) -> Result<Value, ConvertError> {
    let in_flow = in_flow || node.style() == Style::Flow;
    match node.data() {
        // kyaml prints before it reads, and within flow collections it prints nothing as quotes.
        Data::Scalar(text)
            if in_flow
                && text.is_empty()
                && (node.tag() == Tag::None || node.is_null() && !node.tag_is_explicit())
                && dialect == Dialect::Kyaml =>
        {
            Ok(Value::String(String::new()))
        }
        // Likewise what has a colon in it gets quotes there, and is no time any more.
        Data::Scalar(text)
            if in_flow
                && dialect == Dialect::Kyaml
                && node.style() == Style::Plain
                && node.tag() == Tag::Timestamp
                && !node.tag_is_explicit()
                && text.contains(':') =>
        {
            Ok(Value::String(text.to_string()))
        }
        Data::Scalar(text) => scalar(node, text, dialect, in_flow),
        Data::Sequence(items) => items.iter().map(|item| value(item, dialect, in_flow)).collect(),
        Data::Mapping(entries) => {
            if dialect == Dialect::Kyaml {
                refuse_repeated(entries)?;
            }
            let mut map = Map::new();
            for (at, (key, node)) in entries.iter().enumerate() {
                // What stands under null is dropped on kyaml's way to JSON.
                let is_null = key.is_null() && key.as_str().is_some_and(|text| !text.is_empty());
                if is_null && dialect == Dialect::Kyaml {
                    continue;
                }
                let entry = match value(node, dialect, in_flow) {
                    // Nobody looks at a value that a later one of the same key replaces, once it could be read.
                    Err(_)
                        if is_replaced(key, entries.get(at + 1..).unwrap_or_default())
                            && !has_collection_as_key(node) =>
                    {
                        continue;
                    }
                    entry => entry?,
                };
                map.insert(key_to_string(key, dialect)?, entry);
            }
            Ok(Value::Object(map))
        }
        Data::Alias(name) => Err(ConvertError::new(
            node.span(),
            format!("unknown anchor '{name}' referenced"),
        )),
    }
}

/// Mappings up to this size are searched; larger ones get an index.
const SEARCHED: usize = 16;

fn refuse_repeated(entries: &[(Node, Node)]) -> Result<(), ConvertError> {
    let mut index: HashMap<&str, u32> = HashMap::new();
    for (at, (key, _)) in entries.iter().enumerate() {
        let Some(text) = key.as_str() else { continue };
        let earlier = if entries.len() < SEARCHED {
            let before = entries.get(..at).unwrap_or_default();
            let found = before.iter().find(|(key, _)| key.as_str() == Some(text));
            found.map(|(key, _)| key.span().line)
        } else {
            index.insert(text, key.span().line)
        };
        if let Some(line) = earlier {
            let message = format!("mapping key {text:?} already defined at line {line}");
            return Err(ConvertError::new(key.span(), message));
        }
    }
    Ok(())
}

/// Whether some key in it is no scalar, which Go's reader refuses before anything is replaced.
fn has_collection_as_key(node: &Node) -> bool {
    match node.data() {
        Data::Sequence(items) => items.iter().any(has_collection_as_key),
        Data::Mapping(entries) => entries
            .iter()
            .any(|(key, value)| key.as_str().is_none() || has_collection_as_key(value)),
        Data::Scalar(_) | Data::Alias(_) => false,
    }
}

fn is_replaced(key: &Node, later: &[(Node, Node)]) -> bool {
    key.as_str()
        .is_some_and(|text| later.iter().any(|(other, _)| other.as_str() == Some(text)))
}

fn scalar(node: &Node, text: &str, dialect: Dialect, in_flow: bool) -> Result<Value, ConvertError> {
    // Within flow collections block scalars are printed in quotes.
    if dialect == Dialect::Kyaml && !in_flow && starts_with_tab(node, text) {
        return Err(ConvertError::new(
            node.span(),
            "found a tab character where an indentation space is expected",
        ));
    }
    let refolded;
    let text = if node.style() == Style::Folded && dialect == Dialect::Kyaml && !in_flow {
        refolded = refold(text);
        refolded.as_str()
    } else {
        text
    };
    if node.tag() == Tag::Binary && node.tag_is_explicit() {
        return decode_binary(node, text).map(Value::String);
    }
    let resolved = resolve_tagged(text, node.tag(), node.tag_is_explicit(), node.style(), dialect)
        .map_err(|message| ConvertError::new(node.span(), message))?;
    Ok(match resolved {
        Resolved::Null => Value::Null,
        Resolved::Bool(value) => Value::Bool(value),
        Resolved::Int(value) => number(value),
        Resolved::Float(value) => float(value).ok_or_else(|| {
            ConvertError::new(
                node.span(),
                format!("json: unsupported value: {}", go_float(value)),
            )
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
    matches!(node.style(), Style::Literal | Style::Folded)
        && text.trim_start_matches('\n').starts_with('\t')
        && emit::kyaml(node).starts_with(['|', '>'])
}

/// What becomes of folded text on kyaml's way to JSON, which leads through printing and reading
/// again: its printer doubles the line break before a line that starts with a space.
fn refold(text: &str) -> String {
    let mut node = Node::string(text);
    node.set_style(Style::Folded);
    match parse_one(&emit::kyaml(&node)) {
        Ok(node) => node.as_str().unwrap_or(text).to_owned(),
        Err(_) => text.to_owned(),
    }
}

/// A float as Go's JSON writes it: whole numbers lose their point. A zero keeps its sign.
fn float(value: f64) -> Option<Value> {
    // 2^53: up to here every whole f64 is exact, and no conversion rounds.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let below_zero = value == 0.0 && value.is_sign_negative();
    if value.fract() == 0.0 && value.abs() <= EXACT && !below_zero {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within range")]
        return Some(Value::Number((value as i64).into()));
    }
    Number::from_f64(value).map(Value::Number)
}

fn decode_binary(node: &Node, text: &str) -> Result<String, ConvertError> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(compact)
        .map_err(|_| ConvertError::new(node.span(), "!!binary value contains invalid base64 data"))?;
    // Go puts a replacement for each byte that belongs to no character.
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Ok(text)
}

/// The JSON key of a mapping key.
///
/// sigs.k8s.io/yaml turns booleans and numbers into text (`y: 1` has the key `true`); kyaml takes
/// the text as it stands.
pub fn key_to_string(key: &Node, dialect: Dialect) -> Result<String, ConvertError> {
    let Some(text) = key.as_str() else {
        return Err(ConvertError::new(key.span(), "unsupported map key: not a scalar"));
    };
    if dialect == Dialect::Kyaml {
        // As with values, by way of printing.
        return Ok(if key.style() == Style::Folded && text.contains('\n') {
            refold(text)
        } else {
            text.to_owned()
        });
    }
    if key.tag() == Tag::Binary && key.tag_is_explicit() {
        return decode_binary(key, text);
    }
    let resolved = resolve_tagged(text, key.tag(), key.tag_is_explicit(), key.style(), dialect)
        .map_err(|message| ConvertError::new(key.span(), message))?;
    Ok(match resolved {
        Resolved::Null => {
            return Err(ConvertError::new(key.span(), "unsupported map key: null"));
        }
        Resolved::Bool(value) => value.to_string(),
        Resolved::Int(value) if value > i64::MAX.into() => {
            let message = format!("unsupported map key: {value} is more than an int64 holds");
            return Err(ConvertError::new(key.span(), message));
        }
        Resolved::Int(value) => value.to_string(),
        Resolved::Float(value) => match go_float32(value).as_str() {
            "+Inf" => ".inf".to_owned(),
            "-Inf" => "-.inf".to_owned(),
            "NaN" => ".nan".to_owned(),
            text => text.to_owned(),
        },
        Resolved::Str | Resolved::Timestamp(_) => text.to_owned(),
    })
}

/// Makes a tree of a JSON value, keys in the order of the value's map.
pub fn from_json(value: &Value) -> Node {
    tree(value, Style::Plain, &|text| Node::string(text), &from_number)
}

/// Makes the tree of what yaml v3 writes for a value that Go's JSON reader made: texts have the styles that it gives them,
/// and each number is a double, written as `%g` is, so that 1000000 reads `1e+06`.
pub fn from_json_styled(value: &Value) -> Node {
    let string = |text: &str| {
        let mut node = Node::string(text);
        node.set_style(emit::string_style(text));
        node
    };
    tree(value, Style::Plain, &string, &|number| {
        number_node(go_float(number.as_f64().unwrap_or_default()))
    })
}

/// Makes the tree that yaml v3 reads from the JSON text which Go writes for a value: collections in flow style, strings
/// in double quotes.
pub fn from_json_text(value: &Value) -> Node {
    let string = |text: &str| {
        let mut node = Node::string(text);
        node.set_style(Style::DoubleQuoted);
        node
    };
    tree(value, Style::Flow, &string, &|number| {
        number_node(go_json_number(number))
    })
}

fn tree(
    value: &Value,
    collections: Style,
    string: &dyn Fn(&str) -> Node,
    number: &dyn Fn(&Number) -> Node,
) -> Node {
    let inner = |value| tree(value, collections, string, number);
    let mut node = match value {
        Value::Null => return Node::null(),
        Value::Bool(value) => return Node::scalar(value.to_string(), Tag::Bool),
        Value::Number(value) => return number(value),
        Value::String(text) => return string(text),
        Value::Array(items) => Node::sequence(items.iter().map(inner).collect()),
        Value::Object(map) => Node::mapping(
            map.iter()
                .map(|(key, value)| (string(key), inner(value)))
                .collect(),
        ),
    };
    node.set_style(collections);
    node
}

fn from_number(number: &Number) -> Node {
    if number.is_i64() || number.is_u64() {
        return Node::scalar(number.to_string(), Tag::Int);
    }
    number_node(go_float(number.as_f64().unwrap_or_default()))
}

fn number_node(text: String) -> Node {
    let tag = resolve(&text, Dialect::Kyaml).tag();
    Node::scalar(text, tag)
}
