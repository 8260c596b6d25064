//! The spec as the later steps use it: durations read, defaults filled in, what can't be done refused.

use std::time::Duration;

use weir_apis::kind::Kustomization;
use weir_apis::reason;
use weir_cluster::{Client, Identity};
use weir_plan::{HealthExprs, HealthRules};
use weir_runtime::verdict::{chain, duration};
use weir_runtime::{Failure, Settings};

/// Shortest time that applying and waiting may take (flux-controllers.md §3).
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What the spec means.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) own: Kustomization,
    pub(crate) interval: Duration,
    pub(crate) retry: Duration,
    pub(crate) timeout: Duration,
    pub(crate) health: HealthRules,
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
        let exprs: Vec<HealthExprs> = own
            .spec
            .health_check_exprs
            .iter()
            .cloned()
            .map(|e| HealthExprs {
                api_version: e.api_version,
                kind: e.kind.unwrap_or_default(),
                current: e.current,
                failed: e.failed.unwrap_or_default(),
                in_progress: e.in_progress.unwrap_or_default(),
            })
            .collect();
        let health = HealthRules::compile(&exprs)
            .map_err(|e| Failure::stalled(reason::INVALID_CEL_EXPRESSION, chain(&e)))?;
        if own.spec.decryption.is_some() {
            let message = "spec.decryption: SOPS is not built yet, and encrypted Secrets must not be applied as they are; \
                           remove the field, or keep this Kustomization with Flux";
            return Err(Failure::stalled(reason::FEATURE_GATE_DISABLED, message));
        }
        let source = &own.spec.source_ref;
        if source.kind != "OCIRepository" {
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
        Ok(Self {
            own,
            interval,
            retry,
            timeout: timeout.max(SHORTEST_TIMEOUT),
            health,
        })
    }

    /// The client that applies: as the ServiceAccount that the spec names, else as the default one, else as
    /// the controller. Never as the controller because an account is missing (security case N50).
    pub(crate) fn client(&self, own: &Client, settings: &Settings) -> Result<Client, Failure> {
        let account = self
            .own
            .spec
            .service_account_name
            .as_ref()
            .or(settings.default_service_account.as_ref());
        match account {
            None => Ok(own.clone()),
            Some(name) => Identity::service_account(&self.own.metadata.namespace, name)
                .map(|identity| own.acting_as(identity))
                .map_err(|e| {
                    Failure::stalled(reason::ACCESS_DENIED, format!("spec.serviceAccountName: {e}"))
                }),
        }
    }
}
