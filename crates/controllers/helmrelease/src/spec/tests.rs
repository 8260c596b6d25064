use serde_json::{Value, json};
use weir_runtime::Kind;

use super::*;

fn own(fields: Value) -> HelmRelease {
    let mut spec = json!({"interval": "10m", "chartRef": {"kind": "OCIRepository", "name": "podinfo"}});
    for (field, value) in fields.as_object().unwrap() {
        spec[field] = value.clone();
    }
    let spec: serde_json::Map<String, Value> = spec
        .as_object()
        .unwrap()
        .clone()
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .collect();
    serde_json::from_value(json!({"metadata": {"name": "web", "namespace": "apps"}, "spec": spec})).unwrap()
}

fn read(fields: Value) -> Result<Spec, Failure> {
    Spec::read(own(fields), &Settings::default())
}

#[test]
fn names_follow_from_the_spec() {
    for (fields, full, namespace, storage) in [
        (json!({}), "web", "apps", "apps"),
        (json!({"targetNamespace": "prod"}), "prod-web", "prod", "apps"),
        (
            json!({"targetNamespace": "prod", "releaseName": "x"}),
            "x",
            "prod",
            "apps",
        ),
        (json!({"storageNamespace": "state"}), "web", "apps", "state"),
    ] {
        let names = read(fields).unwrap().names;
        assert_eq!(
            (
                names.full.as_str(),
                names.namespace.as_str(),
                names.storage.as_str()
            ),
            (full, namespace, storage)
        );
        assert_eq!(names.release, names.full);
    }
    let target = "n".repeat(60);
    let names = read(json!({"targetNamespace": target})).unwrap().names;
    assert_eq!((names.full.len(), names.release.len()), (64, 53));
}

#[test]
fn timeouts_fall_back_to_the_common_one() {
    let plain = read(json!({})).unwrap().timeouts;
    assert_eq!(plain.of(Next::Install), Duration::from_mins(5));
    let own = read(json!({"timeout": "1m", "upgrade": {"timeout": "2m"}, "test": {"timeout": "3m"}}))
        .unwrap()
        .timeouts;
    for (next, minutes) in [
        (Next::Install, 1),
        (Next::Upgrade, 2),
        (Next::Test, 3),
        (Next::Rollback(1), 1),
        (Next::Uninstall, 1),
        (Next::Correct, 1),
    ] {
        assert_eq!(own.of(next), Duration::from_mins(minutes), "{next:?}");
    }
}

#[test]
fn a_chart_comes_from_one_place() {
    let template = json!({"spec": {"chart": "podinfo", "sourceRef": {"kind": "HelmRepository", "name": "r", "namespace": "flux-system"}}});
    let spec = read(json!({"chart": template, "chartRef": null})).unwrap();
    assert_eq!(
        spec.source(),
        ("HelmChart".into(), "flux-system".into(), "apps-web".into())
    );
    let spec = read(json!({})).unwrap();
    assert_eq!(
        spec.source(),
        ("OCIRepository".into(), "apps".into(), "podinfo".into())
    );
    for fields in [json!({"chart": template}), json!({"chartRef": null})] {
        let failure = read(fields).unwrap_err();
        assert_eq!(
            (failure.kind, failure.reason),
            (Kind::Stalled, reason::INVALID_SPEC)
        );
    }
}

#[test]
fn other_namespaces_are_refused_where_that_is_asked_for() {
    let closed = Settings {
        no_cross_namespace_refs: true,
        ..Settings::default()
    };
    let reference = json!({"kind": "HelmChart", "name": "x", "namespace": "other"});
    let failure = Spec::read(own(json!({"chartRef": reference})), &closed).unwrap_err();
    assert_eq!(
        (failure.kind, failure.reason),
        (Kind::Stalled, reason::ACCESS_DENIED)
    );
    assert_eq!(
        failure.message,
        "can't access 'HelmChart/other/x', cross-namespace references have been blocked"
    );
    let template = json!({"spec": {"chart": "podinfo", "sourceRef": {"kind": "HelmRepository", "name": "r", "namespace": "other"}}});
    let failure = Spec::read(own(json!({"chart": template, "chartRef": null})), &closed).unwrap_err();
    assert_eq!(failure.reason, reason::ACCESS_DENIED);
    assert!(Spec::read(own(json!({})), &closed).is_ok());
}

#[test]
fn what_cannot_be_done_stalls() {
    for (fields, wanted) in [
        (
            json!({"chartRef": {"kind": "ExternalArtifact", "name": "x"}}),
            reason::ACCESS_DENIED,
        ),
        (
            json!({"chartRef": {"kind": "Bucket", "name": "x"}}),
            reason::FEATURE_GATE_DISABLED,
        ),
        (json!({"interval": "often"}), reason::INVALID_SPEC),
        (json!({"rollback": {"timeout": "x"}}), reason::INVALID_SPEC),
        (json!({"maxHistory": -1}), reason::INVALID_SPEC),
        (json!({"postRenderStrategy": "x"}), reason::INVALID_SPEC),
        (
            json!({"healthCheckExprs": [{"apiVersion": "a/v1", "current": "((("}]}),
            reason::INVALID_CEL_EXPRESSION,
        ),
        (
            json!({"driftDetection": {"ignore": [{"paths": ["spec"]}]}}),
            reason::INVALID_SPEC,
        ),
        (
            json!({"driftDetection": {"ignore": [{"paths": [""], "target": {"name": "("}}]}}),
            reason::INVALID_SPEC,
        ),
    ] {
        let failure = read(fields.clone()).unwrap_err();
        assert_eq!(
            (failure.kind, failure.reason),
            (Kind::Stalled, wanted),
            "{fields}"
        );
    }
}

#[test]
fn an_empty_path_ignores_whole_objects() {
    let spec = read(json!({"driftDetection": {"mode": "warn", "ignore": [
        {"paths": ["", "/spec/replicas"], "target": {"kind": "Deployment"}},
    ]}}))
    .unwrap();
    assert_eq!(spec.drift.mode, DriftMode::Warn);
    assert_eq!(spec.drift.whole.len(), 1);
}

#[test]
fn a_mistake_does_not_keep_a_deleted_object() {
    let spec = Spec::of_deleted(own(json!({
        "interval": "x", "maxHistory": -1, "chartRef": null, "install": {"timeout": "x"}, "uninstall": {"timeout": "7m"},
    })));
    assert_eq!(spec.timeouts.of(Next::Uninstall), Duration::from_mins(7));
    assert_eq!(spec.names.release, "web");
}
