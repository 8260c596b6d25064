//! JSON patches (RFC 6902) as evanphx/json-patch applies them.

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result, Within};
use crate::near::closest;

/// One operation.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Operation {
    #[serde(default)]
    op: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    from: Option<String>,
    #[serde(default, deserialize_with = "present")]
    value: Option<Value>,
}

/// Keeps an explicit null apart from a missing value.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// Applies the text of a JSON patch, in JSON or YAML, to a value as `kustomize build` does.
pub fn json_patch(text: &str, document: &mut Value) -> Result<(), Error> {
    apply(&parse(text)?, document)
}

/// Reads a patch from JSON or YAML.
pub(crate) fn parse(text: &str) -> Result<Vec<Operation>> {
    if text.is_empty() {
        return Err(Error::invalid("empty json patch operations"));
    }
    // What starts as JSON must be JSON, as in kustomize.
    let value = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|error| Error::invalid(error.to_string()))?
    } else {
        crate::decode::yaml(text)?
    };
    let Value::Array(items) = value else {
        let found = match value {
            Value::String(_) => "string",
            Value::Object(_) => "object",
            Value::Null => "null",
            _ => "scalar",
        };
        return Err(Error::invalid(format!(
            "json: cannot unmarshal {found} into Go value of type jsonpatch.Patch"
        )));
    };
    items
        .into_iter()
        .enumerate()
        .map(|(number, item)| {
            serde_json::from_value(item)
                .map_err(|error| Error::invalid(format!("operation {number} of the JSON patch: {error}")))
        })
        .collect()
}

/// Applies a patch.
pub(crate) fn apply(operations: &[Operation], document: &mut Value) -> Result<()> {
    for operation in operations {
        operation.apply(document).within(|| {
            format!(
                "{} operation does not apply at '{}'",
                operation.op, operation.path
            )
        })?;
    }
    Ok(())
}

impl Operation {
    fn apply(&self, document: &mut Value) -> Result<()> {
        let value = || self.value.clone().unwrap_or(Value::Null);
        match self.op.as_str() {
            "add" => add(document, &self.path, value()),
            "remove" => remove(document, &self.path).map(drop),
            "replace" => replace(document, &self.path, value()),
            "move" => {
                let value = remove(document, self.source()?)?;
                add(document, &self.path, value)
            }
            "copy" => {
                let value = get(document, self.source()?)?.unwrap_or(Value::Null);
                add(document, &self.path, value)
            }
            "test" => self.test(document),
            other => Err(Error::invalid(format!("unexpected kind of operation: '{other}'"))),
        }
    }

    fn source(&self) -> Result<&str> {
        self.from
            .as_deref()
            .ok_or_else(|| Error::invalid("missing 'from'"))
    }

    fn test(&self, document: &mut Value) -> Result<()> {
        // What is missing tests equal to null.
        let found = if self.path.is_empty() {
            document.clone()
        } else {
            get(document, &self.path)?.unwrap_or(Value::Null)
        };
        if found == *self.value.as_ref().unwrap_or(&Value::Null) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "testing value {} failed: test failed, found {found}",
            self.path
        )))
    }
}

/// The parents and the last part of a pointer, unescaped.
///
/// As in the Go library, whatever stands before the first slash does not count, and the document
/// itself is no place for operations other than `replace` and `test`.
fn parts(path: &str) -> Result<(Vec<String>, String)> {
    let mut parts: Vec<String> = path
        .split('/')
        .skip(1)
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect();
    match parts.pop() {
        Some(last) => Ok((parts, last)),
        None => Err(Error::invalid(format!(
            "doc is missing path: \"{path}\": missing value"
        ))),
    }
}

fn missing(parent: &Value, key: &str) -> Error {
    let hint = match parent {
        Value::Object(map) => closest(key, map.keys().map(String::as_str))
            .map_or(String::new(), |name| format!("; did you mean '{name}'?")),
        Value::Array(items) => format!("; the list has {} items", items.len()),
        _ => String::new(),
    };
    Error::invalid(format!("missing key '{key}': missing value{hint}"))
}

