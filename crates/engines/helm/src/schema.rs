//! values.schema.json.

use std::fmt::Write as _;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{PatternOptions, Retrieve, Uri, ValidationError};
use serde_json::Value as Json;
use weir_gotmpl::{Map, Value};

use crate::coalesce;
use crate::tree::Node;
use crate::values::Origins;

/// Levels of a schema and of values that are looked at; both are read from strangers (N12).
const MAX_DEPTH: usize = 200;

/// Values that are not what a chart asks for: the chart, the path of each value and what sets it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SchemaError {
    text: String,
}

/// Checks the values of a chart and its subcharts.
pub(crate) fn check(chart: &Node, values: &Map, origins: &Origins) -> Result<(), SchemaError> {
    let mut text = String::new();
    let mut path = Vec::new();
    chart_values(chart, values, origins, &mut path, &mut text);
    if text.is_empty() {
        Ok(())
    } else {
        Err(SchemaError { text })
    }
}

/// Checks values against one schema.
pub(crate) fn check_one(schema: &[u8], values: &Json) -> Result<(), String> {
    validate(schema, values, &[], &Origins::default())
}

fn chart_values<'c>(
    chart: &'c Node,
    values: &Map,
    origins: &Origins,
    path: &mut Vec<&'c str>,
    text: &mut String,
) {
    if let Some(schema) = &chart.schema {
        let table = Json::Object(coalesce::to_table(values));
        if let Err(problem) = validate(&schema.data, &table, path, origins) {
            let _ = write!(text, "{}:\n{problem}", chart.name());
        }
    }
    for child in &chart.dependencies {
        match values.get(child.name()) {
            None | Some(Value::Nil) => {}
            Some(Value::Map(values)) => {
                path.push(child.name());
                chart_values(child, &values, origins, path, text);
                path.pop();
            }
            Some(other) => {
                let _ = writeln!(
                    text,
                    "{}:\ninvalid type for values: expected object (map), got {}",
                    child.name(),
                    other.type_name()
                );
            }
        }
    }
}

/// No schema is fetched from anywhere. Helm takes a `urn:` that nobody knows for a schema that allows everything; files
/// and addresses, which it would read, are refused (N12).
struct Nowhere;

impl Retrieve for Nowhere {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Json, Box<dyn std::error::Error + Send + Sync>> {
        if uri.as_str().starts_with("urn:") {
            return Ok(Json::Bool(true));
        }
        Err(format!("{uri} is outside of the chart, and schemas are not fetched").into())
    }
}

fn validate(schema: &[u8], values: &Json, path: &[&str], origins: &Origins) -> Result<(), String> {
    let schema: Json =
        serde_json::from_slice(schema).map_err(|error| format!("values.schema.json: {error}\n"))?;
    for (what, json) in [("values.schema.json", &schema), ("values", values)] {
        if depth(json) > MAX_DEPTH {
            return Err(format!("{what} is nested deeper than {MAX_DEPTH} levels\n"));
        }
    }
    if let Some(reference) = endless(&schema) {
        return Err(format!("values.schema.json: reference cycle at {reference}\n"));
    }
    let validator = jsonschema::options()
        .with_retriever(Nowhere)
        .with_base_uri("file:///values.schema.json")
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .map_err(|error| {
            format!("values.schema.json: \"file:///values.schema.json#\" is not valid: {error}\n")
        })?;
    let errors: Vec<ValidationError<'_>> = validator.iter_errors(values).collect();
    if errors.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    list(&errors, 0, path, origins, &mut text);
    Err(text)
}

fn depth(json: &Json) -> usize {
    let mut deepest = 0;
    let mut open = vec![(json, 1)];
    while let Some((json, level)) = open.pop() {
        deepest = deepest.max(level);
        match json {
            Json::Array(items) => open.extend(items.iter().map(|item| (item, level + 1))),
            Json::Object(table) => open.extend(table.values().map(|item| (item, level + 1))),
            _ => {}
        }
    }
    deepest
}

/// A reference within the schema that leads back to itself over references alone, so that no value ever decides it.
fn endless(schema: &Json) -> Option<String> {
    let mut open = vec![schema];
    while let Some(json) = open.pop() {
        match json {
            Json::Array(items) => open.extend(items),
            Json::Object(table) => {
                open.extend(table.values());
                let mut seen = Vec::new();
                let mut at = Some(json);
                while let Some(reference) = at.and_then(|at| at.get("$ref")).and_then(Json::as_str) {
                    if seen.contains(&reference) {
                        return Some(reference.to_owned());
                    }
                    seen.push(reference);
                    at = reference
                        .strip_prefix('#')
                        .and_then(|pointer| schema.pointer(&pointer.replace("%25", "%")));
                }
            }
            _ => {}
        }
    }
    None
}

