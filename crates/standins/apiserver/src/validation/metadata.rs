//! Metadata that every object has.

use serde_json::Value;

use super::{invalid, names};
use crate::object;
use crate::registry::Served;
use crate::status::Cause;

/// What is wrong with an object's metadata.
pub(crate) fn validate(served: &Served, object: &Value, live: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = object::name(object);
    if live.is_none()
        && let Some(why) = check_name(served, name)
    {
        causes.push(invalid("metadata.name", &Value::String(name.to_owned()), why));
    }
    for (key, value) in object::at(object, &["metadata", "labels"])
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if let Some(why) = names::qualified(key) {
            causes.push(invalid("metadata.labels", &Value::String(key.clone()), why));
        }
        if let Some(why) = names::label_value(value.as_str().unwrap_or_default()) {
            causes.push(invalid("metadata.labels", value, why));
        }
    }
    for (key, _) in object::at(object, &["metadata", "annotations"])
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if let Some(why) = names::qualified(&key.to_lowercase()) {
            causes.push(invalid("metadata.annotations", &Value::String(key.clone()), why));
        }
    }
    for (index, owner) in object::list(object, &["metadata", "ownerReferences"])
        .iter()
        .enumerate()
    {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if object::text(owner, &[field]).is_empty() {
                let path = format!("metadata.ownerReferences[{index}].{field}");
                let why = match field {
                    "apiVersion" => "version must not be empty",
                    "kind" => "kind must not be empty",
                    "name" => "name must not be empty",
                    _ => "uid must not be empty",
                };
                causes.push(invalid(path, &Value::String(String::new()), why));
            }
        }
    }
    for (index, finalizer) in object::finalizers(object).into_iter().enumerate() {
        if let Some(why) = names::qualified(finalizer) {
            causes.push(invalid(
                format!("metadata.finalizers[{index}]"),
                &Value::String(finalizer.to_owned()),
                why,
            ));
        }
    }
    causes
}

fn check_name(served: &Served, name: &str) -> Option<&'static str> {
    match (served.key.group.as_str(), served.key.plural.as_str()) {
        ("", "namespaces") => names::label(name),
        ("", "services") => names::service(name),
        ("rbac.authorization.k8s.io", _) => names::path_segment(name),
        _ => names::subdomain(name),
    }
}
