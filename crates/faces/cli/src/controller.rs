//! `weir controller`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use tokio::net::TcpListener;
use weir_apis::GroupKind;
use weir_cluster::notify::Endpoint;
use weir_cluster::{Clock, SystemClock};
use weir_house::{House, Outside};
use weir_plan::Budget;
use weir_registry::ClientOptions;
use weir_runtime::lease::Timings;
use weir_runtime::probes::{Readiness, Routes};
use weir_runtime::{Election, Leader, Metrics, Probes, Settings};
use weir_store::Store;
use weir_store::download::Downloader;

use crate::global::{Cluster, Context, read_duration};
use crate::io::Stop;
use crate::run::Result;
use crate::{CommandError, Exit, Kind, LogEncoding};

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
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    no_cross_namespace_refs: bool,
    /// ServiceAccount to act as where a Kustomization names none
    #[arg(long, value_name = "NAME")]
    default_service_account: Option<String>,
    /// ServiceAccount whose token reaches another cluster where its ConfigMap names none
    #[arg(long, value_name = "NAME")]
    default_kubeconfig_service_account: Option<String>,
    /// How long to wait for a dependency before looking again
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = read_duration)]
    requeue_dependency: Duration,
    /// How far a wake-up may lie from its interval, in per cent
    #[arg(long, value_name = "PERCENT", default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=50))]
    interval_jitter_percentage: u8,
    /// Reconciles of one kind under way at once
    #[arg(long, value_name = "COUNT", default_value_t = 64)]
    concurrent: u16,
    /// Address of /metrics
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    metrics_addr: SocketAddr,
    /// Address of /healthz and /readyz
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:9440")]
    health_addr: SocketAddr,
    /// Form of the log on standard error
    #[arg(long, value_enum, value_name = "FORM", default_value = "text")]
    log_encoding: LogEncoding,
    /// From which level on to log
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "info")]
    log_level: LogLevel,
    /// Work only while holding the Lease `weir-leader-election` (with a suffix for each --watch-label-selector) in the namespace of --namespace; end when it is lost
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    enable_leader_election: bool,
    /// Tell events to this address as well, such as that of Flux's notification-controller
    #[arg(long, value_name = "URL")]
    events_addr: Option<String>,
    /// Reconcile only objects with these labels, so that several processes share the work
    #[arg(long, value_name = "SELECTOR", default_value = "")]
    watch_label_selector: String,
    /// Reconcile the objects of all namespaces; `false` keeps to that of --namespace
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    watch_all_namespaces: bool,
    /// Labels of the ConfigMaps and Secrets whose changes are acted on at once
    #[arg(long, value_name = "SELECTOR", default_value_t = default_configs())]
    watch_configs_label_selector: String,
    /// Act on changes of ConfigMaps and Secrets at the next interval only
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    disable_config_watchers: bool,
    /// Take fields over from this field manager too, besides kubectl; may be repeated
    #[arg(long, value_name = "NAME")]
    override_manager: Vec<String>,
    /// Kinds to apply before all others but definitions, namespaces and classes, as GROUP/KIND
    #[arg(long, value_name = "GROUP/KIND", value_delimiter = ',', value_parser = read_group_kind)]
    custom_apply_stage_kinds: Vec<GroupKind>,
    /// How many objects that left its source a Kustomization may delete at once: a number, a share of what it applied such as 25%,
    /// or unlimited. Its annotation kustomize.weir.dev/max-prune comes first
    #[arg(long, value_name = "BUDGET", default_value = "unlimited")]
    max_prune: Budget,
    /// First pause after a failure; it doubles each time
    #[arg(long, value_name = "DURATION", default_value = "750ms", value_parser = read_duration)]
    min_retry_delay: Duration,
    /// Longest pause after a failure
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = read_duration)]
    max_retry_delay: Duration,
    /// Accepted because Flux has it: a build never reads anything remote
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "true", default_value_t = true, value_parser = must_be_true)]
    no_remote_bases: bool,
    /// Make variables without a value an error of the build, as Flux 2.9 does
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    strict_substitution: bool,
    /// Start on a cluster that does not know VerificationPolicies, and hold sources against their own `spec.verify` alone. Where the
    /// kind is known its policies hold all the same
    #[arg(long)]
    without_policies: bool,
    /// Let Kustomizations and HelmReleases build from ExternalArtifacts, which others write and serve. Their digests are checked, but
    /// no signatures: policies do not reach them
    #[arg(long)]
    external_artifacts: bool,
}

/// From which level on to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    // Flux's controllers know it; weir says nothing below debug, and its dependencies are built to say nothing there.
    Trace,
}

