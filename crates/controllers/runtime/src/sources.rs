//! What a new artifact of a source means to those that build from it.

use weir_apis::kind::ExternalArtifact;
use weir_apis::{Object, reason};
use weir_cluster::mirror::Change;

use crate::{Failure, Settings};

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

/// Refuses an ExternalArtifact, unless the settings allow them, in Flux's words. `namespace` is the source's.
pub fn allows_kind(settings: &Settings, kind: &str, namespace: &str, name: &str) -> Result<(), Failure> {
    if kind != ExternalArtifact::KIND || settings.external_artifacts {
        return Ok(());
    }
    let message = format!(
        "can't access '{kind}/{namespace}/{name}', ExternalArtifact feature gate is disabled: what others serve carries no \
         signature that is checked here; `weir controller --external-artifacts` allows it"
    );
    Err(Failure::stalled(reason::ACCESS_DENIED, message))
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
