//! Image manifests and indexes, and telling one from the other.

mod parse;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use parse::InvalidManifest;

use crate::descriptor::or_default;
use crate::{Descriptor, media_type};

/// A manifest, of the kind that its media type says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "manifests are held one at a time, never in bulk"
)]
pub enum Manifest {
    /// One image or artifact.
    Image(ImageManifest),
    /// A list of manifests.
    Index(ImageIndex),
}

impl Manifest {
    /// The image manifest, when it is one.
    pub const fn as_image(&self) -> Option<&ImageManifest> {
        match self {
            Self::Image(image) => Some(image),
            Self::Index(_) => None,
        }
    }

    /// The index, when it is one.
    pub const fn as_index(&self) -> Option<&ImageIndex> {
        match self {
            Self::Index(index) => Some(index),
            Self::Image(_) => None,
        }
    }

    /// The annotations of the manifest itself.
    pub const fn annotations(&self) -> &BTreeMap<String, String> {
        match self {
            Self::Image(image) => &image.annotations,
            Self::Index(index) => &index.annotations,
        }
    }

    /// What this manifest is attached to.
    pub const fn subject(&self) -> Option<&Descriptor> {
        match self {
            Self::Image(image) => image.subject.as_ref(),
            Self::Index(index) => index.subject.as_ref(),
        }
    }
}

/// An OCI image manifest or a Docker one of schema 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageManifest {
    /// Always 2.
    pub schema_version: u32,
    /// What the manifest says it is; OCI allows silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The type of an artifact that is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration blob.
    pub config: Descriptor,
    /// The layers, in order.
    #[serde(default, deserialize_with = "or_default")]
    pub layers: Vec<Descriptor>,
    /// Remarks.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
    /// The manifest that this one is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
}

impl ImageManifest {
    /// An OCI manifest over `config` and `layers`, with nothing else set.
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(media_type::OCI_MANIFEST.to_owned()),
            artifact_type: None,
            config,
            layers,
            annotations: BTreeMap::new(),
            subject: None,
        }
    }

    /// The artifact type as the referrers API reports it: the field, else the configuration's media type.
    pub fn effective_artifact_type(&self) -> &str {
        match self.artifact_type.as_deref() {
            Some(kind) if !kind.is_empty() => kind,
            _ => &self.config.media_type,
        }
    }

    /// The bytes to push. Whoever needs the digest takes it from these.
    ///
    /// # Errors
    /// Never in practice; `serde_json` reports through a `Result`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

/// An OCI image index or a Docker manifest list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageIndex {
    /// Always 2.
    pub schema_version: u32,
    /// What the index says it is; OCI allows silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The type of an artifact that is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The manifests listed.
    #[serde(default, deserialize_with = "or_default")]
    pub manifests: Vec<Descriptor>,
    /// Remarks.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
    /// The manifest that this one is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
}

impl ImageIndex {
    /// An OCI index over `manifests`.
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(media_type::OCI_INDEX.to_owned()),
            artifact_type: None,
            manifests,
            annotations: BTreeMap::new(),
            subject: None,
        }
    }

    /// The manifest that Flux would take: the first for `linux/amd64`, where an entry without a platform
    /// counts as that one (go-containerregistry's default).
    pub fn default_platform(&self) -> Option<&Descriptor> {
        self.manifests
            .iter()
            .filter(|entry| media_type::is_image(&entry.media_type))
            .find(|entry| {
                entry
                    .platform
                    .as_ref()
                    .is_none_or(|platform| platform.os == "linux" && platform.architecture == "amd64")
            })
    }

    /// The bytes to push.
    ///
    /// # Errors
    /// Never in practice; `serde_json` reports through a `Result`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}
