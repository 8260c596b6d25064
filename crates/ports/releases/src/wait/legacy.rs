//! Helm 3's rules of what is ready (`pkg/kube/ready.go`, `wait.go`): only what has Pods or an address is looked at.

use serde_json::Value;
use weir_apis::{GroupVersionKind, Object};

use super::Question;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is ready.
    Ready,
    /// It may become so.
    Waiting(String),
    /// It never will.
    Failed(String),
}

/// Which other objects tell about one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// None.
    Nothing,
    /// Those that it selects.
    Pods,
    /// Those of its namespace.
    ReplicaSets,
}

/// Whether an object is looked at; all others are ready.
pub(super) fn is_looked_at(gvk: &GroupVersionKind, question: Question) -> bool {
    let is_job = (gvk.group.as_str(), gvk.kind.as_str()) == ("batch", "Job");
    let is_pod = (gvk.group.as_str(), gvk.kind.as_str()) == ("", "Pod");
    match question {
        Question::Hook => is_job || is_pod,
        Question::Ready { jobs } if is_job => jobs,
        Question::Ready { .. } => matches!(
            (gvk.group.as_str(), gvk.kind.as_str()),
            (
                "",
                "Pod" | "PersistentVolumeClaim" | "Service" | "ReplicationController"
            ) | ("apps", "Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet")
                | ("apiextensions.k8s.io", "CustomResourceDefinition")
        ),
    }
}

/// Which other objects tell about one of this type.
pub(super) fn needs(gvk: &GroupVersionKind) -> Needs {
    match gvk.kind.as_str() {
        "Deployment" => Needs::ReplicaSets,
        "ReplicaSet" => Needs::Pods,
        _ => Needs::Nothing,
    }
}

/// Whether a hook is done.
pub(super) fn hook(live: &Object) -> Verdict {
    let name = live.name();
    if live.kind() == "Pod" {
        return match text(live, &["status", "phase"]) {
            "Succeeded" => Verdict::Ready,
            "Failed" => Verdict::Failed(format!("pod {name} failed")),
            phase => Verdict::Waiting(format!("phase {phase}")),
        };
    }
    for condition in conditions(live) {
        match (field(condition, "type"), field(condition, "status")) {
            ("Complete", "True") => return Verdict::Ready,
            ("Failed", "True") => {
                return Verdict::Failed(format!("job {name} failed: {}", field(condition, "reason")));
            }
            _ => {}
        }
    }
    Verdict::Waiting("job in progress".to_owned())
}

/// Whether an object is ready, given the others that it [`needs`].
pub(super) fn ready(live: &Object, others: &[Object]) -> Verdict {
    match live.kind() {
        "Pod" => pod(live),
        "Job" => job(live),
        "Deployment" => deployment(live, others),
        "PersistentVolumeClaim" => given(text(live, &["status", "phase"]) == "Bound", "claim is not bound"),
        "Service" => service(live),
        "DaemonSet" => daemon_set(live),
        "StatefulSet" => stateful_set(live),
        "CustomResourceDefinition" => definition(live),
        "ReplicationController" => observed(live),
        "ReplicaSet" => match observed(live) {
            Verdict::Ready => given(
                others.iter().all(|one| pod(one) == Verdict::Ready),
                "pods are not ready",
            ),
            other => other,
        },
        _ => Verdict::Ready,
    }
}

fn given(holds: bool, otherwise: &str) -> Verdict {
    if holds {
        Verdict::Ready
    } else {
        Verdict::Waiting(otherwise.to_owned())
    }
}

fn observed(live: &Object) -> Verdict {
    given(
        int(live, &["status", "observedGeneration"]).unwrap_or_default() == live.generation(),
        "the latest generation is not observed",
    )
}

fn pod(live: &Object) -> Verdict {
    let is_ready =
        conditions(live).any(|one| field(one, "type") == "Ready" && field(one, "status") == "True");
    given(is_ready, "pod is not ready")
}

fn job(live: &Object) -> Verdict {
    let limit = int(live, &["spec", "backoffLimit"]).unwrap_or(6);
    if int(live, &["status", "failed"]).unwrap_or_default() > limit {
        return Verdict::Failed(format!("job is failed: {}/{}", live.namespace(), live.name()));
    }
    let succeeded = int(live, &["status", "succeeded"]).unwrap_or_default();
    let wanted = int(live, &["spec", "completions"]);
    given(
        wanted.is_none_or(|wanted| succeeded >= wanted),
        "job is not completed",
    )
}