impl Controller {
    /// From which level on to log, errors being 0, and how.
    pub(crate) fn log(&self) -> (u8, LogEncoding) {
        (self.log_level as u8, self.log_encoding)
    }

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
        let metrics = Metrics::default();
        let readiness = Readiness::default();
        let routes = Routes {
            metrics: Some(metrics.clone()),
            ..Routes::default()
        };
        let _metrics_server = probe(self.metrics_addr, routes).await?;
        let routes = Routes {
            health: Some(readiness.clone()),
            ..Routes::default()
        };
        let _health_server = probe(self.health_addr, routes).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let outside = Outside {
            cluster: cluster.client.clone(),
            registry: weir_registry::Client::new(options)?,
            store,
            artifacts_url: format!("http://{}", self.storage_adv_addr),
            downloads: Downloader::new().map_err(|e| CommandError::of(Kind::Outside, &e))?,
            clock: clock.clone(),
            metrics,
            told: self.told()?,
            readiness: readiness.clone(),
        };
        // A standby answers probes like a leader: it is as healthy, and a rollout must not wait for its turn.
        readiness.set(true);
        let mut stop = cx.io.stopped();
        let leader = match self.elect(&cluster, clock, &mut stop).await? {
            Standing::Leads(leader) => leader,
            Standing::Stopped => return Ok(Exit::Success),
        };
        let starting = House::start(outside, self.settings(&cluster.namespace));
        // It may wait for rights that somebody has to grant.
        let house = tokio::select! {
            house = starting => Some(house?),
            () = &mut stop => None,
        };
        let Some(house) = house else {
            if let Some(leader) = leader {
                leader.release().await;
            }
            return Ok(Exit::Success);
        };
        cx.io.talk("controllers are running; interrupt to stop");
        let lost = async {
            match &leader {
                Some(leader) => leader.lost().await,
                None => std::future::pending().await,
            }
        };
        let exit = tokio::select! {
            () = &mut stop => Exit::Success,
            () = lost => Exit::Failure,
        };
        readiness.set(false);
        if exit == Exit::Failure {
            // Somebody else may lead already: nothing more may be written.
            drop(house);
            cx.io
                .talk("the lease is lost: another process leads, or the API server does not answer");
        } else {
            cx.io.talk("stopping: no new work, waiting for what is under way");
            house.stop().await;
            if let Some(leader) = leader {
                leader.release().await;
            }
        }
        serving.abort();
        Ok(exit)
    }

    /// Waits for the lease, if that was asked for.
    async fn elect(&self, cluster: &Cluster, clock: Arc<dyn Clock>, stop: &mut Stop) -> Result<Standing> {
        if !self.enable_leader_election {
            return Ok(Standing::Leads(None));
        }
        // Two runs never share a time, so no process takes another one's lease for its own.
        let identity = format!("weir_{}_{}", std::process::id(), clock.now().as_nanosecond());
        let election = Election {
            namespace: cluster.namespace.clone(),
            name: lease_name(&self.watch_label_selector),
            identity,
            timings: Timings::default(),
        };
        tokio::select! {
            leader = Leader::acquire(cluster.client.clone(), clock, election) => {
                let leader = leader.map_err(|e| CommandError::of(Kind::Config, &e))?;
                Ok(Standing::Leads(Some(leader)))
            }
            () = stop => Ok(Standing::Stopped),
        }
    }

    /// Whom to tell of events.
    fn told(&self) -> std::result::Result<Option<(Endpoint, String)>, CommandError> {
        let Some(address) = self.events_addr.as_deref().filter(|a| !a.is_empty()) else {
            return Ok(None);
        };
        let endpoint = Endpoint::new(address).map_err(|e| {
            CommandError::of(Kind::Config, &e).hint("give `--events-addr` as http://host/ or https://host/")
        })?;
        let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
        Ok(Some((endpoint, host.trim().to_owned())))
    }

    fn settings(&self, namespace: &str) -> Settings {
        Settings {
            no_cross_namespace_refs: self.no_cross_namespace_refs,
            default_service_account: self.default_service_account.clone(),
            default_kubeconfig_service_account: self.default_kubeconfig_service_account.clone(),
            requeue_dependency: self.requeue_dependency,
            interval_jitter_percent: self.interval_jitter_percentage,
            concurrent: usize::from(self.concurrent),
            strict_substitution: self.strict_substitution,
            watch_labels: self.watch_label_selector.clone(),
            watch_namespace: (!self.watch_all_namespaces).then(|| namespace.to_owned()),
            watch_configs: (!self.disable_config_watchers).then(|| self.watch_configs_label_selector.clone()),
            override_managers: self.override_manager.clone(),
            custom_stage_kinds: self.custom_apply_stage_kinds.iter().cloned().collect(),
            max_prune: self.max_prune,
            without_policies: self.without_policies,
            external_artifacts: self.external_artifacts,
            min_retry_delay: self.min_retry_delay,
            max_retry_delay: self.max_retry_delay,
        }
    }
}

/// One lease for all, or one for each share of the work (flux-controllers.md §1.9).
fn lease_name(selector: &str) -> String {
    if selector.is_empty() {
        return "weir-leader-election".into();
    }
    let digest = weir_oci::Digest::of(selector.as_bytes()).to_string();
    let hex = digest.split_once(':').map_or("", |(_, hex)| hex);
    format!("weir-leader-election-{}", hex.get(..8).unwrap_or_default())
}

fn default_configs() -> String {
    Settings::default().watch_configs.unwrap_or_default()
}

fn read_group_kind(text: &str) -> std::result::Result<GroupKind, String> {
    match text.split_once('/') {
        Some((group, kind)) if !kind.is_empty() && !kind.contains('/') => Ok(GroupKind::new(group, kind)),
        _ => Err("expected GROUP/KIND, such as rbac.authorization.k8s.io/Role".into()),
    }
}

fn must_be_true(text: &str) -> std::result::Result<bool, String> {
    match text {
        "true" => Ok(true),
        _ => Err("remote bases are never read by a controller; publish them with the tree".into()),
    }
}

/// How the wait for the lease ended.
enum Standing {
    /// This process works; without an election, without a lease.
    Leads(Option<Leader>),
    /// It was asked to stop before its turn came.
    Stopped,
}

async fn probe(address: SocketAddr, routes: Routes) -> Result<Probes> {
    Probes::start(address, routes)
        .await
        .map_err(|e| CommandError::of(Kind::Outside, &e))
}
