//! The Kustomization is being deleted: what happens to what it applied (flux-controllers.md §3.8).

use std::time::Duration;

use weir_apis::inventory::Inventory;
use weir_apis::{ObjectRef, key, reason};
use weir_cluster::carry_out::{Pruned, prune};
use weir_plan::{Owner, PrunePlan, PruneRefused};
use weir_runtime::Failure;

use crate::spec::Spec;
use crate::target::Target;

/// How often to look whether deleted objects are gone.
const POLL: Duration = Duration::from_secs(2);

/// What the spec wants to happen to the applied objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Keep,
    Delete,
    DeleteAndWait,
}

/// `deletionPolicy`, which follows `prune` unless it is set. A suspended Kustomization touches nothing.
pub(crate) fn fate(spec: &weir_apis::kind::KustomizationSpec) -> Fate {
    if spec.suspend {
        return Fate::Keep;
    }
    match spec.deletion_policy.as_deref() {
        Some("Delete") => Fate::Delete,
        Some("WaitForTermination") => Fate::DeleteAndWait,
        Some("Orphan") => Fate::Keep,
        _ if spec.prune => Fate::Delete,
        _ => Fate::Keep,
    }
}

/// Deletes everything in the inventory, in reverse order of application. An error keeps the finalizer.
pub(crate) async fn delete_all(
    target: &Target,
    spec: &Spec,
    inventory: &Inventory,
    wait: bool,
) -> Result<(), Failure> {
    let owner = Owner::kustomization(&*spec.own.metadata.namespace, &*spec.own.metadata.name);
    let plan = PrunePlan::everything(inventory);
    for (entry, error) in plan.unreadable() {
        tracing::warn!(%entry, %error, "an inventory entry cannot be read; what it stands for is left alone");
    }
    let pruned = prune(&target.client, &target.view, &plan, &owner).await;
    if let Some(failure) = failure(spec, &pruned) {
        return Err(failure);
    }
    if wait {
        let objects: Vec<ObjectRef> = pruned.deleted.iter().map(|d| d.object().clone()).collect();
        let mut waited = Duration::ZERO;
        for object in objects {
            while waited < spec.timeout && target.client.get(&object).await.is_ok_and(|live| live.is_some()) {
                tokio::time::sleep(POLL).await;
                waited += POLL;
            }
        }
        if waited >= spec.timeout {
            tracing::warn!(
                "deleted objects are still there after {} s",
                spec.timeout.as_secs()
            );
        }
    }
    Ok(())
}

/// Why nothing is deleted, and what to do if it should be.
pub(crate) fn refused(refusal: &PruneRefused) -> String {
    match refusal {
        PruneRefused::EmptySet { .. } => refusal.to_string(),
        PruneRefused::OverBudget { .. } => format!(
            "{refusal}; nothing was deleted. If they are to go, raise the annotation {} of this Kustomization",
            key::MAX_PRUNE
        ),
    }
}

/// What could not be deleted, as a failure.
pub(crate) fn failure(spec: &Spec, pruned: &Pruned) -> Option<Failure> {
    if pruned.failed.is_empty() {
        return None;
    }
    let lines: Vec<String> = pruned
        .failed
        .iter()
        .map(|(object, error)| format!("{object} delete failed: {error}"))
        .collect();
    Some(Failure::retry_after(
        reason::PRUNE_FAILED,
        spec.retry,
        lines.join("\n"),
    ))
}
