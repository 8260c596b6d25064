//! What controllers are given.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use weir_apis::{GroupKind, key};
use weir_cluster::{Client, Clock};
use weir_plan::Budget;

use crate::{Metrics, Recorder};

/// The outside world of a controller.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The cluster whose objects are reconciled.
    pub client: Client,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where events go.
    pub events: Recorder,
    /// What is counted for Prometheus.
    pub metrics: Metrics,
    /// How to behave.
    pub settings: Settings,
}

/// How controllers behave; the names are those of Flux's flags (flux-controllers.md §1.8, §2, §3).
#[derive(Debug, Clone)]
pub struct Settings {
    /// `--no-cross-namespace-refs`: a reference to another namespace is refused.
    pub no_cross_namespace_refs: bool,
    /// `--default-service-account`: whom a Kustomization acts as when it names nobody. `None`: the controller itself.
    pub default_service_account: Option<String>,
    /// `--default-kubeconfig-service-account`: whose token is used for another cluster where its ConfigMap names nobody.
    pub default_kubeconfig_service_account: Option<String>,
    /// `--requeue-dependency`: how long to wait for a dependency before looking again.
    pub requeue_dependency: Duration,
    /// `--interval-jitter-percentage`: how far the wake-up after a success may lie from the interval.
    pub interval_jitter_percent: u8,
    /// `--min-retry-delay`: first pause after a failure.
    pub min_retry_delay: Duration,
    /// `--max-retry-delay`: longest pause after a failure.
    pub max_retry_delay: Duration,
    /// Reconciles of one kind under way at once, those that wait for health too. Each keeps an object and what it builds in
    /// memory; an API server has enough to do with a quarter of the default.
    pub concurrent: usize,
    /// `--watch-label-selector`: only objects with these labels are reconciled, so that several processes can share the
    /// work. Empty: all.
    pub watch_labels: String,
    /// `--watch-all-namespaces=false`: only objects of this namespace are reconciled, and nothing outside it is watched.
    pub watch_namespace: Option<String>,
    /// `--watch-configs-label-selector`: changes of the ConfigMaps and Secrets with these labels wake those that refer to
    /// them. `None` (upstream's gate `DisableConfigWatchers`): they are read again at the next interval only.
    pub watch_configs: Option<String>,
    /// `--override-manager`: field managers, besides kubectl, whose fields a Kustomization takes over.
    pub override_managers: Vec<String>,
    /// `--custom-apply-stage-kinds`: kinds that are applied before the last stage.
    pub custom_stage_kinds: BTreeSet<GroupKind>,
    /// `--strict-substitution` (upstream `StrictPostBuildSubstitutions`): unset variables are errors.
    pub strict_substitution: bool,
    /// `--max-prune`: how many objects that left its source a Kustomization may delete at once, where its annotation does not say.
    pub max_prune: Budget,
    /// `--without-policies`: where the cluster does not know VerificationPolicies, go on without them.
    pub without_policies: bool,
    /// `--external-artifacts` (upstream's gate `ExternalArtifact`): what others write and serve may be built from. Nobody
    /// checks signatures of it.
    pub external_artifacts: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            no_cross_namespace_refs: false,
            default_service_account: None,
            default_kubeconfig_service_account: None,
            requeue_dependency: Duration::from_secs(30),
            interval_jitter_percent: 5,
            min_retry_delay: Duration::from_millis(750),
            max_retry_delay: Duration::from_mins(15),
            concurrent: 64,
            watch_labels: String::new(),
            watch_namespace: None,
            watch_configs: Some(format!("{}=Enabled", key::WATCH)),
            override_managers: Vec::new(),
            custom_stage_kinds: BTreeSet::new(),
            strict_substitution: false,
            max_prune: Budget::Unlimited,
            without_policies: false,
            external_artifacts: false,
        }
    }
}
