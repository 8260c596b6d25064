//! Ways to an API server.

use std::path::Path;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ConfigExt};
use kube::config::{KubeConfigOptions, Kubeconfig};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

use crate::{Client, RequestCounter};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a connection is asked whether it is alive. A watch that hears nothing can't tell a quiet cluster from one
/// that is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig can't be read.
    #[error("cannot read the kubeconfig{}", path.as_ref().map(|p| format!(" {p}")).unwrap_or_default())]
    ReadKubeconfig {
        /// File, where one was named.
        path: Option<String>,
        /// What is wrong with it.
        #[source]
        source: kube::config::KubeconfigError,
    },
    /// Neither a kubeconfig nor a Pod's ServiceAccount was found.
    #[error("found no way to a cluster: no kubeconfig, and not running in a Pod")]
    NoCluster(#[source] kube::config::InferConfigError),
    /// Certificates or credentials in the kubeconfig can't be used.
    #[error("cannot use the credentials for {cluster}")]
    Credentials {
        /// Which API server.
        cluster: String,
        /// What is wrong with them.
        #[source]
        source: kube::Error,
    },
    /// The kubeconfig asks for something that a stored kubeconfig may not do.
    #[error("this kubeconfig must not be used: {what}")]
    Refused {
        /// What it asks for.
        what: &'static str,
    },
}

/// Which cluster of which kubeconfig, as kubectl's flags of these names.
#[derive(Debug, Clone, Default)]
pub struct Choice<'a> {
    /// Kubeconfig file. Default: `$KUBECONFIG`, `~/.kube/config`, then the Pod's own ServiceAccount.
    pub kubeconfig: Option<&'a Path>,
    /// Context in it. Default: its current one.
    pub context: Option<&'a str>,
}

/// A client for the cluster that a person chose on the command line, and its default namespace.
pub async fn choose(choice: &Choice<'_>) -> Result<(Client, String), ConnectError> {
    let options = KubeConfigOptions {
        context: choice.context.map(Into::into),
        cluster: None,
        user: None,
    };
    let config = match choice.kubeconfig {
        Some(path) => {
            let failed = |source| ConnectError::ReadKubeconfig {
                path: Some(path.display().to_string()),
                source,
            };
            let kubeconfig = Kubeconfig::read_from(path).map_err(failed)?;
            kube::Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .map_err(failed)?
        }
        None if choice.context.is_some() => kube::Config::from_kubeconfig(&options)
            .await
            .map_err(|source| ConnectError::ReadKubeconfig { path: None, source })?,
        None => kube::Config::infer().await.map_err(ConnectError::NoCluster)?,
    };
    let namespace = config.default_namespace.clone();
    Ok((over_network(config)?, namespace))
}

/// A client for a kubeconfig that was stored in the cluster by somebody else. What would run a program or
/// skip certificate checks here is refused (security case N51).
pub async fn stored(text: &str) -> Result<Client, ConnectError> {
    let failed = |source| ConnectError::ReadKubeconfig { path: None, source };
    let kubeconfig = Kubeconfig::from_yaml(text).map_err(failed)?;
    for user in &kubeconfig.auth_infos {
        let Some(info) = &user.auth_info else { continue };
        if info.exec.is_some() || info.auth_provider.is_some() {
            return Err(ConnectError::Refused {
                what: "its credentials come from a program (`exec` or `auth-provider`)",
            });
        }
        if info.client_certificate.is_some() || info.client_key.is_some() || info.token_file.is_some() {
            return Err(ConnectError::Refused {
                what: "its credentials are files of the machine it is read on",
            });
        }
    }
    for cluster in &kubeconfig.clusters {
        let Some(cluster) = &cluster.cluster else { continue };
        if cluster.certificate_authority.is_some() {
            return Err(ConnectError::Refused {
                what: "its certificate authority is a file of the machine it is read on",
            });
        }
        if cluster.insecure_skip_tls_verify == Some(true) {
            return Err(ConnectError::Refused {
                what: "it skips the check of the API server's certificate",
            });
        }
    }
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(failed)?;
    over_network(config)
}

/// A client over the network: one pool of HTTP/2 connections for every identity (kube's own stack speaks
/// HTTP/1.1, one connection for each request under way).
pub fn over_network(mut config: kube::Config) -> Result<Client, ConnectError> {
    let cluster = config.cluster_url.to_string();
    let failed = |source| ConnectError::Credentials {
        cluster: cluster.clone(),
        source,
    };
    // A watch is silent for minutes; the time-out of a request is the caller's.
    config.read_timeout = None;
    let tls = config.rustls_client_config().map_err(failed)?;
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    // Without it the last packet of each request waits for the acknowledgement of the one before: up to 40 ms.
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .wrap_connector(tcp);
    let counter = RequestCounter::default();
    // All requests to one host go over one connection of a pool.
    let pool = || -> Result<kube::Client, ConnectError> {
        let pool = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .http2_keep_alive_interval(KEEP_ALIVE)
            .build::<_, Body>(connector.clone());
        let service = ServiceBuilder::new()
            .layer(config.base_uri_layer())
            .option_layer(config.auth_layer().map_err(failed)?)
            .map_err(BoxError::from)
            .service(pool);
        let counted = Counted {
            inner: service,
            counter: counter.clone(),
        };
        Ok(kube::Client::new(counted, config.default_namespace.clone()))
    };
    let (requests, watches) = (pool()?, pool()?);
    Ok(Client::new(requests, counter, &cluster).watching_over(watches))
}

/// A client of an API server in this process. `service` must answer with whole Kubernetes responses.
pub fn in_process<S, B>(service: S, cluster: &str) -> Client
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let counter = RequestCounter::default();
    let service = service.map_err(Into::into);
    let service = Counted {
        inner: service,
        counter: counter.clone(),
    };
    Client::new(kube::Client::new(service, "default"), counter, cluster)
}

/// Counts what passes.
#[derive(Clone)]
struct Counted<S> {
    inner: S,
    counter: RequestCounter,
}

impl<S, B> Service<Request<Body>> for Counted<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Send,
    S::Future: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<B>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let watch = request
            .uri()
            .query()
            .is_some_and(|q| q.split('&').any(|p| p == "watch=true"));
        let verb = if watch {
            "WATCH".to_owned()
        } else {
            request.method().to_string()
        };
        let counter = self.counter.clone();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            counter.add(&verb, answer.as_ref().map_or(0, |r| r.status().as_u16()));
            answer
        })
    }
}
