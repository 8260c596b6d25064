//! Reading and writing the parts that all objects have.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The text at a path of field names, empty when absent.
pub(crate) fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

/// The value at a path of field names.
pub(crate) fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, name| value.get(name))
}

/// The list at a path, empty when absent.
pub(crate) fn list<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    at(object, path)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
}

pub(crate) fn namespace(object: &Value) -> &str {
    text(object, &["metadata", "namespace"])
}

pub(crate) fn uid(object: &Value) -> &str {
    text(object, &["metadata", "uid"])
}

pub(crate) fn resource_version(object: &Value) -> &str {
    text(object, &["metadata", "resourceVersion"])
}

pub(crate) fn generation(object: &Value) -> i64 {
    at(object, &["metadata", "generation"])
        .and_then(Value::as_i64)
        .unwrap_or(0)
}

pub(crate) fn is_terminating(object: &Value) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some_and(|value| !value.is_null())
}

pub(crate) fn finalizers(object: &Value) -> Vec<&str> {
    list(object, &["metadata", "finalizers"])
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

/// The object at `path`, made on the way when it is absent or no object.
pub(crate) fn object_at<'a>(object: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    let mut place = object;
    for name in path {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[*name];
    }
    if !place.is_object() {
        *place = Value::Object(Map::new());
    }
    place.as_object_mut().expect("made an object above")
}

/// Metadata, made when absent.
pub(crate) fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    object_at(object, &["metadata"])
}

/// Sets `path` to `value`, making the objects on the way.
pub(crate) fn set(object: &mut Value, path: &[&str], value: Value) {
    if let [parents @ .., last] = path {
        object_at(object, parents).insert((*last).to_owned(), value);
    }
}

/// Sets `path` to `value` when nothing is there (null counts as nothing).
pub(crate) fn set_default(object: &mut Value, path: &[&str], value: Value) {
    if at(object, path).is_none_or(Value::is_null) {
        set(object, path, value);
    }
}

/// Removes what is at `path`.
pub(crate) fn remove(object: &mut Value, path: &[&str]) -> Option<Value> {
    let [parents @ .., last] = path else { return None };
    let mut place = object;
    for name in parents {
        place = place.get_mut(name)?;
    }
    place.as_object_mut()?.remove(*last)
}

/// `metav1.Time`: RFC 3339 in whole seconds.
pub(crate) fn write_time(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
