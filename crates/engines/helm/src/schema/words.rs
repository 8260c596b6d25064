//! Helm's words for what a schema has against values. Texts themselves are not shown: they may be secret.

use std::collections::BTreeMap;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value as Json;

/// What one error says.
pub(super) fn of(error: &ValidationError<'_>) -> String {
    let instance = error.instance();
    let length = || match &**instance {
        Json::String(text) => text.chars().count(),
        Json::Array(items) => items.len(),
        Json::Object(table) => table.len(),
        _ => 0,
    };
    let bound = |limit: &Json| format!("got {}, want {}", number(instance), number(limit));
    let count = |limit: &u64| {
        format!(
            "got {}, want {}",
            grouped(&length().to_string()),
            grouped(&limit.to_string())
        )
    };
    match error.kind() {
        Kind::Type { kind } => format!("got {}, want {}", type_of(instance), types(kind)),
        Kind::AdditionalProperties { unexpected } => additional(unexpected),
        Kind::AdditionalItems { limit } => {
            format!(
                "last {} additionalItem(s) not allowed",
                grouped(&length().saturating_sub(*limit).to_string())
            )
        }
        Kind::Enum { options } => match options.as_array().map(Vec::as_slice) {
            Some([one]) if !is_collection(one) => format!("value must be {}", show(one)),
            Some(many) if !many.iter().any(is_collection) => {
                let many: Vec<String> = many.iter().map(show).collect();
                format!("value must be one of {}", many.join(", "))
            }
            _ => "'enum' failed".to_owned(),
        },
        Kind::Constant { expected_value } if is_collection(expected_value) => "'const' failed".to_owned(),
        Kind::Constant { expected_value } => format!("value must be {}", show(expected_value)),
        Kind::Pattern { pattern } => format!("value does not match pattern {}", quote(pattern)),
        Kind::Format { format } => format!("value is not valid {format}"),
        Kind::Minimum { limit } => format!("minimum: {}", bound(limit)),
        Kind::Maximum { limit } => format!("maximum: {}", bound(limit)),
        Kind::ExclusiveMinimum { limit } => format!("exclusiveMinimum: {}", bound(limit)),
        Kind::ExclusiveMaximum { limit } => format!("exclusiveMaximum: {}", bound(limit)),
        Kind::MultipleOf { multiple_of } => {
            format!(
                "multipleOf: got {}, want {}",
                number(instance),
                localized(*multiple_of)
            )
        }
        Kind::MinLength { limit } => format!("minLength: {}", count(limit)),
        Kind::MaxLength { limit } => format!("maxLength: {}", count(limit)),
        Kind::MinItems { limit } => format!("minItems: {}", count(limit)),
        Kind::MaxItems { limit } => format!("maxItems: {}", count(limit)),
        Kind::MinProperties { limit } => format!("minProperties: {}", count(limit)),
        Kind::MaxProperties { limit } => format!("maxProperties: {}", count(limit)),
        Kind::AnyOf { .. } => "'anyOf' failed".to_owned(),
        Kind::OneOfNotValid { .. } => "'oneOf' failed, none matched".to_owned(),
        Kind::OneOfMultipleValid { context } => {
            // A branch that matches has nothing to say.
            let matched = context.iter().enumerate().filter(|(_, errors)| errors.is_empty());
            let matched: Vec<String> = matched.take(2).map(|(at, _)| at.to_string()).collect();
            format!("'oneOf' failed, subschemas {} matched", matched.join(", "))
        }
        Kind::Not { .. } => "'not' failed".to_owned(),
        Kind::FalseSchema => "false schema".to_owned(),
        Kind::UniqueItems => match twins(instance) {
            Some((first, second)) => format!("items at {first} and {second} are equal"),
            None => "items are equal".to_owned(),
        },
        other => format!("'{}' failed", other.keyword()),
    }
}

/// Properties that are required.
pub(super) fn missing(names: &[String]) -> String {
    match names {
        [one] => format!("missing property {}", quote(one)),
        many => format!("missing properties {}", quoted(many)),
    }
}

/// Properties that another one requires.
pub(super) fn depending(property: &str, names: &[String]) -> String {
    format!(
        "properties {} required, if {} exists",
        quoted(names),
        quote(property)
    )
}

