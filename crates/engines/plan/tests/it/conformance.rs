//! Flux's and kstatus' own test tables, read in place.

mod cel;
mod ssa;
mod status;
mod strategic;

use std::path::PathBuf;

use serde_json::{Map, Value};
use weir_apis::Object;
use weir_yaml::{Dialect, Duplicates, ParseOptions, parse_all_with, to_json};

/// The conformance data, if it is there.
fn root(what: &str) -> Option<PathBuf> {
    let root = std::env::var_os("WEIR_CONFORMANCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/conformance"),
        PathBuf::from,
    );
    if root.is_dir() {
        return Some(root);
    }
    eprintln_absent(what);
    None
}

#[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
fn eprintln_absent(what: &str) {
    eprintln!("conformance data is absent: {what} was not run");
}

/// The rows of one table of a file, `$key`ed rows unwrapped.
fn rows(file: &str, table: &str) -> Vec<(String, Value)> {
    let Some(root) = root(&format!("{file} {table}")) else {
        return Vec::new();
    };
    let text = std::fs::read_to_string(root.join("tables").join(file)).unwrap();
    let tables: Vec<Value> = serde_json::from_str(&text).unwrap();
    let found = tables.iter().find(|t| t["table"] == table);
    let rows = found.unwrap_or_else(|| panic!("{file} has no {table}"))["rows"]
        .as_array()
        .unwrap();
    rows.iter()
        .map(|row| {
            if let Some(key) = row.get("$key") {
                (key.as_str().unwrap().to_owned(), row["$row"].clone())
            } else {
                let name = row["name"].as_str().unwrap_or_default();
                (name.to_owned(), row.clone())
            }
        })
        .collect()
}

/// A YAML manifest as an object.
fn manifest(text: &str) -> Object {
    // Some tables repeat a key; the last one counts there.
    let options = ParseOptions {
        duplicates: Duplicates::Keep,
        ..ParseOptions::default()
    };
    let documents = parse_all_with(text, options).unwrap();
    let node = documents[0].root.as_ref().unwrap();
    whole(to_json(node, Dialect::Sigs).unwrap())
}

/// An object of a table; what the table left out because its test did not look at it is filled in.
fn whole(value: Value) -> Object {
    let mut map = match value {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    for field in ["apiVersion", "kind"] {
        let value = map.entry(field).or_insert_with(|| "absent".into());
        if value == "" {
            *value = "absent".into();
        }
    }
    Object::from_value(Value::Object(map)).unwrap()
}

/// A field of a row that holds text, empty where it is absent.
fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row.get(field).and_then(Value::as_str).unwrap_or_default()
}
