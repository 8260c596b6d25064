//! The controllers, put together: what `weir controller`, the demo and the tests run.
//!
//! Whoever starts a [`House`] says what the outside world is. Several houses may run side by side in one process,
//! each with a cluster, a registry and a time of its own.

use std::sync::Arc;

use weir_apis::GroupVersionKind;
use weir_apis::kind::ExternalArtifact;
use weir_cluster::notify::Endpoint;
use weir_cluster::{ApiError, Client, Clock, Mirror};
use weir_helmrelease::{HelmReleases, Sources};
use weir_kustomization::Kustomizations;
use weir_runtime::artifacts::Artifacts;
use weir_runtime::probes::Readiness;
use weir_runtime::{Controller, Deps, Metrics, Recorder, Settings};
pub use weir_source::StartError;
use weir_source::{
    AllSources, HelmCharts, HelmRepositories, OciRepositories, Policies, VerificationPolicies,
};
use weir_store::Store;
use weir_store::download::Downloader;

/// What the controllers work on.
#[derive(Debug, Clone)]
pub struct Outside {
    /// The cluster.
    pub cluster: Client,
    /// How to reach registries; credentials come from the objects.
    pub registry: weir_registry::Client,
    /// Where artifacts are kept.
    pub store: Arc<Store>,
    /// Where stored artifacts are served, as `http://host`; goes into `status.artifact.url`.
    pub artifacts_url: String,
    /// How to read artifacts that others serve.
    pub downloads: Downloader,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the controllers count what they do.
    pub metrics: Metrics,
    /// Who is told of events besides the API server, and under which name this process reports.
    pub told: Option<(Endpoint, String)>,
    /// Where it is said that the controllers wait for something before they begin.
    pub readiness: Readiness,
}

/// Running controllers. They stop when it is dropped, or in good order with [`House::stop`].
#[derive(Debug)]
pub struct House {
    controllers: Vec<Controller>,
}

impl House {
    /// Starts every controller. The CustomResourceDefinitions must be installed.
    pub async fn start(outside: Outside, settings: Settings) -> Result<Self, StartError> {
        let mut events = Recorder::start(outside.cluster.clone(), outside.clock.clone());
        if let Some((endpoint, instance)) = outside.told {
            events = events.telling(endpoint, instance, outside.clock.clone());
        }
        let deps = Deps {
            metrics: outside.metrics,
            client: outside.cluster,
            clock: outside.clock,
            events,
            settings,
        };
        let (policies, has_policies) = policies(&deps, &outside.readiness).await?;
        let sources = OciRepositories::start(
            deps.clone(),
            outside.registry.clone(),
            outside.store.clone(),
            outside.artifacts_url.clone(),
            policies.clone(),
        )
        .await?;
        let repositories = HelmRepositories::start(
            deps.clone(),
            outside.registry.clone(),
            outside.store.clone(),
            outside.artifacts_url.clone(),
        )
        .await?;
        let all_repositories = all_of(&deps, &repositories).await;
        let charts = HelmCharts::start(
            deps.clone(),
            outside.registry,
            outside.store.clone(),
            outside.artifacts_url.clone(),
            all_repositories.clone(),
            policies.clone(),
        )
        .await?;
        let sources_of_charts = Sources {
            repositories: all_of(&deps, &sources).await,
            charts: all_of(&deps, &charts).await,
            external: external(&deps).await?,
        };
        let all_sources = AllSources {
            oci: sources_of_charts.repositories.clone(),
            charts: sources_of_charts.charts.clone(),
            repositories: all_repositories,
        };
        // Who sees one namespace alone cannot say how all sources fare.
        let judges = match deps.settings.watch_namespace {
            None if has_policies => Some(VerificationPolicies::start(&deps, policies, all_sources).await?),
            None | Some(_) => None,
        };
        let artifacts = Artifacts::new(outside.store, outside.artifacts_url, outside.downloads);
        let kustomizations = Kustomizations::start(
            deps.clone(),
            artifacts.clone(),
            sources_of_charts.repositories.clone(),
            sources_of_charts.external.clone(),
        )
        .await?;
        let releases = HelmReleases::start(deps, artifacts, sources_of_charts).await?;
        let mut controllers = vec![sources, repositories, charts, kustomizations, releases];
        controllers.extend(judges);
        Ok(Self { controllers })
    }

    /// Takes no new work and waits for what is under way.
    pub async fn stop(self) {
        for controller in self.controllers {
            controller.stop().await;
        }
    }
}

/// What the cluster asks of sources, and whether it knows the kind at all. Without the kind nothing can be asked, and a cluster where
/// somebody forgot to install it, or took it away, looks the same: so that is an error, unless the settings say otherwise.
async fn policies(deps: &Deps, readiness: &Readiness) -> Result<(Arc<Policies>, bool), StartError> {
    let tell = |why: &str| {
        tracing::error!(
            error = why,
            "VerificationPolicies cannot be listed, so no controller begins: what they ask for is not known. This process's account must \
             be allowed to get, list and watch verificationpolicies.weir.dev; `weir install` sees to that"
        );
        readiness.block(Some("VerificationPolicies cannot be listed; the log says why"));
    };
    match Policies::start(&deps.client, &deps.settings, tell).await {
        Ok(policies) => {
            readiness.block(None);
            Ok((policies, true))
        }
        Err(error @ ApiError::UnknownKind(_)) if !deps.settings.without_policies => {
            Err(StartError::NoPolicies(error))
        }
        Err(ApiError::UnknownKind(_)) => {
            tracing::warn!(
                "the cluster does not know VerificationPolicies, and none are asked: sources are held against their own \
                 spec.verify alone, until `weir install` has defined the kind and this process starts again"
            );
            Ok((Policies::none(&deps.client), false))
        }
        Err(error) => Err(error.into()),
    }
}

/// What others offer, where it may be built from.
async fn external(deps: &Deps) -> Result<Option<Arc<Mirror>>, StartError> {
    if !deps.settings.external_artifacts {
        return Ok(None);
    }
    let gvk = GroupVersionKind::new(
        ExternalArtifact::GROUP,
        ExternalArtifact::VERSION,
        ExternalArtifact::KIND,
    );
    let resource = deps.client.resource(&gvk).await?;
    let namespace = deps.settings.watch_namespace.as_deref().unwrap_or_default();
    let all = Mirror::start(&deps.client, resource, namespace, "", Arc::new(|_| ()));
    all.synced().await;
    Ok(Some(Arc::new(all)))
}

/// Every object of a controller's kind. What is built in this share of the work may come from a source of another share.
async fn all_of(deps: &Deps, controller: &Controller) -> Arc<Mirror> {
    if deps.settings.watch_labels.is_empty() {
        return controller.mirror().clone();
    }
    let resource = controller.mirror().resource().clone();
    let namespace = deps.settings.watch_namespace.as_deref().unwrap_or_default();
    let all = Mirror::start(&deps.client, resource, namespace, "", Arc::new(|_| ()));
    all.synced().await;
    Arc::new(all)
}
