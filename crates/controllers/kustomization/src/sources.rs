//! Which Kustomizations build from which source, so that a new artifact wakes them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use weir_apis::Object;
use weir_cluster::mirror::Change;
use weir_runtime::Key;

/// Kind, namespace and name of a source.
type Source = (String, String, String);

/// Kustomizations by source.
#[derive(Debug, Default)]
pub(crate) struct Sources(Mutex<HashMap<Source, BTreeSet<Key>>>);

impl Sources {
    fn lock(&self) -> MutexGuard<'_, HashMap<Source, BTreeSet<Key>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a change of a Kustomization.
    pub(crate) fn notice(&self, change: &Change) {
        let source = |object: &Object| {
            let field = |name: &str| object.get(&["spec", "sourceRef", name]).and_then(|v| v.as_str());
            let namespace = field("namespace").unwrap_or(object.namespace());
            Some((
                field("kind")?.to_owned(),
                namespace.to_owned(),
                field("name")?.to_owned(),
            ))
        };
        let key = |object: &Object| (object.namespace().to_owned(), object.name().to_owned());
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let (before, after) = (old.and_then(source), new.and_then(source));
        if before == after {
            return;
        }
        let mut index = self.lock();
        if let (Some(source), Some(object)) = (before, old)
            && let Some(keys) = index.get_mut(&source)
        {
            keys.remove(&key(object));
            if keys.is_empty() {
                index.remove(&source);
            }
        }
        if let (Some(source), Some(object)) = (after, new) {
            index.entry(source).or_default().insert(key(object));
        }
    }

    /// Those that build from a source.
    pub(crate) fn users(&self, source: &Object) -> Vec<Key> {
        let source = (
            source.kind().to_owned(),
            source.namespace().to_owned(),
            source.name().to_owned(),
        );
        self.lock().get(&source).into_iter().flatten().cloned().collect()
    }
}

/// Whether a source has another artifact than before.
pub(crate) fn has_new_artifact(change: &Change) -> bool {
    let revision = |object: &Object| {
        let artifact = object.get(&["status", "artifact"])?;
        Some((
            artifact.get("revision")?.as_str()?.to_owned(),
            artifact.get("digest").and_then(|d| d.as_str()).map(str::to_owned),
        ))
    };
    match &change.new {
        Some(new) => {
            let now = revision(new);
            now.is_some() && change.old.as_deref().and_then(revision) != now
        }
        None => false,
    }
}