fn deployment(live: &Object, replica_sets: &[Object]) -> Verdict {
    if live.get(&["spec", "paused"]).and_then(Value::as_bool) == Some(true) {
        return Verdict::Ready;
    }
    let Some(newest) = replica_sets.iter().find(|set| is_newest(live, set)) else {
        return Verdict::Waiting("it has no ReplicaSet yet".to_owned());
    };
    if observed(newest) != Verdict::Ready {
        return observed(newest);
    }
    if observed(live) != Verdict::Ready {
        return observed(live);
    }
    let wanted = int(live, &["spec", "replicas"]).unwrap_or(1);
    let expected = wanted - unavailable(live, wanted);
    let ready = int(newest, &["status", "readyReplicas"]).unwrap_or_default();
    given(ready >= expected, "it does not have enough pods ready")
}

/// The ReplicaSet of the Deployment's own template.
fn is_newest(deployment: &Object, set: &Object) -> bool {
    let is_owned = set
        .get(&["metadata", "ownerReferences"])
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .any(|owner| {
            field(owner, "uid") == deployment.uid()
                && owner.get("controller").and_then(Value::as_bool) == Some(true)
        });
    let template = |object: &Object| {
        let mut template = object.get(&["spec", "template"]).cloned().unwrap_or_default();
        if let Some(labels) = template
            .pointer_mut("/metadata/labels")
            .and_then(Value::as_object_mut)
        {
            labels.remove("pod-template-hash");
        }
        template
    };
    is_owned && template(deployment) == template(set)
}

/// How many replicas may be missing during a rolling update.
fn unavailable(deployment: &Object, wanted: i64) -> i64 {
    if text(deployment, &["spec", "strategy", "type"]) != "RollingUpdate" || wanted == 0 {
        return 0;
    }
    let rolling = |name: &str| deployment.get(&["spec", "strategy", "rollingUpdate", name]);
    let surge = scaled(rolling("maxSurge"), wanted, true).unwrap_or_default();
    let missing = scaled(rolling("maxUnavailable"), wanted, false).unwrap_or_default();
    // Neither more nor fewer would be no update at all.
    let missing = if surge == 0 && missing == 0 { 1 } else { missing };
    missing.min(wanted)
}

/// A number, or a percentage of `total`.
fn scaled(value: Option<&Value>, total: i64, round_up: bool) -> Option<i64> {
    match value? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => {
            let percent: i64 = text.strip_suffix('%')?.parse().ok()?;
            let product = percent.checked_mul(total)?;
            Some(if round_up {
                product.checked_add(99)?.div_euclid(100)
            } else {
                product.div_euclid(100)
            })
        }
        _ => None,
    }
}

fn service(live: &Object) -> Verdict {
    let kind = text(live, &["spec", "type"]);
    if kind == "ExternalName" {
        return Verdict::Ready;
    }
    if text(live, &["spec", "clusterIP"]).is_empty() {
        return Verdict::Waiting("it has no cluster IP address".to_owned());
    }
    let is_empty = |path: &[&str]| live.get(path).and_then(Value::as_array).is_none_or(Vec::is_empty);
    let has_address =
        !is_empty(&["spec", "externalIPs"]) || live.get(&["status", "loadBalancer", "ingress"]).is_some();
    given(
        kind != "LoadBalancer" || has_address,
        "it has no load balancer ingress address",
    )
}

