//! `weir controller`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use weir_cluster::SystemClock;
use weir_house::{House, Outside};
use weir_registry::ClientOptions;
use weir_runtime::Settings;
use weir_store::Store;

use crate::global::{Context, read_duration};
use crate::run::Result;
use crate::{CommandError, Exit, Kind};

const EXAMPLES: &str = "\
Examples:
  weir controller                                   # in a Pod, or on your kubeconfig's cluster
  weir controller --kubeconfig ~/.kube/staging
  weir controller --no-cross-namespace-refs --default-service-account tenant";

/// Run the controllers until interrupted
///
/// Reconciles OCIRepository and Kustomization objects of one cluster. The custom resource definitions must be there
/// (`weir install`). Run one at a time for a cluster, and none beside Flux's own controllers of these kinds.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Controller {
    /// Folder for artifacts; it may be lost, and is filled again from the registries
    #[arg(long, value_name = "FOLDER", default_value = "/data")]
    storage_path: PathBuf,
    /// Address to serve artifacts on
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:9090")]
    storage_addr: SocketAddr,
    /// Host under which others reach that address; goes into the status of sources
    #[arg(
        long,
        value_name = "HOST",
        default_value = "weir.weir-system.svc.cluster.local."
    )]
    storage_adv_addr: String,
    /// Refuse references to sources in other namespaces
    #[arg(long)]
    no_cross_namespace_refs: bool,
    /// ServiceAccount to act as where a Kustomization names none
    #[arg(long, value_name = "NAME")]
    default_service_account: Option<String>,
    /// How long to wait for a dependency before looking again
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = read_duration)]
    requeue_dependency: Duration,
    /// How far a wake-up may lie from its interval, in per cent
    #[arg(long, value_name = "PERCENT", default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=50))]
    interval_jitter_percentage: u8,
    /// Reconciles of one kind under way at once
    #[arg(long, value_name = "COUNT", default_value_t = 256)]
    concurrent: u16,
    /// Make variables without a value an error of the build, as Flux 2.9 does
    #[arg(long)]
    strict_substitution: bool,
}

impl Controller {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let cluster = cx.cluster().await?;
        let outside_error =
            |what: String| move |e: std::io::Error| CommandError::caused(Kind::Outside, what, &e);
        let options = ClientOptions {
            mirrors: cx.global.registry_mirror.iter().cloned().collect(),
            ..ClientOptions::default()
        };
        let store = Store::open(&self.storage_path).map_err(|e| {
            CommandError::of(Kind::Config, &e)
                .hint("choose a folder that can be written with `--storage-path`")
        })?;
        let store = Arc::new(store);
        let listener = TcpListener::bind(self.storage_addr)
            .await
            .map_err(outside_error(format!("cannot listen on {}", self.storage_addr)))?;
        let router = weir_store::serve::router(&store);
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "artifacts are no longer served");
            }
        });
        let outside = Outside {
            cluster: cluster.client,
            registry: weir_registry::Client::new(options)?,
            store,
            artifacts_url: format!("http://{}", self.storage_adv_addr),
            clock: Arc::new(SystemClock),
        };
        let house = House::start(outside, self.settings()).await?;
        cx.io.talk("controllers are running; interrupt to stop");
        cx.io.stopped().await;
        cx.io.talk("stopping: no new work, waiting for what is under way");
        house.stop().await;
        serving.abort();
        Ok(Exit::Success)
    }

    fn settings(&self) -> Settings {
        Settings {
            no_cross_namespace_refs: self.no_cross_namespace_refs,
            default_service_account: self.default_service_account.clone(),
            requeue_dependency: self.requeue_dependency,
            interval_jitter_percent: self.interval_jitter_percentage,
            concurrent: usize::from(self.concurrent),
            strict_substitution: self.strict_substitution,
            ..Settings::default()
        }
    }
}
