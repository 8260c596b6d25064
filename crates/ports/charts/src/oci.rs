//! Charts in OCI registries, as Helm keeps them there.

use bytes::Bytes;
use weir_helm::{Metadata, chart_manifest};
use weir_oci::choice::Spelling;
use weir_oci::{Digest, InvalidTag, Manifest, Repository, Tag, media_type};
use weir_registry::{Client, Error};

/// Largest archive that is taken, in bytes, where nobody says otherwise.
pub const MAX_ARCHIVE: u64 = 100 << 20;
/// Largest provenance file that is taken, in bytes.
pub const MAX_PROVENANCE: u64 = 4 << 20;

/// What Helm 3 called the layer of a chart before it had a media type of its own.
const LEGACY: &str = "application/tar+gzip";

/// Why a chart cannot be taken from a registry or put there.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry's part failed.
    #[error(transparent)]
    Registry(#[from] Error),
    /// It is an index of manifests.
    #[error("{0} is an index, and no chart")]
    Index(Digest),
    /// It is something else than a chart.
    #[error("could not load config with mediatype {}", media_type::HELM_CONFIG)]
    Config,
    /// It has no layer that is needed.
    #[error("manifest does not contain a layer with mediatype {0}")]
    Layer(&'static str),
    /// The version cannot be a tag.
    #[error("the version {version:?} cannot be a tag")]
    Tag {
        /// The version.
        version: String,
        /// Why.
        #[source]
        source: InvalidTag,
    },
}

/// The tag of a version: `_` stands for `+`.
pub fn tag_of(version: &str) -> Result<Tag, RegistryError> {
    Tag::new(Spelling::Helm.tag(version)).map_err(|source| RegistryError::Tag {
        version: version.to_owned(),
        source,
    })
}

/// The version that a tag stands for.
pub fn version_of(tag: &str) -> String {
    Spelling::Helm.version(tag)
}

/// A chart from a registry.
#[derive(Debug, Clone)]
pub struct Pulled {
    /// Its archive.
    pub archive: Bytes,
    /// Its provenance file, where it was asked for and is there.
    pub provenance: Option<Bytes>,
    /// Whether the layer has the media type of old.
    pub is_legacy: bool,
}

/// Takes the chart with this digest.
pub async fn pull(
    client: &Client,
    repository: &Repository,
    digest: &Digest,
    with_provenance: bool,
    limit: u64,
) -> Result<Pulled, RegistryError> {
    let fetched = client.manifest(repository, digest).await?;
    let Manifest::Image(image) = &fetched.manifest else {
        return Err(RegistryError::Index(*digest));
    };
    if image.config.media_type != media_type::HELM_CONFIG {
        return Err(RegistryError::Config);
    }
    let layer = |wanted: &str| image.layers.iter().rfind(|layer| layer.media_type == wanted);
    let own = layer(media_type::HELM_CHART);
    let chart = own
        .or_else(|| layer(LEGACY))
        .ok_or(RegistryError::Layer(media_type::HELM_CHART))?;
    let archive = client.blob_bytes(repository, chart, limit).await?;
    let provenance = match layer(media_type::HELM_PROVENANCE).filter(|_| with_provenance) {
        Some(layer) => Some(client.blob_bytes(repository, layer, MAX_PROVENANCE).await?),
        None => None,
    };
    Ok(Pulled {
        archive,
        provenance,
        is_legacy: own.is_none(),
    })
}

/// A chart that was put into a registry.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// Digest of its manifest.
    pub digest: Digest,
    /// Its tag.
    pub tag: Tag,
}

/// Puts a chart into a repository, under the tag of its version. The manifest is byte for byte that which Helm writes;
/// it goes last, so that nobody sees a chart whose archive is not there. `created` is a time in RFC 3339.
pub async fn push(
    client: &Client,
    repository: &Repository,
    metadata: &Metadata,
    archive: Bytes,
    provenance: Option<Bytes>,
    created: &str,
) -> Result<Pushed, RegistryError> {
    let tag = tag_of(&metadata.version)?;
    let mut layers = Vec::new();
    layers.push(
        client
            .push_blob(repository, media_type::HELM_CHART, archive)
            .await?,
    );
    if let Some(provenance) = provenance {
        let pushed = client.push_blob(repository, media_type::HELM_PROVENANCE, provenance);
        layers.push(pushed.await?);
    }
    let config = Bytes::from(metadata.to_json());
    let config = client
        .push_blob(repository, media_type::HELM_CONFIG, config)
        .await?;
    let named = |blob: &weir_oci::Descriptor| (blob.media_type.clone(), blob.digest.to_string(), blob.size);
    let config = named(&config);
    let layers: Vec<_> = layers.iter().map(named).collect();
    let manifest = chart_manifest(
        (&config.0, &config.1, config.2),
        layers
            .iter()
            .map(|(kind, digest, size)| (kind.as_str(), digest.as_str(), *size))
            .collect(),
        &metadata.oci_annotations(created),
    );
    let digest = client
        .push_manifest(repository, Some(&tag), manifest, media_type::OCI_MANIFEST)
        .await?;
    Ok(Pushed { digest, tag })
}
