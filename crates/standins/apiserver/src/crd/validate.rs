//! Validation of custom resources against their schema.

use serde_json::Value;

use crate::object;
use crate::status::Cause;
use crate::text::go_json;

/// All that is wrong with `object` by the schema.
pub(crate) fn validate(schema: &Value, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    visit(schema, object, "", true, &mut causes);
    causes
}

/// A cause whose reason is an invalid value.
pub(crate) fn invalid(field: &str, value: &Value, message: &str) -> Cause {
    Cause {
        reason: "FieldValueInvalid",
        message: format!("Invalid value: {}: {message}", go_json(value)),
        field: field.to_owned(),
    }
}

/// The name of a value's type, as messages have it.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number)
            if number.is_f64() && number.as_f64().is_some_and(|number| number.fract() != 0.0) =>
        {
            "number"
        }
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn has_type(schema: &Value, value: &Value) -> bool {
    if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        return matches!(type_name(value), "integer" | "string");
    }
    match schema.get("type").and_then(Value::as_str) {
        None | Some("") => true,
        Some("number") => matches!(type_name(value), "integer" | "number"),
        Some(wanted) => wanted == type_name(value),
    }
}

fn visit(schema: &Value, value: &Value, path: &str, is_root: bool, causes: &mut Vec<Cause>) {
    if value.is_null() && schema.get("nullable") == Some(&Value::Bool(true)) {
        return;
    }
    if !has_type(schema, value) {
        let wanted = if schema.get("x-kubernetes-int-or-string").is_some() {
            "integer,string"
        } else {
            object::text(schema, &["type"])
        };
        let shown = Value::String(type_name(value).to_owned());
        causes.push(Cause {
            reason: "FieldValueTypeInvalid",
            message: format!(
                "Invalid value: {}: {path} in body must be of type {wanted}: {}",
                go_json(&shown),
                go_json(&shown)
            ),
            field: path.to_owned(),
        });
        return;
    }
    check_enum(schema, value, path, causes);
    match value {
        Value::String(text) => check_text(schema, text, path, causes),
        Value::Number(_) => check_number(schema, value, path, causes),
        Value::Array(items) => check_items(schema, items, path, causes),
        Value::Object(_) => check_fields(schema, value, path, is_root, causes),
        _ => {}
    }
    check_junctors(schema, value, path, causes);
}

fn check_enum(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let Some(allowed) = schema.get("enum").and_then(Value::as_array) else {
        return;
    };
    if !allowed.iter().any(|one| crate::fields::same_value(one, value)) {
        let listed: Vec<String> = allowed.iter().map(go_json).collect();
        causes.push(Cause {
            reason: "FieldValueNotSupported",
            message: format!(
                "Unsupported value: {}: supported values: {}",
                go_json(value),
                listed.join(", ")
            ),
            field: path.to_owned(),
        });
    }
}

fn limit(schema: &Value, key: &str) -> Option<usize> {
    schema
        .get(key)
        .and_then(Value::as_u64)
        .and_then(|limit| usize::try_from(limit).ok())
}

fn check_text(schema: &Value, text: &str, path: &str, causes: &mut Vec<Cause>) {
    let value = Value::String(text.to_owned());
    let length = text.chars().count();
    if let Some(most) = limit(schema, "maxLength")
        && length > most
    {
        causes.push(Cause {
            reason: "FieldValueTooLong",
            message: format!("Too long: may not be more than {most} bytes"),
            field: path.to_owned(),
        });
    }
    if let Some(least) = limit(schema, "minLength")
        && length < least
    {
        causes.push(invalid(
            path,
            &value,
            &format!("{path} in body should be at least {least} chars long"),
        ));
    }
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
        && let Ok(compiled) = weir_re2::Pattern::new(pattern)
        && !compiled.is_match(text)
    {
        causes.push(invalid(
            path,
            &value,
            &format!("{path} in body should match '{pattern}'"),
        ));
    }
    if let Some(format) = schema.get("format").and_then(Value::as_str)
        && !has_format(format, text)
    {
        let why = format!("{path} in body must be of type {format}: {}", go_json(&value));
        causes.push(Cause {
            reason: "FieldValueTypeInvalid",
            ..invalid(path, &value, &why)
        });
    }
}

/// Formats that the server checks; others mean nothing to it.
fn has_format(format: &str, text: &str) -> bool {
    match format {
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.parse::<jiff::civil::Date>().is_ok(),
        "uri" => url::Url::parse(text).is_ok(),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "uuid" => text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'),
        "byte" => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).is_ok()
        }
        _ => true,
    }
}

fn check_number(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let number = value.as_f64().unwrap_or(0.0);
    let exclusive = |key: &str| schema.get(key) == Some(&Value::Bool(true));
    if let Some(least) = schema.get("minimum")
        && let Some(bound) = least.as_f64()
    {
        if exclusive("exclusiveMinimum") && number <= bound {
            causes.push(invalid(
                path,
                value,
                &format!("{path} in body should be greater than {least}"),
            ));
        } else if number < bound {
            causes.push(invalid(
                path,
                value,
                &format!("{path} in body should be greater than or equal to {least}"),
            ));
        }
    }
    if let Some(most) = schema.get("maximum")
        && let Some(bound) = most.as_f64()
    {
        if exclusive("exclusiveMaximum") && number >= bound {
            causes.push(invalid(
                path,
                value,
                &format!("{path} in body should be less than {most}"),
            ));
        } else if number > bound {
            causes.push(invalid(
                path,
                value,
                &format!("{path} in body should be less than or equal to {most}"),
            ));
        }
    }
    if let Some(step) = schema.get("multipleOf").and_then(Value::as_f64)
        && step != 0.0
        && (number / step).fract() != 0.0
    {
        causes.push(invalid(
            path,
            value,
            &format!("{path} in body should be a multiple of {step}"),
        ));
    }
}

