//! Events about reconciled objects: to the API server, and to an HTTP endpoint where one is named.

mod told;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use weir_apis::condition::cut;
use weir_apis::time::Time;
use weir_apis::{GroupVersionKind, Object, ObjectRef, key};
use weir_cluster::notify::Endpoint;
use weir_cluster::{Client, Clock};

use told::Teller;

/// Longest message of an event; the API server refuses longer ones.
const MAX_MESSAGE: usize = 1024;
/// Events of the same object, reason and message become one with a count.
const REMEMBERED: usize = 4096;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// All is well.
    Normal,
    /// Somebody should look.
    Warning,
}

/// Something that happened to an object.
#[derive(Debug, Clone)]
pub struct Event {
    /// How bad it is.
    pub severity: Severity,
    /// Why, as one CamelCase word.
    pub reason: &'static str,
    /// What happened.
    pub message: String,
    /// Further facts, such as the revision; keys without a prefix get the object's API group.
    pub metadata: BTreeMap<String, String>,
}

impl Event {
    /// An event without metadata.
    pub fn new(severity: Severity, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity,
            reason,
            message: message.into(),
            metadata: BTreeMap::new(),
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}

/// Writes events in the background. An event that can't be written is logged and dropped: reconciling never
/// waits for one.
#[derive(Debug, Clone)]
pub struct Recorder {
    writers: Arc<[Writer]>,
    teller: Option<Arc<Teller>>,
}

/// Tasks that write events side by side. Those of one object go through one of them, so they stay in order.
const WRITERS: usize = 8;

#[derive(Debug)]
struct Writer {
    queue: mpsc::UnboundedSender<Box<(Arc<Object>, Event, &'static str)>>,
    task: JoinHandle<()>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Recorder {
    /// Starts to write events to a cluster. Must be called inside a tokio runtime.
    pub fn start(client: Client, clock: Arc<dyn Clock>) -> Self {
        let writer = |_| {
            let (queue, events) = mpsc::unbounded_channel();
            let task = tokio::spawn(write_all(client.clone(), clock.clone(), events));
            Writer { queue, task }
        };
        Self {
            writers: (0..WRITERS).map(writer).collect(),
            teller: None,
        }
    }

    /// Tells every event to `endpoint` as well; `instance` says which process reports. Must be called inside a tokio
    /// runtime.
    #[must_use]
    pub fn telling(mut self, endpoint: Endpoint, instance: String, clock: Arc<dyn Clock>) -> Self {
        self.teller = Some(Arc::new(Teller::start(endpoint, instance, clock)));
        self
    }

    /// Records an event. `component` is the controller's name as Flux has it, such as `source-controller`.
    pub fn record(&self, object: &Arc<Object>, event: Event, component: &'static str) {
        tracing::info!(object = %object.reference(), reason = event.reason, "{}", event.message);
        if let Some(teller) = &self.teller {
            teller.tell(object, &event, &metadata(object, &event), component);
        }
        // Any spread will do that always gives one object the same writer.
        let at = object
            .uid()
            .bytes()
            .fold(0_usize, |h, b| h.wrapping_mul(31).wrapping_add(usize::from(b)));
        let Some(writer) = self.writers.get(at % WRITERS) else {
            return;
        };
        if writer
            .queue
            .send(Box::new((object.clone(), event, component)))
            .is_err()
        {
            tracing::debug!("the event writer has stopped");
        }
    }
}

type Seen = HashMap<(String, &'static str, String), (ObjectRef, u64)>;

async fn write_all(
    client: Client,
    clock: Arc<dyn Clock>,
    mut events: mpsc::UnboundedReceiver<Box<(Arc<Object>, Event, &'static str)>>,
) {
    let mut seen: Seen = HashMap::new();
    let mut serial: u64 = 0;
    while let Some(entry) = events.recv().await {
        let (object, event, component) = *entry;
        let now = Time::new(clock.now());
        let message = cut(&event.message, MAX_MESSAGE);
        let id = (object.uid().to_owned(), event.reason, message.clone());
        if let Some((reference, count)) = seen.get_mut(&id) {
            *count += 1;
            let patch = json!({"count": *count, "lastTimestamp": now});
            match client.merge(reference, &patch, component).await {
                Ok(_) => continue,
                Err(error) if error.is_not_found() => {}
                Err(error) => {
                    tracing::debug!(%error, "cannot count an event");
                    continue;
                }
            }
        }
        serial += 1;
        // Unique like client-go's: the object's name and a time that never repeats in this process.
        let stamp = clock
            .now()
            .as_nanosecond()
            .unsigned_abs()
            .wrapping_add(u128::from(serial));
        let name = format!("{}.{stamp:x}", object.name());
        let namespace = if object.namespace().is_empty() {
            "default"
        } else {
            object.namespace()
        };
        let reference = ObjectRef::new(GroupVersionKind::new("", "v1", "Event"), namespace, name);
        let body = body(&reference, &object, &event, component, &message, now);
        match client.create(&body, component).await {
            Ok(_) => {
                if seen.len() >= REMEMBERED {
                    seen.clear();
                }
                seen.insert(id, (reference, 1));
            }
            Err(error) => tracing::warn!(object = %object.reference(), %error, "cannot write an event"),
        }
    }
}

/// An event's facts, and those that the object's annotations give to each of its events.
fn metadata(object: &Object, event: &Event) -> BTreeMap<String, String> {
    let group = object.gvk().group;
    let mut facts: BTreeMap<String, String> = BTreeMap::new();
    let own = object
        .metadata()
        .and_then(|m| m.get("annotations"))
        .and_then(|a| a.as_object());
    for (key, value) in own.into_iter().flatten() {
        if let Some(value) = value.as_str().filter(|_| key.starts_with(key::EVENT_PREFIX)) {
            facts.insert(key.clone(), value.into());
        }
    }
    for (key, value) in &event.metadata {
        facts.insert(format!("{group}/{key}"), value.clone());
    }
    facts
}

fn body(
    reference: &ObjectRef,
    object: &Object,
    event: &Event,
    component: &str,
    message: &str,
    now: Time,
) -> Object {
    let mut body = Object::new(reference);
    for (key, value) in &metadata(object, event) {
        body.set_annotation(key, value);
    }
    let severity = match event.severity {
        Severity::Normal => "Normal",
        Severity::Warning => "Warning",
    };
    let map = body.as_map_mut();
    for (field, value) in [
        (
            "involvedObject",
            json!({
                "apiVersion": object.api_version(), "kind": object.kind(), "namespace": object.namespace(),
                "name": object.name(), "uid": object.uid(), "resourceVersion": object.resource_version(),
            }),
        ),
        ("reason", json!(event.reason)),
        ("message", json!(message)),
        ("source", json!({"component": component})),
        ("reportingComponent", json!(component)),
        ("reportingInstance", json!("")),
        ("firstTimestamp", json!(now)),
        ("lastTimestamp", json!(now)),
        ("count", json!(1)),
        ("type", json!(severity)),
    ] {
        map.insert(field.into(), value);
    }
    body
}
