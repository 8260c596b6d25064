//! Taking fields over from earlier managers.

use serde_json::{Value, json};
use weir_apis::Object;
use weir_plan::Takeover;

use crate::object;

fn live(managed: &Value) -> Object {
    object(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "b", "resourceVersion": "9", "managedFields": managed},
    }))
}

fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
    json!({
        "manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1",
        "time": "2026-01-01T00:00:00Z", "fieldsV1": fields,
    })
}

/// The value that the patch puts in the place of managedFields.
fn merged(object: &Object, overrides: &[String]) -> Option<Value> {
    let patch = Takeover::kustomize(overrides).patch(object)?;
    patch
        .operations()
        .as_array()
        .unwrap()
        .iter()
        .find(|op| op["path"] == "/metadata/managedFields")
        .map(|op| op["value"].clone())
}

#[test]
fn a_clean_object_needs_no_patch() {
    let own = entry("kustomize-controller", "Apply", &json!({"f:data": {"f:a": {}}}));
    let other = entry("hpa", "Update", &json!({"f:spec": {}}));
    assert!(
        Takeover::kustomize(&[])
            .patch(&live(&json!([own, other])))
            .is_none()
    );
}

#[test]
fn fields_of_kubectl_and_own_updates_join_our_apply_entry() {
    let object = live(&json!([
        entry(
            "kubectl-client-side-apply",
            "Update",
            &json!({"f:data": {".": {}, "f:b": {}}})
        ),
        entry("kustomize-controller", "Apply", &json!({"f:data": {"f:a": {}}})),
        entry(
            "kustomize-controller",
            "Update",
            &json!({"f:metadata": {"f:labels": {"f:x": {}}}})
        ),
        entry("hpa", "Update", &json!({"f:spec": {}})),
    ]));
    assert_eq!(
        merged(&object, &[]).unwrap(),
        json!([
            entry("hpa", "Update", &json!({"f:spec": {}})),
            entry(
                "kustomize-controller",
                "Apply",
                &json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}, "f:metadata": {"f:labels": {"f:x": {}}}})
            ),
        ])
    );
}

#[test]
fn the_first_match_is_renamed_where_we_have_no_entry_yet() {
    let object = live(&json!([
        entry("before-first-apply", "Update", &json!({"f:data": {"f:a": {}}})),
        entry("kubectl", "Apply", &json!({"f:data": {"f:b": {}}})),
    ]));
    assert_eq!(
        merged(&object, &[]).unwrap(),
        json!([entry(
            "kustomize-controller",
            "Apply",
            &json!({"f:data": {"f:a": {}, "f:b": {}}})
        )])
    );
}

#[test]
fn a_leaf_and_a_branch_of_one_field_keep_both_meanings() {
    let object = live(&json!([
        entry("kustomize-controller", "Apply", &json!({"f:data": {}})),
        entry("kubectl", "Update", &json!({"f:data": {"f:b": {}}})),
    ]));
    let value = merged(&object, &[]).unwrap();
    assert_eq!(value[0]["fieldsV1"], json!({"f:data": {".": {}, "f:b": {}}}));
}

#[test]
fn subresources_and_strangers_are_left_alone_unless_they_are_named() {
    let mut status = entry("kubectl", "Update", &json!({"f:status": {}}));
    status["subresource"] = "status".into();
    let object = live(&json!([
        status,
        entry("rancher", "Apply", &json!({"f:data": {}}))
    ]));
    assert!(merged(&object, &[]).is_none());
    let value = merged(&object, &["rancher".to_owned()]).unwrap();
    assert_eq!(value.as_array().unwrap().len(), 2);
    assert_eq!(value[1]["manager"], "kustomize-controller");
}

#[test]
fn traces_of_earlier_tools_are_removed_under_a_version_lock() {
    let object = object(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {
            "name": "a", "resourceVersion": "9",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "1"},
            "labels": {"fluxcd.io/sync-gc-mark": "x"},
        },
    }));
    assert_eq!(
        Takeover::kustomize(&[]).patch(&object).unwrap().operations(),
        &json!([
            {"op": "remove", "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"},
            {"op": "remove", "path": "/metadata/labels/fluxcd.io~1sync-gc-mark"},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": "9"},
        ])
    );
}

#[test]
fn unreadable_entries_are_never_rewritten() {
    for managed in [
        json!("x"),
        json!([3]),
        json!([{"manager": "kubectl"}, {"operation": "Update"}]),
    ] {
        assert!(
            Takeover::kustomize(&[]).patch(&live(&managed)).is_none(),
            "{managed}"
        );
    }
}
