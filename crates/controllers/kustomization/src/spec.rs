//! The spec as the later steps use it: durations read, defaults filled in, what can't be done refused.

use std::time::Duration;

use weir_apis::kind::{ExternalArtifact, Kustomization, OciRepository};
use weir_apis::{key, reason};
use weir_plan::{Budget, HealthRules, InvalidBudget};
use weir_runtime::sources::allows_kind;
use weir_runtime::verdict::{chain, duration};
use weir_runtime::{Failure, Settings};

/// Shortest time that applying and waiting may take (flux-controllers.md §3).
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(30);

/// When to try a deletion again where `spec.interval` cannot be read.
const FALLBACK_INTERVAL: Duration = Duration::from_mins(5);

/// What the spec means.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) own: Kustomization,
    pub(crate) interval: Duration,
    pub(crate) retry: Duration,
    pub(crate) timeout: Duration,
    pub(crate) health: HealthRules,
    /// How many objects that left the source may be deleted at once.
    pub(crate) max_prune: Budget,
}

impl Spec {
    /// Reads a spec; what is wrong with it stalls, since only a change of the object can help.
    pub(crate) fn read(own: Kustomization, settings: &Settings) -> Result<Self, Failure> {
        let interval = duration("spec.interval", &own.spec.interval)?;
        let retry = match &own.spec.retry_interval {
            Some(text) => duration("spec.retryInterval", text)?,
            None => interval,
        };
        let timeout = match &own.spec.timeout {
            Some(text) => duration("spec.timeout", text)?,
            None => interval.saturating_sub(SHORTEST_TIMEOUT),
        };
        let health = HealthRules::of(&own.spec.health_check_exprs)
            .map_err(|e| Failure::stalled(reason::INVALID_CEL_EXPRESSION, chain(&e)))?;
        if own.spec.decryption.is_some() {
            let message = "spec.decryption: SOPS is not built yet, and encrypted Secrets must not be applied as they are; \
                           remove the field, or keep this Kustomization with Flux";
            return Err(Failure::stalled(reason::FEATURE_GATE_DISABLED, message));
        }
        let max_prune = match own.metadata.annotations.get(key::MAX_PRUNE) {
            Some(text) => text.parse().map_err(|e: InvalidBudget| {
                Failure::stalled(
                    reason::INVALID_SPEC,
                    format!("annotation {}: {e}", key::MAX_PRUNE),
                )
            })?,
            None => settings.max_prune,
        };
        let source = &own.spec.source_ref;
        if source.kind != OciRepository::KIND && source.kind != ExternalArtifact::KIND {
            let message = format!(
                "spec.sourceRef: sources of kind {} are not built yet; use an OCIRepository",
                source.kind
            );
            return Err(Failure::stalled(reason::FEATURE_GATE_DISABLED, message));
        }
        let namespace = source.namespace.as_deref().unwrap_or(&own.metadata.namespace);
        if settings.no_cross_namespace_refs && namespace != own.metadata.namespace {
            let message = format!(
                "can't access '{}/{namespace}/{}', cross-namespace references have been blocked",
                source.kind, source.name
            );
            return Err(Failure::stalled(reason::ACCESS_DENIED, message));
        }
        allows_kind(settings, &source.kind, namespace, &source.name)?;
        Ok(Self {
            own,
            interval,
            retry,
            timeout: timeout.max(SHORTEST_TIMEOUT),
            health,
            max_prune,
        })
    }

    /// The spec of a Kustomization that is being deleted. Only what deletion needs is read, and what is wrong with it falls back to
    /// a default: a mistake elsewhere in the spec must not keep the object for ever.
    pub(crate) fn of_deleted(own: Kustomization) -> Self {
        let read = |text: &str, other| duration("", text).unwrap_or(other);
        let interval = read(&own.spec.interval, FALLBACK_INTERVAL);
        let or_interval = |text: &Option<String>| text.as_deref().map_or(interval, |t| read(t, interval));
        Self {
            interval,
            retry: or_interval(&own.spec.retry_interval),
            timeout: or_interval(&own.spec.timeout).max(SHORTEST_TIMEOUT),
            health: HealthRules::default(),
            max_prune: Budget::Unlimited,
            own,
        }
    }
}
