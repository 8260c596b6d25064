//! Trees to JSON values and back.

mod printed;
mod scalar;

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use crate::alias::{Loops, expand, has_aliases};
use crate::number::go_float32;
use crate::{
    ConvertError, Data, Dialect, Node, Resolved, Style, Tag, emit, go_float, go_json_number, resolve,
};
use printed::{Place, Printed};

pub(crate) use scalar::identity;
pub use scalar::{collection_as_key, refuse_unreadable};

/// Converts a tree as the Go libraries of the dialect do: aliases and merge keys are expanded, dates become strings. Of a
/// repeated key, if the reader let it pass, the last entry wins for sigs.k8s.io/yaml; kyaml refuses it.
///
/// Comments count for kyaml, which prints a tree before it makes JSON of it: a block scalar that keeps its line breaks gets
/// one more from a comment below the document, and a comment that finds no place may make what was printed unreadable.
/// Numbers that JSON cannot hold and keys that are no scalars are errors.
pub fn to_json(node: &Node, dialect: Dialect) -> Result<Value, ConvertError> {
    if dialect == Dialect::Kyaml && printed::has_loose_comment(node) {
        return printed::read_again(node);
    }
    let place = match dialect {
        Dialect::Kyaml => Place::Block,
        Dialect::Sigs => Place::Nowhere,
    };
    let mut value = if has_aliases(node) {
        let mut settled = node.clone();
        printed::settle(&mut settled, place)?;
        settled_root(settled, dialect)?
    } else {
        root(node, dialect, place)?
    };
    let has_foot = node.comments().is_some_and(|c| !c.foot.is_empty());
    if has_foot && dialect == Dialect::Kyaml {
        printed::add_break_before_foot(node, &mut value);
    }
    Ok(value)
}

/// The value of a tree that is read as it stands.
fn settled_root(mut node: Node, dialect: Dialect) -> Result<Value, ConvertError> {
    expand(&mut node, dialect, Loops::Keep)?;
    root(&node, dialect, Place::Nowhere)
}

fn root(node: &Node, dialect: Dialect, place: Place) -> Result<Value, ConvertError> {
    match node.data() {
        // kyaml makes a map of texts of the root, in which null is no key: what stands under it is not even read.
        Data::Mapping(entries) if dialect == Dialect::Kyaml => {
            mapping(entries, dialect, place.within(node), |key| !is_null_key(key))
        }
        _ => value(node, dialect, place),
    }
}

fn value(node: &Node, dialect: Dialect, place: Place) -> Result<Value, ConvertError> {
    let place = place.within(node);
    match node.data() {
        Data::Scalar(text) => scalar(node, text, dialect, place),
        Data::Sequence(items) => items.iter().map(|item| value(item, dialect, place)).collect(),
        Data::Mapping(entries) => mapping(entries, dialect, place, |_| true),
        Data::Alias(name) => Err(contains_itself(node, name)),
    }
}

/// Of the aliases only those are left that stand within their own anchor's node.
fn contains_itself(node: &Node, name: &str) -> ConvertError {
    ConvertError::new(node.span(), format!("anchor '{name}' value contains itself"))
}

fn no_key(key: &Node) -> ConvertError {
    ConvertError::new(key.span(), "unsupported map key: not a scalar")
}

fn mapping(
    entries: &[(Node, Node)],
    dialect: Dialect,
    place: Place,
    is_read: impl Fn(&Node) -> bool,
) -> Result<Value, ConvertError> {
    if dialect == Dialect::Kyaml {
        refuse_repeated(entries)?;
    }
    let mut map = Map::new();
    let is_replaced = replaced(entries, dialect);
    for (at, (key, node)) in entries.iter().enumerate() {
        if !is_read(key) {
            refuse_unreadable(key, dialect)?;
            continue;
        }
        let entry = match value(node, dialect, place) {
            // Nobody looks at a value that a later one of the same key replaces, once it could be read.
            Err(_) if is_replaced(key, at) => {
                refuse_unreadable(node, dialect)?;
                continue;
            }
            entry => entry?,
        };
        if dialect == Dialect::Kyaml && is_null_key(key) {
            // Its way to JSON drops null.
            refuse_unreadable(key, dialect)?;
        } else {
            map.insert(key_text(key, dialect, place)?, entry);
        }
    }
    Ok(Value::Object(map))
}

