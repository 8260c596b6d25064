//! Normalisation, drift, selectors, masking, and the manifests of Flux's apply tests.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use weir_apis::inventory::Inventory;
use weir_plan::{
    Change, ChangeKind, Desired, LabelSelector, Marks, Owner, Selector, StageKind, compare,
    mask_secret_changes, mask_secret_pair, normalize, order, stages,
};
use weir_yaml::{Dialect, parse_all, to_json};

use super::{root, rows, text, whole};

fn inner(value: &Value) -> Value {
    value.get("Object").cloned().unwrap_or(Value::Null)
}

/// Flux decodes into Go types and encodes again, which writes zero values. We write nothing that was not
/// there, so zero values are taken off both sides.
fn without_zeros(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, v)| (key.clone(), without_zeros(v)))
            .filter(|(_, v)| {
                !matches!(v, Value::Null) && *v != json!({}) && *v != json!("") && *v != json!(0)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(list) => list.iter().map(without_zeros).collect(),
        other => other.clone(),
    }
}

#[test]
fn manifests_are_normalised_as_by_flux_but_for_zero_values() {
    for (name, row) in rows("flux-normalize.json", "TestNormalizeUnstructured") {
        let mut object = whole(inner(&row["object"]));
        normalize(&mut object);
        assert_eq!(
            without_zeros(&object.into_value()),
            without_zeros(&inner(&row["want"])),
            "{name}"
        );
    }
}

/// These tables decode built-in kinds into Go types. We do not; what must hold is that their objects are not
/// changed.
#[test]
fn manifests_with_nothing_to_normalise_stay_as_they_are() {
    for table in ["TestFromUnstructured", "TestFromUnstructuredWithScheme"] {
        for (name, row) in rows("flux-normalize.json", table) {
            let mut object = whole(inner(&row["object"]));
            normalize(&mut object);
            assert_eq!(object.into_value(), inner(&row["object"]), "{table} {name}");
        }
    }
}

fn change(value: &Value) -> Change {
    let (old, new) = (value.get("OldValue").cloned(), value.get("Value").cloned());
    Change {
        path: text(value, "Path").into(),
        kind: match (old, new) {
            (Some(old), Some(value)) => ChangeKind::Replace { old, value },
            (Some(old), None) => ChangeKind::Remove { old },
            (None, value) => ChangeKind::Add {
                value: value.unwrap_or_default(),
            },
        },
    }
}

fn changes(value: &Value) -> Vec<Change> {
    let list = value.get("_positional").and_then(Value::as_array);
    list.into_iter().flatten().map(change).collect()
}

/// The library behind these tables leaves removed labels and annotations out. The apply path, which is ours,
/// counts them as drift (`HasDrifted`).
#[test]
fn differences_are_those_flux_finds() {
    for table in ["Test_diffUnstructuredMetadata", "Test_diffUnstructured"] {
        for (name, row) in rows("flux-jsondiff.json", table) {
            let (x, y) = (whole(inner(&row["x"])), whole(inner(&row["y"])));
            let mut found = compare(&x, &y);
            found.retain(|c| !(c.path.starts_with("/metadata/") && c.kind.op() == "remove"));
            found.sort_by(|a, b| a.path.cmp(&b.path));
            let wanted = changes(&row["want"]);
            assert!(found == wanted, "{table} {name}: {found:?}");
        }
    }
}

