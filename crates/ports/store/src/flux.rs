//! Flux's OCI artifacts: what `flux push artifact` makes, and what is taken from an artifact when it is used.

mod pull;
mod push;

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use weir_oci::{Descriptor, Digest, ImageManifest, annotation, media_type};

pub use pull::{LayerSelector, Operation, PullError, Pulled, pull, select_layer};
pub use push::{PushError, Pushed, push};

use crate::archive::Summary;

/// What is written beside the content.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// When the artifact was made; the epoch for `--reproducible`.
    pub created: Timestamp,
    /// Where the content came from, such as a repository's URL.
    pub source: String,
    /// Which revision, such as `main@sha1:…`.
    pub revision: String,
    /// More annotations. They win over the three above.
    pub annotations: BTreeMap<String, String>,
}

impl Metadata {
    /// The manifest's annotations.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::from([
            (annotation::CREATED.to_owned(), rfc3339(self.created)),
            (annotation::SOURCE.to_owned(), self.source.clone()),
            (annotation::REVISION.to_owned(), self.revision.clone()),
        ]);
        all.extend(
            self.annotations
                .iter()
                .map(|(key, value)| (key.clone(), value.clone())),
        );
        all
    }
}

/// A manifest with its configuration, ready to push after its layer.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The configuration's bytes.
    pub config: Bytes,
    /// The manifest.
    pub manifest: ImageManifest,
    /// The manifest's bytes, whose digest is `digest`.
    pub raw: Bytes,
    /// The artifact's digest.
    pub digest: Digest,
}

/// In go-containerregistry's order of fields.
#[derive(Serialize)]
struct ImageConfig {
    architecture: &'static str,
    created: String,
    history: [History; 1],
    os: &'static str,
    rootfs: RootFs,
    config: Empty,
}

#[derive(Serialize)]
struct History {
    created: &'static str,
}

#[derive(Serialize)]
struct RootFs {
    r#type: &'static str,
    diff_ids: [Digest; 1],
}

#[derive(Serialize)]
struct Empty {}

/// The artifact around a packed archive, as the flux CLI writes it.
///
/// # Errors
/// Never in practice; `serde_json` reports through a `Result`.
pub fn artifact(layer: &Summary, metadata: &Metadata) -> Result<Artifact, serde_json::Error> {
    let annotations = metadata.annotations();
    let config = ImageConfig {
        architecture: "",
        created: annotations.get(annotation::CREATED).cloned().unwrap_or_default(),
        // Go's zero time: the layer's history is empty.
        history: [History {
            created: "0001-01-01T00:00:00Z",
        }],
        os: "",
        rootfs: RootFs {
            r#type: "layers",
            diff_ids: [layer.diff_id],
        },
        config: Empty {},
    };
    let config = Bytes::from(serde_json::to_vec(&config)?);
    let mut manifest = ImageManifest::new(
        Descriptor::of(media_type::FLUX_CONFIG, &config),
        vec![Descriptor::new(
            media_type::FLUX_CONTENT,
            layer.digest,
            layer.size,
        )],
    );
    manifest.annotations = annotations;
    let raw = Bytes::from(manifest.to_bytes()?);
    let digest = Digest::of(&raw);
    Ok(Artifact {
        config,
        manifest,
        raw,
        digest,
    })
}

/// In whole seconds and UTC, as Go's `time.RFC3339` prints it.
fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
