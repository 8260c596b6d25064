//! A small HTTP server for the kubelet and Prometheus: `/healthz`, `/readyz`, `/metrics`.
//!
//! It reads no body, trusts nobody and shows nothing but whether it is well, what it waits for, and the metrics. Each connection has limits
//! in number and time, so that whoever can reach the port cannot exhaust the process through it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::Metrics;
use crate::metrics;

/// Connections at once. The kubelet and a Prometheus need three.
const CONNECTIONS: usize = 64;
/// Longest wait for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest life of a connection; Prometheus simply makes another one.
const LIFE: Duration = Duration::from_mins(10);
/// Pause after an accept that failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const PLAIN: &str = "text/plain; charset=utf-8";

/// Whether `/readyz` says yes. Clones share the answer, which is no at first.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<RwLock<Answer>>);

#[derive(Debug, Default)]
struct Answer {
    ready: bool,
    /// What this process waits for, for people. Everybody can read it.
    blocked: Option<&'static str>,
}

impl Readiness {
    /// Changes the answer.
    pub fn set(&self, ready: bool) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).ready = ready;
    }

    /// Makes the answer no, whatever it was set to, as long as this process waits for something; `None` ends that.
    pub fn block(&self, why: Option<&'static str>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).blocked = why;
    }

    /// The answer.
    pub fn is_ready(&self) -> bool {
        let answer = self.0.read().unwrap_or_else(PoisonError::into_inner);
        answer.ready && answer.blocked.is_none()
    }

    /// What this process waits for.
    pub fn blocked(&self) -> Option<&'static str> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).blocked
    }
}

/// What a server answers; a path that is not asked for here is not found.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    /// `/healthz`, always yes while the process can answer, and `/readyz`.
    pub health: Option<Readiness>,
    /// `/metrics`.
    pub metrics: Option<Metrics>,
}

/// A port can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for probes")]
pub struct ListenError {
    /// Address that was asked for.
    pub address: SocketAddr,
    /// What the system says.
    #[source]
    pub source: io::Error,
}

/// A running server. It stops, with all its connections, when dropped.
#[derive(Debug)]
pub struct Probes {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Probes {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Probes {
    /// Listens on an address; port 0 picks one. Flux has metrics on port 8080 and health on 9440: two servers.
    pub async fn start(address: SocketAddr, routes: Routes) -> Result<Self, ListenError> {
        let failed = |source| ListenError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let task = tokio::spawn(accept(listener, routes));
        Ok(Self { address, task })
    }

    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept(listener: TcpListener, routes: Routes) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    // Never closed: acquire can't fail.
    while let Ok(permit) = permits.clone().acquire_owned().await {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let routes = routes.clone();
                connections.spawn(async move {
                    let _permit = permit;
                    serve(stream, routes).await;
                });
            }
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection for probes");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, routes: Routes) {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let response = answer(request.method(), request.uri().path(), &routes);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks, or is too slow, is its client's business.
    if let Ok(Err(error)) = timeout(LIFE, connection).await {
        tracing::debug!(%error, "a connection for probes broke");
    }
}

fn answer(method: &Method, path: &str, routes: &Routes) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET and HEAD");
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match (path, &routes.health, &routes.metrics) {
        ("/healthz", Some(_), _) => text(StatusCode::OK, PLAIN, "ok"),
        ("/readyz", Some(ready), _) if ready.is_ready() => text(StatusCode::OK, PLAIN, "ok"),
        ("/readyz", Some(ready), _) => {
            let why = ready.blocked().map(|why| format!(": {why}")).unwrap_or_default();
            text(StatusCode::SERVICE_UNAVAILABLE, PLAIN, format!("not ready{why}"))
        }
        ("/metrics", _, Some(metrics)) => text(StatusCode::OK, metrics::CONTENT_TYPE, metrics.render()),
        _ => text(StatusCode::NOT_FOUND, PLAIN, "not found"),
    }
}

fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
