//! Readiness of the kinds that run pods.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use weir_apis::Object;

use super::{Readiness, conditions, int, text};

/// How long a pod may be unscheduled before it counts as unschedulable.
const SCHEDULE_WINDOW: SignedDuration = SignedDuration::from_secs(15);

pub(super) fn deployment(object: &Object) -> Readiness {
    // Without a deadline the controller never sets the condition; 2147483647 means "without" to it.
    let deadline = int(object, &["spec", "progressDeadlineSeconds"]);
    let mut progressing = deadline.is_none_or(|seconds| seconds == i64::from(i32::MAX));
    let mut available = false;
    for condition in conditions(object) {
        match (condition.kind, condition.status, condition.reason) {
            ("Progressing", _, "ProgressDeadlineExceeded") => {
                return Readiness::failed(condition.reason, "Progress deadline exceeded");
            }
            ("Progressing", "True", "NewReplicaSetAvailable") => progressing = true,
            ("Available", "True", _) => available = true,
            _ => {}
        }
    }
    let wanted = wanted_replicas(object);
    let replicas = count(object, "replicas");
    let updated = count(object, "updatedReplicas");
    let ready = count(object, "readyReplicas");
    let up = count(object, "availableReplicas");
    if wanted > replicas {
        return Readiness::in_progress("LessReplicas", format!("Replicas: {replicas}/{wanted}"));
    }
    if wanted > updated {
        return Readiness::in_progress("LessUpdated", format!("Updated: {updated}/{wanted}"));
    }
    if replicas > wanted {
        return extra(replicas, wanted);
    }
    if updated > up {
        return Readiness::in_progress("LessAvailable", format!("Available: {up}/{updated}"));
    }
    if wanted > ready {
        return Readiness::in_progress("LessReady", format!("Ready: {ready}/{wanted}"));
    }
    if !progressing {
        return Readiness::in_progress("ReplicaSetNotAvailable", "ReplicaSet not Available");
    }
    if !available {
        return Readiness::in_progress("DeploymentNotAvailable", "Deployment not Available");
    }
    Readiness::current(format!("Deployment is available. Replicas: {replicas}"))
}

pub(super) fn stateful_set(object: &Object) -> Readiness {
    if text(object, &["spec", "updateStrategy", "type"]) == "OnDelete" {
        return Readiness::current("StatefulSet is using the ondelete update strategy");
    }
    let wanted = wanted_replicas(object);
    let ready = count(object, "readyReplicas");
    let current = count(object, "currentReplicas");
    let updated = count(object, "updatedReplicas");
    let replicas = count(object, "replicas");
    if wanted > replicas {
        return Readiness::in_progress("LessReplicas", format!("Replicas: {replicas}/{wanted}"));
    }
    if wanted > ready {
        return Readiness::in_progress("LessReady", format!("Ready: {ready}/{wanted}"));
    }
    if replicas > wanted {
        return extra(replicas, wanted);
    }
    if let Some(partition) = int(object, &["spec", "updateStrategy", "rollingUpdate", "partition"])
        .filter(|partition| *partition != -1)
    {
        let above = wanted.saturating_sub(partition);
        if updated < above {
            return Readiness::in_progress("PartitionRollout", format!("updated: {updated}/{above}"));
        }
        return Readiness::current(format!("Partition rollout complete. updated: {updated}"));
    }
    if wanted > current {
        return Readiness::in_progress("LessCurrent", format!("current: {current}/{wanted}"));
    }
    if text(object, &["status", "currentRevision"]) != text(object, &["status", "updateRevision"]) {
        return Readiness::in_progress(
            "RevisionMismatch",
            "Waiting for updated revision to match current",
        );
    }
    Readiness::current(format!(
        "All replicas scheduled as expected. Replicas: {replicas}"
    ))
}

pub(super) fn replica_set(object: &Object) -> Readiness {
    if conditions(object).any(|c| c.kind == "ReplicaFailure" && c.status == "True") {
        return Readiness::in_progress("ReplicaFailure", "Replica Failure condition. Check Pods");
    }
    let wanted = wanted_replicas(object);
    let replicas = count(object, "replicas");
    for (reason, word, field) in [
        ("LessLabelled", "Labelled", "fullyLabeledReplicas"),
        ("LessAvailable", "Available", "availableReplicas"),
        ("LessReady", "Ready", "readyReplicas"),
    ] {
        let found = count(object, field);
        if wanted > found {
            return Readiness::in_progress(reason, format!("{word}: {found}/{wanted}"));
        }
    }
    if replicas > wanted {
        return extra(replicas, wanted);
    }
    Readiness::current(format!("ReplicaSet is available. Replicas: {replicas}"))
}

