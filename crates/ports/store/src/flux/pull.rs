//! Taking content from an artifact, be it Flux's, a Helm chart, an image or anything else.

use std::collections::BTreeMap;

use bytes::Bytes;
use weir_oci::{Descriptor, Digest, ImageManifest, Manifest, Repository};
use weir_registry::{Client, Fetched};

/// Which layer to take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LayerSelector {
    /// The first layer of exactly this media type; without one, the first layer, whatever it is.
    pub media_type: Option<String>,
    /// What to do with it.
    pub operation: Operation,
}

/// What to do with a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Operation {
    /// Unpack it, apply the ignore rules, pack it again.
    #[default]
    Extract,
    /// Keep its bytes as they are.
    Copy,
}

/// A layer with what its manifest says.
#[derive(Debug, Clone)]
pub struct Pulled {
    /// The manifest the layer is in: for an index, that of `linux/amd64`.
    pub manifest: Digest,
    /// The layer's description.
    pub layer: Descriptor,
    /// The layer's bytes, checked against its digest.
    pub content: Bytes,
    /// The annotations of that manifest.
    pub annotations: BTreeMap<String, String>,
}

/// The layer that `selector` chooses.
///
/// # Errors
/// When there is none.
pub fn select_layer<'m>(
    manifest: &'m ImageManifest,
    selector: &LayerSelector,
) -> Result<&'m Descriptor, PullError> {
    match selector.media_type.as_deref().filter(|wanted| !wanted.is_empty()) {
        None => manifest.layers.first().ok_or(PullError::NoLayers),
        Some(wanted) => manifest
            .layers
            .iter()
            .find(|layer| layer.media_type == wanted)
            .ok_or_else(|| PullError::NoSuchLayer(wanted.to_owned())),
    }
}

/// Pulls the chosen layer of the artifact with this digest.
///
/// # Errors
/// See [`PullError`]; a layer of more than `limit` bytes is refused before it is asked for.
pub async fn pull(
    client: &Client,
    repository: &Repository,
    digest: &Digest,
    selector: &LayerSelector,
    limit: u64,
) -> Result<Pulled, PullError> {
    let fetched = client.manifest(repository, digest).await?;
    let fetched = match &fetched.manifest {
        Manifest::Image(_) => fetched,
        Manifest::Index(index) => {
            let entry = index.default_platform().ok_or(PullError::NoPlatform)?;
            client.manifest(repository, &entry.digest).await?
        }
    };
    let Fetched {
        manifest: Manifest::Image(image),
        digest,
        ..
    } = fetched
    else {
        return Err(PullError::NestedIndex);
    };
    let layer = select_layer(&image, selector)?.clone();
    let content = client.blob_bytes(repository, &layer, limit).await?;
    Ok(Pulled {
        manifest: digest,
        layer,
        content,
        annotations: image.annotations,
    })
}

/// Why no content can be taken from an artifact.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The registry's part failed.
    #[error(transparent)]
    Registry(#[from] weir_registry::Error),
    /// A manifest without layers.
    #[error("no layers found in artifact")]
    NoLayers,
    /// No layer of the wanted media type.
    #[error("failed to find layer with media type {0:?} in artifact")]
    NoSuchLayer(String),
    /// An index without an image for `linux/amd64`.
    #[error("the index has no image for linux/amd64")]
    NoPlatform,
    /// An index in an index.
    #[error("the index holds another index where an image should be")]
    NestedIndex,
}
