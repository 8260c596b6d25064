//! Whether an applied configuration fits its type.

use serde_json::Value;
use weir_schema::Kind;

use super::path::write_element;
use super::types::{FieldType, Shape};
use crate::text::go_plain;

/// All misfits, each with its path, worded as structured-merge-diff does.
pub(crate) fn validate(value: &Value, ty: FieldType<'_>) -> Vec<String> {
    let mut errors = Vec::new();
    visit(value, ty, "", &mut errors);
    errors
}

fn visit(value: &Value, ty: FieldType<'_>, path: &str, errors: &mut Vec<String>) {
    let mut fail = |message: String| {
        errors.push(if path.is_empty() {
            message
        } else {
            format!("{path}: {message}")
        });
    };
    if let FieldType::Declared { info, .. } = ty {
        let fits = match info.kind() {
            Kind::Object => value.is_object() || value.is_null(),
            Kind::Array => value.is_array() || value.is_null(),
            _ => true,
        };
        if !fits {
            let expected = if info.kind() == Kind::Object {
                "map"
            } else {
                "list"
            };
            return fail(format!("expected {expected}, got &{{{}}}", go_plain(value)));
        }
        let scalar = match info.kind() {
            Kind::String if !value.is_string() => Some(format!("expected string, got {}", describe(value))),
            Kind::Integer | Kind::Number if !value.is_number() => {
                Some(format!("expected numeric (int or float), got {}", go_type(value)))
            }
            Kind::Boolean if !value.is_boolean() => {
                Some(format!("expected boolean, got &{{{}}}", go_plain(value)))
            }
            _ => None,
        };
        if let Some(message) = scalar
            && !value.is_null()
        {
            return fail(message);
        }
    }
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                if let Some(field) = ty.field(name) {
                    visit(inner, field, &format!("{path}.{name}"), errors);
                } else {
                    // The rest of the object is not looked at.
                    errors.push(format!("{path}.{name}: field not declared in schema"));
                    return;
                }
            }
        }
        Value::Array(items) => {
            let mut seen = std::collections::BTreeSet::new();
            for (position, item) in items.iter().enumerate() {
                let step = match ty.shape(Some(value)) {
                    Shape::List(list) => match ty.item_path(list, item) {
                        Ok(element) => {
                            let step = write_element(&element);
                            if !seen.insert(element) {
                                errors.push(format!("{path}: duplicate entries for key {step}"));
                            }
                            step
                        }
                        Err(message) => {
                            errors.push(format!("{path}: element {position}: {message}"));
                            return;
                        }
                    },
                    _ => format!("[{position}]"),
                };
                visit(item, ty.item(), &format!("{path}{step}"), errors);
            }
        }
        _ => {}
    }
}

/// Go's `&value.valueUnstructured{Value:…}` for the value.
fn describe(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("&value.valueUnstructured{{Value:{number}}}"),
        other => format!("&value.valueUnstructured{{Value:{other}}}"),
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
