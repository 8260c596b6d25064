//! What controllers tell Prometheus, under the names that Flux and controller-runtime use (flux-controllers.md §1.9),
//! so that Flux's dashboards and alerts go on working.
//!
//! A [`Metrics`] is a value: each set of controllers has its own, and nothing is global. What can be read when it is
//! asked for (queues, requests, the process) is read then; only finished reconciles are counted as they happen.
//!
//! Two things differ from upstream on purpose. `controller` and `name` labels are the kind in small letters, which is
//! controller-runtime's default. Every failed reconcile counts as `error`, also where its retry comes at a fixed time,
//! which kustomize-controller counts as `requeue_after` and so hides from alerts.

use std::fmt;
use std::sync::{Arc, Weak};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets_range};
use prometheus_client::registry::Registry;
use tokio::time::Instant;
use weir_cluster::RequestCounter;

use crate::{Key, Queue, Verdict};
use live::Live;

mod live;
mod process;

/// Buckets of `controller_runtime_reconcile_time_seconds`, in seconds: controller-runtime's.
const TIME_BUCKETS: [f64; 40] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25,
    1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0,
    50.0, 60.0,
];

/// `Content-Type` of [`Metrics::render`]'s text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How a reconcile ended, in controller-runtime's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    /// Nothing more to do, or nothing to do at all.
    Success,
    /// Done, to be looked at again later; or waiting for something else.
    RequeueAfter,
    /// It failed.
    Error,
}

impl Outcome {
    fn of(verdict: &Verdict) -> Self {
        match verdict {
            Ok(success) if success.again.is_none() => Self::Success,
            Ok(_) => Self::RequeueAfter,
            Err(failure) if matches!(failure.kind, crate::Kind::Waiting(_)) => Self::RequeueAfter,
            Err(_) => Self::Error,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::RequeueAfter => "requeue_after",
            Self::Error => "error",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ObjectLabels {
    kind: String,
    name: String,
    namespace: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    controller: String,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ControllerLabels {
    controller: String,
}

/// The numbers of one set of controllers. Clones share them.
#[derive(Clone)]
pub struct Metrics(Arc<Shared>);

struct Shared {
    registry: Registry,
    live: Arc<Live>,
    durations: Family<ObjectLabels, Histogram, fn() -> Histogram>,
    times: Family<ControllerLabels, Histogram, fn() -> Histogram>,
    totals: Family<ResultLabels, Counter>,
    errors: Family<ControllerLabels, Counter>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        // 10 ms to 30 min in ten buckets: Flux's.
        let durations: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(exponential_buckets_range(0.01, 1800.0, 10)));
        let times: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(TIME_BUCKETS));
        let totals = Family::<ResultLabels, Counter>::default();
        let errors = Family::<ControllerLabels, Counter>::default();
        let live = Arc::new(Live::default());
        let mut registry = Registry::default();
        // Counters get `_total` and help texts a full stop from the encoder.
        registry.register(
            "gotk_reconcile_duration_seconds",
            "The duration in seconds of a GitOps Toolkit resource reconciliation",
            durations.clone(),
        );
        registry.register(
            "controller_runtime_reconcile_time_seconds",
            "Length of time per reconciliation per controller",
            times.clone(),
        );
        registry.register(
            "controller_runtime_reconcile",
            "Total number of reconciliations per controller",
            totals.clone(),
        );
        registry.register(
            "controller_runtime_reconcile_errors",
            "Total number of reconciliation errors per controller",
            errors.clone(),
        );
        registry.register_collector(Box::new(live.clone()));
        Self(Arc::new(Shared {
            registry,
            live,
            durations,
            times,
            totals,
            errors,
        }))
    }
}

impl Metrics {
    /// Also reports `rest_client_requests_total` for the API server at `host`.
    pub fn count_requests(&self, host: &str, counter: &RequestCounter) {
        self.0.live.count_requests(host, counter.clone());
    }

    /// Everything as OpenMetrics text; see [`CONTENT_TYPE`].
    pub fn render(&self) -> String {
        let mut text = String::new();
        if prometheus_client::encoding::text::encode(&mut text, &self.0.registry).is_err() {
            // Writing to a string fails only where a metric's own encoding does, which would be a defect.
            tracing::error!("cannot render the metrics");
        }
        text
    }

    /// Reports the queue of a kind's controller for as long as it exists.
    pub(crate) fn watch_queue(&self, kind: &str, queue: &Arc<Queue>, concurrent: usize) {
        self.0
            .live
            .watch_queue(&kind.to_lowercase(), Arc::downgrade(queue), concurrent);
    }

    /// A reconcile begins; it ends when the value is dropped.
    pub(crate) fn begin(&self, kind: &str, key: &Key) -> Run {
        self.0.live.begin(kind, key);
        Run {
            metrics: self.clone(),
            kind: kind.to_owned(),
            key: key.clone(),
            begun: Instant::now(),
        }
    }

    /// How the reconcile under way ends. Without this it counts as a success: nothing was to be done.
    pub(crate) fn concluded(&self, kind: &str, key: &Key, verdict: &Verdict) {
        self.0.live.concluded(kind, key, Outcome::of(verdict));
    }

    /// An object is gone, and its series with it.
    pub(crate) fn forget(&self, kind: &str, key: &Key) {
        self.0.durations.remove(&object_labels(kind, key));
    }
}

/// One reconcile under way.
pub(crate) struct Run {
    metrics: Metrics,
    kind: String,
    key: Key,
    begun: Instant,
}

impl Drop for Run {
    fn drop(&mut self) {
        let shared = &self.metrics.0;
        let took = self.begun.elapsed().as_secs_f64();
        let mut outcome = shared.live.end(&self.kind, &self.key);
        if std::thread::panicking() {
            outcome = Outcome::Error;
        }
        let controller = ControllerLabels {
            controller: self.kind.to_lowercase(),
        };
        shared
            .durations
            .get_or_create(&object_labels(&self.kind, &self.key))
            .observe(took);
        shared.times.get_or_create(&controller).observe(took);
        if outcome == Outcome::Error {
            shared.errors.get_or_create(&controller).inc();
        }
        let labels = ResultLabels {
            controller: controller.controller,
            result: outcome.word(),
        };
        shared.totals.get_or_create(&labels).inc();
    }
}

fn object_labels(kind: &str, (namespace, name): &Key) -> ObjectLabels {
    ObjectLabels {
        kind: kind.to_owned(),
        name: name.clone(),
        namespace: namespace.clone(),
    }
}

/// A queue that is looked at when somebody asks.
#[derive(Debug)]
struct WatchedQueue {
    queue: Weak<Queue>,
    concurrent: usize,
}
