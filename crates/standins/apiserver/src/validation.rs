//! What makes an object invalid.

mod metadata;
mod names;
mod roles;
mod services;
mod workloads;

use serde_json::Value;

use crate::object;
use crate::registry::Served;
use crate::status::Cause;

/// All that is wrong with `object`. `live` is what it replaces.
pub(crate) fn validate(served: &Served, object: &Value, live: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    if let Some(custom) = &served.custom {
        causes.extend(crate::crd::validate(custom, object, live));
    } else {
        causes.extend(workloads::validate(served, object, live));
        causes.extend(data(served, object, live));
        causes.extend(services::validate(served, object));
        causes.extend(roles::validate(served, object, live));
        if served.key.group == "apiextensions.k8s.io" {
            causes.extend(crate::crd::check_definition(object));
        }
    }
    causes
}

/// What is wrong with the metadata of `object`.
pub(crate) fn check_metadata(served: &Served, object: &Value, live: Option<&Value>) -> Vec<Cause> {
    metadata::validate(served, object, live)
}

/// Whether a text may be a label's value.
pub(crate) fn is_label_value(text: &str) -> bool {
    names::label_value(text).is_none()
}

/// A field that must be there and is not.
pub(crate) fn required(field: impl Into<String>, why: &str) -> Cause {
    let message = if why.is_empty() {
        "Required value".to_owned()
    } else {
        format!("Required value: {why}")
    };
    Cause {
        reason: "FieldValueRequired",
        message,
        field: field.into(),
    }
}

/// A value that may not be there.
pub(crate) fn forbidden(field: impl Into<String>, why: &str) -> Cause {
    Cause {
        reason: "FieldValueForbidden",
        message: format!("Forbidden: {why}"),
        field: field.into(),
    }
}

/// A value that is wrong.
pub(crate) fn invalid(field: impl Into<String>, value: &Value, why: &str) -> Cause {
    let message = format!("Invalid value: {}: {why}", crate::text::go_json(value));
    Cause {
        reason: "FieldValueInvalid",
        message,
        field: field.into(),
    }
}

/// ConfigMaps and Secrets.
fn data(served: &Served, object: &Value, live: Option<&Value>) -> Vec<Cause> {
    if !served.key.group.is_empty() || !matches!(served.key.plural.as_str(), "configmaps" | "secrets") {
        return Vec::new();
    }
    let mut causes = Vec::new();
    if let Some(live) = live {
        if live.get("immutable") == Some(&Value::Bool(true)) {
            let why = "field is immutable when `immutable` is set";
            if object.get("immutable") != Some(&Value::Bool(true)) {
                causes.push(forbidden("immutable", why));
            }
            for field in ["data", "binaryData"] {
                if object.get(field) != live.get(field) {
                    causes.push(forbidden(field, why));
                }
            }
        }
        if let (Some(old), Some(new)) = (live.get("type"), object.get("type"))
            && old != new
        {
            causes.push(invalid("type", new, "field is immutable"));
        }
    }
    for field in ["data", "binaryData"] {
        for name in object::at(object, &[field])
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            if let Some(why) = names::config_key(name) {
                causes.push(invalid(
                    format!("{field}[{name}]"),
                    &Value::String(name.clone()),
                    why,
                ));
            }
        }
    }
    causes
}
