//! Drift that is left alone, and drift as people read it.

use serde_json::{Value, json};
use weir_apis::Object;
use weir_plan::{
    Action, Desired, DryRun, IgnoreRule, IgnoreRules, Marks, Observed, Options, Owner, Selector, StageKind,
    StagePlan, Takeover, diff,
};
use weir_redact::Mask;

use crate::object;

fn deployment(replicas: Value, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "apps"},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [
            {"name": "web", "image": image, "resources": {"requests": {"cpu": "1"}}},
        ]}}},
    })
}

fn stored(value: Value, managed: Value) -> Object {
    let mut object = Desired::new(object(value), &marks()).into_object();
    let metadata = object.metadata_mut();
    metadata.insert("uid".into(), "u".into());
    metadata.insert("resourceVersion".into(), "1".into());
    metadata.insert("managedFields".into(), managed);
    object
}

fn marks() -> Marks {
    Marks::of(Owner::kustomization("flux-system", "apps"))
}

fn apply(live: Object, manifest: Value, paths: &[&str]) -> Action {
    let rule = IgnoreRule {
        paths: paths.iter().map(|p| (*p).to_owned()).collect(),
        target: Some(Selector {
            kind: "Deploy.*".into(),
            ..Selector::default()
        }),
    };
    let options = Options {
        force: false,
        takeover: Takeover::kustomize(&[]),
        ignore: IgnoreRules::compile(&[rule]).unwrap(),
    };
    let answer = stored(manifest.clone(), json!([]));
    let desired = Desired::new(object(manifest), &marks());
    let observed = Observed {
        live: Some(live),
        dry_run: DryRun::Applied(answer),
    };
    let plan = StagePlan::new(StageKind::Rest, vec![(desired, observed)], &options).unwrap();
    plan.into_steps().remove(0).into_action()
}

fn body(action: Action) -> Object {
    match action {
        Action::Apply { body, .. } => body,
        other => panic!("expected an apply, got {other:?}"),
    }
}

const REPLICAS: [&str; 2] = ["spec", "replicas"];

#[test]
fn ignored_drift_alone_writes_nothing() {
    let live = stored(deployment(json!(5), "nginx:1"), json!([]));
    let action = apply(live, deployment(json!(1), "nginx:1"), &["/spec/replicas"]);
    assert_eq!(action, Action::Unchanged);
}

#[test]
fn an_ignored_field_keeps_its_live_value_when_something_else_changes() {
    let live = stored(deployment(json!(5), "nginx:1"), json!([]));
    let body = body(apply(live, deployment(json!(1), "nginx:2"), &["/spec/replicas"]));
    assert_eq!(body.get(&REPLICAS), Some(&json!(5)));
}

#[test]
fn an_ignored_field_that_another_manager_applies_is_left_out() {
    let managed = json!([{
        "manager": "autoscaler", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}},
    }]);
    let live = stored(deployment(json!(5), "nginx:1"), managed);
    let body = body(apply(live, deployment(json!(1), "nginx:2"), &["/spec/replicas"]));
    assert_eq!(body.get(&REPLICAS), None);
}

#[test]
fn items_of_lists_are_found_by_the_key_that_managers_wrote_down() {
    let path = "/spec/template/spec/containers/0/resources/requests/cpu";
    let managed = json!([{
        "manager": "vpa", "operation": "Apply", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {
            "k:{\"name\":\"web\"}": {"f:resources": {"f:requests": {"f:cpu": {}}}},
        }}}}},
    }]);
    let mut raised = deployment(json!(1), "nginx:1");
    *raised.pointer_mut(path).unwrap() = json!("2");
    let live = stored(raised.clone(), managed);
    let changed = body(apply(live, deployment(json!(1), "nginx:2"), &[path])).into_value();
    assert_eq!(changed.pointer(path), None);

    let live = stored(raised, json!([]));
    let changed = body(apply(live, deployment(json!(1), "nginx:2"), &[path])).into_value();
    assert_eq!(changed.pointer(path), Some(&json!("2")));
}

#[test]
fn rules_that_can_not_be_used_are_refused() {
    for path in ["", "spec/replicas"] {
        let rule = IgnoreRule {
            paths: vec![path.into()],
            target: None,
        };
        assert!(IgnoreRules::compile(&[rule]).is_err(), "{path:?}");
    }
}

#[test]
fn n16_patterns_that_would_grow_without_bound_are_refused() {
    for name in ["(", "(((a{1,100}){1,100}){1,100}){1,100}", "a{1000000000}"] {
        let target = Selector {
            name: name.into(),
            ..Selector::default()
        };
        assert!(target.compile().is_err(), "{name}");
    }
}

#[test]
fn a_diff_shows_paths_and_values() {
    let (old, new) = (
        object(deployment(json!(1), "nginx:1")),
        object(deployment(json!(3), "nginx:2")),
    );
    assert_eq!(
        diff(Some(&old), Some(&new), &Mask::default()).unwrap(),
        "spec.replicas\n  - 1\n  + 3\nspec.template.spec.containers[web].image\n  - nginx:1\n  + nginx:2\n"
    );
    assert_eq!(diff(Some(&old), Some(&old), &Mask::default()), None);
    assert!(
        diff(None, Some(&new), &Mask::default())
            .unwrap()
            .starts_with("+ apiVersion: apps/v1\n")
    );
}

#[test]
fn bookkeeping_is_no_difference_to_read() {
    let old = object(deployment(json!(1), "nginx:1"));
    let mut new = stored(deployment(json!(1), "nginx:1"), json!([]));
    new.metadata_mut().remove("labels");
    new.as_map_mut().insert("status".into(), json!({"replicas": 1}));
    assert_eq!(diff(Some(&old), Some(&new), &Mask::default()), None);
}

#[test]
fn n56_a_diff_of_a_secret_shows_that_values_changed_and_none_of_them() {
    let secret = |word: &str| {
        object(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "s", "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration":
                    format!("{{\"stringData\":{{\"password\":\"{word}\"}}}}"),
            }},
            "stringData": {"password": word, "same": "staple-battery"},
        }))
    };
    let text = diff(
        Some(&secret("correct-horse")),
        Some(&secret("wrong-donkey")),
        &Mask::default(),
    )
    .unwrap();
    assert!(
        text.contains("stringData.password\n  - '*** (before)'\n  + '*** (after)'\n"),
        "{text}"
    );
    for word in ["correct-horse", "wrong-donkey", "staple-battery"] {
        assert!(!text.contains(word), "{text}");
    }
}

#[test]
fn n56_known_values_are_masked_in_other_kinds_too() {
    let mut mask = Mask::default();
    mask.add("correct-horse");
    let pod = |value: &str| {
        object(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"url": value}}),
        )
    };
    let text = diff(
        Some(&pod("http://me:correct-horse@host")),
        Some(&pod("http://me:nothing@host")),
        &mask,
    )
    .unwrap();
    assert!(!text.contains("correct-horse"), "{text}");
    assert!(text.contains("data.url"));
}