/// An index into a list; negative ones count from its end.
fn index(key: &str, length: usize) -> Result<usize> {
    let bad = || {
        Error::invalid(format!(
            "unable to access invalid index '{key}': the list has {length} items"
        ))
    };
    let number: i64 = key.parse().map_err(|_| bad())?;
    if number >= 0 {
        return usize::try_from(number).map_err(|_| bad());
    }
    let back = usize::try_from(number.unsigned_abs()).map_err(|_| bad())?;
    length.checked_sub(back).ok_or_else(bad)
}

fn step<'a>(mut at: &'a mut Value, parts: &[String]) -> Result<&'a mut Value> {
    for key in parts {
        // Looked up twice, because the error borrows what the success would return.
        let exists = match &*at {
            Value::Object(map) => map.contains_key(key),
            Value::Array(items) => index(key, items.len())? < items.len(),
            _ => false,
        };
        if !exists {
            return Err(missing(at, key));
        }
        let next = match at {
            Value::Object(map) => map.get_mut(key),
            Value::Array(items) => {
                let place = index(key, items.len())?;
                items.get_mut(place)
            }
            _ => None,
        };
        at = next.ok_or_else(|| Error::invalid("missing value"))?;
    }
    Ok(at)
}

/// The value at a pointer; `None` if its parent is an object without it.
fn get(document: &mut Value, path: &str) -> Result<Option<Value>> {
    let (parents, key) = parts(path)?;
    let parent = step(document, &parents)?;
    match &*parent {
        Value::Object(map) => Ok(map.get(&key).cloned()),
        Value::Array(items) => match items.get(index(&key, items.len())?) {
            Some(value) => Ok(Some(value.clone())),
            None => Err(missing(parent, &key)),
        },
        other => Err(missing(other, &key)),
    }
}

/// Puts a value in place of another. In an object there need not be another: the Go library does
/// not look.
fn replace(document: &mut Value, path: &str, value: Value) -> Result<()> {
    if path.is_empty() {
        if !value.is_object() && !value.is_array() {
            return Err(Error::invalid("replace operation value must be object or array"));
        }
        *document = value;
        return Ok(());
    }
    let (parents, key) = parts(path)?;
    let parent = step(document, &parents)?;
    match parent {
        Value::Object(map) => {
            map.insert(key, value);
            return Ok(());
        }
        Value::Array(items) => {
            let place = index(&key, items.len())?;
            if let Some(slot) = items.get_mut(place) {
                *slot = value;
                return Ok(());
            }
        }
        _ => {}
    }
    Err(missing(parent, &key))
}

fn add(document: &mut Value, path: &str, value: Value) -> Result<()> {
    let (parents, key) = parts(path)?;
    match step(document, &parents)? {
        Value::Object(map) => {
            map.insert(key, value);
            Ok(())
        }
        Value::Array(items) if key == "-" => {
            items.push(value);
            Ok(())
        }
        Value::Array(items) => {
            // One past the end is a place for an addition, also when counting from there.
            let length = items.len() + usize::from(key.starts_with('-'));
            let place = index(&key, length)?;
            if place > items.len() {
                return Err(Error::invalid(format!(
                    "unable to access invalid index {key}: the list has {} items",
                    items.len()
                )));
            }
            items.insert(place, value);
            Ok(())
        }
        other => Err(missing(other, &key)),
    }
}

fn remove(document: &mut Value, path: &str) -> Result<Value> {
    let (parents, key) = parts(path)?;
    let parent = step(document, &parents)?;
    let removed = match parent {
        Value::Object(map) => map.remove(&key),
        Value::Array(items) => {
            let place = index(&key, items.len())?;
            (place < items.len()).then(|| items.remove(place))
        }
        _ => None,
    };
    removed.ok_or_else(|| missing(parent, &key))
}
