//! values.schema.json.

mod formats;
mod report;
mod words;

use std::fmt::Write as _;

use jsonschema::{PatternOptions, Retrieve, Uri, ValidationError, Validator};
use serde_json::Value as Json;
use weir_gotmpl::{Map, Value};

use self::report::{Finding, Report, escaped};

use crate::coalesce;
use crate::tree::Node;
use crate::values::Origins;

/// Levels of a schema and of values that are looked at; both are read from strangers (N12).
const MAX_DEPTH: usize = 200;

/// Where Helm says that the schema is.
const PLACE: &str = "file:///values.schema.json";

/// Floats below this one are integers of 64 bits, if they are whole: 2^63.
const LARGE: f64 = 9_223_372_036_854_775_808.0;

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
    let mut schema: Json =
        serde_json::from_slice(schema).map_err(|error| format!("values.schema.json: {error}\n"))?;
    for (what, json) in [("values.schema.json", &schema), ("values", values)] {
        if depth(json) > MAX_DEPTH {
            return Err(format!("{what} is nested deeper than {MAX_DEPTH} levels\n"));
        }
    }
    if let Some(reference) = endless(&schema) {
        return Err(format!("values.schema.json: reference cycle at {reference}\n"));
    }
    if schema
        .get("$schema")
        .and_then(Json::as_str)
        .is_some_and(|draft| draft.contains("/draft-04/"))
    {
        limits(&mut schema);
    }
    let validator = compile(&schema, PLACE, Nowhere)
        .map_err(|error| format!("values.schema.json: \"{PLACE}#\" is not valid: {error}\n"))?;
    let mut values = values.clone();
    integers(&mut values);
    let errors: Vec<ValidationError<'_>> = validator.iter_errors(&values).collect();
    if errors.is_empty() {
        return Ok(());
    }
    let part = |pointer: &str| part_of(&schema, pointer);
    let findings = Report::of(&schema, &part).findings(&errors, &values);
    let mut text = String::new();
    list(&findings, &Above::default(), path, origins, &mut text);
    Err(text)
}

/// How a text is encoded, and what is in it, Helm never looks at.
fn compile(
    schema: &Json,
    place: &str,
    retriever: impl Retrieve + 'static,
) -> Result<Validator, ValidationError<'static>> {
    let mut options = jsonschema::options();
    for (name, check) in formats::ALL {
        options = options.with_format(name, check);
    }
    for name in formats::UNKNOWN {
        options = options.with_format(name, |_| true);
    }
    options
        .with_retriever(retriever)
        .with_base_uri(place)
        .with_pattern_options(PatternOptions::regex())
        .without_content_encoding_support("base64")
        .without_content_media_type_support("application/json")
        .build(schema)
}

/// A whole schema, for what refers to a part of it.
struct Whole(Json);

impl Retrieve for Whole {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Json, Box<dyn std::error::Error + Send + Sync>> {
        if uri.as_str() == PLACE {
            return Ok(self.0.clone());
        }
        Nowhere.retrieve(uri)
    }
}

/// What validates by the part of a schema that a JSON pointer names; nothing where there is no such part.
fn part_of(schema: &Json, pointer: &str) -> Option<Validator> {
    schema.pointer(pointer)?;
    let mut part = serde_json::Map::new();
    if let Some(draft) = schema.get("$schema") {
        part.insert("$schema".to_owned(), draft.clone());
    }
    part.insert("$ref".to_owned(), format!("{PLACE}#{}", fragment(pointer)).into());
    compile(&Json::Object(part), "file:///part.json", Whole(schema.clone())).ok()
}

