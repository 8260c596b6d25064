//! The JSON patch suite of its own project, as far as the Go library under kustomize follows it.

use serde_json::Value;
use weir_kustomize::json_patch;

use crate::support::shared;
use weir_conformance::judge;

#[test]
fn json_patches_are_applied_or_listed() {
    let Some(root) = shared("WEIR_CONFORMANCE", "conformance") else {
        return;
    };
    let mut outcomes = Vec::new();
    for file in ["spec_tests", "tests"] {
        let text = std::fs::read_to_string(root.join(format!("json-patch/{file}.json"))).unwrap();
        let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
        for (number, case) in cases.iter().enumerate() {
            // Disabled ones, and remarks between the cases.
            if case["disabled"] == true || case.get("patch").is_none() {
                continue;
            }
            let comment = case["comment"].as_str().unwrap_or_default();
            outcomes.push((format!("{file}/{number}: {comment}"), check(case)));
        }
    }
    judge("json-patch", outcomes);
}

fn check(case: &Value) -> Result<(), String> {
    let mut document = case["doc"].clone();
    let applied = json_patch(&case["patch"].to_string(), &mut document);
    match (applied, case.get("expected")) {
        (Err(_), None) => Ok(()),
        (Err(error), Some(_)) => Err(format!("failed: {}", error.chain())),
        // A patch of tests only has nothing to expect but success.
        (Ok(()), None) if case.get("error").is_none() => Ok(()),
        (Ok(()), None) => Err(format!("must fail, but made {document}")),
        (Ok(()), Some(expected)) if *expected == document => Ok(()),
        (Ok(()), Some(expected)) => Err(format!("{document} instead of {expected}")),
    }
}
