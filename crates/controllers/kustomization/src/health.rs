//! Are the applied objects healthy? (flux-controllers.md §3.9)

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::Notify;
use weir_apis::kind::Kustomization;
use weir_apis::{GroupVersionKind, ObjectRef, reason};
use weir_cluster::{Clock, NotReady, Targets, wait_until_ready};
use weir_plan::ChangeSet;

use crate::spec::Spec;
use crate::target::Target;

/// What to wait for: every applied object with `wait`, else what `healthChecks` names; never the Kustomization itself.
/// `None`: nothing was asked for.
pub(crate) fn targets(spec: &Spec, changes: &ChangeSet) -> Option<Vec<ObjectRef>> {
    let own = &spec.own;
    let objects: Vec<ObjectRef> = if own.spec.wait {
        changes.health_targets().cloned().collect()
    } else if own.spec.health_checks.is_empty() {
        return None;
    } else {
        own.spec
            .health_checks
            .iter()
            .map(|check| {
                let version = check.api_version.as_deref().unwrap_or("apps/v1");
                let gvk = GroupVersionKind::from_api_version(version, &*check.kind);
                ObjectRef::new(gvk, check.namespace.as_deref().unwrap_or_default(), &*check.name)
            })
            .collect()
    };
    let itself = |object: &ObjectRef| {
        object.gvk.group == Kustomization::GROUP
            && object.gvk.kind == Kustomization::KIND
            && object.namespace == own.metadata.namespace
            && object.name == own.metadata.name
    };
    Some(objects.into_iter().filter(|o| !itself(o)).collect())
}

/// Objects that are not healthy, for the condition.
#[derive(Debug)]
pub(crate) struct Unhealthy {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    /// Time was up; more of it might have helped.
    pub(crate) timed_out: bool,
}

impl Unhealthy {
    /// Waiting was cut short because there is something newer to apply.
    pub(crate) fn superseded() -> Self {
        let message = "stopped waiting for health: a newer spec or artifact is to be applied".into();
        Self {
            reason: reason::HEALTH_CHECK_CANCELED,
            message,
            timed_out: false,
        }
    }

    /// When to try again.
    pub(crate) fn again(&self, retry: Duration) -> Duration {
        if self.reason == reason::HEALTH_CHECK_CANCELED {
            Duration::ZERO
        } else {
            retry
        }
    }
}

/// Waits until all are healthy, at most `timeout`.
pub(crate) async fn wait(
    target: &Target,
    clock: &dyn Clock,
    spec: &Spec,
    objects: &[ObjectRef],
    vanishing: &BTreeSet<ObjectRef>,
    changed: &Notify,
    timeout: Duration,
) -> Result<(), Unhealthy> {
    let judge = |object: &weir_apis::Object, now| spec.health.readiness(object, now);
    let may_be_absent = |object: &ObjectRef| vanishing.contains(object);
    let targets = Targets {
        objects,
        judge: &judge,
        may_be_absent: &may_be_absent,
    };
    wait_until_ready(&target.client, &target.view, clock, &targets, changed, timeout)
        .await
        .map_err(|e| {
            let timed_out = matches!(e, NotReady::Timeout(_));
            let message = if timed_out {
                format!("health check failed after {} s: {e}", spec.timeout.as_secs())
            } else {
                format!("health check failed: {e}")
            };
            Unhealthy {
                reason: reason::HEALTH_CHECK_FAILED,
                message,
                timed_out,
            }
        })
}