#[test]
fn what_is_compared_of_metadata_is_labels_and_annotations() {
    for (name, row) in rows("flux-jsondiff.json", "Test_copyAnnotationsAndLabels") {
        let (whole_object, copy) = (whole(inner(&row["u"])), whole(inner(&row["want"])));
        let found = compare(&whole_object, &copy);
        assert!(
            !found.iter().any(|c| c.path.starts_with("/metadata")),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn secret_values_in_changes_are_masked_as_by_flux() {
    for (name, row) in rows("flux-jsondiff.json", "TestMaskSecretPatchData") {
        let mut found = changes(&row["patch"]);
        mask_secret_changes(&mut found);
        assert!(found == changes(&row["want"]), "{name}");
    }
}

#[test]
fn secret_pairs_are_masked_as_by_flux() {
    for (name, row) in rows("flux-ssa.json", "TestSanitizeUnstructuredData") {
        let side = |of: &str, which: &str| {
            let value = &row[of][which];
            (!value.is_null()).then(|| whole(inner(value)))
        };
        let (mut old, mut new) = (side("input", "old"), side("input", "new"));
        mask_secret_pair(old.as_mut(), new.as_mut());
        assert_eq!(old, side("want", "old"), "{name}");
        assert_eq!(new, side("want", "new"), "{name}");
    }
}

fn selector(value: &Value) -> Option<Selector> {
    let field = |name| text(value, name).to_owned();
    value.is_object().then(|| Selector {
        group: field("Group"),
        version: field("Version"),
        kind: field("Kind"),
        name: field("Name"),
        namespace: field("Namespace"),
        annotation_selector: field("AnnotationSelector"),
        label_selector: field("LabelSelector"),
    })
}

#[test]
fn selectors_match_what_flux_matches() {
    let mut run = 0;
    for table in [
        "TestSelectorRegex_MatchUnstructured",
        "TestSelectorRegex_MatchGVK",
        "TestSelectorRegex_MatchName",
        "TestSelectorRegex_MatchNamespace",
        "TestSelectorRegex_MatchAnnotationSelector",
        "TestSelectorRegex_MatchLabelSelector",
    ] {
        for (name, row) in rows("flux-jsondiff.json", table) {
            let object = match row.get("u") {
                Some(u) => whole(inner(u)),
                None => whole(json!({
                    "apiVersion": format!("{}/{}", text(&row, "group"), text(&row, "version")),
                    "kind": text(&row, "kind"),
                    "metadata": {
                        "name": text(&row, "n"), "namespace": text(&row, "ns"),
                        "labels": row.get("labels").cloned().unwrap_or(json!({})),
                        "annotations": row.get("annotations").cloned().unwrap_or(json!({})),
                    },
                })),
            };
            let matches = selector(&row["selector"]).is_none_or(|s| s.compile().unwrap().matches(&object));
            assert_eq!(Value::from(matches), row["want"], "{table} {name}");
            run += 1;
        }
    }
    assert!(run == 0 || run >= 36, "only {run} rows");
    assert!(LabelSelector::parse("a in (b").is_err());
}

/// Each file of Flux's apply tests goes through the whole path: the stages come in order, every object comes
/// in one of them, and its inventory reads back what went in.
#[test]
fn manifests_of_apply_tests_are_staged_and_listed() {
    let Some(root) = root("flux/ssa") else { return };
    let marks = Marks::of(Owner::kustomization("flux-system", "apps"));
    for entry in std::fs::read_dir(root.join("flux/ssa")).unwrap() {
        let path = entry.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap().replace("%[1]s", "test");
        let desired: Vec<Desired> = parse_all(&source)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .iter()
            .filter_map(|document| Some(to_json(document.root.as_ref()?, Dialect::Sigs).unwrap()))
            .filter(Value::is_object)
            .map(|value| Desired::new(crate::object(value), &marks))
            .collect();
        let count = desired.len();
        let stages = stages(desired, &BTreeSet::new());
        assert!(stages.is_sorted_by_key(|s| s.kind), "{}", path.display());
        let all: Vec<_> = stages.iter().flat_map(|s| &s.desired).collect();
        assert_eq!(all.len(), count);
        for stage in &stages {
            let sorted = stage
                .desired
                .is_sorted_by(|a, b| order(a.reference(), b.reference()).is_le());
            assert!(sorted, "{}", path.display());
            for desired in &stage.desired {
                let kind = desired.reference().gvk.kind.as_str();
                let definition = matches!(kind, "CustomResourceDefinition" | "Namespace" | "ClusterRole");
                assert_eq!(stage.kind == StageKind::Definitions, definition, "{kind}");
                assert!(compare(desired.object(), desired.object()).is_empty());
                assert!(marks.owner.owns(desired.object()));
                let mut again = desired.object().clone();
                normalize(&mut again);
                assert_eq!(&again, desired.object());
            }
        }
        let inventory = Inventory::of(all.iter().map(|d| d.reference()));
        for (entry, desired) in inventory.entries.iter().zip(all) {
            assert_eq!(&entry.reference().unwrap(), desired.reference());
        }
    }
}
