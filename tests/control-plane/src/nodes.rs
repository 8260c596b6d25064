//! Plays the nodes: marks workloads ready. It knows nothing of weir.

use std::time::Duration;

use anyhow::Result;
use futures::StreamExt;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::{Value, json};

/// Workloads of a kind that are marked at once.
const AT_ONCE: usize = 32;

/// Watches Deployments, StatefulSets, DaemonSets and Jobs, and writes the status that controllers and kubelets
/// would write, a moment after each change. Runs until it is dropped.
pub async fn play(client: kube::Client) -> Result<()> {
    let kinds = [
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("batch", "Job"),
    ];
    let loops = kinds.map(|(group, kind)| mark_ready(client.clone(), group, kind));
    futures::future::try_join_all(loops).await.map(|_| ())
}

async fn mark_ready(client: kube::Client, group: &str, kind: &str) -> Result<()> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
    let all: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let changes = watcher(all, watcher::Config::default())
        .default_backoff()
        .applied_objects();
    changes
        .for_each_concurrent(AT_ONCE, |change| {
            let (client, resource) = (client.clone(), resource.clone());
            // A watch that broke begins anew by itself.
            async move {
                if let Ok(object) = change {
                    mark(client, &resource, kind, &object).await;
                }
            }
        })
        .await;
    Ok(())
}

async fn mark(client: kube::Client, resource: &ApiResource, kind: &str, object: &DynamicObject) {
    let Some(status) = ready_status(kind, object) else {
        return;
    };
    let (Some(name), Some(namespace)) = (&object.metadata.name, &object.metadata.namespace) else {
        return;
    };
    let api: Api<DynamicObject> = Api::namespaced_with(client, namespace, resource);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let patch = Patch::Merge(json!({"status": status}));
    let params = PatchParams {
        field_manager: Some("kube-controller-manager".to_owned()),
        ..PatchParams::default()
    };
    // Deleted in between is fine; anything else comes again with the next event.
    let _answer = api.patch_status(name, &params, &patch).await;
}

/// The status of a workload all of whose Pods run, or `None` where that is what it says already.
fn ready_status(kind: &str, object: &DynamicObject) -> Option<Value> {
    let generation = object.metadata.generation.unwrap_or_default();
    let replicas = object
        .data
        .pointer("/spec/replicas")
        .and_then(Value::as_i64)
        .unwrap_or(1);
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let now = object.metadata.creation_timestamp.as_ref().map(|t| json!(t));
    let status = match kind {
        "Deployment" => json!({
            "observedGeneration": generation, "replicas": replicas, "updatedReplicas": replicas,
            "readyReplicas": replicas, "availableReplicas": replicas,
            "conditions": [
                {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                 "message": "Deployment has minimum availability.", "lastTransitionTime": now, "lastUpdateTime": now},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                 "message": format!("ReplicaSet \"{name}-{generation}\" has successfully progressed."), "lastTransitionTime": now, "lastUpdateTime": now},
            ],
        }),
        "StatefulSet" => json!({
            "observedGeneration": generation, "replicas": replicas, "readyReplicas": replicas,
            "currentReplicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas,
            "currentRevision": format!("r{generation}"), "updateRevision": format!("r{generation}"),
        }),
        "DaemonSet" => json!({
            "observedGeneration": generation, "desiredNumberScheduled": 1, "currentNumberScheduled": 1,
            "updatedNumberScheduled": 1, "numberAvailable": 1, "numberReady": 1, "numberMisscheduled": 0,
        }),
        _ => {
            if object.data.pointer("/status/completionTime").is_some() {
                return None;
            }
            json!({
                "startTime": now, "completionTime": now, "succeeded": 1,
                "conditions": [
                    {"type": "SuccessCriteriaMet", "status": "True", "reason": "CompletionsReached",
                     "message": "Reached expected number of succeeded pods", "lastTransitionTime": now, "lastProbeTime": now},
                    {"type": "Complete", "status": "True", "reason": "CompletionsReached",
                     "message": "Reached expected number of succeeded pods", "lastTransitionTime": now, "lastProbeTime": now},
                ],
            })
        }
    };
    let observed = object
        .data
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64);
    (kind == "Job" || observed != Some(generation)).then_some(status)
}
