//! Waiting until objects are healthy, woken by the watch rather than by polling.

use std::time::Duration;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_plan::{Readiness, Status, has_pods, with_pods};

use crate::carry_out::View;
use crate::{ApiError, Client, Clock, Lookup};

/// How often to look at what no watch shows (flux-controllers.md §3.9).
const POLL: Duration = Duration::from_secs(5);
/// Objects that are read at once.
const IN_FLIGHT: usize = 8;

/// Objects that did not become healthy.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotReady {
    /// Some will not get there by themselves, so that waiting on is no use.
    #[error("failed early due to stalled resources: [{}]", list(.0))]
    Failed(Vec<(ObjectRef, Readiness)>),
    /// Time is up.
    #[error("timeout waiting for: [{}]", list(.0))]
    Timeout(Vec<(ObjectRef, Readiness)>),
}

fn list(objects: &[(ObjectRef, Readiness)]) -> String {
    let texts: Vec<String> = objects
        .iter()
        .map(|(object, readiness)| {
            let why = if readiness.message.is_empty() {
                String::new()
            } else {
                format!(": {}", readiness.message)
            };
            format!("{object} status: '{}'{why}", readiness.status)
        })
        .collect();
    texts.join(", ")
}

/// What to wait for.
pub struct Targets<'a> {
    /// The objects.
    pub objects: &'a [ObjectRef],
    /// How far one object is.
    pub judge: &'a (dyn Fn(&Object, Timestamp) -> Readiness + Sync),
    /// Whether an object that is not there is fine: a Job that was to go after it finished.
    pub may_be_absent: &'a (dyn Fn(&ObjectRef) -> bool + Sync),
}

/// Waits until every object is current, one has failed for good, or `timeout` has passed. `changed` is notified when
/// the watch shows a change of one of them; what no watch shows is looked at every five seconds.
pub async fn wait_until_ready(
    client: &Client,
    view: &dyn View,
    clock: &dyn Clock,
    targets: &Targets<'_>,
    changed: &Notify,
    timeout: Duration,
) -> Result<(), NotReady> {
    let end = Instant::now() + timeout;
    let mut polled = true;
    let mut next_poll = Instant::now() + POLL;
    loop {
        let notified = changed.notified();
        tokio::pin!(notified);
        // Registered before the look, so that a change in between is not missed.
        notified.as_mut().enable();
        let open = look(client, view, clock, targets, polled).await;
        let failed: Vec<_> = open
            .iter()
            .filter(|(_, r)| r.status == Status::Failed)
            .cloned()
            .collect();
        if !failed.is_empty() {
            return Err(NotReady::Failed(failed));
        }
        if open.is_empty() {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(NotReady::Timeout(open));
        }
        tokio::select! {
            () = notified => polled = false,
            () = sleep_until(next_poll.min(end)) => {
                polled = true;
                next_poll = Instant::now() + POLL;
            }
        }
    }
}

/// The objects that are not current. `ask` allows requests for what the watch does not show.
async fn look(
    client: &Client,
    view: &dyn View,
    clock: &dyn Clock,
    targets: &Targets<'_>,
    ask: bool,
) -> Vec<(ObjectRef, Readiness)> {
    // The futures are made first: a closure inside the stream would have to be general over lifetimes.
    let looks: Vec<_> = targets
        .objects
        .iter()
        .map(|object| look_at(client, view, clock, targets, object, ask))
        .collect();
    let found: Vec<Readiness> = stream::iter(looks).buffered(IN_FLIGHT).collect().await;
    let all = targets.objects.iter().cloned().zip(found);
    all.filter(|(_, readiness)| readiness.status != Status::Current)
        .collect()
}

async fn look_at(
    client: &Client,
    view: &dyn View,
    clock: &dyn Clock,
    targets: &Targets<'_>,
    object: &ObjectRef,
    ask: bool,
) -> Readiness {
    let live = match view.look(object) {
        Lookup::Known(live) => Ok(Some(Object::clone(&live))),
        _ if ask => client.get(object).await,
        _ => return Readiness::new(Status::Unknown, "", "not looked at yet"),
    };
    let now = clock.now();
    match live {
        Ok(Some(live)) => {
            let readiness = (targets.judge)(&live, now);
            if ask && readiness.status == Status::InProgress && has_pods(&live.gvk().group_kind()) {
                let pods = pods_of(client, &live).await.unwrap_or_default();
                return with_pods(readiness, &pods, now);
            }
            readiness
        }
        Ok(None) if (targets.may_be_absent)(object) => Readiness::new(Status::Current, "", ""),
        Ok(None) => Readiness::not_found(),
        Err(error) => Readiness::new(Status::Unknown, "", error.to_string()),
    }
}

/// The Pods that a workload selects by labels.
pub async fn pods_of(client: &Client, workload: &Object) -> Result<Vec<Object>, ApiError> {
    let Some(labels) = workload
        .get(&["spec", "selector", "matchLabels"])
        .and_then(Value::as_object)
    else {
        return Ok(Vec::new());
    };
    let selector: Vec<String> = labels
        .iter()
        .filter_map(|(k, v)| Some(format!("{k}={}", v.as_str()?)))
        .collect();
    if selector.is_empty() {
        return Ok(Vec::new());
    }
    client
        .list(
            &GroupVersionKind::new("", "v1", "Pod"),
            workload.namespace(),
            &selector.join(","),
        )
        .await
}
