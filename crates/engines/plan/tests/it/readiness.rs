//! Readiness beyond the tables: pods behind workloads, Jobs, and what Flux adds.

use serde_json::{Value, json};
use weir_apis::{GroupKind, Object};
use weir_plan::{HealthExprs, HealthRules, Readiness, Status, has_pods, may_vanish, readiness, with_pods};

use crate::{now, object};

fn pod(status: Value, created: &str) -> Object {
    object(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p", "namespace": "a", "creationTimestamp": created}, "status": status,
    }))
}

fn crash_looping() -> Value {
    json!({"phase": "Running", "containerStatuses": [
        {"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
        {"name": "ok", "state": {"running": {}}},
    ]})
}

fn unschedulable() -> Value {
    json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"},
    ]})
}

#[test]
fn a_pod_has_fifteen_seconds_to_be_scheduled() {
    let young = readiness(&pod(unschedulable(), "2025-12-31T23:59:50Z"), now());
    assert_eq!(young.status, Status::InProgress);
    let old = readiness(&pod(unschedulable(), "2025-12-31T23:59:00Z"), now());
    assert_eq!(old.status, Status::Failed);
}

#[test]
fn failed_pods_fail_a_workload_in_progress_unless_time_may_mend_them() {
    let waiting = || Readiness::new(Status::InProgress, "LessReady", "Ready: 0/1");
    let old = "2025-01-01T00:00:00Z";
    let looping = pod(crash_looping(), old);
    let found = with_pods(waiting(), [&looping], now());
    assert_eq!(
        (found.status, found.message.as_str()),
        (Status::Failed, "1 pods have failed")
    );

    let unplaced = pod(unschedulable(), old);
    assert_eq!(with_pods(waiting(), [&unplaced], now()), waiting());
    let mut leaving = looping.clone();
    leaving
        .metadata_mut()
        .insert("deletionTimestamp".into(), old.into());
    assert_eq!(with_pods(waiting(), [&leaving], now()), waiting());
    let current = Readiness::new(Status::Current, "", "");
    assert_eq!(with_pods(current.clone(), [&looping], now()), current);

    assert!(has_pods(&GroupKind::new("apps", "Deployment")));
    assert!(!has_pods(&GroupKind::new("apps", "DaemonSet")));
}

#[test]
fn jobs_are_awaited_and_may_vanish_with_a_time_to_live() {
    let job = |spec: Value, status: Value| {
        object(
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": spec, "status": status}),
        )
    };
    let running = job(
        json!({}),
        json!({"startTime": "2026-01-01T00:00:00Z", "active": 1}),
    );
    assert_eq!(readiness(&running, now()).status, Status::InProgress);
    let suspended = job(json!({"suspend": true}), json!({}));
    assert_eq!(readiness(&suspended, now()).status, Status::Current);
    assert!(may_vanish(&job(json!({"ttlSecondsAfterFinished": 0}), json!({}))));
    assert!(!may_vanish(&running));
}

#[test]
fn stalled_fails_and_deletion_comes_first() {
    let mut stalled = object(json!({
        "apiVersion": "x.io/v1", "kind": "Thing", "metadata": {"name": "t"},
        "status": {"conditions": [
            {"type": "Ready", "status": "False", "reason": "R", "message": "m"},
            {"type": "Stalled", "status": "True", "reason": "Gone", "message": "for good"},
        ]},
    }));
    let found = readiness(&stalled, now());
    assert_eq!(
        (found.status, found.message.as_str()),
        (Status::Failed, "for good")
    );
    stalled
        .metadata_mut()
        .insert("deletionTimestamp".into(), "2026-01-01T00:00:00Z".into());
    assert_eq!(readiness(&stalled, now()).status, Status::Terminating);
}

#[test]
fn objects_of_odd_shapes_are_judged_without_a_panic() {
    for status in [
        json!(3),
        json!({"conditions": "x"}),
        json!({"conditions": [1, {"type": 2}]}),
        json!([]),
    ] {
        for (api_version, kind) in [
            ("apps/v1", "Deployment"),
            ("v1", "Pod"),
            ("batch/v1", "Job"),
            ("x/v1", "Y"),
        ] {
            let odd = object(json!({
                "apiVersion": api_version, "kind": kind, "metadata": {"generation": "x"},
                "spec": {"replicas": i64::MIN, "updateStrategy": {"rollingUpdate": {"partition": i64::MAX}}},
                "status": status,
            }));
            let _judged = readiness(&odd, now());
        }
    }
}

#[test]
fn an_expression_that_fails_makes_the_object_unknown_and_others_keep_their_rules() {
    let rules = HealthRules::compile(&[HealthExprs {
        api_version: "x.io/v1".into(),
        kind: "Thing".into(),
        current: "status.phase == 'Up'".into(),
        ..HealthExprs::default()
    }])
    .unwrap();
    let thing = |status: Value| {
        object(json!({"apiVersion": "x.io/v2", "kind": "Thing", "metadata": {}, "status": status}))
    };
    assert_eq!(
        rules.readiness(&thing(json!({"phase": "Up"})), now()).status,
        Status::Current
    );
    assert_eq!(
        rules.readiness(&thing(json!({"phase": "Down"})), now()).status,
        Status::InProgress
    );
    let unknown = rules.readiness(&thing(json!({})), now());
    assert_eq!(unknown.status, Status::Unknown);
    assert!(
        unknown.message.ends_with("no such key: phase"),
        "{}",
        unknown.message
    );
    let other = object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}));
    assert_eq!(rules.readiness(&other, now()).status, Status::Current);
}

#[test]
fn two_rules_for_the_same_kind_are_refused() {
    let rule = |version: &str| HealthExprs {
        api_version: format!("x.io/{version}"),
        kind: "Thing".into(),
        current: "true".into(),
        ..HealthExprs::default()
    };
    assert!(HealthRules::compile(&[rule("v1"), rule("v2")]).is_err());
}