pub(super) fn daemon_set(object: &Object) -> Readiness {
    // Where the generic rule is lenient about absent fields, this one is not: a controller that has seen the
    // object has set them.
    for (path, reason) in [
        (["metadata", "generation"], "NoGeneration"),
        (["status", "observedGeneration"], "NoObservedGeneration"),
    ] {
        if int(object, &path).is_none() {
            let message = format!("{} {} not found", object.kind(), path.join("."));
            return Readiness::in_progress(reason, message);
        }
    }
    let Some(wanted) = int(object, &["status", "desiredNumberScheduled"]).filter(|n| *n != -1) else {
        return Readiness::in_progress("NoDesiredNumber", "Missing .status.desiredNumberScheduled");
    };
    for (reason, word, field) in [
        ("LessCurrent", "Current", "currentNumberScheduled"),
        ("LessUpdated", "Updated", "updatedNumberScheduled"),
        ("LessAvailable", "Available", "numberAvailable"),
        ("LessReady", "Ready", "numberReady"),
    ] {
        let found = count(object, field);
        if wanted > found {
            return Readiness::in_progress(reason, format!("{word}: {found}/{wanted}"));
        }
    }
    Readiness::current(format!("All replicas scheduled as expected. Replicas: {wanted}"))
}

/// A Job is current when it has completed (pitfall 17), and when someone has suspended it.
pub(super) fn job(object: &Object) -> Readiness {
    if object.get(&["spec", "suspend"]).and_then(Value::as_bool) == Some(true) {
        return Readiness::current("Job is suspended");
    }
    let parallelism = int(object, &["spec", "parallelism"]).unwrap_or(1);
    let completions = int(object, &["spec", "completions"]).unwrap_or(parallelism);
    let succeeded = count(object, "succeeded");
    let failed = count(object, "failed");
    let active = count(object, "active");
    for condition in conditions(object) {
        match (condition.kind, condition.status) {
            ("Complete", "True") => {
                return Readiness::current(format!("Job Completed. succeeded: {succeeded}/{completions}"));
            }
            ("Failed", "True") => {
                return Readiness::failed("JobFailed", format!("Job Failed. failed: {failed}/{completions}"));
            }
            _ => {}
        }
    }
    if text(object, &["status", "startTime"]).is_empty() {
        let message = format!("Job not started. active: 0/{parallelism}");
        return Readiness::in_progress("JobNotStarted", message);
    }
    Readiness::in_progress(
        "JobInProgress",
        format!("Job in progress. success:{succeeded}, active: {active}, failed: {failed}"),
    )
}

pub(super) fn pod(object: &Object, now: Timestamp) -> Readiness {
    match text(object, &["status", "phase"]) {
        "" => Readiness::in_progress("PodNotObserved", "Pod phase not available"),
        "Succeeded" => Readiness::current("Pod has completed successfully"),
        "Failed" => Readiness::current("Pod has completed, but not successfully"),
        "Running" => {
            if conditions(object).any(|c| c.kind == "Ready" && c.status == "True") {
                return Readiness::current("Pod is Ready");
            }
            let looping = crash_looping(object);
            if looping.is_empty() {
                return Readiness::in_progress("PodRunningNotReady", "Pod is running but is not Ready");
            }
            let message = format!("Containers in CrashLoop state: {}", looping.join(","));
            Readiness::failed("ContainerCrashLooping", message)
        }
        "Pending" => {
            let stuck = conditions(object)
                .any(|c| c.kind == "PodScheduled" && c.status == "False" && c.reason == "Unschedulable");
            if !stuck {
                return Readiness::in_progress("PodPending", "Pod is in the Pending phase");
            }
            if is_young(object, now) {
                return Readiness::in_progress("PodNotScheduled", "Pod has not been scheduled");
            }
            Readiness::failed(super::POD_UNSCHEDULABLE, "Pod could not be scheduled")
        }
        phase => Readiness::unknown(format!("unknown phase {phase}")),
    }
}

/// Without a readable creation time a pod counts as old, as a zero time does in Go.
fn is_young(pod: &Object, now: Timestamp) -> bool {
    text(pod, &["metadata", "creationTimestamp"])
        .parse::<Timestamp>()
        .is_ok_and(|created| now.duration_since(created) < SCHEDULE_WINDOW)
}

fn crash_looping(pod: &Object) -> Vec<&str> {
    pod.get(&["status", "containerStatuses"])
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|status| {
            status.pointer("/state/waiting/reason").and_then(Value::as_str) == Some("CrashLoopBackOff")
        })
        .filter_map(|status| status.get("name").and_then(Value::as_str))
        .collect()
}

fn wanted_replicas(object: &Object) -> i64 {
    int(object, &["spec", "replicas"]).unwrap_or(1)
}

fn count(object: &Object, field: &str) -> i64 {
    int(object, &["status", field]).unwrap_or(0)
}

fn extra(replicas: i64, wanted: i64) -> Readiness {
    Readiness::in_progress(
        "ExtraPods",
        format!("Pending termination: {}", replicas.saturating_sub(wanted)),
    )
}
