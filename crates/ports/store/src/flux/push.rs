//! Pushing an artifact: the layer and the configuration, then the manifest.

use bytes::Bytes;
use weir_oci::{Descriptor, Digest, Repository, Tag, media_type};
use weir_registry::{BlobSource, Client};

use super::{Artifact, Metadata, artifact};
use crate::archive::Summary;

/// A pushed artifact.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The artifact's digest.
    pub digest: Digest,
    /// The layer with the content.
    pub layer: Descriptor,
}

/// Pushes an archive as a Flux artifact, under `tag` or under its digest alone. The manifest goes last, so that
/// nobody sees an artifact whose content is not there.
///
/// # Errors
/// See [`PushError`].
pub async fn push(
    client: &Client,
    repository: &Repository,
    tag: Option<&Tag>,
    archive: BlobSource,
    summary: &Summary,
    metadata: &Metadata,
) -> Result<Pushed, PushError> {
    let Artifact {
        config, raw, digest, ..
    } = artifact(summary, metadata)?;
    let (layer, _config) = tokio::try_join!(
        client.push_blob(repository, media_type::FLUX_CONTENT, archive),
        client.push_blob(repository, media_type::FLUX_CONFIG, config),
    )?;
    if layer.digest != summary.digest {
        return Err(PushError::Changed);
    }
    client
        .push_manifest(repository, tag, Bytes::clone(&raw), media_type::OCI_MANIFEST)
        .await?;
    Ok(Pushed { digest, layer })
}

/// Why an artifact cannot be pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The manifest cannot be written.
    #[error("cannot write the artifact's manifest")]
    Manifest(#[from] serde_json::Error),
    /// The registry's part failed.
    #[error(transparent)]
    Registry(#[from] weir_registry::Error),
    /// The archive is not the one that was packed.
    #[error("the archive changed after it was packed")]
    Changed,
}
