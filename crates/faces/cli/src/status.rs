//! What an object's status says, for people and for commands that wait.

use weir_apis::condition::{Conditions, READY, RECONCILING, STALLED, Status};
use weir_apis::kind::HelmRelease;
use weir_apis::{Object, reason};

/// The text at a path, or nothing.
pub(crate) fn text<'o>(object: &'o Object, path: &[&str]) -> &'o str {
    object
        .get(path)
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
}

/// Whether reconciling is switched off.
pub(crate) fn is_suspended(object: &Object) -> bool {
    object
        .get(&["spec", "suspend"])
        .and_then(serde_json::Value::as_bool)
        .unwrap_or_default()
}

/// The revision that an object stands for: what a source has stored, what was applied last, or which version of a chart
/// was last tried.
pub(crate) fn revision(object: &Object) -> &str {
    let stored = text(object, &["status", "artifact", "revision"]);
    if !stored.is_empty() {
        return stored;
    }
    let field = if object.kind() == HelmRelease::KIND {
        "lastAttemptedRevision"
    } else {
        "lastAppliedRevision"
    };
    text(object, &["status", field])
}

/// The digest at the end of a revision: `latest@sha256:…` or `sha256:…`.
pub(crate) fn digest_of(revision: &str) -> &str {
    revision.rsplit_once('@').map_or(revision, |(_, digest)| digest)
}

/// `Ready`: its status and message.
pub(crate) fn ready(object: &Object) -> (String, String) {
    match Conditions::of(object).get(READY) {
        Some(condition) => (condition.status.to_string(), condition.message.clone()),
        None => ("Unknown".to_owned(), "waiting to be reconciled".to_owned()),
    }
}

/// Cuts digests to eight digits, as flux does: a table is for eyes, JSON and YAML are exact.
pub(crate) fn short(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut digits = String::new();
    for c in text.chars().chain(std::iter::once('\0')) {
        if c.is_ascii_hexdigit() && !c.is_ascii_uppercase() {
            digits.push(c);
            continue;
        }
        let keep = if digits.len() >= 40 { 8 } else { digits.len() };
        out.extend(digits.drain(..).take(keep));
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

/// How far a reconcile is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Not concluded; what it says meanwhile.
    Working(String),
    /// Ready.
    Done(String),
    /// The last attempt failed, and another may follow.
    Failed {
        reason: String,
        message: String,
        /// Nothing will be tried again until the object changes.
        stalled: bool,
    },
}

/// How far the reconcile of an object's present generation is; with `token`, the one that was requested with it.
pub(crate) fn progress(object: &Object, token: Option<&str>) -> Progress {
    let handled = text(object, &["status", "lastHandledReconcileAt"]);
    if token.is_some_and(|token| token != handled) {
        return Progress::Working("waiting for the controller to take the request up".into());
    }
    let conditions = Conditions::of(object);
    let current = |kind: &str| {
        conditions.get(kind).filter(|condition| {
            condition
                .observed_generation
                .is_none_or(|seen| seen >= object.generation())
        })
    };
    if let Some(stalled) = current(STALLED).filter(|condition| condition.status == Status::True) {
        return Progress::Failed {
            reason: stalled.reason.clone(),
            message: stalled.message.clone(),
            stalled: true,
        };
    }
    let Some(ready) = current(READY) else {
        return Progress::Working("waiting for the controller to see the object".into());
    };
    let reconciling = current(RECONCILING).filter(|condition| condition.status == Status::True);
    if let Some(reconciling) = reconciling
        && reconciling.reason != reason::PROGRESSING_WITH_RETRY
    {
        return Progress::Working(reconciling.message.clone());
    }
    match ready.status {
        Status::True => Progress::Done(ready.message.clone()),
        Status::False => Progress::Failed {
            reason: ready.reason.clone(),
            message: ready.message.clone(),
            stalled: false,
        },
        Status::Unknown => Progress::Working(ready.message.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(status: serde_json::Value) -> Object {
        Object::from_value(json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": "apps", "namespace": "flux-system", "generation": 2}, "status": status,
        }))
        .unwrap()
    }

    fn condition(kind: &str, status: &str, reason: &str, generation: i64) -> serde_json::Value {
        json!({"type": kind, "status": status, "reason": reason, "message": "m", "observedGeneration": generation,
               "lastTransitionTime": "2026-01-01T00:00:00Z"})
    }

    #[test]
    fn a_ready_of_an_older_generation_does_not_count() {
        let old = object(json!({"conditions": [condition("Ready", "True", "ReconciliationSucceeded", 1)]}));
        assert!(matches!(progress(&old, None), Progress::Working(_)));
        let new = object(json!({"conditions": [condition("Ready", "True", "ReconciliationSucceeded", 2)]}));
        assert_eq!(progress(&new, None), Progress::Done("m".into()));
        assert!(matches!(progress(&new, Some("now")), Progress::Working(_)));
    }

    #[test]
    fn a_failure_that_will_be_retried_is_a_failure() {
        let failed = object(json!({"conditions": [
            condition("Reconciling", "True", "ProgressingWithRetry", 2),
            condition("Ready", "False", "BuildFailed", 2),
        ]}));
        assert!(matches!(
            progress(&failed, None),
            Progress::Failed { stalled: false, .. }
        ));
        let stalled = object(json!({"conditions": [
            condition("Stalled", "True", "InvalidSpec", 2), condition("Ready", "False", "InvalidSpec", 2),
        ]}));
        assert!(matches!(
            progress(&stalled, None),
            Progress::Failed { stalled: true, .. }
        ));
    }

    #[test]
    fn digests_are_cut_and_words_are_not() {
        let digest = "a".repeat(64);
        assert_eq!(
            short(&format!("latest@sha256:{digest} beef")),
            "latest@sha256:aaaaaaaa beef"
        );
        assert_eq!(digest_of("latest@sha256:aa"), "sha256:aa");
        assert_eq!(digest_of("sha256:aa"), "sha256:aa");
    }
}
