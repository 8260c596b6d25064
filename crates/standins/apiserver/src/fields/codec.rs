//! The wire form of a set of paths: FieldsV1.

use serde_json::{Map, Value};

use super::path::PathElement;
use super::set::FieldSet;

/// Reads FieldsV1: `{"f:spec": {".": {}, "f:replicas": {}}}`. `None` when a key is of no known form.
pub(crate) fn read_fields(fields: &Value) -> Option<FieldSet> {
    let mut set = FieldSet::default();
    for (key, inner) in fields.as_object()? {
        if key == "." {
            continue;
        }
        let element = read_element(key)?;
        let inner_fields = inner.as_object()?;
        if inner_fields.is_empty() || inner_fields.contains_key(".") {
            set.members.insert(element.clone());
        }
        if inner_fields.keys().any(|key| key != ".") {
            set.children.insert(element, read_fields(inner)?);
        }
    }
    Some(set)
}

fn read_element(key: &str) -> Option<PathElement> {
    let (tag, rest) = key.split_once(':')?;
    match tag {
        "f" => Some(PathElement::Field(rest.to_owned())),
        "v" => serde_json::from_str(rest).ok().map(PathElement::Value),
        "i" => rest.parse().ok().map(PathElement::Index),
        "k" => {
            let keys: Map<String, Value> = serde_json::from_str(rest).ok()?;
            let mut keys: Vec<(String, Value)> = keys.into_iter().collect();
            keys.sort_by(|a, b| a.0.cmp(&b.0));
            Some(PathElement::Key(keys))
        }
        _ => None,
    }
}

/// Writes FieldsV1.
pub(crate) fn write_fields(set: &FieldSet) -> Value {
    let mut out = Map::new();
    for element in &set.members {
        let mut inner = Map::new();
        if set.children.get(element).is_some_and(|child| !child.is_empty()) {
            inner.insert(".".to_owned(), Value::Object(Map::new()));
        }
        out.insert(write_key(element), Value::Object(inner));
    }
    for (element, child) in &set.children {
        let Value::Object(fields) = write_fields(child) else {
            continue;
        };
        if fields.is_empty() {
            continue;
        }
        let slot = out
            .entry(write_key(element))
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(slot) = slot {
            slot.extend(fields);
        }
    }
    Value::Object(out)
}

fn write_key(element: &PathElement) -> String {
    match element {
        PathElement::Field(name) => format!("f:{name}"),
        PathElement::Value(value) => format!("v:{value}"),
        PathElement::Index(index) => format!("i:{index}"),
        PathElement::Key(keys) => {
            let object: Map<String, Value> = keys.iter().cloned().collect();
            format!("k:{}", Value::Object(object))
        }
    }
}
