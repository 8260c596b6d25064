//! Configuration text to typed values, with messages that name the field.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use weir_yaml::{Dialect, Duplicates, ParseOptions, emit, parse_all_with, to_json};

use crate::error::{Error, Result, Within};
use crate::near::closest;
use crate::place::{Place, Step};
use crate::shape::Shape;

/// The character NEXT LINE.
pub(crate) const NEXT_LINE: char = '\u{85}';

/// Reads one YAML document as sigs.k8s.io/yaml does: further documents and all but the last of
/// repeated keys are ignored.
pub(crate) fn yaml(text: &str) -> Result<Value> {
    let options = ParseOptions {
        duplicates: Duplicates::Keep,
        ..ParseOptions::default()
    };
    // To the Go libraries this is a line break like any other.
    let broken = text.contains(NEXT_LINE).then(|| text.replace(NEXT_LINE, "\n"));
    let documents = parse_all_with(broken.as_deref().unwrap_or(text), options)
        .map_err(|error| Error::invalid(format!("error converting YAML to JSON: {error}")))?;
    let root = documents.into_iter().next().and_then(|document| document.root);
    match root {
        Some(root) => to_json(&root, Dialect::Sigs)
            .map_err(|error| Error::invalid(format!("error converting YAML to JSON: {error}"))),
        None => Ok(Value::Null),
    }
}

/// Reads a typed value from YAML text.
pub(crate) fn typed<T: DeserializeOwned>(text: &str, shape: &Shape, strict: bool) -> Result<T> {
    from_value(yaml(text)?, shape, strict)
}

/// Reads a typed value.
pub(crate) fn from_value<T: DeserializeOwned>(value: Value, shape: &Shape, strict: bool) -> Result<T> {
    let value = match checked(value, shape, strict)? {
        Value::Null => Value::Object(Map::new()),
        value => value,
    };
    serde_json::from_value(value).map_err(|error| Error::invalid(format!("error unmarshaling JSON: {error}")))
}

/// Checks a value against a shape, gives field names their proper case, and drops nulls.
///
/// Names match without regard to case, as in Go's JSON decoder. `strict` refuses unknown fields.
pub(crate) fn checked(value: Value, shape: &Shape, strict: bool) -> Result<Value> {
    check(value, shape, strict, &mut Vec::new())
}

fn check(value: Value, shape: &Shape, strict: bool, path: &mut Vec<String>) -> Result<Value> {
    if value.is_null() {
        return Ok(value);
    }
    let wrong = |value: &Value, path: &[String]| {
        Err(Error::invalid(format!(
            "json: cannot unmarshal {} into field {} of type {}",
            type_name(value),
            if path.is_empty() {
                "(root)".to_owned()
            } else {
                path.join(".").replace(".[", "[")
            },
            shape.name()
        ))
        .at(Place {
            file: String::new(),
            steps: path.iter().map(Step::from).collect(),
        }))
    };
    match (shape, value) {
        (Shape::Any, value)
        | (Shape::Text, value @ Value::String(_))
        | (Shape::Bool, value @ Value::Bool(_)) => Ok(value),
        // sigs.k8s.io/yaml writes a scalar out where a string is wanted; bare JSON decoding, which
        // kustomization files get, does not.
        (Shape::Text, value @ (Value::Bool(_) | Value::Number(_))) if !strict => {
            Ok(Value::String(emit::sigs(&value).trim_end().to_owned()))
        }
        (Shape::Int, value) if value.is_i64() || value.is_u64() => Ok(value),
        (Shape::List(item), Value::Array(items)) => items
            .into_iter()
            .enumerate()
            .map(|(number, value)| {
                path.push(format!("[{number}]"));
                let checked = check(value, item, strict, path);
                path.pop();
                checked
            })
            .filter(|checked| !matches!(checked, Ok(Value::Null)))
            .collect(),
        (Shape::Map(of), Value::Object(map)) => {
            let mut result = Map::new();
            for (key, value) in map {
                path.push(key.clone());
                let value = check(value, of, strict, path)?;
                path.pop();
                // Go's zero value for a string.
                let value = if value.is_null() {
                    Value::String(String::new())
                } else {
                    value
                };
                result.insert(key, value);
            }
            Ok(Value::Object(result))
        }
        (Shape::Struct(fields), Value::Object(map)) => {
            let mut result = Map::new();
            for (key, value) in map {
                let field = fields
                    .iter()
                    .find(|(name, _)| *name == key)
                    .or_else(|| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(&key)));
                let Some((name, shape)) = field else {
                    if strict {
                        return Err(unknown(&key, fields, path));
                    }
                    continue;
                };
                path.push((*name).to_owned());
                let value = check(value, shape, strict, path)?;
                path.pop();
                if !value.is_null() {
                    result.insert((*name).to_owned(), value);
                }
            }
            Ok(Value::Object(result))
        }
        (_, value) => wrong(&value, path),
    }
}

fn unknown(key: &str, fields: &[(&'static str, Shape)], path: &[String]) -> Error {
    let names = fields.iter().map(|(name, _)| *name);
    let hint = closest(key, names).map_or(String::new(), |name| format!(", did you mean \"{name}\"?"));
    let place = if path.is_empty() {
        String::new()
    } else {
        format!(" in {}", path.join(".").replace(".[", "["))
    };
    let mut steps: Vec<Step> = path.iter().map(Step::from).collect();
    steps.push(Step::Field(key.to_owned()));
    let file = String::new();
    Error::invalid(format!("json: unknown field \"{key}\"{place}{hint}")).at(Place { file, steps })
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Text of a file's bytes.
pub(crate) fn text<'a>(bytes: &'a [u8], path: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes)
        .map_err(|error| Error::invalid(format!("file '{path}' is not UTF-8: {error}")))
        .within(|| "yaml: control characters are not allowed".into())
}
