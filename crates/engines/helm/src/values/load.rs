//! Text into values.

use base64::Engine;
use serde_json::{Number, Value};
use weir_yaml::{Data, Dialect, Node, Resolved, Tag, key_to_string, resolve_tagged};

use super::{Table, overlay};
use crate::chart::decode;
use crate::stream::Stream;

/// Text that holds no values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValuesError {
    /// It is no YAML, or no table. Lines are those of the whole text.
    #[error("cannot unmarshal yaml document: {0}")]
    Yaml(String),
    /// It can't be taken apart into documents.
    #[error("error reading yaml document: {0}")]
    Stream(String),
    /// It is no JSON.
    #[error("{0}")]
    Json(String),
}

/// Reads values from YAML. Several documents are laid over each other.
pub fn parse(text: &str) -> Result<Table, ValuesError> {
    let mut values = Table::new();
    let mut stream = Stream::of(text);
    while let Some((line, document)) = stream
        .document()
        .map_err(|error| ValuesError::Stream(error.to_string()))?
    {
        let Some(root) = decode::document_at(&document, line).map_err(ValuesError::Yaml)? else {
            continue;
        };
        match convert(&root).map_err(ValuesError::Yaml)? {
            Value::Object(table) if values.is_empty() => values = table,
            Value::Object(table) => overlay(&mut values, table),
            _ => {
                let message = decode::mismatch(&root, "", "map[string]interface {}");
                return Err(ValuesError::Yaml(message));
            }
        }
    }
    Ok(values)
}

/// Reads the values of a text's first document.
pub(crate) fn parse_first(text: &str) -> Result<Table, ValuesError> {
    let Some(root) = decode::document(text).map_err(ValuesError::Yaml)? else {
        return Ok(Table::new());
    };
    match convert(&root).map_err(ValuesError::Yaml)? {
        Value::Object(table) => Ok(table),
        _ => Err(ValuesError::Yaml(decode::mismatch(&root, "", "common.Values"))),
    }
}

/// A tree without aliases as Go's JSON gives it: numbers are floats, dates texts.
pub(crate) fn convert(node: &Node) -> Result<Value, String> {
    match node.data() {
        Data::Scalar(text) => scalar(node, text),
        Data::Sequence(items) => items.iter().map(convert).collect(),
        Data::Mapping(entries) => {
            let mut table = Table::new();
            for (key, entry) in entries {
                let key = match (key.data(), key.style()) {
                    (Data::Scalar(text), style)
                        if style != weir_yaml::Style::Plain && !key.tag_is_explicit() =>
                    {
                        text.to_string()
                    }
                    _ => key_to_string(key, Dialect::Sigs).map_err(|error| error.to_string())?,
                };
                table.insert(key, convert(entry)?);
            }
            Ok(Value::Object(table))
        }
        Data::Alias(name) => Err(format!(
            "yaml: line {}: unknown anchor '{name}' referenced",
            node.span().line
        )),
    }
}

fn scalar(node: &Node, text: &str) -> Result<Value, String> {
    let line = node.span().line;
    if node.tag() == Tag::Binary && node.tag_is_explicit() {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        return base64::engine::general_purpose::STANDARD
            .decode(compact)
            .map(|bytes| Value::String(String::from_utf8_lossy(&bytes).into_owned()))
            .map_err(|_| format!("yaml: line {line}: !!binary value contains invalid base64 data"));
    }
    let resolved = resolve_tagged(
        text,
        node.tag(),
        node.tag_is_explicit(),
        node.style(),
        Dialect::Sigs,
    )
    .map_err(|message| format!("yaml: line {line}: {message}"))?;
    Ok(match resolved {
        Resolved::Null => Value::Null,
        Resolved::Bool(value) => Value::Bool(value),
        #[expect(clippy::cast_precision_loss, reason = "what Go's JSON makes of a number")]
        Resolved::Int(value) => float(value as f64, line)?,
        Resolved::Float(value) => float(value, line)?,
        Resolved::Str | Resolved::Timestamp(_) => Value::String(text.to_owned()),
    })
}

fn float(value: f64, line: u32) -> Result<Value, String> {
    Number::from_f64(value).map(Value::Number).ok_or_else(|| {
        format!(
            "yaml: line {line}: json: unsupported value: {}",
            weir_yaml::go_float(value)
        )
    })
}

/// Numbers of a JSON value as Go reads them into an interface: floats all of them.
pub fn from_json(value: Value) -> Value {
    match value {
        Value::Number(number) => number
            .as_f64()
            .and_then(Number::from_f64)
            .map_or(Value::Number(number), Value::Number),
        Value::Array(items) => items.into_iter().map(from_json).collect(),
        Value::Object(table) => table
            .into_iter()
            .map(|(key, value)| (key, from_json(value)))
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_laid_over_each_other() {
        let values = parse("a: {b: 1, c: 2}\n---\na: {b: x}\n---\n# nothing\n---\nd: 1\n").unwrap();
        assert_eq!(
            Value::Object(values).to_string(),
            r#"{"a":{"b":"x","c":2.0},"d":1.0}"#
        );
    }

    #[test]
    fn n11_only_tables_are_values() {
        for text in ["[1]", "3", "text", "a: 1\n---\n- b\n"] {
            let error = parse(text).unwrap_err().to_string();
            assert!(
                error.contains("of type map[string]interface {}"),
                "{text}: {error}"
            );
        }
        for text in ["", "null", "~", "---\n", "---\n---\n"] {
            assert_eq!(parse(text), Ok(Table::new()), "{text}");
        }
        let error = parse("a: 1\n---\nb: 2\nc: [\n").unwrap_err().to_string();
        assert!(error.contains("line 5") || error.contains("line 4"), "{error}");
        assert!(parse("? {a: b}\n: c\n").is_err());
    }

    #[test]
    fn quoted_keys_are_texts_and_plain_ones_are_what_yaml_v2_says() {
        let values = parse("'on': 1\non: 2\n1: 3\n").unwrap();
        assert_eq!(
            Value::Object(values).to_string(),
            r#"{"1":3.0,"on":1.0,"true":2.0}"#
        );
    }
}
