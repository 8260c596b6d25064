//! Which Kustomizations wait for which others, so that one that becomes ready wakes those behind it.

use std::collections::BTreeSet;

use weir_apis::Object;
use weir_cluster::mirror::Change;
use weir_runtime::Key;

/// The Kustomizations that an object depends on.
pub(crate) fn dependencies(object: &Object) -> BTreeSet<Key> {
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