/// One line for each error, what belongs together below it.
fn list(errors: &[ValidationError<'_>], indent: usize, path: &[&str], origins: &Origins, text: &mut String) {
    let mut done = vec![false; errors.len()];
    for (at, error) in errors.iter().enumerate() {
        if done.get(at) == Some(&true) {
            continue;
        }
        let place = error.instance_path().as_str();
        let message = if let ValidationErrorKind::Required { .. } = error.kind() {
            // All that one object lacks is one message.
            let mut missing = Vec::new();
            for (later, other) in errors.iter().enumerate().skip(at) {
                if let ValidationErrorKind::Required { property } = other.kind()
                    && other.instance_path().as_str() == place
                    && other.schema_path().as_str() == error.schema_path().as_str()
                {
                    missing.push(quote(property.as_str().unwrap_or_default()));
                    if let Some(done) = done.get_mut(later) {
                        *done = true;
                    }
                }
            }
            match missing.as_slice() {
                [one] => format!("missing property {one}"),
                many => format!("missing properties {}", many.join(", ")),
            }
        } else {
            say(error)
        };
        let _ = write!(text, "{}- at {}: {message}", "  ".repeat(indent), quote(place));
        let mut full = path.to_vec();
        full.extend(place.split('/').skip(1));
        match (indent, full.is_empty(), origins.of(&full)) {
            (0, false, Some(origin)) => {
                let _ = writeln!(text, " (set by {origin})");
            }
            _ => text.push('\n'),
        }
        match error.kind() {
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                for errors in context {
                    list(errors, indent + 1, path, origins, text);
                }
            }
            _ => {}
        }
    }
}

/// Helm's words. Values themselves are not shown: they may be secret.
fn say(error: &ValidationError<'_>) -> String {
    let instance = error.instance();
    let length = || match &**instance {
        Json::String(text) => text.chars().count(),
        Json::Array(items) => items.len(),
        Json::Object(table) => table.len(),
        _ => 0,
    };
    let names = |names: &[String]| {
        names
            .iter()
            .map(|name| quote(name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match error.kind() {
        ValidationErrorKind::Type { kind } => {
            let want = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(many) => many
                    .iter()
                    .map(|one| one.to_string())
                    .collect::<Vec<_>>()
                    .join(" or "),
            };
            let got = match &**instance {
                Json::Null => "null",
                Json::Bool(_) => "boolean",
                Json::Number(_) => "number",
                Json::String(_) => "string",
                Json::Array(_) => "array",
                Json::Object(_) => "object",
            };
            format!("got {got}, want {want}")
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            format!("additional properties {} not allowed", names(unexpected))
        }
        ValidationErrorKind::AdditionalItems { limit } => {
            format!(
                "last {} additionalItem(s) not allowed",
                length().saturating_sub(*limit)
            )
        }
        ValidationErrorKind::Enum { options } => match options.as_array().map(Vec::as_slice) {
            Some([one]) => format!("value must be {}", show(one)),
            Some(many) if many.iter().all(|one| !one.is_array() && !one.is_object()) => {
                let many: Vec<String> = many.iter().map(show).collect();
                format!("value must be one of {}", many.join(", "))
            }
            _ => "'enum' failed".to_owned(),
        },
        ValidationErrorKind::Constant { expected_value } => match &**expected_value {
            Json::Array(_) | Json::Object(_) => "'const' failed".to_owned(),
            one => format!("value must be {}", show(one)),
        },
        ValidationErrorKind::Pattern { pattern } => {
            format!("value does not match pattern {}", quote(pattern))
        }
        ValidationErrorKind::Format { format } => format!("value is not valid {format}"),
        ValidationErrorKind::Minimum { limit } => {
            format!("minimum: got {}, want {}", show(instance), show(limit))
        }
        ValidationErrorKind::Maximum { limit } => {
            format!("maximum: got {}, want {}", show(instance), show(limit))
        }
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            format!("exclusiveMinimum: got {}, want {}", show(instance), show(limit))
        }
        ValidationErrorKind::ExclusiveMaximum { limit } => {
            format!("exclusiveMaximum: got {}, want {}", show(instance), show(limit))
        }
        ValidationErrorKind::MultipleOf { multiple_of } => {
            format!("multipleOf: got {}, want {multiple_of}", show(instance))
        }
        ValidationErrorKind::MinLength { limit } => format!("minLength: got {}, want {limit}", length()),
        ValidationErrorKind::MaxLength { limit } => format!("maxLength: got {}, want {limit}", length()),
        ValidationErrorKind::MinItems { limit } => format!("minItems: got {}, want {limit}", length()),
        ValidationErrorKind::MaxItems { limit } => format!("maxItems: got {}, want {limit}", length()),
        ValidationErrorKind::MinProperties { limit } => {
            format!("minProperties: got {}, want {limit}", length())
        }
        ValidationErrorKind::MaxProperties { limit } => {
            format!("maxProperties: got {}, want {limit}", length())
        }
        ValidationErrorKind::AnyOf { .. } => "'anyOf' failed".to_owned(),
        ValidationErrorKind::OneOfNotValid { .. } => "'oneOf' failed, none matched".to_owned(),
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            "'oneOf' failed, several subschemas matched".to_owned()
        }
        ValidationErrorKind::Not { .. } => "'not' failed".to_owned(),
        ValidationErrorKind::FalseSchema => "false schema".to_owned(),
        ValidationErrorKind::UniqueItems => "items are equal".to_owned(),
        ValidationErrorKind::Contains => "no items match contains schema".to_owned(),
        ValidationErrorKind::PropertyNames { .. } => "invalid propertyName".to_owned(),
        other => format!("'{}' failed", other.keyword()),
    }
}

fn show(value: &Json) -> String {
    match value {
        Json::String(text) => quote(text),
        Json::Number(number) if number.is_f64() => weir_yaml::go_float(number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    }
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "\\'"))
}