/// A JSON pointer as it may stand in a URL.
fn fragment(pointer: &str) -> String {
    let mut out = String::with_capacity(pointer.len());
    for byte in pointer.bytes() {
        if byte.is_ascii_alphanumeric() || b"/~-._".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Limits of draft 4 as whole numbers: its own schema, unlike Helm, takes `2.0` for none.
fn limits(schema: &mut Json) {
    const LIMITS: [&str; 6] = [
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
    ];
    match schema {
        Json::Array(items) => items.iter_mut().for_each(limits),
        Json::Object(table) => {
            for (keyword, value) in table {
                match value {
                    Json::Number(_) if LIMITS.contains(&keyword.as_str()) => integers(value),
                    _ => limits(value),
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// Whole numbers as such: values are floats, which draft 4 takes for no integers, and Helm does.
fn integers(value: &mut Json) {
    match value {
        Json::Number(number) => {
            if let Some(float) = number
                .as_f64()
                .filter(|float| float.fract() == 0.0 && float.abs() < LARGE)
            {
                #[expect(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
                let whole = float as i64;
                *value = whole.into();
            }
        }
        Json::Array(items) => items.iter_mut().for_each(integers),
        Json::Object(table) => table.values_mut().for_each(integers),
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
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

/// The line above.
#[derive(Default)]
struct Above<'f> {
    /// How many there are.
    count: usize,
    place: Option<&'f [String]>,
}

/// One line for each finding, what belongs together below it. Where a value comes from is said once.
fn list(findings: &[Finding], above: &Above<'_>, path: &[&str], origins: &Origins, text: &mut String) {
    for finding in findings {
        let mut place = String::new();
        for part in &finding.place {
            place.push('/');
            place.push_str(&escaped(part));
        }
        let _ = write!(
            text,
            "{}- at {}: {}",
            "  ".repeat(above.count),
            words::quote(&place),
            finding.message
        );
        let mut full = path.to_vec();
        full.extend(finding.place.iter().map(String::as_str));
        let is_said = full.is_empty() || above.place == Some(&finding.place);
        match origins.of(&full).filter(|_| !is_said) {
            Some(origin) => {
                let _ = writeln!(text, " (set by {origin})");
            }
            None => text.push('\n'),
        }
        let here = Above {
            count: above.count + 1,
            place: Some(&finding.place),
        };
        list(&finding.within, &here, path, origins, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares with what Helm 4.2.4 says of it, but for the order of its lines.
    fn check(schema: &str, values: &str, said: &[&str]) {
        let values = crate::values::from_json(serde_json::from_str(values).unwrap());
        let ours = check_one(schema.as_bytes(), &values).err().unwrap_or_default();
        let mut ours: Vec<&str> = ours.lines().collect();
        let mut said = said.to_vec();
        ours.sort_unstable();
        said.sort_unstable();
        assert_eq!(ours, said, "{schema}");
    }

    #[test]
    fn a_schema_whose_type_does_not_fit_is_looked_at_no_further() {
        check(
            r#"{"properties": {"a": {"type": "integer", "minimum": 2}, "b": {"const": 1, "minimum": 2},
                "c": {"type": ["string", "object"], "properties": {"x": {"type": "null"}}}}}"#,
            r#"{"a": 1.5, "b": 0, "c": {"x": 1}}"#,
            &[
                "- at '/a': got number, want integer",
                "- at '/b': value must be 1",
                "- at '/c/x': got number, want null",
            ],
        );
    }

    #[test]
    fn several_findings_about_a_value_are_one() {
        check(
            r##"{"properties": {"a": {"minLength": 1000, "pattern": "^x\\d"}, "b": {"allOf": [{"maximum": 1}, {"minimum": 1}]},
                "c": {"$ref": "#/definitions/c", "minProperties": 2}},
                "definitions": {"c": {"required": ["x", "y"], "additionalProperties": false}}}"##,
            r#"{"a": "abc", "b": 12345, "c": {"it's": 1}}"#,
            &[
                "- at '/a': validation failed",
                "  - at '/a': minLength: got 3, want 1,000",
                "  - at '/a': value does not match pattern '^x\\\\d'",
                "- at '/b': 'allOf' failed",
                "  - at '/b': maximum: got 12,345, want 1",
                "- at '/c': validation failed",
                "  - at '/c': validation failed",
                "    - at '/c': missing properties 'x', 'y'",
                "    - at '/c': additional properties 'it\\'s' not allowed",
                "  - at '/c': minProperties: got 1, want 2",
            ],
        );
        // At the top they stand by themselves.
        check(
            r#"{"properties": {"a": {"minLength": 4, "pattern": "^x"}}}"#,
            r#"{"a": "abc"}"#,
            &[
                "- at '/a': minLength: got 3, want 4",
                "- at '/a': value does not match pattern '^x'",
            ],
        );
    }

    #[test]
    fn what_a_list_contains_and_what_nobody_has_looked_at_is_said_of_each() {
        check(
            r#"{"properties": {"a": {"prefixItems": [true], "items": {"type": "string"}, "contains": {"type": "null"}},
                "b": {"contains": {"minLength": 2}, "minContains": 2}, "c": {"unevaluatedProperties": {"type": "string"}},
                "d": {"propertyNames": {"maxLength": 0}}, "e": {"dependentRequired": {"x": ["y", "z"]}}}}"#,
            r#"{"a": [1, 2], "b": ["ab", "c"], "c": {"x/y": 1}, "d": {"n": 1}, "e": {"x": 1}}"#,
            &[
                "- at '/a': validation failed",
                // Helm counts from the items that have no schema of their own.
                "  - at '/a/0': got number, want string",
                "  - at '/a': no items match contains schema",
                "    - at '/a/0': got number, want null",
                "    - at '/a/1': got number, want null",
                "- at '/b': min 2 items required to match contains schema, but matched 1 items at 0",
                "  - at '/b/1': minLength: got 1, want 2",
                "- at '/c/x~1y': got number, want string",
                "- at '': invalid propertyName 'n'",
                "  - at '': maxLength: got 1, want 0",
                "- at '/e': properties 'y', 'z' required, if 'x' exists",
            ],
        );
    }

    #[test]
    fn a_float_that_is_whole_is_an_integer_in_each_draft() {
        for draft in ["draft-04", "draft-07"] {
            let schema = format!(
                r#"{{"$schema": "http://json-schema.org/{draft}/schema#", "maxProperties": 1.0,
                    "properties": {{"a": {{"type": "integer"}}}}}}"#
            );
            for whole in ["2", "-2", "1e16", "1e20"] {
                check(&schema, &format!(r#"{{"a": {whole}}}"#), &[]);
            }
            check(&schema, r#"{"a": 2.5}"#, &["- at '/a': got number, want integer"]);
        }
    }
}
