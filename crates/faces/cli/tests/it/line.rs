//! A line to a registry, or to a registry and a Sigstore, that can be cut, or held, at any request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use weir_standin_registry::Registry;

/// What happens at a request, counted from 0.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    /// Nothing.
    Never,
    /// It is carried out and its answer is lost, and so is everything after it.
    Cut(usize),
    /// It is lost, and so is everything after it.
    Lost(usize),
    /// It waits until the line is resumed.
    Hold(usize),
}

/// Which requests are counted, by method and path.
pub(crate) type Counts = fn(&Method, &str) -> bool;

/// Requests of a registry whose answers or effects depend on what others do at the same time: whatever is written, tags, and
/// lists of what is attached. What has a digest is there or not, and the same whoever asks.
pub(crate) fn is_shared(method: &Method, path: &str) -> bool {
    let reads = [Method::GET, Method::HEAD].contains(method);
    let by_digest = path.contains("/blobs/") || path.contains("/manifests/sha256:");
    !reads || !by_digest
}

/// The line. Dropping it ends it.
pub(crate) struct Line {
    pub(crate) url: String,
    gate: Arc<Gate>,
    task: JoinHandle<()>,
}

struct Gate {
    at: At,
    /// Which requests count.
    counts: Counts,
    count: AtomicUsize,
    dead: AtomicBool,
    reached: Notify,
    resume: Notify,
}

impl Line {
    pub(crate) async fn to(registry: &Registry, at: At) -> Self {
        Self::over(registry.router(), |_, _| true, at).await
    }

    /// A line to all of a router, of whose requests only some count.
    pub(crate) async fn over(router: Router, counts: Counts, at: At) -> Self {
        let gate = Arc::new(Gate {
            at,
            counts,
            count: AtomicUsize::new(0),
            dead: AtomicBool::new(false),
            reached: Notify::new(),
            resume: Notify::new(),
        });
        let router = router.layer(middleware::from_fn_with_state(gate.clone(), pass));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Self { url, gate, task }
    }

    /// How many requests came.
    pub(crate) fn count(&self) -> usize {
        self.gate.count.load(Ordering::SeqCst)
    }

    /// Runs `held`, which goes over this line, up to the request that waits; then `whole` from start to end; then the rest of
    /// `held`. Nothing when `held` makes no such request.
    pub(crate) async fn meeting<H, W>(
        &self,
        held: impl Future<Output = H>,
        whole: impl Future<Output = W>,
    ) -> Option<(H, W)> {
        let mut first = std::pin::pin!(held);
        let second = async {
            self.gate.reached.notified().await;
            let ran = whole.await;
            self.gate.resume.notify_one();
            ran
        };
        let whole = tokio::select! {
            _ = &mut first => return None,
            ran = second => ran,
        };
        Some((first.await, whole))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    // No answer that a client would ask for again: the process is dead.
    let dead = || StatusCode::BAD_REQUEST.into_response();
    if gate.dead.load(Ordering::SeqCst) {
        return dead();
    }
    if !(gate.counts)(request.method(), request.uri().path()) {
        return next.run(request).await;
    }
    let number = gate.count.fetch_add(1, Ordering::SeqCst);
    match gate.at {
        At::Cut(at) | At::Lost(at) if number > at => dead(),
        At::Cut(at) if number == at => {
            gate.dead.store(true, Ordering::SeqCst);
            drop(next.run(request).await);
            dead()
        }
        At::Lost(at) if number == at => {
            gate.dead.store(true, Ordering::SeqCst);
            dead()
        }
        At::Hold(at) if number == at => {
            gate.reached.notify_one();
            gate.resume.notified().await;
            next.run(request).await
        }
        _ => next.run(request).await,
    }
}
