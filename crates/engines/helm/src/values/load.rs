//! Text into values.

use serde_json::{Number, Value};
use weir_yaml::{Dialect, Node, to_json};

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
    let value = to_json(node, Dialect::Sigs).map_err(|error| error.to_string())?;
    Ok(from_json(value))
}

/// Numbers of a JSON value as Go reads them into an interface: floats all of them.
pub fn from_json(mut value: Value) -> Value {
    floats(&mut value);
    value
}

fn floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(floats),
        Value::Object(table) => table.values_mut().for_each(floats),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
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
    fn what_is_base64_is_decoded_as_go_does() {
        // Left-over bits pass, and so do line breaks; blanks do not.
        for (text, value) in [
            ("a: !!binary aGk=\n", "hi"),
            ("a: !!binary aGl=\n", "hi"),
            ("a: !!binary |\n  aG\n  k=\n", "hi"),
            ("a: !!binary /w==\n", "\u{fffd}"),
        ] {
            assert_eq!(parse(text).unwrap()["a"], value, "{text}");
        }
        let error = parse("a: !!binary a Gk=\n").unwrap_err().to_string();
        assert!(
            error.contains("line 1: !!binary value contains invalid base64 data"),
            "{error}"
        );
    }

    #[test]
    fn a_value_without_json_may_be_replaced() {
        assert_eq!(parse("a: .nan\na: 1\n").unwrap()["a"], 1.0);
        assert!(parse("a: 1\na: .nan\n").is_err());
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
