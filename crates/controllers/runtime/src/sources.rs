//! What a new artifact of a source means to those that build from it.

use weir_apis::Object;
use weir_cluster::mirror::Change;

/// Kind, namespace and name of a source.
pub type Source = (String, String, String);

/// The key under which those that build from a source are looked up.
pub fn key(source: &Object) -> Source {
    (
        source.kind().to_owned(),
        source.namespace().to_owned(),
        source.name().to_owned(),
    )
}

/// Whether a source has another artifact than before.
pub fn has_new_artifact(change: &Change) -> bool {
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
