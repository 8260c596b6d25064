//! Releases. The names in `flux` are those of helm-controller's own cases.

pub(crate) mod access;
pub(crate) mod applied;
pub(crate) mod drift;
pub(crate) mod fields;
pub(crate) mod flux;
pub(crate) mod life;
pub(crate) mod lifecycle;
pub(crate) mod repository;
pub(crate) mod secrecy;
pub(crate) mod sources;
pub(crate) mod tenants;
pub(crate) mod values;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use weir_apis::condition::{Conditions, STALLED, Status};
use weir_apis::{Object, ObjectRef, key};
use weir_real::Ground;

/// Changes a spec.
pub(crate) async fn change(ground: &Ground, reference: &ObjectRef, spec: Value) -> Result<Object> {
    Ok(ground
        .client
        .merge(reference, &json!({"spec": spec}), "administrator")
        .await?)
}

/// Asks for a reconcile, and waits until it was done.
pub(crate) async fn reconciled(ground: &Ground, reference: &ObjectRef) -> Result<Object> {
    ground.reconcile(reference).await?;
    let requested = |live: &Object| live.annotation(key::REQUESTED_AT).map(str::to_owned);
    ground
        .until(reference, |live| {
            let handled = live.get(&["status", "lastHandledReconcileAt"]);
            handled.and_then(Value::as_str).map(str::to_owned) == requested(live)
        })
        .await
}

/// Waits until nothing will be tried again, and gives the message of the condition `kind`.
async fn until_exhausted(ground: &Ground, reference: &ObjectRef, kind: &str) -> Result<String> {
    let live = ground
        .until(reference, |live| {
            Conditions::of(live).get(STALLED).is_some_and(|c| {
                c.status == Status::True
                    && c.reason == "RetriesExceeded"
                    && c.observed_generation == Some(live.generation())
            })
        })
        .await?;
    message(&live, kind)
}

pub(crate) fn message(live: &Object, kind: &str) -> Result<String> {
    let conditions = Conditions::of(live);
    let condition = conditions
        .get(kind)
        .with_context(|| format!("{kind} is missing in {:?}", conditions.sorted()))?;
    Ok(format!(
        "{} {}: {}",
        condition.status, condition.reason, condition.message
    ))
}

/// A hook that tests: one that succeeds at once, or one that no API server takes.
fn test_hook(name: &str, broken: bool) -> String {
    let data = if broken { "data: {broken: {is: it}}\n" } else { "" };
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations:\n    helm.sh/hook: test\n{data}"
    )
}
