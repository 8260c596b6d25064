//! Workloads: there are no nodes, so they become ready by themselves after a while.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::controllers::{Job, change};
use crate::object::{self, at};
use crate::registry::Served;
use crate::store::Key;
use crate::write::Cx;

/// The manager that written statuses belong to.
const MANAGER: &str = "kube-controller-manager";

/// A new pod waits for a node.
pub(crate) fn prepare_pod(pod: &mut Value) {
    object::set(pod, &["status", "phase"], json!("Pending"));
    let resources = |container: &Value, kind: &str| {
        at(container, &["resources", kind])
            .and_then(Value::as_object)
            .is_some_and(|map| !map.is_empty())
    };
    let containers = object::list(pod, &["spec", "containers"]);
    let guaranteed = !containers.is_empty()
        && containers.iter().all(|container| {
            let limits = at(container, &["resources", "limits"]);
            let has = |name: &str| limits.is_some_and(|limits| limits.get(name).is_some());
            has("cpu") && has("memory") && limits == at(container, &["resources", "requests"])
        });
    let burstable = containers
        .iter()
        .any(|one| resources(one, "requests") || resources(one, "limits"));
    let class = match (guaranteed, burstable) {
        (true, _) => "Guaranteed",
        (_, true) => "Burstable",
        _ => "BestEffort",
    };
    object::set(pod, &["status", "qosClass"], json!(class));
    object::set_default(pod, &["spec", "priority"], json!(0));
    object::set_default(pod, &["spec", "preemptionPolicy"], json!("PreemptLowerPriority"));
    if at(pod, &["spec", "tolerations"]).is_none() {
        let toleration = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
        object::set(
            pod,
            &["spec", "tolerations"],
            json!([
                toleration("node.kubernetes.io/not-ready"),
                toleration("node.kubernetes.io/unreachable")
            ]),
        );
    }
}

/// The finalizer that keeps a volume or claim while it is in use.
pub(crate) fn protection_finalizer(plural: &str) -> &'static str {
    if plural == "persistentvolumes" {
        "kubernetes.io/pv-protection"
    } else {
        "kubernetes.io/pvc-protection"
    }
}

/// A new job selects its own pods.
pub(crate) fn prepare_job(job: &mut Value) {
    if at(job, &["spec", "manualSelector"]) == Some(&Value::Bool(true)) {
        return;
    }
    let uid = object::uid(job).to_owned();
    let name = object::name(job).to_owned();
    let labels = object::object_at(job, &["spec", "template", "metadata", "labels"]);
    for (key, value) in [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("job-name", &name),
    ] {
        labels.insert(key.to_owned(), json!(value));
    }
    if at(job, &["metadata", "labels"])
        .and_then(Value::as_object)
        .is_none_or(serde_json::Map::is_empty)
        && let Some(labels) = at(job, &["spec", "template", "metadata", "labels"]).cloned()
    {
        object::set(job, &["metadata", "labels"], labels);
    }
    object::set_default(
        job,
        &[
            "spec",
            "selector",
            "matchLabels",
            "batch.kubernetes.io/controller-uid",
        ],
        json!(uid),
    );
}

/// Whether an object is one that becomes ready, and is not yet.
fn waits(served: &Served, value: &Value) -> bool {
    if object::is_terminating(value) {
        return false;
    }
    let observed = at(value, &["status", "observedGeneration"])
        .and_then(Value::as_i64)
        .unwrap_or(0);
    let phase = object::text(value, &["status", "phase"]);
    match (served.key.group.as_str(), served.key.plural.as_str()) {
        ("apps", "deployments" | "replicasets" | "statefulsets" | "daemonsets") => {
            observed < object::generation(value)
        }
        ("batch", "jobs") => {
            at(value, &["spec", "suspend"]) != Some(&Value::Bool(true))
                && object::list(value, &["status", "conditions"]).is_empty()
        }
        ("", "pods" | "persistentvolumeclaims") => phase == "Pending",
        ("", "services") => {
            object::text(value, &["spec", "type"]) == "LoadBalancer"
                && object::list(value, &["status", "loadBalancer", "ingress"]).is_empty()
        }
        ("policy", "poddisruptionbudgets") => observed < object::generation(value),
        _ => false,
    }
}

/// After an object was written: a workload gets its time.
pub(crate) fn after_write(cx: &mut Cx<'_>, served: &Served, value: &Arc<Value>) {
    if object::is_terminating(value)
        && matches!(
            served.key.plural.as_str(),
            "persistentvolumeclaims" | "persistentvolumes"
        )
    {
        // Nothing runs here, so no claim is in use.
        let protection = protection_finalizer(&served.key.plural);
        if object::finalizers(value).contains(&protection) {
            change(
                cx,
                &served.key,
                object::namespace(value),
                object::name(value),
                "",
                MANAGER,
                |value| {
                    let rest: Vec<&str> = object::finalizers(value)
                        .into_iter()
                        .filter(|name| *name != protection)
                        .collect();
                    let rest = json!(rest);
                    object::set(value, &["metadata", "finalizers"], rest);
                },
            );
        }
        return;
    }
    if !waits(served, value) {
        return;
    }
    let Some(delay) = cx.state.ready_after else { return };
    let (namespace, name) = (
        object::namespace(value).to_owned(),
        object::name(value).to_owned(),
    );
    if delay.is_zero() {
        make_ready(cx, &served.key, &namespace, &name);
        return;
    }
    cx.state.jobs.push((
        delay,
        Job::Ready {
            key: served.key.clone(),
            namespace,
            name,
        },
    ));
}

