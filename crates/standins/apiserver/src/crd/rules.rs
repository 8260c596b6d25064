//! Validation rules in CEL: `x-kubernetes-validations`.

use kube_cel::{ErrorKind, Validator};
use serde_json::Value;

use crate::object;
use crate::status::Cause;
use crate::text::go_json;

/// All rules that do not hold.
pub(crate) fn check(schema: &Value, object: &Value, live: Option<&Value>) -> Vec<Cause> {
    if !has_rules(schema) {
        return Vec::new();
    }
    let Err(errors) = Validator::new().validate(schema, object, live) else {
        return Vec::new();
    };
    errors
        .into_vec()
        .into_iter()
        .map(|error| {
            let field = error.field_path.trim_start_matches('.').to_owned();
            let value = value_at(object, &field);
            let message = match error.kind {
                ErrorKind::ValidationFailure => error.message.clone(),
                _ => format!("rule {:?}: {}", error.rule, error.message),
            };
            let reason = error.reason.as_deref().unwrap_or("FieldValueInvalid");
            let field = if field.is_empty() {
                "<nil>".to_owned()
            } else {
                field
            };
            match reason {
                "FieldValueForbidden" => Cause {
                    reason: "FieldValueForbidden",
                    message: format!("Forbidden: {message}"),
                    field,
                },
                "FieldValueRequired" => Cause {
                    reason: "FieldValueRequired",
                    message: format!("Required value: {message}"),
                    field,
                },
                "FieldValueDuplicate" => Cause {
                    reason: "FieldValueDuplicate",
                    message: format!("Duplicate value: {}", go_json(&value)),
                    field,
                },
                _ => Cause {
                    reason: "FieldValueInvalid",
                    // The value is told by its type only.
                    message: format!(
                        "Invalid value: {:?}: {message}",
                        super::validate::type_name(&value)
                    ),
                    field,
                },
            }
        })
        .collect()
}

pub(super) fn has_rules(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            fields.contains_key("x-kubernetes-validations") || fields.values().any(has_rules)
        }
        Value::Array(items) => items.iter().any(has_rules),
        _ => false,
    }
}

/// What stands at a path such as `spec.items[1].name`.
fn value_at(object: &Value, path: &str) -> Value {
    let mut place = object;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let (name, indexes) = step.split_once('[').unwrap_or((step, ""));
        place = match object::at(place, &[name]) {
            Some(inner) => inner,
            None if name.is_empty() => place,
            None => return Value::Null,
        };
        for index in indexes.split(['[', ']']).filter(|index| !index.is_empty()) {
            let inner = match index.parse::<usize>() {
                Ok(index) => place.get(index),
                Err(_) => place.get(index.trim_matches('"')),
            };
            match inner {
                Some(inner) => place = inner,
                None => return Value::Null,
            }
        }
    }
    place.clone()
}
