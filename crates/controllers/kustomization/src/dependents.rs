//! Which Kustomizations wait for which others, so that one that becomes ready wakes those behind it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use weir_apis::Object;
use weir_cluster::mirror::Change;
use weir_runtime::Key;

/// Dependents by dependency.
#[derive(Debug, Default)]
pub(crate) struct Dependents(Mutex<HashMap<Key, BTreeSet<Key>>>);

impl Dependents {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, BTreeSet<Key>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a change of a Kustomization.
    pub(crate) fn notice(&self, change: &Change) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let (before, after) = (
            old.map(dependencies).unwrap_or_default(),
            new.map(dependencies).unwrap_or_default(),
        );
        if before == after {
            return;
        }
        let Some(object) = new.or(old) else { return };
        let own = (object.namespace().to_owned(), object.name().to_owned());
        let mut index = self.lock();
        for key in before.difference(&after) {
            if let Some(keys) = index.get_mut(key) {
                keys.remove(&own);
                if keys.is_empty() {
                    index.remove(key);
                }
            }
        }
        for key in after.difference(&before) {
            index.entry(key.clone()).or_default().insert(own.clone());
        }
    }

    /// Those that depend on a Kustomization.
    pub(crate) fn of(&self, dependency: &Object) -> Vec<Key> {
        let key = (dependency.namespace().to_owned(), dependency.name().to_owned());
        self.lock().get(&key).into_iter().flatten().cloned().collect()
    }
}

fn dependencies(object: &Object) -> BTreeSet<Key> {
    let list = object
        .get(&["spec", "dependsOn"])
        .and_then(|v| v.as_array())
        .into_iter()
        .flatten();
    list.filter_map(|entry| {
        let namespace = entry
            .get("namespace")
            .and_then(|v| v.as_str())
            .unwrap_or(object.namespace());
        Some((namespace.to_owned(), entry.get("name")?.as_str()?.to_owned()))
    })
    .collect()
}

/// Whether a Kustomization came, or its status says something else than before: what a dependent may wait for.
pub(crate) fn has_new_status(change: &Change) -> bool {
    let status = |object: &Object| object.get(&["status"]).cloned();
    match (&change.old, &change.new) {
        (None, Some(_)) => true,
        (Some(old), Some(new)) => status(old) != status(new),
        _ => false,
    }
}
