//! Watches on what Kustomizations applied: drift is noticed when it happens, and health without polling.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;
use weir_apis::{GroupVersionKind, Object, ObjectRef, key};
use weir_cluster::memory::Notice;
use weir_cluster::mirror::Change;
use weir_cluster::{ApiError, Client, Lookup, Memory, Mirror};
use weir_runtime::{Key, Waker};

/// One watch for each applied type, over all objects that carry an owner label.
#[derive(Debug)]
pub(crate) struct Watched {
    client: Client,
    mirrors: Mutex<BTreeMap<GroupVersionKind, Arc<Mirror>>>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    memory: Memory,
    owners: Mutex<HashMap<Key, Signals>>,
    waker: Arc<OnceLock<Waker>>,
}

/// What a reconcile that waits for health listens to.
#[derive(Debug, Clone, Default)]
struct Signals {
    changed: Arc<Notify>,
    superseded: Arc<Notify>,
}

impl Watched {
    pub(crate) fn new(client: Client, waker: Arc<OnceLock<Waker>>) -> Self {
        let shared = Shared {
            memory: Memory::default(),
            owners: Mutex::default(),
            waker,
        };
        Self {
            client,
            mirrors: Mutex::default(),
            shared: Arc::new(shared),
        }
    }

    /// What was applied last.
    pub(crate) fn memory(&self) -> &Memory {
        &self.shared.memory
    }

    /// The mirror of a type; its watch starts with the first call, and the call waits for the first list.
    pub(crate) async fn mirror(&self, gvk: &GroupVersionKind) -> Result<Arc<Mirror>, ApiError> {
        let resource = self.client.resource(gvk).await?;
        let mirror = {
            let mut mirrors = lock(&self.mirrors);
            let start = || {
                let shared = self.shared.clone();
                let on_change = Arc::new(move |change: Change| shared.notice(&change));
                Arc::new(Mirror::start(
                    &self.client,
                    resource,
                    "",
                    key::KUSTOMIZATION_NAME,
                    on_change,
                ))
            };
            mirrors.entry(gvk.clone()).or_insert_with(start).clone()
        };
        mirror.synced().await;
        Ok(mirror)
    }

    /// What is known of an object without asking: [`Lookup::Unsynced`] where its type is not watched yet.
    pub(crate) fn live(&self, object: &ObjectRef) -> Lookup {
        let mirror = lock(&self.mirrors).get(&object.gvk).cloned();
        mirror.map_or(Lookup::Unsynced, |m| m.get(&object.namespace, &object.name))
    }

    /// Takes in what a write returned.
    pub(crate) fn note(&self, object: &Object) {
        let mirror = lock(&self.mirrors).get(&object.gvk()).cloned();
        if let Some(mirror) = mirror {
            mirror.note(object.clone());
        }
    }

    /// Is notified when an object of this Kustomization changes.
    pub(crate) fn changes(&self, owner: &Key) -> Arc<Notify> {
        lock(&self.shared.owners)
            .entry(owner.clone())
            .or_default()
            .changed
            .clone()
    }

    /// Is notified when waiting for the health of what was applied makes no sense any more: there is something newer.
    pub(crate) fn superseded(&self, owner: &Key) -> Arc<Notify> {
        lock(&self.shared.owners)
            .entry(owner.clone())
            .or_default()
            .superseded
            .clone()
    }

    /// There is a newer spec or artifact.
    pub(crate) fn supersede(&self, owner: &Key) {
        if let Some(signals) = lock(&self.shared.owners).get(owner) {
            signals.superseded.notify_waiters();
        }
    }

    /// The Kustomization is gone.
    pub(crate) fn forget(&self, owner: &Key) {
        lock(&self.shared.owners).remove(owner);
    }
}

impl Shared {
    fn notice(&self, change: &Change) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let Some(owner) = new.and_then(owner_of).or_else(|| old.and_then(owner_of)) else {
            return;
        };
        if let Some(waiting) = lock(&self.owners).get(&owner) {
            waiting.changed.notify_waiters();
        }
        if self.memory.notice(old, new) == Notice::Foreign
            && let Some(waker) = self.waker.get()
        {
            tracing::info!(owner = %format!("{}/{}", owner.0, owner.1), "an applied object was changed by somebody else");
            waker.wake(&owner.0, &owner.1);
        }
    }
}

/// The Kustomization that an object's labels name.
pub(crate) fn owner_of(object: &Object) -> Option<Key> {
    let namespace = object.label(key::KUSTOMIZATION_NAMESPACE)?;
    let name = object.label(key::KUSTOMIZATION_NAME)?;
    Some((namespace.to_owned(), name.to_owned()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
