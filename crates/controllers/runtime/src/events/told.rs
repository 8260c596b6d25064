//! The same events, told to an HTTP endpoint (flux-controllers.md §1.9).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use weir_apis::Object;
use weir_apis::condition::cut;
use weir_apis::time::Time;
use weir_cluster::notify::Endpoint;
use weir_cluster::{Clock, chain};

use super::{Event, Severity};

/// Longest message that is told.
const MAX_MESSAGE: usize = 39_000;
/// Events that may wait while the endpoint is away; more are dropped.
const WAITING: usize = 10_000;

/// A task that tells events, in order.
#[derive(Debug)]
pub(super) struct Teller {
    queue: mpsc::Sender<Value>,
    clock: Arc<dyn Clock>,
    instance: String,
    task: JoinHandle<()>,
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Teller {
    pub(super) fn start(endpoint: Endpoint, instance: String, clock: Arc<dyn Clock>) -> Self {
        let (queue, mut events) = mpsc::channel::<Value>(WAITING);
        let task = tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let Err(error) = endpoint.post(&event).await {
                    tracing::warn!(error = %chain(&error), "an event was not delivered");
                }
            }
        });
        Self {
            queue,
            clock,
            instance,
            task,
        }
    }

    pub(super) fn tell(
        &self,
        object: &Object,
        event: &Event,
        metadata: &BTreeMap<String, String>,
        component: &str,
    ) {
        let severity = match event.severity {
            Severity::Normal => "info",
            Severity::Warning => "error",
        };
        let body = json!({
            "involvedObject": {
                "apiVersion": object.api_version(), "kind": object.kind(), "namespace": object.namespace(),
                "name": object.name(), "uid": object.uid(), "resourceVersion": object.resource_version(),
            },
            "severity": severity,
            "timestamp": Time::new(self.clock.now()),
            "message": cut(&event.message, MAX_MESSAGE),
            "reason": event.reason,
            "metadata": metadata,
            "reportingController": component,
            "reportingInstance": self.instance,
        });
        if self.queue.try_send(body).is_err() {
            tracing::warn!(
                object = %object.reference(), reason = event.reason,
                "an event was dropped: too many wait for the endpoint"
            );
        }
    }
}
