//! The server: a tower service, and a listener for programs of other processes.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio::net::TcpListener;
use tower::Service;
use weir_schema::Schemas;

use crate::body::{self, Body, CutError};
use crate::dispatch;
use crate::faults::{Fault, FaultRule};
use crate::log::{Log, RequestRecord};
use crate::options::{Options, User};
use crate::reply::Reply;
use crate::request::{ApiRequest, read_path, read_query};
use crate::state::State;
use crate::status::Failure;
use crate::store::Key;
use crate::write::Cx;

/// A Kubernetes API server in memory. Clones share one memory.
#[derive(Clone)]
pub struct ApiServer {
    inner: Arc<Inner>,
    /// Set for connections from outside: they have to say who they are.
    remote: bool,
}

pub(crate) struct Inner {
    pub(crate) options: Options,
    state: Mutex<State>,
    changed: tokio::sync::watch::Sender<u64>,
    log: Mutex<Log>,
    fault_rule: Mutex<Option<FaultRule>>,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A handler that panicked leaves whole objects behind: each write is one insertion.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `with` on the state, and wakes watches when it changed.
    pub(crate) fn with_state<T>(&self, with: impl FnOnce(&State) -> T) -> T {
        with(&self.lock())
    }

    /// Runs `with` as one request, then wakes watches and starts the jobs it left.
    pub(crate) fn with_cx<T>(self: &Arc<Self>, with: impl FnOnce(&mut Cx<'_>) -> T) -> (T, Vec<String>) {
        let now = (self.options.now)();
        let mut state = self.lock();
        let before = state.store.revision();
        let mut cx = Cx {
            state: &mut state,
            now,
            user: None,
            warnings: Vec::new(),
        };
        let out = with(&mut cx);
        let warnings = cx.warnings;
        let after = state.store.revision();
        let jobs = std::mem::take(&mut state.jobs);
        drop(state);
        if after != before {
            self.changed.send_replace(after);
        }
        crate::controllers::start(self, jobs);
        (out, warnings)
    }
}

impl ApiServer {
    /// A server with what a fresh cluster has.
    pub fn new(options: Options) -> Self {
        let mut state = State::new(&options);
        let now = (options.now)();
        crate::bootstrap::fill(&mut Cx {
            state: &mut state,
            now,
            user: None,
            warnings: Vec::new(),
        });
        state.jobs.clear();
        let (changed, _) = tokio::sync::watch::channel(state.store.revision());
        let inner = Inner {
            options,
            state: Mutex::new(state),
            changed,
            log: Mutex::new(Log::default()),
            fault_rule: Mutex::new(None),
        };
        Self {
            inner: Arc::new(inner),
            remote: false,
        }
    }

    /// Serves connections until the listener fails or the future is dropped. Requests need a bearer token: either in
    /// the usual header or, since kubectl sends none without TLS, as the path prefix `/token/<token>`, which
    /// [`kubeconfig`] uses. [`Options::default_user`] does not apply.
    pub async fn serve(&self, listener: TcpListener) -> io::Result<()> {
        loop {
            let (stream, _) = listener.accept().await?;
            let service = TowerToHyperService::new(Self {
                remote: true,
                ..self.clone()
            });
            tokio::spawn(async move {
                // A connection that breaks off is its client's business.
                auto::Builder::new(TokioExecutor::new())
                    .serve_connection_with_upgrades(TokioIo::new(stream), service)
                    .await
                    .ok();
            });
        }
    }

    /// The requests answered so far, oldest first.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.log().records.clone()
    }

    /// Forgets the requests answered so far.
    pub fn clear_requests(&self) {
        self.log().records.clear();
    }

    /// The revision of the last write.
    pub fn revision(&self) -> u64 {
        self.inner.lock().store.revision()
    }

