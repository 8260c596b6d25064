//! What a cluster can do, remembered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use weir_apis::GroupVersionKind;
use weir_cluster::pulse::Pulse;
use weir_cluster::{ApiError, Client};
use weir_helm::Capabilities;

use crate::capabilities::capabilities;

/// What changes which APIs there are.
const KINDS: [(&str, &str, &str); 2] = [
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "v1", "APIService"),
];
/// How long after a change an answer is not kept: an API server tells of a kind a moment after its definition.
const SETTLING: Duration = Duration::from_secs(10);
/// How long an answer is kept: no watch tells that the API server is another one now.
const LONGEST: Duration = Duration::from_mins(10);

/// The capabilities of one cluster, asked for once as long as watches of its definitions and API services say that nothing
/// has changed. While a watch is broken, and soon after a change, each action asks.
#[derive(Debug)]
pub struct Discovery {
    pulses: Vec<Pulse>,
    changes: Arc<Mutex<Changes>>,
    /// Locked while it is asked for, so that many who begin at once ask once.
    known: tokio::sync::Mutex<Option<Known>>,
}

/// What may have changed the answer.
#[derive(Debug, Default)]
struct Changes {
    count: u64,
    last: Option<Instant>,
}

#[derive(Debug)]
struct Known {
    capabilities: Capabilities,
    /// How much had changed before the question.
    changes: u64,
    asked: Instant,
}

impl Discovery {
    /// Starts to watch a cluster. Must be called inside a tokio runtime.
    pub async fn follow(client: &Client) -> Result<Self, ApiError> {
        let changes: Arc<Mutex<Changes>> = Arc::default();
        let mut pulses = Vec::new();
        for (group, version, kind) in KINDS {
            let resource = match client
                .resource(&GroupVersionKind::new(group, version, kind))
                .await
            {
                Ok(resource) => resource,
                // A server without such objects has no APIs that they bring.
                Err(ApiError::UnknownKind(_)) => continue,
                Err(error) => return Err(error),
            };
            let changes = changes.clone();
            let on_pulse = Arc::new(move |_: &str, _: &str| note(&changes));
            pulses.push(Pulse::start(client, &resource, "", "", on_pulse));
        }
        Ok(Self {
            pulses,
            changes,
            known: tokio::sync::Mutex::default(),
        })
    }

    /// Forgets what is known: something has just changed, and the watch may not have shown it yet.
    pub(crate) fn forget(&self) {
        note(&self.changes);
    }

    /// What the cluster can do.
    pub(crate) async fn capabilities(&self, client: &Client) -> Result<Capabilities, ApiError> {
        let mut known = self.known.lock().await;
        let now = Instant::now();
        let is_live = self.pulses.iter().all(Pulse::is_live);
        let (changes, is_settled) = {
            let changes = lock(&self.changes);
            (
                changes.count,
                changes.last.is_none_or(|last| last + SETTLING < now),
            )
        };
        let is_good = |known: &&Known| is_live && known.changes == changes && known.asked + LONGEST > now;
        if let Some(known) = known.as_ref().filter(is_good) {
            return Ok(known.capabilities.clone());
        }
        let capabilities = capabilities(client).await?;
        *known = (is_live && is_settled).then(|| Known {
            capabilities: capabilities.clone(),
            changes,
            asked: now,
        });
        Ok(capabilities)
    }
}

fn lock(changes: &Mutex<Changes>) -> MutexGuard<'_, Changes> {
    changes.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(changes: &Mutex<Changes>) {
    let mut changes = lock(changes);
    changes.count += 1;
    changes.last = Some(Instant::now());
}
