//! Options that every command takes, and what they lead to.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;
use weir_cluster::Client;
use weir_cluster::connect;

use crate::run::Result;
use crate::{CommandError, Io, Kind, progress};

/// The namespace where nobody names one: the one that Flux uses.
const NAMESPACE: &str = "flux-system";

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Kubeconfig file [default: `$KUBECONFIG`, then `~/.kube/config`]
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        hide_short_help = true,
        help_heading = "Cluster options"
    )]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: its current one]
    #[arg(
        long,
        value_name = "NAME",
        global = true,
        hide_short_help = true,
        help_heading = "Cluster options"
    )]
    pub(crate) context: Option<String>,
    /// Namespace [default: the context's, or `flux-system` where that is none or `default`]
    #[arg(
        short,
        long,
        value_name = "NAME",
        global = true,
        help_heading = "Cluster options"
    )]
    pub(crate) namespace: Option<String>,
    /// Reach registry HOST under URL instead; may be repeated. Names in output stay those of HOST
    #[arg(
        long,
        value_name = "HOST=URL",
        global = true,
        value_parser = read_mirror,
        hide_short_help = true,
        help_heading = "Registry options"
    )]
    pub(crate) registry_mirror: Vec<(String, url::Url)>,
    /// How long the whole command may take, such as 30s or 1m30s
    #[arg(long, value_name = "DURATION", global = true, default_value = "5m", value_parser = read_duration, hide_short_help = true)]
    pub(crate) timeout: Duration,
    /// Say more about what happens; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, hide_short_help = true)]
    pub(crate) verbose: u8,
}

fn read_mirror(text: &str) -> std::result::Result<(String, url::Url), String> {
    let (host, url) = text
        .split_once('=')
        .ok_or("expected HOST=URL, such as ghcr.io=https://mirror.example/ghcr")?;
    let url: url::Url = url.parse().map_err(|error| format!("the URL is none: {error}"))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(format!(
            "a mirror is reached by https or http, not {}",
            url.scheme()
        ));
    }
    Ok((host.to_ascii_lowercase(), url))
}

pub(crate) fn read_duration(text: &str) -> std::result::Result<Duration, String> {
    weir_semver::duration::Duration::parse(text)
        .map_err(|error| error.to_string())?
        .to_std()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "expected a duration above zero, such as 30s or 5m".to_owned())
}

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) io: &'a mut Io,
    pub(crate) global: Global,
}

/// A cluster and the namespace that the person means.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

impl Context<'_> {
    /// The cluster of `--kubeconfig` and `--context`, and the namespace of `--namespace`.
    pub(crate) async fn cluster(&self) -> Result<Cluster> {
        self.cluster_of(self.global.context.as_deref()).await
    }

    /// The cluster of `--kubeconfig` and this context, and the namespace of `--namespace`.
    pub(crate) async fn cluster_of(&self, context: Option<&str>) -> Result<Cluster> {
        let (client, default) = if let Some(given) = self.io.cluster() {
            given
        } else {
            let choice = connect::Choice {
                kubeconfig: self.global.kubeconfig.as_deref(),
                context,
            };
            connect::choose(&choice).await?
        };
        // A kubeconfig that names no namespace and one that names `default` look the same here; nobody keeps
        // Flux objects in `default`.
        let default = if default.is_empty() || default == "default" {
            NAMESPACE.to_owned()
        } else {
            default
        };
        let namespace = self.global.namespace.clone().unwrap_or(default);
        Ok(Cluster { client, namespace })
    }

    /// When the command must be done.
    pub(crate) fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.global.timeout).unwrap_or(now)
    }

    /// Runs `work`, which `--timeout` bounds. On a terminal it says what it waits for once that takes a moment.
    pub(crate) async fn in_time<T>(&self, what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        // Boxed, because each layer of waiting would hold the work once more.
        let work = progress::shown(self.io.stderr_is_terminal(), what, Box::pin(work));
        match tokio::time::timeout(self.global.timeout, work).await {
            Ok(result) => result,
            Err(_) => Err(self.timed_out(what)),
        }
    }

    /// The error of a command that did not end in time.
    pub(crate) fn timed_out(&self, what: &str) -> CommandError {
        let limit = self.global.timeout;
        CommandError::new(Kind::Outside, format!("{what} took longer than {limit:?}"))
            .hint("allow more time with `--timeout`")
    }
}
