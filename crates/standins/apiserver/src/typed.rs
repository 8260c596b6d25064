//! Objects as their Go types would hold them: unknown fields gone, nothing empty that Go leaves out.

use serde_json::{Map, Value, json};
use weir_schema::{Element, GoField, Kind, TypeInfo};

use crate::fields::FieldType;
use crate::registry::Served;

/// What an object is before anything is set.
pub(crate) fn empty_object(served: &Served) -> Value {
    let mut out = json!({"apiVersion": served.api_version(), "kind": served.resource.kind});
    normalize(served, &mut out);
    out
}

/// Drops what the object's type does not know. Gives the paths of what went.
pub(crate) fn drop_unknown(object: &mut Value, ty: FieldType<'_>) -> Vec<String> {
    let mut unknown = Vec::new();
    walk_unknown(object, ty, "", &mut unknown);
    unknown
}

fn walk_unknown(value: &mut Value, ty: FieldType<'_>, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, inner| {
                let step = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                if let Some(field) = ty.field(name) {
                    walk_unknown(inner, field, &step, unknown);
                    true
                } else {
                    unknown.push(step);
                    false
                }
            });
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                walk_unknown(item, ty.item(), &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

/// The first value of a wrong type, worded as Go's JSON decoder does. `owner` is the Go type around, `path` the way here.
pub(crate) fn find_mismatch(value: &Value, info: TypeInfo<'_>, owner: &str, path: &str) -> Option<String> {
    let wanted = match info.kind() {
        Kind::String if !value.is_string() => "string",
        Kind::Boolean if !value.is_boolean() => "bool",
        Kind::Integer if !value.is_i64() && !value.is_u64() => info.format().unwrap_or("int32"),
        Kind::Number if !value.is_number() => "float64",
        Kind::Array if !value.is_array() => "slice",
        Kind::Object if !value.is_object() => "map",
        _ => "",
    };
    if !wanted.is_empty() && !value.is_null() {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let wanted = match (wanted, info.type_name()) {
            ("map", Some(name)) => go_name(name),
            ("map", None) => "map[string]string".to_owned(),
            ("slice", _) => {
                let item = info.items();
                let item = item
                    .and_then(TypeInfo::type_name)
                    .map_or_else(|| "string".to_owned(), go_name);
                format!("[]{item}")
            }
            _ => wanted.to_owned(),
        };
        return Some(format!(
            "json: cannot unmarshal {found} into Go struct field {owner}.{path} of type {wanted}"
        ));
    }
    let join = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match value {
        Value::Object(fields) => {
            let inner_owner = info
                .type_name()
                .and_then(|name| name.rsplit('.').next())
                .filter(|_| info.has_fields())
                .unwrap_or(owner);
            fields.iter().find_map(|(name, inner)| {
                let (site, step) = match info.field(name) {
                    Some(site) => (site, join(name)),
                    None => match info.additional() {
                        Element::Typed(site) => (site, path.to_owned()),
                        Element::Free | Element::Undeclared => return None,
                    },
                };
                find_mismatch(inner, site, inner_owner, &step)
            })
        }
        Value::Array(items) => {
            let site = info.items()?;
            items
                .iter()
                .find_map(|item| find_mismatch(item, site, owner, path))
        }
        _ => None,
    }
}

/// `io.k8s.api.apps.v1.DeploymentSpec` as `v1.DeploymentSpec`.
fn go_name(openapi: &str) -> String {
    let mut parts = openapi.rsplit('.');
    match (parts.next(), parts.next()) {
        (Some(name), Some(package)) => format!("{package}.{name}"),
        _ => openapi.to_owned(),
    }
}

/// Brings an object into the form the server prints: for a built-in one, that of its Go type.
pub(crate) fn normalize(served: &Served, object: &mut Value) {
    match served.schemas.lookup(&served.gvk()) {
        Some(info) if served.custom.is_none() => print_as_go(object, info),
        // Custom resources are printed as they are, but for their metadata, which is typed.
        Some(info) => {
            if let (Some(metadata), Some(site)) = (object.get_mut("metadata"), info.field("metadata")) {
                print_as_go(metadata, site);
            }
        }
        None => {}
    }
}

fn print_as_go(value: &mut Value, info: TypeInfo<'_>) {
    match value {
        Value::Object(fields) if info.has_fields() => {
            for (name, site) in info.fields() {
                print_field(fields, name, site);
            }
        }
        Value::Object(fields) => {
            if let Element::Typed(inner) = info.additional() {
                for value in fields.values_mut() {
                    print_as_go(value, inner);
                }
            }
        }
        Value::Array(items) => {
            if let Some(inner) = info.items() {
                for item in items {
                    print_as_go(item, inner);
                }
            }
        }
        _ => {}
    }
}

fn print_field(fields: &mut Map<String, Value>, name: &str, site: TypeInfo<'_>) {
    if fields.get(name).is_some_and(Value::is_null) {
        fields.remove(name);
    }
    if let Some(value) = fields.get_mut(name) {
        print_as_go(value, site);
        let drop = match site.go_field() {
            GoField::OmitZero => is_zero(value),
            GoField::OmitEmpty => is_empty(value),
            _ => false,
        };
        if drop {
            fields.remove(name);
        }
        return;
    }
    let zero = match site.go_field() {
        GoField::Pointer | GoField::OmitZero | GoField::OmitEmpty => return,
        GoField::Time => Value::Null,
        GoField::Struct => match site.kind() {
            Kind::IntOrString => json!(0),
            Kind::Scalar => json!("0"),
            _ if !site.has_fields() => Value::Null,
            _ => {
                let mut empty = json!({});
                print_as_go(&mut empty, site);
                empty
            }
        },
        GoField::Zero => match site.kind() {
            Kind::String => json!(""),
            Kind::Integer | Kind::Number => json!(0),
            Kind::Boolean => json!(false),
            _ => Value::Null,
        },
    };
    fields.insert(name.to_owned(), zero);
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
