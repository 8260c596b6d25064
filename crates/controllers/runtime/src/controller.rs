//! The loop around one kind.

use std::sync::{Arc, OnceLock};

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tracing::Instrument;
use weir_apis::{GroupVersionKind, Object, key};
use weir_cluster::mirror::Change;
use weir_cluster::{ApiError, Lookup, Mirror};

use crate::{Deps, Key, Metrics, Queue};

/// What one kind's controller does with one object.
pub trait Reconcile: Send + Sync + 'static {
    /// Brings the world to what the object asks for. Called for one object at a time; safe to call twice, and to
    /// cut at any point. Errors end in the object's status, so nothing is returned: what follows is told to `queue`.
    fn reconcile(&self, object: Arc<Object>, queue: &Queue) -> impl Future<Output = ()> + Send;

    /// The object is gone from the API server.
    fn gone(&self, key: &Key);
}

/// Wakes objects of a controller from outside.
#[derive(Debug, Clone)]
pub struct Waker(Arc<Queue>);

impl Waker {
    /// The object should be looked at soon.
    pub fn wake(&self, namespace: &str, name: &str) {
        self.0.add((namespace.into(), name.into()));
    }
}

/// A running controller. It stops when dropped, or after [`Controller::stop`].
#[derive(Debug)]
pub struct Controller {
    queue: Arc<Queue>,
    mirror: Arc<Mirror>,
    task: JoinHandle<()>,
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Controller {
    /// Watches a kind and reconciles its objects. `waker` is filled before the first object is seen, for those who
    /// need to wake objects of this kind.
    pub async fn start<R: Reconcile>(
        deps: &Deps,
        kind: &GroupVersionKind,
        reconciler: Arc<R>,
        waker: &OnceLock<Waker>,
    ) -> Result<Self, ApiError> {
        let queue = Arc::new(Queue::default());
        // Set once: a reconciler belongs to one controller.
        let _already = waker.set(Waker(queue.clone()));
        let counted = Counted {
            metrics: deps.metrics.clone(),
            kind: kind.kind.clone(),
        };
        counted
            .metrics
            .count_requests(deps.client.cluster(), deps.client.counter());
        counted
            .metrics
            .watch_queue(&kind.kind, &queue, deps.settings.concurrent);
        let resource = deps.client.resource(kind).await?;
        let on_change = {
            let queue = queue.clone();
            let reconciler = reconciler.clone();
            let counted = counted.clone();
            Arc::new(move |change: Change| notice(&queue, &*reconciler, &counted, &change))
        };
        let mirror = Arc::new(Mirror::start(
            &deps.client,
            resource,
            deps.settings.watch_namespace.as_deref().unwrap_or_default(),
            &deps.settings.watch_labels,
            on_change,
        ));
        queue.read_from(&mirror);
        let task = tokio::spawn(run(
            queue.clone(),
            mirror.clone(),
            reconciler,
            counted,
            deps.settings.concurrent,
        ));
        Ok(Self { queue, mirror, task })
    }

    /// The controller's view of its kind.
    pub fn mirror(&self) -> &Arc<Mirror> {
        &self.mirror
    }

    /// Takes no new work and waits for what is under way.
    pub async fn stop(mut self) {
        self.queue.close();
        // A panic inside a task is logged by the runtime; there is nothing left to do about it here.
        let _joined = (&mut self.task).await;
    }
}

/// Where a kind's reconciles are counted.
#[derive(Clone)]
struct Counted {
    metrics: Metrics,
    kind: String,
}

/// Which changes ask for a reconcile: a new or changed spec, a request by annotation, a deletion. Status updates,
/// most of which are our own, do not.
fn notice<R: Reconcile>(queue: &Queue, reconciler: &R, counted: &Counted, change: &Change) {
    match (&change.old, &change.new) {
        (None, Some(new)) => queue.add(key_of(new)),
        (Some(old), Some(new)) => {
            if old.annotation(key::REQUESTED_AT) != new.annotation(key::REQUESTED_AT) {
                queue.add_first(key_of(new));
            } else if old.generation() != new.generation()
                || old.uid() != new.uid()
                || old.is_being_deleted() != new.is_being_deleted()
            {
                queue.add(key_of(new));
            }
        }
        (Some(old), None) => {
            let key = key_of(old);
            queue.forget(&key);
            counted.metrics.forget(&counted.kind, &key);
            reconciler.gone(&key);
        }
        (None, None) => {}
    }
}

fn key_of(object: &Object) -> Key {
    (object.namespace().into(), object.name().into())
}

async fn run<R: Reconcile>(
    queue: Arc<Queue>,
    mirror: Arc<Mirror>,
    reconciler: Arc<R>,
    counted: Counted,
    concurrent: usize,
) {
    mirror.synced().await;
    let permits = Arc::new(Semaphore::new(concurrent.max(1)));
    let mut tasks = JoinSet::new();
    loop {
        // Closed only with the process: acquire can't fail before that.
        let Ok(permit) = permits.clone().acquire_owned().await else {
            break;
        };
        let Some(key) = queue.next().await else { break };
        while tasks.try_join_next().is_some() {}
        let (queue, mirror, reconciler) = (queue.clone(), mirror.clone(), reconciler.clone());
        let counted = counted.clone();
        tasks.spawn(async move {
            let _permit = permit;
            let _done = Done {
                queue: &queue,
                key: &key,
            };
            if let Lookup::Known(object) = mirror.get(&key.0, &key.1) {
                let run = counted.metrics.begin(&counted.kind, &key);
                // The fields are those by which Flux's logs are searched.
                let span = tracing::info_span!(
                    "reconcile",
                    controllerGroup = object.gvk().group,
                    controllerKind = object.kind(),
                    namespace = key.0,
                    name = key.1,
                );
                reconciler.reconcile(object, &queue).instrument(span).await;
                drop(run);
                // Its series must not come back after it went: whoever sees it gone last takes them away.
                if !matches!(mirror.get(&key.0, &key.1), Lookup::Known(_)) {
                    counted.metrics.forget(&counted.kind, &key);
                }
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}

/// Gives the key back even if the reconcile panics, which would be a defect but must not lose the object.
struct Done<'a> {
    queue: &'a Queue,
    key: &'a Key,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.queue.done(self.key);
    }
}