/// Whether a key is null to kyaml. One that is empty is printed in quotes, and so becomes a text.
fn is_null_key(key: &Node) -> bool {
    key.is_null() && key.as_str().is_some_and(|text| !text.is_empty())
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

/// Whether a later entry has the key of the one at a place. Where each key stands last is found when this is first asked.
fn replaced(entries: &[(Node, Node)], dialect: Dialect) -> impl Fn(&Node, usize) -> bool {
    let last = LazyCell::new(move || -> HashMap<String, usize> {
        let keys = entries.iter().enumerate();
        keys.filter_map(|(at, (key, _))| Some((identity(key, dialect)?, at)))
            .collect()
    });
    move |key, at| identity(key, dialect).is_some_and(|key| last.get(&key).is_some_and(|last| *last > at))
}

fn scalar(node: &Node, text: &str, dialect: Dialect, place: Place) -> Result<Value, ConvertError> {
    let again;
    let text = match printed::scalar(node, text, place)? {
        Printed::Same => text,
        Printed::Quoted => return Ok(Value::String(text.to_owned())),
        Printed::Text(text) => {
            again = text;
            again.as_str()
        }
    };
    let (resolved, text) = scalar::read(node, text, dialect)?;
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
        Resolved::Str | Resolved::Timestamp(_) => Value::String(text.into_owned()),
    })
}

/// Refuses a tree without aliases that [`to_json`] has no JSON for, and makes none.
pub fn refuse_without_json(node: &Node, dialect: Dialect) -> Result<(), ConvertError> {
    match node.data() {
        // Of what may be a number some are none in JSON, and a tag may not fit its text.
        Data::Scalar(text) if node.tag() == Tag::Float || node.tag_is_explicit() => {
            scalar(node, text, dialect, Place::Nowhere).map(drop)
        }
        Data::Scalar(_) => Ok(()),
        Data::Sequence(items) => items
            .iter()
            .try_for_each(|item| refuse_without_json(item, dialect)),
        Data::Mapping(entries) => {
            refuse_entries(entries, dialect, |_, value| refuse_without_json(value, dialect))
        }
        Data::Alias(name) => Err(contains_itself(node, name)),
    }
}

/// Refuses a mapping whose keys have no JSON, or of whose entries one is refused that no later one of the same key replaces.
pub fn refuse_entries(
    entries: &[(Node, Node)],
    dialect: Dialect,
    refuse: impl Fn(&Node, &Node) -> Result<(), ConvertError>,
) -> Result<(), ConvertError> {
    let is_replaced = replaced(entries, dialect);
    entries.iter().enumerate().try_for_each(|(at, (key, value))| {
        if key.tag() != Tag::Str || key.tag_is_explicit() {
            key_text(key, dialect, Place::Nowhere)?;
        }
        let Err(error) = refuse(key, value) else {
            return Ok(());
        };
        if is_replaced(key, at) {
            return refuse_unreadable(value, dialect);
        }
        Err(error)
    })
}

fn number(value: i128) -> Value {
    i64::try_from(value)
        .map(Number::from)
        .or_else(|_| u64::try_from(value).map(Number::from))
        .map_or(Value::Null, Value::Number)
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

/// The JSON key of a mapping key.
///
/// sigs.k8s.io/yaml turns booleans and numbers into text (`y: 1` has the key `true`); kyaml takes
/// the text as it stands, unless it is said to be base64.
pub fn key_to_string(key: &Node, dialect: Dialect) -> Result<String, ConvertError> {
    key_text(key, dialect, Place::Block)
}

fn key_text(key: &Node, dialect: Dialect, place: Place) -> Result<String, ConvertError> {
    let Some(text) = key.as_str() else {
        return Err(no_key(key));
    };
    if dialect == Dialect::Kyaml {
        let text = match printed::key(key, text, place) {
            Printed::Text(text) => Cow::Owned(text),
            Printed::Same | Printed::Quoted => Cow::Borrowed(text),
        };
        if !key.tag_is_explicit() {
            return Ok(text.into_owned());
        }
        // The text must be of the type, and is decoded where that is base64.
        let (_, read) = scalar::read(key, &text, dialect)?;
        let text = if key.tag() == Tag::Binary { &read } else { &text };
        return Ok(text.to_string());
    }
    let (resolved, text) = scalar::read(key, text, dialect)?;
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
        Resolved::Str | Resolved::Timestamp(_) => text.into_owned(),
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