fn daemon_set(live: &Object) -> Verdict {
    if observed(live) != Verdict::Ready {
        return observed(live);
    }
    if text(live, &["spec", "updateStrategy", "type"]) != "RollingUpdate" {
        return Verdict::Ready;
    }
    let count = |name: &str| int(live, &["status", name]).unwrap_or_default();
    let wanted = count("desiredNumberScheduled");
    if count("updatedNumberScheduled") != wanted {
        return Verdict::Waiting("not all pods are updated".to_owned());
    }
    let missing = live.get(&["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]);
    let missing = scaled(missing, wanted, true).unwrap_or(wanted);
    given(
        count("numberReady") >= wanted - missing,
        "it does not have enough pods ready",
    )
}

fn stateful_set(live: &Object) -> Verdict {
    if observed(live) != Verdict::Ready {
        return observed(live);
    }
    if text(live, &["spec", "updateStrategy", "type"]) != "RollingUpdate" {
        return Verdict::Ready;
    }
    let count = |name: &str| int(live, &["status", name]).unwrap_or_default();
    let partition = int(live, &["spec", "updateStrategy", "rollingUpdate", "partition"]).unwrap_or_default();
    let replicas = int(live, &["spec", "replicas"]).unwrap_or(1);
    if count("updatedReplicas") < replicas - partition {
        return Verdict::Waiting("not all pods are updated".to_owned());
    }
    if count("readyReplicas") != replicas {
        return Verdict::Waiting("it does not have enough pods ready".to_owned());
    }
    let revision = |name: &str| text(live, &["status", name]);
    given(
        partition != 0 || revision("currentRevision") == revision("updateRevision"),
        "its update is not over",
    )
}

/// Names that are taken make a definition useless, but waiting does not help.
fn definition(live: &Object) -> Verdict {
    let is_over = conditions(live).any(|one| {
        matches!(
            (field(one, "type"), field(one, "status")),
            ("Established", "True") | ("NamesAccepted", "False")
        )
    });
    given(is_over, "it is not established")
}

fn conditions(live: &Object) -> impl Iterator<Item = &Value> {
    live.get(&["status", "conditions"])
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn field<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn text<'o>(object: &'o Object, path: &[&str]) -> &'o str {
    object.get(path).and_then(Value::as_str).unwrap_or_default()
}

fn int(object: &Object, path: &[&str]) -> Option<i64> {
    object.get(path).and_then(Value::as_i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        Object::from_value(value).unwrap()
    }

    fn is_ready(value: Value) -> bool {
        ready(&object(value), &[]) == Verdict::Ready
    }

    #[test]
    fn a_deployment_is_judged_by_the_replica_set_of_its_template() {
        let deployment = |replicas: i64| {
            object(json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "web", "uid": "u", "generation": 2},
                "spec": {
                    "replicas": replicas, "template": {"metadata": {"labels": {"app": "web"}}},
                    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
                },
                "status": {"observedGeneration": 2},
            }))
        };
        let set = |label: &str, ready: i64| {
            object(json!({
                "apiVersion": "apps/v1", "kind": "ReplicaSet",
                "metadata": {"name": label, "generation": 1, "ownerReferences": [{"uid": "u", "controller": true}]},
                "spec": {"template": {"metadata": {"labels": {"app": label, "pod-template-hash": "h"}}}},
                "status": {"observedGeneration": 1, "readyReplicas": ready},
            }))
        };
        assert!(matches!(
            ready(&deployment(4), &[set("old", 4)]),
            Verdict::Waiting(_)
        ));
        assert!(matches!(
            ready(&deployment(4), &[set("old", 4), set("web", 2)]),
            Verdict::Waiting(_)
        ));
        assert_eq!(
            ready(&deployment(4), &[set("old", 4), set("web", 3)]),
            Verdict::Ready
        );
        assert!(matches!(
            ready(&deployment(1), &[set("web", 0)]),
            Verdict::Waiting(_)
        ));
    }

    #[test]
    fn services_need_an_address() {
        let service = |spec: Value, status: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec, "status": status});
        assert!(is_ready(service(json!({"type": "ExternalName"}), json!({}))));
        assert!(!is_ready(service(json!({"type": "ClusterIP"}), json!({}))));
        let balanced = json!({"type": "LoadBalancer", "clusterIP": "10.0.0.1"});
        assert!(!is_ready(service(balanced.clone(), json!({"loadBalancer": {}}))));
        let given = json!({"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}});
        assert!(is_ready(service(balanced, given)));
    }

    #[test]
    fn a_job_that_failed_too_often_never_gets_ready() {
        let job = |status: Value| {
            ready(
                &object(json!({
                    "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a", "namespace": "n"},
                    "spec": {"backoffLimit": 1, "completions": 1}, "status": status,
                })),
                &[],
            )
        };
        assert_eq!(
            job(json!({"failed": 2})),
            Verdict::Failed("job is failed: n/a".to_owned())
        );
        assert!(matches!(job(json!({"active": 1})), Verdict::Waiting(_)));
        assert_eq!(job(json!({"succeeded": 1})), Verdict::Ready);
    }

    #[test]
    fn sets_are_ready_when_they_are_updated() {
        let set = |status: Value| {
            is_ready(json!({
                "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "a", "generation": 1},
                "spec": {"replicas": 2, "updateStrategy": {"type": "RollingUpdate"}}, "status": status,
            }))
        };
        let half = json!({"observedGeneration": 1, "updatedReplicas": 2, "readyReplicas": 1});
        assert!(!set(half));
        let moving = json!({
            "observedGeneration": 1, "updatedReplicas": 2, "readyReplicas": 2, "currentRevision": "a", "updateRevision": "b",
        });
        assert!(!set(moving));
        let over = json!({
            "observedGeneration": 1, "updatedReplicas": 2, "readyReplicas": 2, "currentRevision": "b", "updateRevision": "b",
        });
        assert!(set(over));
    }
}
