//! kyaml's own table of merges.
//!
//! `kyaml-merge3` has no runner here: no build merges three ways. In kustomize's repository, read after v5.8.1, `kyaml/yaml/merge3` is imported by
//! `kyaml/kio/filters/merge3.go` alone, whose filter nothing in `api`, `kustomize` or `cmd/config` uses.

use serde_json::Value;
use weir_kustomize::{Growth, merge_with};
use weir_yaml::{Dialect, Node, emit, parse_one, to_json};

use crate::support::shared;
use weir_conformance::judge;

#[test]
fn merges_are_those_of_kyaml() {
    let Some(root) = shared("WEIR_CONFORMANCE", "conformance") else {
        return;
    };
    let text = std::fs::read_to_string(root.join("tables/kyaml-merge2.json")).unwrap();
    let tables: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut outcomes = Vec::new();
    let mut other_text = 0;
    for table in tables {
        let name = table["table"].as_str().unwrap();
        if !name.ends_with("TestCases") {
            continue;
        }
        for (number, row) in table["rows"].as_array().unwrap().iter().enumerate() {
            let id = format!("{name}/{number}: {}", row["description"].as_str().unwrap());
            outcomes.push((id, check(row, &mut other_text)));
        }
    }
    eprintln!("kyaml-merge2: {other_text} of those met are printed with other comments or order");
    judge("kyaml-merge2", outcomes);
}

fn check(row: &Value, other_text: &mut usize) -> Result<(), String> {
    let read = |key: &str| parse_one(row[key].as_str().unwrap()).map_err(|e| e.to_string());
    let growth = match row["mergeOptions"]["ListIncreaseDirection"]["$const"].as_str() {
        Some("yaml.MergeOptionsListPrepend") => Growth::Prepend,
        _ => Growth::Append,
    };
    let merged = merge_with(read("source")?, read("dest")?, growth, row["infer"] == true)
        .map_err(|error| error.chain())?;
    let expected = row["expected"].as_str().unwrap();
    let printed = merged.as_ref().map(emit::kyaml).unwrap_or_default();
    if printed.trim() == expected.trim() {
        return Ok(());
    }
    let value = |node: &Node| to_json(node, Dialect::Kyaml).map_err(|e| e.to_string());
    let ours = merged.as_ref().map_or(Ok(Value::Null), value)?;
    if formatted(ours) == formatted(value(&read("expected")?)?) {
        *other_text += 1;
        return Ok(());
    }
    Err(format!("{printed}\ninstead of\n{expected}"))
}

/// kyaml's test formats both sides first, which orders lists of named items.
fn formatted(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(formatted).collect();
            if items.iter().all(|item| item["name"].is_string()) {
                items.sort_by_key(|item| item["name"].to_string());
            }
            Value::Array(items)
        }
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, formatted(value)))
            .collect(),
        other => other,
    }
}
