//! sigs.k8s.io/yaml's own table of conversions.

use serde_json::Value;
use weir_yaml::{Dialect, Duplicates, ParseOptions, emit, parse_all_with, to_json};

use crate::support::conformance;
use weir_conformance::judge;

fn convert(text: &str) -> Result<Value, String> {
    let options = ParseOptions {
        duplicates: Duplicates::Keep,
        ..ParseOptions::default()
    };
    let root = parse_all_with(text, options)
        .map_err(|error| error.to_string())?
        .pop()
        .and_then(|document| document.root)
        .ok_or("no document")?;
    to_json(&root, Dialect::Sigs).map_err(|error| error.to_string())
}

#[test]
fn conversions_to_json_and_back_are_those_of_sigs_yaml() {
    let Some(root) = conformance() else {
        return;
    };
    let text = std::fs::read_to_string(root.join("tables/sigs-yaml.json")).unwrap();
    let tables: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut outcomes = Vec::new();
    for table in tables {
        for entry in table["rows"].as_array().unwrap() {
            let row = &entry["$row"];
            match table["table"].as_str().unwrap() {
                "TestYAMLToJSON" => {
                    let id = format!("TestYAMLToJSON/{}", entry["$key"].as_str().unwrap());
                    outcomes.push((id, conversion(row)));
                }
                // The decoding into Go types that follows is not ours; that the text converts is.
                "TestUnmarshal" if row["err"] == 0 => {
                    let id = format!("TestUnmarshal/{}", entry["$key"].as_str().unwrap());
                    let text = row["encoded"].as_str().unwrap();
                    outcomes.push((id, convert(text).map(drop)));
                }
                "TestErrors" => {
                    let id = format!("TestErrors/{}", entry["Name"].as_str().unwrap());
                    let failed = convert(entry["Data"].as_str().unwrap()).is_err();
                    let must = entry["YAMLToJSONPrefix"] != "";
                    let outcome = if failed == must {
                        Ok(())
                    } else {
                        Err(format!("failed: {failed}"))
                    };
                    outcomes.push((id, outcome));
                }
                _ => {}
            }
        }
    }
    judge("sigs-yaml", outcomes);
}

fn conversion(row: &Value) -> Result<(), String> {
    let text = row["yaml"].as_str().unwrap();
    let expected: Value = serde_json::from_str(row["json"].as_str().unwrap()).unwrap();
    let reverse = row["yamlReverseOverwrite"].as_str().unwrap_or(text);
    // A mask of the directions that fail: 2 is from YAML to JSON.
    let must_fail = row["err"].as_u64() == Some(2);
    match convert(text) {
        Ok(_) if must_fail => return Err("converted, but must fail".into()),
        Err(error) if !must_fail => return Err(error),
        Ok(value) if value != expected => {
            return Err(format!("{value} instead of {expected}"));
        }
        _ => {}
    }
    let printed = emit::sigs(&expected);
    if printed == reverse {
        return Ok(());
    }
    Err(format!("{printed:?} instead of {reverse:?}"))
}