fn check_items(schema: &Value, items: &[Value], path: &str, causes: &mut Vec<Cause>) {
    if let Some(most) = limit(schema, "maxItems")
        && items.len() > most
    {
        causes.push(Cause {
            reason: "FieldValueTooMany",
            message: format!("Too many: {}: must have at most {most} items", items.len()),
            field: path.to_owned(),
        });
    }
    if let Some(least) = limit(schema, "minItems")
        && items.len() < least
    {
        let shown = Value::from(items.len());
        causes.push(invalid(
            path,
            &shown,
            &format!("{path} in body should have at least {least} items"),
        ));
    }
    if let Some(inner) = schema.get("items") {
        for (index, item) in items.iter().enumerate() {
            visit(inner, item, &format!("{path}[{index}]"), false, causes);
        }
    }
    check_duplicates(schema, items, path, causes);
}

/// Sets hold no item twice, keyed lists no key.
fn check_duplicates(schema: &Value, items: &[Value], path: &str, causes: &mut Vec<Cause>) {
    let keys: Vec<&str> = object::list(schema, &["x-kubernetes-list-map-keys"])
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let identity = |item: &Value| -> Value {
        if keys.is_empty() {
            return item.clone();
        }
        keys.iter()
            .filter_map(|key| item.get(*key).map(|value| ((*key).to_owned(), value.clone())))
            .collect()
    };
    if !matches!(object::text(schema, &["x-kubernetes-list-type"]), "set" | "map") {
        return;
    }
    let mut seen: Vec<Value> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let identity = identity(item);
        if seen.contains(&identity) {
            causes.push(Cause {
                reason: "FieldValueDuplicate",
                message: format!("Duplicate value: {}", go_json(&identity)),
                field: format!("{path}[{index}]"),
            });
        }
        seen.push(identity);
    }
}

fn check_fields(schema: &Value, value: &Value, path: &str, is_root: bool, causes: &mut Vec<Cause>) {
    let Some(fields) = value.as_object() else { return };
    let join = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    for name in object::list(schema, &["required"])
        .iter()
        .filter_map(Value::as_str)
    {
        if !fields.contains_key(name) {
            causes.push(Cause {
                reason: "FieldValueRequired",
                message: "Required value".to_owned(),
                field: join(name),
            });
        }
    }
    if let Some(most) = limit(schema, "maxProperties")
        && fields.len() > most
    {
        causes.push(Cause {
            reason: "FieldValueTooMany",
            message: format!("Too many: {}: must have at most {most} items", fields.len()),
            field: path.to_owned(),
        });
    }
    if let Some(least) = limit(schema, "minProperties")
        && fields.len() < least
    {
        let shown = Value::from(fields.len());
        causes.push(invalid(
            path,
            &shown,
            &format!("{path} in body should have at least {least} properties"),
        ));
    }
    let named = schema.get("properties").and_then(Value::as_object);
    for (name, field) in fields {
        // Metadata is typed: it is checked with the names of all objects.
        if is_root && name == "metadata" {
            continue;
        }
        let inner = named.and_then(|named| named.get(name)).or_else(|| {
            schema
                .get("additionalProperties")
                .filter(|others| others.is_object())
        });
        if let Some(inner) = inner {
            visit(inner, field, &join(name), false, causes);
        }
    }
}

fn is_valid(schema: &Value, value: &Value) -> bool {
    let mut causes = Vec::new();
    visit(schema, value, "", false, &mut causes);
    causes.is_empty()
}

fn check_junctors(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let fail = |causes: &mut Vec<Cause>, message: String| {
        causes.push(Cause {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: \"\": {message}"),
            field: "<nil>".to_owned(),
        });
    };
    let int_or_string = schema.get("x-kubernetes-int-or-string").is_some();
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array)
        && !int_or_string
        && !any.iter().any(|one| is_valid(one, value))
    {
        fail(
            causes,
            format!("{path:?} must validate at least one schema (anyOf)"),
        );
    }
    if let Some(one) = schema.get("oneOf").and_then(Value::as_array) {
        let count = one.iter().filter(|inner| is_valid(inner, value)).count();
        let first = one.first().filter(|_| count == 0);
        if count != 1 {
            let found = if count == 0 {
                "Found none valid".to_owned()
            } else {
                format!("Found {count} valid alternatives")
            };
            fail(
                causes,
                format!("{path:?} must validate one and only one schema (oneOf). {found}"),
            );
        }
        // What the first alternative lacks is told, too.
        if let Some(first) = first {
            visit(first, value, path, false, causes);
        }
    }
    if let Some(all) = schema.get("allOf").and_then(Value::as_array)
        && !all.iter().all(|one| is_valid(one, value))
    {
        fail(causes, format!("{path:?} must validate all the schemas (allOf)"));
    }
    if let Some(not) = schema.get("not").filter(|not| not.is_object())
        && is_valid(not, value)
    {
        fail(causes, format!("{path:?} must not validate the schema (not)"));
    }
}
