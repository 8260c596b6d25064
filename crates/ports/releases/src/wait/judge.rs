//! How far one object is, by kstatus' rules with what differs for charts and for hooks.

use jiff::Timestamp;
use serde_json::Value;
use weir_apis::{GroupKind, Object};
use weir_plan::{Readiness, Status, readiness as by_rule};

use super::Question;

/// Nobody waits for a Deployment that somebody has paused.
pub(super) fn is_paused(object: &Object) -> bool {
    object.kind() == "Deployment"
        && object.api_version() == "apps/v1"
        && object.get(&["spec", "paused"]).and_then(Value::as_bool) == Some(true)
}

/// Hooks of these kinds are done when they are created.
pub(super) fn is_done_at_once(kind: &GroupKind) -> bool {
    !(is_job(kind) || is_pod(kind))
}

fn is_job(kind: &GroupKind) -> bool {
    kind.group == "batch" && kind.kind == "Job"
}

fn is_pod(kind: &GroupKind) -> bool {
    kind.group.is_empty() && kind.kind == "Pod"
}

/// How far a live object is.
pub(super) fn readiness(live: &Object, question: Question, now: Timestamp) -> Readiness {
    let kind = live.gvk().group_kind();
    match question {
        Question::Hook if is_pod(&kind) => pod(live),
        Question::Ready { jobs: false } if is_job(&kind) => started(by_rule(live, now)),
        _ => by_rule(live, now),
    }
}

/// A Pod that is a hook runs to its end.
fn pod(live: &Object) -> Readiness {
    let name = live.name();
    match live.get(&["status", "phase"]).and_then(Value::as_str) {
        Some("Succeeded") => Readiness::new(Status::Current, "", format!("pod {name} succeeded")),
        Some("Failed") => Readiness::new(Status::Failed, "PodFailed", format!("pod {name} failed")),
        _ => Readiness::new(Status::InProgress, "PodInProgress", "Pod in progress"),
    }
}

/// Where Jobs are not waited for, one that has started is as good as ready.
fn started(readiness: Readiness) -> Readiness {
    if readiness.status == Status::InProgress && readiness.reason == "JobInProgress" {
        return Readiness::new(Status::Current, "", readiness.message);
    }
    readiness
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(value: Value, question: Question) -> Status {
        let object = Object::from_value(value).unwrap();
        readiness(&object, question, Timestamp::UNIX_EPOCH).status
    }

    #[test]
    fn a_job_that_runs_is_ready_unless_jobs_are_waited_for() {
        let job = json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"},
            "status": {"startTime": "2026-01-01T00:00:00Z", "active": 1},
        });
        assert_eq!(
            status(job.clone(), Question::Ready { jobs: false }),
            Status::Current
        );
        assert_eq!(
            status(job.clone(), Question::Ready { jobs: true }),
            Status::InProgress
        );
        assert_eq!(status(job, Question::Hook), Status::InProgress);
        let waiting = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}});
        assert_eq!(
            status(waiting, Question::Ready { jobs: false }),
            Status::InProgress
        );
    }

    #[test]
    fn a_pod_that_is_a_hook_must_end_well() {
        for (phase, expected) in [
            ("Running", Status::InProgress),
            ("Succeeded", Status::Current),
            ("Failed", Status::Failed),
        ] {
            let pod = json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "status": {"phase": phase},
            });
            assert_eq!(status(pod, Question::Hook), expected, "{phase}");
        }
    }
}
