//! Pruning: fields that a structural schema does not specify are not kept.

use serde_json::{Map, Value};

use crate::registry::Custom;

/// Drops fields that the version's schema does not specify. Gives the paths of what went.
pub(crate) fn prune(custom: &Custom, object: &mut Value) -> Vec<String> {
    let mut dropped = Vec::new();
    if let Some(schema) = custom.schema() {
        walk(object, schema, true, "", &mut dropped);
    }
    dropped
}

fn is_true(schema: &Value, key: &str) -> bool {
    schema.get(key) == Some(&Value::Bool(true))
}

fn walk(value: &mut Value, schema: &Value, is_resource: bool, path: &str, dropped: &mut Vec<String>) {
    let join = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match value {
        Value::Object(fields) => {
            let is_resource = is_resource || is_true(schema, "x-kubernetes-embedded-resource");
            let keeps = is_true(schema, "x-kubernetes-preserve-unknown-fields");
            let named = schema.get("properties").and_then(Value::as_object);
            let others = schema.get("additionalProperties");
            let names: Vec<String> = fields.keys().cloned().collect();
            for name in names {
                if is_resource && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
                    continue;
                }
                let inner = match named.and_then(|named| named.get(&name)) {
                    Some(inner) => inner,
                    None => match others {
                        Some(Value::Object(_)) => others.unwrap_or(&Value::Null),
                        Some(Value::Bool(true)) => continue,
                        _ if keeps => continue,
                        _ => {
                            fields.remove(&name);
                            dropped.push(join(&name));
                            continue;
                        }
                    },
                };
                if let Some(field) = fields.get_mut(&name) {
                    walk(field, inner, false, &join(&name), dropped);
                }
            }
        }
        Value::Array(items) => {
            if let Some(inner) = schema.get("items") {
                for (index, item) in items.iter_mut().enumerate() {
                    walk(item, inner, false, &format!("{path}[{index}]"), dropped);
                }
            }
        }
        _ => {}
    }
}

/// Fills in the schema's defaults.
pub(crate) fn default(custom: &Custom, object: &mut Value) {
    if let Some(schema) = custom.schema() {
        fill(object, schema);
    }
}

fn fill(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                fill_field(fields, name, inner);
            }
            if let Some(inner @ Value::Object(_)) = schema.get("additionalProperties") {
                let named = schema.get("properties").and_then(Value::as_object);
                for (name, field) in fields.iter_mut() {
                    if named.is_none_or(|named| !named.contains_key(name)) {
                        fill(field, inner);
                    }
                }
            }
        }
        Value::Array(items) => {
            if let Some(inner) = schema.get("items") {
                for item in items {
                    fill(item, inner);
                }
            }
        }
        _ => {}
    }
}

fn fill_field(fields: &mut Map<String, Value>, name: &str, schema: &Value) {
    if let Some(default) = schema.get("default") {
        // A null where none is allowed counts as nothing.
        let missing = match fields.get(name) {
            None => true,
            Some(Value::Null) => !is_true(schema, "nullable"),
            Some(_) => false,
        };
        if missing {
            fields.insert(name.to_owned(), default.clone());
        }
    }
    if let Some(field) = fields.get_mut(name) {
        fill(field, schema);
    }
}
