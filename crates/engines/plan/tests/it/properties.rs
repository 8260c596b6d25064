//! What holds for every input.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use weir_apis::inventory::Inventory;
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_plan::{
    Desired, Expr, Fingerprint, Guard, Marks, Owner, PrunePlan, compare, diff, mask_secret_pair, normalize,
    order, readiness, stages,
};
use weir_redact::Mask;

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z/~]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(field(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Names that the code looks for, and others.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "name",
            "ports",
            "protocol",
            "containers",
            "template",
            "spec",
            "labels",
            "annotations",
            "data",
            "stringData",
            "conditions",
            "type",
            "status",
            "replicas",
            "conversion",
            "webhook",
            "clientConfig",
            "caBundle",
            "managedFields",
            "manager",
            "operation",
            "fieldsV1",
        ])
        .prop_map(str::to_owned),
        "[a-z~/.]{1,4}",
    ]
}

fn kind() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop::sample::select(vec![
        ("v1", "Secret"),
        ("v1", "Service"),
        ("v1", "Pod"),
        ("v1", "Namespace"),
        ("v1", "ConfigMap"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("storage.k8s.io/v1", "StorageClass"),
        (
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
        ),
        ("x.io/v1", "Thing"),
    ])
}

fn any_object() -> impl Strategy<Value = Object> {
    (
        kind(),
        "[a-c]{1,2}",
        "[a-c]{0,1}",
        prop::collection::btree_map(field(), json(), 0..4),
        prop::collection::btree_map(field(), json(), 0..3),
    )
        .prop_map(|((api_version, kind), name, namespace, body, meta)| {
            let mut map: Map<String, Value> = body.into_iter().collect();
            let mut metadata: Map<String, Value> = meta.into_iter().collect();
            metadata.insert("name".into(), name.into());
            metadata.insert("namespace".into(), namespace.into());
            map.insert("apiVersion".into(), api_version.into());
            map.insert("kind".into(), kind.into());
            map.insert("metadata".into(), Value::Object(metadata));
            crate::object(Value::Object(map))
        })
}

fn marks() -> Marks {
    Marks::of(Owner::kustomization("flux-system", "apps"))
}

fn any_reference() -> impl Strategy<Value = ObjectRef> {
    (kind(), "[a-c]{0,2}", "[a-z]([a-z:.-]{0,6}[a-z])?").prop_map(|((api_version, kind), namespace, name)| {
        ObjectRef::new(
            GroupVersionKind::from_api_version(api_version, kind),
            namespace,
            name,
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, rng_seed: proptest::test_runner::RngSeed::Fixed(42), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn normalising_twice_is_normalising_once(object in any_object()) {
        let mut once = object;
        normalize(&mut once);
        let mut twice = once.clone();
        normalize(&mut twice);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn an_object_does_not_differ_from_itself(object in any_object()) {
        prop_assert!(compare(&object, &object).is_empty());
        prop_assert_eq!(diff(Some(&object), Some(&object), &Mask::default()), None);
    }

    #[test]
    fn changes_are_empty_only_for_equal_bodies(a in any_object(), b in any_object()) {
        let body = |o: &Object| {
            let mut map = o.as_map().clone();
            map.remove("metadata");
            map.remove("status");
            map
        };
        if body(&a) != body(&b) {
            prop_assert!(!compare(&a, &b).is_empty());
        }
    }

    #[test]
    fn the_order_is_total(a in any_reference(), b in any_reference(), c in any_reference()) {
        prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
        prop_assert_eq!(order(&a, &b).is_eq(), a == b);
        if order(&a, &b).is_le() && order(&b, &c).is_le() {
            prop_assert!(order(&a, &c).is_le());
        }
    }

    #[test]
    fn staging_keeps_every_object_and_is_the_same_whatever_the_order(
        objects in prop::collection::vec(any_object(), 0..12)
    ) {
        let desired: Vec<Desired> = objects.into_iter().map(|o| Desired::new(o, &marks())).collect();
        let mut reversed = desired.clone();
        reversed.reverse();
        let references = |set: Vec<Desired>| -> Vec<ObjectRef> {
            stages(set, &BTreeSet::new())
                .iter()
                .flat_map(|s| s.desired.iter().map(|d| d.reference().clone()))
                .collect()
        };
        let count = desired.len();
        let (one, other) = (references(desired), references(reversed));
        prop_assert_eq!(one.len(), count);
        prop_assert_eq!(one, other);
    }

    #[test]
    fn inventories_read_back_what_they_list(objects in prop::collection::vec(any_reference(), 0..10)) {
        let inventory = Inventory::of(&objects);
        let plan = PrunePlan::everything(&inventory);
        prop_assert_eq!(plan.unreadable().count(), 0);
        let (mut wanted, found) = (objects.clone(), plan.objects().to_vec());
        wanted.sort_by(|a, b| order(b, a));
        prop_assert_eq!(found, wanted);
        prop_assert!(PrunePlan::new(&inventory, &inventory, Guard::default()).unwrap().is_empty());
    }

    #[test]
    fn fingerprints_tell_objects_apart(a in any_object(), b in any_object()) {
        prop_assert_eq!(Fingerprint::of(&a) == Fingerprint::of(&b), a == b);
    }

    #[test]
    fn readiness_never_panics(object in any_object()) {
        let _judged = readiness(&object, crate::now());
    }

    #[test]
    fn n56_secret_values_never_appear_in_a_diff(
        old in prop::collection::btree_map("[a-c]", "[ -~\n]{6,40}", 0..4),
        new in prop::collection::btree_map("[a-c]", "[ -~\n]{6,40}", 0..4),
        plain in any::<bool>(),
    ) {
        let secret = |values: &std::collections::BTreeMap<String, String>| {
            let field = if plain { "stringData" } else { "data" };
            let mut object = crate::object(json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "annotations": {"copy": values.values().cloned().collect::<String>()}},
                (field): values,
            }));
            if !plain {
                let mut encoded = crate::object(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}, "stringData": values}));
                normalize(&mut encoded);
                let data = encoded.as_map().get("data").cloned().unwrap_or_default();
                object.as_map_mut().insert("data".into(), data);
            }
            object
        };
        let (a, b) = (secret(&old), secret(&new));
        let mut shown = String::new();
        for pair in [(Some(&a), Some(&b)), (None, Some(&b)), (Some(&a), None)] {
            shown.push_str(&diff(pair.0, pair.1, &Mask::default()).unwrap_or_default());
        }
        for value in old.values().chain(new.values()) {
            let word = value.trim();
            // A value made of what a diff shows anyway is no find.
            if word.len() >= 6 && !"*** (before) *** (after)".contains(word) {
                prop_assert!(!shown.contains(word), "{word:?} in {shown}");
            }
        }
        let (mut c, mut d) = (a, b);
        mask_secret_pair(Some(&mut c), Some(&mut d));
        for field in ["data", "stringData"] {
            for object in [&c, &d] {
                let values = object.get(&[field]).and_then(Value::as_object);
                for value in values.into_iter().flat_map(Map::values) {
                    prop_assert!(value.as_str().unwrap().starts_with("***"));
                }
            }
        }
    }

    #[test]
    fn expressions_never_panic(source in "[a-z0-9.()\\[\\]{}'\"?:&|!<>=+*/%, -]{0,60}") {
        if let Ok(expr) = Expr::parse(&source) {
            let data = json!({"a": 1, "b": [1, "x"], "c": {"d": null}});
            let _result = expr.evaluate_bool(data.as_object().unwrap());
        }
    }
}