    /// Forgets the history: watches and paged lists from before answer 410.
    pub fn compact(&self) {
        self.inner.lock().store.compact();
        self.inner.changed.send_replace(0);
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.inner.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides what goes wrong with the requests to come; replaces an earlier rule.
    pub fn set_fault_rule(&self, rule: FaultRule) {
        *self.fault_rule() = Some(rule);
    }

    /// Lets nothing go wrong any more.
    pub fn clear_fault_rule(&self) {
        *self.fault_rule() = None;
    }

    /// Changes how long workloads take to become ready; `None` lets them wait for whoever writes their status.
    pub fn set_ready_after(&self, delay: Option<std::time::Duration>) {
        self.inner.lock().ready_after = delay;
    }

    /// Accepts a bearer token for a user.
    pub fn add_token(&self, token: impl Into<String>, user: User) {
        self.inner.lock().tokens.insert(token.into(), user);
    }

    /// An object as it is stored, without a request; `namespace` is empty for cluster-scoped resources.
    pub fn object(&self, group: &str, plural: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.inner
            .lock()
            .store
            .get(&Key::new(group, plural), namespace, name)
            .map(Arc::clone)
    }

    fn fault_rule(&self) -> MutexGuard<'_, Option<FaultRule>> {
        self.inner
            .fault_rule
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request; an error is a connection that broke.
    fn handle(&self, mut request: ApiRequest) -> Result<Response<Body>, CutError> {
        let mut record = RequestRecord::of(&request);
        let fault = self.fault_rule().as_mut().and_then(|rule| rule(&record));
        let response = match fault {
            Some(Fault::Cut) => Err(CutError),
            Some(Fault::Refuse { code }) => Ok(self.respond(refusal(code).into(), &[])),
            other => {
                let (reply, warnings) = self.inner.with_cx(|cx| {
                    translate(&cx.state.schemas, &mut request);
                    crate::auth::check(cx, &self.inner.options, &mut request)
                        .map(|()| cx.user = Some(request.user.clone()))
                        .and_then(|()| dispatch::answer(cx, &self.inner.options, &request))
                        .unwrap_or_else(Reply::from)
                });
                let response = self.respond(reply, &warnings);
                if other == Some(Fault::CutAnswer) {
                    Err(CutError)
                } else {
                    Ok(response)
                }
            }
        };
        record.user = request.user.name;
        record.status = response.as_ref().map_or(0, |response| response.status().as_u16());
        self.log().records.push(record);
        response
    }

    fn respond(&self, reply: Reply, warnings: &[String]) -> Response<Body> {
        let (code, content_type, body) = match reply {
            Reply::Json {
                code,
                value,
                content_type,
            } => {
                let mut text = value.to_string();
                text.push('\n');
                (code, content_type, body::full(text))
            }
            Reply::Text { code, text } => (code, "text/plain; charset=utf-8", body::full(text)),
            Reply::Watch(watch) => {
                let frames = watch.frames(Arc::downgrade(&self.inner), self.inner.changed.subscribe());
                (200, "application/json", body::stream(frames))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static(content_type));
        headers.insert("cache-control", HeaderValue::from_static("no-cache, private"));
        for warning in warnings {
            let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
            if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
                headers.append("warning", value);
            }
        }
        response
    }
}

/// Turns a protobuf body into JSON. One that cannot be read stays, and is refused for its type later.
fn translate(schemas: &Schemas, request: &mut ApiRequest) {
    if request.content_type() == "application/vnd.kubernetes.protobuf"
        && let Some(object) = crate::protobuf::read(schemas, &request.body)
    {
        request.body = Bytes::from(object.to_string());
        request
            .headers
            .insert("content-type", HeaderValue::from_static("application/json"));
    }
}

/// The answer of a server that cannot or will not.
fn refusal(code: u16) -> Failure {
    let (reason, message) = match code {
        429 => (
            "TooManyRequests",
            "the server has received too many requests and has asked us to try again later",
        ),
        503 => (
            "ServiceUnavailable",
            "the server is currently unable to handle the request",
        ),
        504 => ("Timeout", "request did not complete within the allotted timeout"),
        _ => (
            "InternalError",
            "an error on the server has prevented the request from succeeding",
        ),
    };
    Failure::new(code, reason, message)
}

/// A kubeconfig for a server that [`ApiServer::serve`]s on `address`, such as `127.0.0.1:6443`, with a bearer token
/// that the server knows.
pub fn kubeconfig(address: &str, token: &str) -> String {
    let config = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "weir", "cluster": {"server": format!("http://{address}/token/{token}")}}],
        "users": [{"name": "weir", "user": {}}],
        "contexts": [{"name": "weir", "context": {"cluster": "weir", "user": "weir"}}],
        "current-context": "weir",
    });
    // JSON is YAML.
    format!("{config:#}\n")
}

impl<B> Service<Request<B>> for ApiServer
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display,
{
    type Response = Response<Body>;
    type Error = CutError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, CutError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CutError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let server = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = match body.collect().await {
                Ok(body) => body.to_bytes(),
                Err(err) => {
                    let failure = Failure::bad_request(format!("reading the body: {err}"));
                    return Ok(server.respond(failure.into(), &[]));
                }
            };
            let mut parts = read_path(head.uri.path());
            let token = match parts.as_slice() {
                [prefix, token, ..] if prefix == "token" => Some(token.clone()),
                _ => None,
            };
            if token.is_some() {
                parts.drain(..2);
            }
            let request = ApiRequest {
                method: head.method,
                parts,
                token,
                is_remote: server.remote,
                query: read_query(head.uri.query()),
                headers: head.headers,
                body,
                user: crate::options::User::default(),
            };
            server.handle(request)
        })
    }
}
