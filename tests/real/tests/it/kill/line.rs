//! A line between weir and the API server that goes dead at a chosen request, as it does for a process that is killed.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::sync::Notify;
use tower::{BoxError, Service};
use weir_standin_apiserver::{ApiServer, Body};

/// Where the line goes dead.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut {
    /// Before the n-th request reaches the server, counted from 1.
    Before(usize),
    /// After the server has carried out the n-th write, before its answer arrives.
    AfterWrite(usize),
}

/// What an object was applied as, oldest first; the same twice in a row is one entry. By path.
pub(crate) type Applied = BTreeMap<String, Vec<Bytes>>;

#[derive(Debug, Default)]
struct State {
    cut: Option<Cut>,
    requests: usize,
    writes: usize,
    dead: bool,
    last: String,
}

/// The line of one process. Clones are the same line.
#[derive(Clone)]
pub(crate) struct Line {
    server: ApiServer,
    state: Arc<Mutex<State>>,
    applied: Arc<Mutex<Applied>>,
    died: Arc<Notify>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Line {
    /// A line that holds, and notes in `applied` what passes.
    pub(crate) fn new(server: ApiServer, applied: Arc<Mutex<Applied>>) -> Self {
        Self {
            server,
            state: Arc::default(),
            applied,
            died: Arc::default(),
        }
    }

    /// Counts from now on, and goes dead at `cut`.
    pub(crate) fn arm(&self, cut: Cut) {
        *lock(&self.state) = State {
            cut: Some(cut),
            ..State::default()
        };
    }

    /// Waits until the line is dead, and says at which request.
    pub(crate) async fn died(&self) -> String {
        loop {
            let died = self.died.notified();
            tokio::pin!(died);
            died.as_mut().enable();
            {
                let state = lock(&self.state);
                if state.dead {
                    return state.last.clone();
                }
            }
            died.await;
        }
    }

    /// Counts a request. `None`: it never arrives. `Some(true)`: it does, and its answer does not.
    fn pass(&self, what: &str, is_write: bool) -> Option<bool> {
        let mut state = lock(&self.state);
        if state.dead {
            return None;
        }
        state.requests += 1;
        state.writes += usize::from(is_write);
        let (dies, arrives) = match state.cut {
            Some(Cut::Before(n)) => (state.requests == n, false),
            Some(Cut::AfterWrite(n)) => (is_write && state.writes == n, true),
            None => (false, true),
        };
        if dies {
            state.dead = true;
            what.clone_into(&mut state.last);
        }
        if dies && !arrives {
            drop(state);
            self.died.notify_waiters();
            return None;
        }
        Some(dies)
    }

    fn note(&self, path: &str, body: &Bytes) {
        let mut applied = lock(&self.applied);
        let bodies = applied.entry(path.to_owned()).or_default();
        if bodies.last() != Some(body) {
            bodies.push(body.clone());
        }
    }
}

impl Service<Request<kube::client::Body>> for Line {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<kube::client::Body>) -> Self::Future {
        let mut line = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let query = head.uri.query().unwrap_or_default();
            let is_dry = query.contains("dryRun=All");
            let is_write = head.method != Method::GET && !is_dry;
            let what = format!("{} {}", head.method, head.uri);
            let Some(loses_answer) = line.pass(&what, is_write) else {
                return std::future::pending().await;
            };
            let content_type = head
                .headers
                .get("content-type")
                .map_or(&b""[..], |v| v.as_bytes());
            if is_write && content_type.starts_with(b"application/apply-patch") {
                line.note(head.uri.path(), &body);
            }
            let answer = line
                .server
                .call(Request::from_parts(head, Full::new(body)))
                .await?;
            if loses_answer {
                line.died.notify_waiters();
                return std::future::pending().await;
            }
            Ok(answer)
        })
    }
}