/// Marks a workload ready, if it still waits.
pub(crate) fn make_ready(cx: &mut Cx<'_>, key: &Key, namespace: &str, name: &str) {
    let Some(served) = cx.state.registry.by_key(key).map(Arc::clone) else {
        return;
    };
    let waiting = cx
        .state
        .store
        .get(key, namespace, name)
        .is_some_and(|value| waits(&served, value));
    if !waiting {
        return;
    }
    let time = cx.time();
    let volume = format!(
        "pvc-{}",
        cx.state
            .store
            .get(key, namespace, name)
            .map_or("", |value| object::uid(value))
    );
    if key.plural == "persistentvolumeclaims" {
        change(cx, key, namespace, name, "", MANAGER, |claim| {
            object::set_default(claim, &["spec", "volumeName"], json!(volume));
        });
    }
    change(cx, key, namespace, name, "status", MANAGER, |value| {
        let status = ready_status(key, value, &time);
        object::set(value, &["status"], status);
    });
}

fn condition(kind: &str, reason: &str, message: &str, time: &str) -> Value {
    json!({"type": kind, "status": "True", "lastTransitionTime": time, "reason": reason, "message": message})
}

/// The status of a workload that is ready.
fn ready_status(key: &Key, value: &Value, time: &str) -> Value {
    let generation = object::generation(value);
    let name = object::name(value);
    let replicas = at(value, &["spec", "replicas"])
        .and_then(Value::as_i64)
        .unwrap_or(1);
    match key.plural.as_str() {
        "deployments" => {
            let message = format!("ReplicaSet \"{name}-{generation}\" has successfully progressed.");
            let mut conditions = [
                condition(
                    "Available",
                    "MinimumReplicasAvailable",
                    "Deployment has minimum availability.",
                    time,
                ),
                condition("Progressing", "NewReplicaSetAvailable", &message, time),
            ];
            for one in &mut conditions {
                one["lastUpdateTime"] = json!(time);
            }
            json!({
                "observedGeneration": generation,
                "replicas": replicas,
                "updatedReplicas": replicas,
                "readyReplicas": replicas,
                "availableReplicas": replicas,
                "conditions": conditions,
            })
        }
        "replicasets" => json!({
            "observedGeneration": generation,
            "replicas": replicas,
            "fullyLabeledReplicas": replicas,
            "readyReplicas": replicas,
            "availableReplicas": replicas,
        }),
        "statefulsets" => {
            let revision = format!("{name}-{generation}");
            json!({
                "observedGeneration": generation,
                "replicas": replicas,
                "readyReplicas": replicas,
                "currentReplicas": replicas,
                "updatedReplicas": replicas,
                "availableReplicas": replicas,
                "currentRevision": revision,
                "updateRevision": revision,
                "collisionCount": 0,
            })
        }
        "daemonsets" => json!({
            "observedGeneration": generation,
            "currentNumberScheduled": 1,
            "desiredNumberScheduled": 1,
            "numberMisscheduled": 0,
            "numberReady": 1,
            "numberAvailable": 1,
            "updatedNumberScheduled": 1,
        }),
        "jobs" => {
            let wanted = at(value, &["spec", "completions"])
                .and_then(Value::as_i64)
                .unwrap_or(1);
            let done = |kind| {
                let mut one = condition(
                    kind,
                    "CompletionsReached",
                    "Reached expected number of succeeded pods",
                    time,
                );
                one["lastProbeTime"] = json!(time);
                one
            };
            json!({
                "conditions": [done("SuccessCriteriaMet"), done("Complete")],
                "startTime": time,
                "completionTime": time,
                "succeeded": wanted,
                "terminating": 0,
                "ready": 0,
                "uncountedTerminatedPods": {},
            })
        }
        "pods" => {
            let ready = |kind| json!({"type": kind, "status": "True", "lastTransitionTime": time, "lastProbeTime": null});
            let containers: Vec<Value> = object::list(value, &["spec", "containers"])
                .iter()
                .map(|container| {
                    json!({
                        "name": container.get("name"),
                        "image": container.get("image"),
                        "imageID": "",
                        "ready": true,
                        "started": true,
                        "restartCount": 0,
                        "lastState": {},
                        "state": {"running": {"startedAt": time}},
                    })
                })
                .collect();
            let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map(ready);
            json!({
                "phase": "Running",
                "qosClass": at(value, &["status", "qosClass"]),
                "startTime": time,
                "conditions": conditions,
                "containerStatuses": containers,
            })
        }
        "persistentvolumeclaims" => json!({
            "phase": "Bound",
            "accessModes": at(value, &["spec", "accessModes"]),
            "capacity": at(value, &["spec", "resources", "requests"]),
        }),
        "services" => json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1", "ipMode": "VIP"}]}}),
        "poddisruptionbudgets" => json!({
            "observedGeneration": generation,
            "currentHealthy": 0,
            "desiredHealthy": 0,
            "disruptionsAllowed": 0,
            "expectedPods": 0,
            "conditions": [{
                "type": "DisruptionAllowed",
                "status": "False",
                "lastTransitionTime": time,
                "observedGeneration": generation,
                "reason": "InsufficientPods",
                "message": "",
            }],
        }),
        _ => Value::Null,
    }
}
