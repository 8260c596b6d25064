//! Which Kustomizations build from which source, so that a new artifact wakes them.

use std::collections::BTreeSet;

use weir_apis::Object;
use weir_cluster::mirror::Change;

/// Kind, namespace and name of a source.
pub(crate) type Source = (String, String, String);

/// The source that an object builds from.
pub(crate) fn source_of(object: &Object) -> BTreeSet<Source> {
    let field = |name: &str| object.get(&["spec", "sourceRef", name]).and_then(|v| v.as_str());
    let namespace = field("namespace").unwrap_or(object.namespace());
    field("kind")
        .zip(field("name"))
        .map(|(kind, name)| (kind.to_owned(), namespace.to_owned(), name.to_owned()))
        .into_iter()
        .collect()
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
