//! Upstream's test table and test files.

use std::path::PathBuf;

use serde_json::Value;
use weir_subst::{Mode, Variables, substitute};

fn conformance(path: &str) -> Option<String> {
    let root = std::env::var_os("WEIR_CONFORMANCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/conformance"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(root.join(path)).ok();
    if text.is_none() {
        println!("not run: no conformance data {path}");
    }
    text
}

fn variables(row: &Value) -> Variables {
    let mut variables = Variables::default();
    for (name, value) in row["params"].as_object().unwrap() {
        variables.set(name, value.as_str().unwrap()).unwrap();
    }
    variables
}

#[test]
fn every_row_of_upstreams_table_holds() {
    let Some(text) = conformance("tables/envsubst.json") else {
        return;
    };
    let tables: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut rows = 0;
    for table in &tables {
        let mode = if table["table"] == "TestExpandStrict" {
            Mode::Strict
        } else {
            Mode::Lenient
        };
        for row in table["rows"].as_array().unwrap() {
            rows += 1;
            match (
                substitute(row["input"].as_str().unwrap(), &variables(row), mode),
                row["wantErr"]["$error"].as_str(),
            ) {
                (Ok(output), None) => assert_eq!(Some(output.as_str()), row["output"].as_str(), "{row}"),
                (Err(error), Some(message)) => {
                    assert!(error.to_string().starts_with(message), "{error}: {row}");
                }
                (found, _) => panic!("{found:?}: {row}"),
            }
        }
    }
    println!("envsubst.json: {rows} rows hold");
}

#[test]
fn upstreams_file_gives_upstreams_result() {
    let (Some(input), Some(expected)) = (
        conformance("flux/envsubst/file.yaml"),
        conformance("flux/envsubst/file.gold"),
    ) else {
        return;
    };
    let mut variables = Variables::default();
    variables.set("REPO_NAME", "test").unwrap();
    assert_eq!(substitute(&input, &variables, Mode::Strict).unwrap(), expected);
}
