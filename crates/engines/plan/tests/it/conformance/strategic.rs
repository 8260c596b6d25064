//! Strategic merge patches: the table of apimachinery's own tests.

use serde_json::{Map, Value, json};
use weir_plan::strategic::{PatchError, apply, three_way, two_way};
use weir_schema::{Schemas, TypeInfo};
use weir_yaml::{Dialect, parse_one, to_json};

use super::rows;

/// The type that upstream's tests are about.
fn schemas() -> Schemas {
    let item = json!({"$ref": "Item"});
    let list = |strategy: &str, key: &str| json!({"type": "array", "items": item, "x-kubernetes-patch-strategy": strategy, "x-kubernetes-patch-merge-key": key});
    let text = json!({"type": "string"});
    let ints = json!({"type": "array", "items": {"type": "integer"}});
    let merged_ints =
        json!({"type": "array", "items": {"type": "integer"}, "x-kubernetes-patch-strategy": "merge"});
    let simple = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let plain = json!({"type": "array", "items": item});
    let types = json!({"groups": [], "types": {
        "Item": {"type": "object", "properties": {
            "name": text, "value": text, "other": text,
            "mergingList": list("merge", "name"),
            "nonMergingList": plain,
            "mergingIntList": merged_ints,
            "nonMergingIntList": ints,
            "mergeItemPtr": {"$ref": "Item", "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name"},
            "simpleMap": simple,
            "replacingItem": {"type": "object", "x-kubernetes-patch-strategy": "replace"},
            "retainKeysMap": {"$ref": "Retaining", "x-kubernetes-patch-strategy": "retainKeys"},
            "retainKeysMergingList": list("merge,retainKeys", "name"),
        }},
        "Retaining": {"type": "object", "properties": {
            "name": text, "value": text, "other": text,
            "simpleMap": simple,
            "mergingIntList": merged_ints,
            "mergingList": list("merge", "name"),
            "nonMergingList": plain,
        }},
        "Precise": {"type": "object", "properties": {
            "name": text, "int32": {"type": "integer"}, "int64": {"type": "integer"},
            "float32": {"type": "number"}, "float64": {"type": "number"},
        }},
    }});
    Schemas::read(&types.to_string()).unwrap()
}

fn document(row: &Value, field: &str) -> Option<Map<String, Value>> {
    let text = row.get(field)?.as_str()?;
    let value = parse_one(text)
        .map(|node| to_json(&node, Dialect::Sigs).unwrap())
        .unwrap();
    Some(value.as_object().cloned().unwrap_or_default())
}

/// The raw tables: documents as YAML.
fn raw(table: &str, ty: TypeInfo<'_>, failures: &mut Vec<String>) -> usize {
    let rows = rows("strategicpatch.json", table);
    for (_, row) in &rows {
        let name = row["Description"].as_str().unwrap_or_default();
        let data = &row["StrategicMergePatchRawTestCaseData"];
        let get = |field: &str| document(data, field);
        let mut check = |what: &str,
                         got: Result<Map<String, Value>, PatchError>,
                         wanted: &Map<String, Value>| {
            match got {
                Ok(got) if got == *wanted => Some(got),
                Ok(got) => {
                    failures.push(format!(
                        "{name}: {what}\n  want {}\n  got  {}",
                        json!(wanted),
                        json!(got)
                    ));
                    None
                }
                Err(error) => {
                    failures.push(format!("{name}: {what}: {error}"));
                    None
                }
            }
        };
        let original = get("Original").unwrap_or_default();
        let error = data["ExpectedError"].as_str().unwrap_or_default();
        if table == "customStrategicMergePatchRawTestCases" {
            let result = apply(original, get("TwoWay").unwrap_or_default(), ty);
            if error.is_empty() {
                check(
                    "applied",
                    result,
                    &get("TwoWayResult")
                        .or_else(|| get("Modified"))
                        .unwrap_or_default(),
                );
            } else if result.is_ok() {
                failures.push(format!("{name}: no error, wanted {error}"));
            }
            continue;
        }
        let modified = get("Modified").unwrap_or_default();
        if let Some(wanted) = get("TwoWay")
            && let Some(patch) = check("two-way patch", two_way(&original, &modified, ty), &wanted)
        {
            let result = get("TwoWayResult").unwrap_or_else(|| modified.clone());
            check("two-way result", apply(original.clone(), patch, ty), &result);
        }
        if let (Some(current), Some(wanted), Some(result)) = (get("Current"), get("ThreeWay"), get("Result"))
            && let Some(patch) = check(
                "three-way patch",
                three_way(&original, &modified, &current, ty),
                &wanted,
            )
        {
            check("three-way result", apply(current, patch, ty), &result);
        }
    }
    rows.len()
}

#[test]
fn upstream_patches_are_made_and_applied() {
    let schemas = schemas();
    let ty = schemas.type_named("Item").unwrap();
    let mut failures = Vec::new();
    let mut count = 0;
    for table in [
        "customStrategicMergePatchRawTestCases",
        "strategicMergePatchRawTestCases",
        "replaceRawExtensionPatchTestCases",
    ] {
        count += raw(table, ty, &mut failures);
    }
    assert_eq!(failures, Vec::<String>::new(), "{} of {count}", failures.len());
}

fn parsed(row: &Value, field: &str) -> Option<Map<String, Value>> {
    let text = row.get(field)?.as_str().filter(|text| !text.is_empty())?;
    Some(serde_json::from_str(text).unwrap())
}

#[test]
fn numbers_are_kept() {
    let schemas = schemas();
    let ty = schemas.type_named("Precise").unwrap();
    for (name, row) in rows("strategicpatch.json", "TestNumberConversion") {
        let get = |field: &str| parsed(&row, field).unwrap();
        let patch = two_way(&get("Old"), &get("New"), ty).unwrap();
        assert_eq!(patch, get("ExpectedPatch"), "{name}");
        assert_eq!(
            apply(get("Old"), patch, ty).unwrap(),
            get("ExpectedResult"),
            "{name}"
        );
    }
}

#[test]
fn unknown_fields_are_errors_only_where_they_change() {
    let schemas = schemas();
    let ty = schemas.type_named("Item").unwrap();
    for (name, row) in rows("strategicpatch.json", "TestUnknownField") {
        let get = |field: &str| parsed(&row, field);
        let (original, modified, current) = (
            get("Original").unwrap(),
            get("Modified").unwrap(),
            get("Current").unwrap(),
        );
        let ways = [
            ("TwoWay", two_way(&original, &modified, ty), &original),
            (
                "ThreeWay",
                three_way(&original, &modified, &current, ty),
                &current,
            ),
        ];
        for (way, patch, live) in ways {
            let error = row[format!("Expected{way}Err")].as_str().unwrap_or_default();
            match patch {
                Ok(patch) => {
                    assert_eq!(error, "", "{name}: {way}");
                    assert_eq!(
                        Some(&patch),
                        get(&format!("Expected{way}")).as_ref(),
                        "{name}: {way}"
                    );
                    let result = apply(live.clone(), patch, ty).unwrap();
                    assert_eq!(
                        Some(result),
                        get(&format!("Expected{way}Result")),
                        "{name}: {way}"
                    );
                }
                Err(found) => assert!(
                    !error.is_empty() && found.to_string().contains(error),
                    "{name}: {way}: {found}"
                ),
            }
        }
    }
}
