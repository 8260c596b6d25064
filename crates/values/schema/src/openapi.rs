//! The built-in types as OpenAPI v3 components again, for a server that publishes them.

use serde_json::{Map, Value, json};

use crate::schemas::BUILTIN;

/// All built-in types as `components.schemas` of an OpenAPI v3 document, by name. Descriptions are cut to their
/// first sentence. Built anew at each call: keep it when it is needed often.
pub fn builtin_components() -> Map<String, Value> {
    let mut data: Value = serde_json::from_str(BUILTIN).unwrap_or_default();
    let Some(Value::Object(types)) = data.get_mut("types").map(Value::take) else {
        return Map::new();
    };
    types
        .into_iter()
        .map(|(name, schema)| (name, expand(schema)))
        .collect()
}

/// The names of the types that `schema` refers to.
pub fn references(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect_references(schema, &mut found);
    found
}

fn collect_references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                found.push(target.rsplit('/').next().unwrap_or(target).to_owned());
            }
            fields.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        _ => {}
    }
}

/// Turns the data file's short form into OpenAPI: full reference paths, wrapped in `allOf` when the site says more.
fn expand(schema: Value) -> Value {
    let Value::Object(mut fields) = schema else {
        return schema;
    };
    for key in ["properties", "items", "additionalProperties"] {
        let Some(inner) = fields.get_mut(key) else {
            continue;
        };
        *inner = match inner.take() {
            Value::Object(named) if key == "properties" => Value::Object(
                named
                    .into_iter()
                    .map(|(name, field)| (name, expand(field)))
                    .collect(),
            ),
            other => expand(other),
        };
    }
    fields.remove("go");
    fields.remove("pb");
    if let Some(Value::Array(kinds)) = fields.remove("gvk") {
        let listed = kinds
            .iter()
            .map(|kind| json!({"group": kind.get(0), "version": kind.get(1), "kind": kind.get(2)}));
        fields.insert("x-kubernetes-group-version-kind".to_owned(), listed.collect());
    }
    if let Some(Value::String(name)) = fields.remove("$ref") {
        let reference = json!({"$ref": format!("#/components/schemas/{name}")});
        if fields.is_empty() {
            return reference;
        }
        fields.insert("allOf".to_owned(), json!([reference]));
    }
    Value::Object(fields)
}