/// Properties that may not be there.
pub(super) fn additional(names: &[String]) -> String {
    format!("additional properties {} not allowed", quoted(names))
}

/// The name of a property that may not be one.
pub(super) fn name(name: &str) -> String {
    format!("invalid propertyName {}", quote(name))
}

/// Items that are to match, by keyword; the indices of those that do.
pub(super) fn contains(keyword: &str, limit: Option<f64>, matched: &[String]) -> String {
    let word = match keyword {
        "minContains" => "min",
        "maxContains" => "max",
        _ => return "no items match contains schema".to_owned(),
    };
    let limit = limit.map(|limit| limit.to_string()).unwrap_or_default();
    let asked = format!(
        "{word} {} items required to match contains schema, but",
        grouped(&limit)
    );
    if matched.is_empty() {
        return format!("{asked} none matched");
    }
    let count = grouped(&matched.len().to_string());
    format!("{asked} matched {count} items at {}", matched.join(" "))
}

fn is_collection(value: &Json) -> bool {
    value.is_array() || value.is_object()
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

/// Types in the order that Helm's validator keeps them in.
fn types(kind: &TypeKind) -> String {
    const ORDER: [&str; 7] = [
        "null", "boolean", "number", "integer", "string", "array", "object",
    ];
    let mut types: Vec<String> = match kind {
        TypeKind::Single(one) => vec![one.to_string()],
        TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect(),
    };
    types.sort_by_key(|name| ORDER.iter().position(|known| known == name));
    types.join(" or ")
}

/// The first item that is equal to one before it, behind that one.
fn twins(value: &Json) -> Option<(usize, usize)> {
    let mut seen = BTreeMap::new();
    let mut items = value.as_array()?.iter().enumerate();
    items.find_map(|(at, item)| seen.insert(item.to_string(), at).map(|first| (first, at)))
}

fn show(value: &Json) -> String {
    match value {
        Json::String(text) => quote(text),
        Json::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

fn number(value: &Json) -> String {
    value.as_f64().map(localized).unwrap_or_default()
}

/// A number as golang.org/x/text prints it in English: 12,345.5 and 1.5×10⁻⁰⁷.
fn localized(value: f64) -> String {
    let text = weir_yaml::go_float(value);
    match text.split_once('e') {
        None => grouped(&text),
        Some((digits, exponent)) => {
            let raised: String = exponent.chars().filter_map(raised).collect();
            format!("{digits}×10{raised}")
        }
    }
}

fn raised(c: char) -> Option<char> {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    match c {
        '-' => Some('⁻'),
        _ => DIGITS.get(usize::try_from(c.to_digit(10)?).ok()?).copied(),
    }
}

/// Thousands are set apart.
fn grouped(text: &str) -> String {
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let count = whole.bytes().filter(u8::is_ascii_digit).count();
    let mut out = String::with_capacity(text.len() + 2);
    let mut left = count;
    for c in whole.chars() {
        if c.is_ascii_digit() {
            if left < count && left.is_multiple_of(3) {
                out.push(',');
            }
            left -= 1;
        }
        out.push(c);
    }
    out.push_str(fraction);
    out
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| quote(name)).collect();
    names.join(", ")
}

/// A text in single quotes, with Go's escapes.
pub(super) fn quote(text: &str) -> String {
    let text = weir_gotmpl::quoted(text)
        .replace("\\\"", "\"")
        .replace('\'', "\\'");
    let within = text.get(1..text.len() - 1).unwrap_or_default();
    format!("'{within}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Helm 4.2.4 prints them.
    #[test]
    fn numbers_are_printed_in_english() {
        for (value, printed) in [
            (1.0, "1"),
            (1.5, "1.5"),
            (999.0, "999"),
            (1000.0, "1,000"),
            (123_456.5, "123,456.5"),
            (-12345.25, "-12,345.25"),
            (1_234_567.0, "1.234567×10⁰⁶"),
            (1e21, "1×10²¹"),
            (0.0001, "0.0001"),
            (1e-7, "1×10⁻⁰⁷"),
        ] {
            assert_eq!(localized(value), printed);
        }
        assert_eq!(grouped("1000000"), "1,000,000");
    }
}
