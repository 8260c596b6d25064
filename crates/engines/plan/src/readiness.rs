//! When is an object what its spec asks for? kstatus' rules in Flux's flavour (flux-controllers.md §3.9).
//!
//! What differs from stock kstatus: a Job counts when it is complete, not when it has started.

mod workload;

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;
use weir_apis::{GroupKind, Object};

/// How far an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It is as its spec asks.
    Current,
    /// It is on its way.
    InProgress,
    /// It will not get there by itself.
    Failed,
    /// It is being deleted.
    Terminating,
    /// It does not exist.
    NotFound,
    /// Nobody can tell.
    Unknown,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "Current",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown => "Unknown",
        })
    }
}

/// How far an object is, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// How far it is.
    pub status: Status,
    /// One CamelCase word for it; empty where the status says all.
    pub reason: String,
    /// A sentence for it.
    pub message: String,
}

impl Readiness {
    /// A status with its reason and message.
    pub fn new(status: Status, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// Of an object that is not in the cluster.
    pub fn not_found() -> Self {
        Self::new(Status::NotFound, "", "Resource not found")
    }

    fn current(message: impl Into<String>) -> Self {
        Self::new(Status::Current, "", message)
    }

    fn in_progress(reason: &str, message: impl Into<String>) -> Self {
        Self::new(Status::InProgress, reason, message)
    }

    fn failed(reason: &str, message: impl Into<String>) -> Self {
        Self::new(Status::Failed, reason, message)
    }

    fn unknown(message: impl Into<String>) -> Self {
        Self::new(Status::Unknown, "", message)
    }
}

/// Whether one object is ready, by the built-in rules. `now` is what a Pod's scheduling time is measured by.
pub fn readiness(object: &Object, now: Timestamp) -> Readiness {
    if object.is_being_deleted() {
        return Readiness::new(Status::Terminating, "", "Resource scheduled for deletion");
    }
    generic(object)
        .or_else(|| by_kind(object, now))
        .or_else(|| by_ready_condition(object))
        .unwrap_or_else(|| Readiness::current("Resource is current"))
}

/// A Job that is to be deleted after it finished may be gone already: that it is not there says it finished.
pub fn may_vanish(desired: &Object) -> bool {
    let gvk = desired.gvk();
    gvk.group == "batch" && gvk.kind == "Job" && int(desired, &["spec", "ttlSecondsAfterFinished"]).is_some()
}

/// Whether the pods behind an object of this type are to be looked at while it is in progress: see
/// [`with_pods`].
pub fn has_pods(kind: &GroupKind) -> bool {
    kind.group == "apps" && matches!(kind.kind.as_str(), "Deployment" | "StatefulSet" | "ReplicaSet")
}

/// Turns an object in progress into a failed one where its pods have failed for a reason that time does not
/// mend. `pods` are those that the object's selector finds.
pub fn with_pods<'a>(
    of_object: Readiness,
    pods: impl IntoIterator<Item = &'a Object>,
    now: Timestamp,
) -> Readiness {
    if of_object.status != Status::InProgress {
        return of_object;
    }
    let failed = pods
        .into_iter()
        .filter(|pod| {
            let status = readiness(pod, now);
            // An autoscaler may still make room for a pod that has none.
            status.status == Status::Failed && status.reason != POD_UNSCHEDULABLE
        })
        .count();
    if failed == 0 {
        of_object
    } else {
        Readiness::failed("PodsFailed", format!("{failed} pods have failed"))
    }
}

const POD_UNSCHEDULABLE: &str = "PodUnschedulable";

/// The rules that hold for every kind: the generation must be observed, and the two standard conditions say
/// what they say.
fn generic(object: &Object) -> Option<Readiness> {
    if let (Some(generation), Some(observed)) = (
        int(object, &["metadata", "generation"]),
        int(object, &["status", "observedGeneration"]),
    ) && generation != observed
    {
        return Some(Readiness::in_progress(
            "LatestGenerationNotObserved",
            format!(
                "{} generation is {generation}, but latest observed generation is {observed}",
                object.kind()
            ),
        ));
    }
    conditions(object).find_map(|c| match (c.kind, c.status) {
        ("Reconciling", "True") => Some(Readiness::in_progress(c.reason, c.message)),
        ("Stalled", "True") => Some(Readiness::failed(c.reason, c.message)),
        _ => None,
    })
}

fn by_kind(object: &Object, now: Timestamp) -> Option<Readiness> {
    let gvk = object.gvk();
    Some(match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Service") => service(object),
        ("", "Pod") => workload::pod(object, now),
        ("", "Secret" | "ConfigMap") | ("batch", "CronJob") => Readiness::current("Resource is always ready"),
        ("", "PersistentVolumeClaim") => claim(object),
        ("apps", "StatefulSet") => workload::stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => workload::daemon_set(object),
        ("apps" | "extensions", "Deployment") => workload::deployment(object),
        ("apps" | "extensions", "ReplicaSet") => workload::replica_set(object),
        ("policy", "PodDisruptionBudget") => Readiness::current("AllowedDisruptions has been computed."),
        ("batch", "Job") => workload::job(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        _ => return None,
    })
}

/// `Ready=False` is "in progress": nothing tells a resource that is on its way from one that is lost
/// (pitfall 16).
fn by_ready_condition(object: &Object) -> Option<Readiness> {
    conditions(object)
        .filter(|c| c.kind == "Ready")
        .find_map(|c| match c.status {
            "True" => Some(Readiness::current("Resource is Ready")),
            "False" | "Unknown" => Some(Readiness::in_progress(c.reason, c.message)),
            _ => None,
        })
}

/// The external address of a load balancer is not awaited (pitfall 17).
fn service(object: &Object) -> Readiness {
    let balanced = text(object, &["spec", "type"]) == "LoadBalancer";
    if balanced && text(object, &["spec", "clusterIP"]).is_empty() {
        return Readiness::in_progress("NoIPAssigned", "ClusterIP not set. Service type: LoadBalancer");
    }
    Readiness::current("Service is ready")
}

fn claim(object: &Object) -> Readiness {
    match text(object, &["status", "phase"]) {
        "Bound" => Readiness::current("PVC is Bound"),
        phase => {
            let phase = if phase.is_empty() { "unknown" } else { phase };
            Readiness::in_progress("NotBound", format!("PVC is not Bound. phase: {phase}"))
        }
    }
}

fn definition(object: &Object) -> Readiness {
    let verdict = conditions(object).find_map(|c| match (c.kind, c.status) {
        ("NamesAccepted", "False") => Some(Readiness::failed(c.reason, c.message)),
        ("Established", "False") if c.reason != "Installing" => Some(Readiness::failed(c.reason, c.message)),
        ("Established", "True") => Some(Readiness::current("CRD is established")),
        _ => None,
    });
    verdict.unwrap_or_else(|| Readiness::in_progress("Installing", "Install in progress"))
}

/// A condition, as far as these rules read it. Fields of another type read as empty.
struct Condition<'a> {
    kind: &'a str,
    status: &'a str,
    reason: &'a str,
    message: &'a str,
}

fn conditions(object: &Object) -> impl Iterator<Item = Condition<'_>> {
    object
        .get(&["status", "conditions"])
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|value| {
            let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
            Condition {
                kind: text("type"),
                status: text("status"),
                reason: text("reason"),
                message: text("message"),
            }
        })
}

fn int(object: &Object, path: &[&str]) -> Option<i64> {
    object.get(path).and_then(Value::as_i64)
}

fn text<'a>(object: &'a Object, path: &[&str]) -> &'a str {
    object.get(path).and_then(Value::as_str).unwrap_or_default()
}
