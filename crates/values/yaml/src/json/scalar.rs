//! What Go's reader makes of a scalar, before anything makes JSON of it.

use std::borrow::Cow;

use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};

use crate::{ConvertError, Data, Dialect, Node, Resolved, Tag, resolve_tagged};

/// Type and text of a scalar node; base64 is decoded, and what looks like a date is text to sigs.k8s.io/yaml.
pub(super) fn read<'a>(
    node: &Node,
    text: &'a str,
    dialect: Dialect,
) -> Result<(Resolved, Cow<'a, str>), ConvertError> {
    if node.tag() == Tag::Binary && node.tag_is_explicit() {
        return Ok((Resolved::Str, Cow::Owned(decode_binary(node, text)?)));
    }
    let resolved = resolve_tagged(text, node.tag(), node.tag_is_explicit(), node.style(), dialect)
        .map_err(|message| ConvertError::new(node.span(), message))?;
    Ok(match resolved {
        Resolved::Timestamp(time) if dialect == Dialect::Kyaml => (Resolved::Str, Cow::Owned(time)),
        Resolved::Timestamp(_) => (Resolved::Str, Cow::Borrowed(text)),
        resolved => (resolved, Cow::Borrowed(text)),
    })
}

/// Go's standard encoding: line breaks are passed over, other blanks are not, and nobody looks at bits that are left over.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

fn decode_binary(node: &Node, text: &str) -> Result<String, ConvertError> {
    let bytes = BASE64
        .decode(text.replace(['\r', '\n'], ""))
        .map_err(|_| ConvertError::new(node.span(), "!!binary value contains invalid base64 data"))?;
    // Go puts a replacement for each byte that belongs to no character.
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Ok(text)
}

/// What two keys have in common that are the same one: to kyaml their text, to sigs.k8s.io/yaml the value that it has in
/// Go, so that `1` and `01` are one, and `1` and `"1"` are two. `None` for what is no key, and for what is like no other
/// key: NaN.
pub(crate) fn identity(key: &Node, dialect: Dialect) -> Option<String> {
    let text = key.as_str()?;
    if dialect == Dialect::Kyaml {
        return Some(text.to_owned());
    }
    let (resolved, text) = read(key, text, dialect).ok()?;
    Some(match resolved {
        Resolved::Null => "null".to_owned(),
        Resolved::Bool(value) => format!("bool {value}"),
        Resolved::Int(value) => format!("int {value}"),
        Resolved::Float(value) if value.is_nan() => return None,
        // A zero below zero is zero.
        Resolved::Float(value) => format!("float {}", value + 0.0),
        Resolved::Str | Resolved::Timestamp(_) => format!("string {text}"),
    })
}

/// Refuses what Go's reader refuses of a value, though nobody looks at it because a later one replaces it: collections as
/// keys, and types that texts do not fit. What has no JSON is another matter.
pub fn refuse_unreadable(node: &Node, dialect: Dialect) -> Result<(), ConvertError> {
    match node.data() {
        Data::Scalar(text) => read(node, text, dialect).map(drop),
        Data::Sequence(items) => items.iter().try_for_each(|item| refuse_unreadable(item, dialect)),
        Data::Mapping(entries) => entries.iter().try_for_each(|(key, value)| {
            if key.as_str().is_none() {
                return Err(super::no_key(key));
            }
            refuse_unreadable(key, dialect)?;
            refuse_unreadable(value, dialect)
        }),
        Data::Alias(name) => Err(super::contains_itself(node, name)),
    }
}

/// A list or a mapping that is a key, which Go has no map for.
pub fn collection_as_key(node: &Node) -> Option<&Node> {
    match node.data() {
        Data::Mapping(entries) => entries.iter().find_map(|(key, value)| match key.data() {
            Data::Mapping(_) | Data::Sequence(_) => Some(key),
            _ => collection_as_key(value),
        }),
        Data::Sequence(items) => items.iter().find_map(collection_as_key),
        Data::Scalar(_) | Data::Alias(_) => None,
    }
}
