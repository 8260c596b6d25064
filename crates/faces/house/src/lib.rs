//! The controllers, put together: what `weir controller`, the demo and the tests run.
//!
//! Whoever starts a [`House`] says what the outside world is. Several houses may run side by side in one process,
//! each with a cluster, a registry and a time of its own.

use std::sync::Arc;

use weir_cluster::{ApiError, Client, Clock};
use weir_kustomization::Kustomizations;
use weir_runtime::{Controller, Deps, Metrics, Recorder, Settings};
use weir_source::OciRepositories;
use weir_store::Store;

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
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the controllers count what they do.
    pub metrics: Metrics,
}

/// Running controllers. They stop when it is dropped, or in good order with [`House::stop`].
#[derive(Debug)]
pub struct House {
    controllers: Vec<Controller>,
}

impl House {
    /// Starts every controller. The CustomResourceDefinitions must be installed.
    pub async fn start(outside: Outside, settings: Settings) -> Result<Self, ApiError> {
        let events = Recorder::start(outside.cluster.clone(), outside.clock.clone());
        let deps = Deps {
            metrics: outside.metrics,
            client: outside.cluster,
            clock: outside.clock,
            events,
            settings,
        };
        let sources = OciRepositories::start(
            deps.clone(),
            outside.registry,
            outside.store.clone(),
            outside.artifacts_url,
        )
        .await?;
        let kustomizations = Kustomizations::start(deps, outside.store, sources.mirror().clone()).await?;
        Ok(Self {
            controllers: vec![sources, kustomizations],
        })
    }

    /// Takes no new work and waits for what is under way.
    pub async fn stop(self) {
        for controller in self.controllers {
            controller.stop().await;
        }
    }
}
