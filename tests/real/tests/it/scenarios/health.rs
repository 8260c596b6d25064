//! Waiting for what was applied.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use weir_apis::condition::{Conditions, HEALTHY, READY, Status};
use weir_real::{Files, Ground, files, object};

use super::text::config;

async fn task(ground: &Ground, ns: &str, status: Value) -> Result<()> {
    ground
        .define(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "tasks.health.example"},
            "spec": {"group": "health.example", "scope": "Namespaced",
                "names": {"kind": "Task", "listKind": "TaskList", "plural": "tasks", "singular": "task"},
                "versions": [{"name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]},
        }))
        .await?;
    ground
        .apply_json(json!({"apiVersion": "health.example/v1", "kind": "Task", "metadata": {"name": "one", "namespace": ns},
            "status": status}))
        .await?;
    Ok(())
}

fn check(ns: &str) -> Value {
    json!([{"apiVersion": "health.example/v1", "kind": "Task", "name": "one", "namespace": ns}])
}

fn tree(ns: &str, colour: &str) -> Files {
    files([("a.yaml", &config(ns, "settings", colour))])
}

pub(crate) async fn a_stalled_object_ends_the_wait_at_once(ground: &Ground) -> Result<()> {
    let ns = "health-stalled";
    ground.namespace(ns).await?;
    let stalled = json!({"conditions": [{"type": "Stalled", "status": "True", "reason": "Broken", "message": "no way"}]});
    task(ground, ns, stalled).await?;
    ground.publish(ns, "latest", &tree(ns, "blue")).await?;
    ground.source(ns, ns).await?;
    let fields = json!({"timeout": "30m", "healthChecks": check(ns)});
    let applied = ground.kustomization(ns, ns, fields).await?;
    let message = ground
        .until_condition(&applied, READY, Status::False, "HealthCheckFailed")
        .await?;
    ensure!(
        message.contains("stalled") && message.contains("no way"),
        "{message}"
    );
    ensure!(Conditions::of(&ground.get(&applied).await?).is(HEALTHY, Status::False));
    // It was applied all the same.
    ground.get(&object("v1", "ConfigMap", ns, "settings")).await?;
    Ok(())
}

pub(crate) async fn expressions_say_when_an_object_is_healthy(ground: &Ground) -> Result<()> {
    let ns = "health-expressions";
    ground.namespace(ns).await?;
    task(ground, ns, json!({"phase": "Working"})).await?;
    let digest = ground.publish(ns, "latest", &tree(ns, "blue")).await?;
    ground.source(ns, ns).await?;
    let fields = json!({"timeout": "30m", "healthChecks": check(ns), "healthCheckExprs": [{
        "apiVersion": "health.example/v1", "kind": "Task",
        "current": "status.phase == 'Done'", "failed": "status.phase == 'Broken'"}]});
    let applied = ground.kustomization(ns, ns, fields).await?;
    ground
        .until_condition(&applied, READY, Status::Unknown, "Progressing")
        .await?;
    let one = object("health.example/v1", "Task", ns, "one");
    ground
        .client
        .merge(&one, &json!({"status": {"phase": "Done"}}), "administrator")
        .await?;
    ground.until_applied(&applied, digest).await?;
    ground
        .client
        .merge(&one, &json!({"status": {"phase": "Broken"}}), "administrator")
        .await?;
    ground.reconcile(&applied).await?;
    ground
        .until_condition(&applied, READY, Status::False, "HealthCheckFailed")
        .await?;
    Ok(())
}

pub(crate) async fn a_newer_artifact_is_not_kept_waiting_by_a_sick_one(ground: &Ground) -> Result<()> {
    let ns = "health-superseded";
    ground.namespace(ns).await?;
    ground.publish(ns, "latest", &tree(ns, "blue")).await?;
    let source = ground.source(ns, ns).await?;
    let absent = json!([{"kind": "Deployment", "name": "absent", "namespace": ns}]);
    let applied = ground
        .kustomization(ns, ns, json!({"timeout": "30m", "healthChecks": absent}))
        .await?;
    ground
        .until_condition(&applied, READY, Status::Unknown, "Progressing")
        .await?;
    ground.publish(ns, "latest", &tree(ns, "red")).await?;
    ground.reconcile(&source).await?;
    let settings = object("v1", "ConfigMap", ns, "settings");
    ground
        .until(&settings, |live| {
            live.get(&["data", "colour"]) == Some(&json!("red"))
        })
        .await?;
    // Let go of the wait, which would outlive this scenario.
    ground
        .client
        .delete(&applied, weir_cluster::Propagation::Background, None)
        .await?;
    Ok(())
}
