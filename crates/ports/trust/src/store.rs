//! Where signatures and attestations are put: beside the artifact, or into the images of cosign's older layout.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use weir_oci::{Descriptor, Digest, ImageManifest, Manifest, Tag, annotation, media_type};
use weir_registry::Client;
use weir_verify::{Layout, PayloadMaterial, Target};

use crate::layout::{CERTIFICATE_ANNOTATION, CHAIN_ANNOTATION, LOG_ENTRY_ANNOTATION, TIMESTAMP_ANNOTATION};
use crate::sign::{SignError, Stored, encode_error, store_error};

/// The time in the configuration of a signature image: Go's zero time, as cosign writes it. It says nothing, so
/// that equal signatures make equal images.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// What is to be signed, which must be in the registry.
pub(crate) async fn artifact(client: &Client, target: &Target) -> Result<Descriptor, SignError> {
    let found = client.manifest(target.repository(), &target.digest()).await;
    let found = found.map_err(|source| SignError::Artifact {
        target: target.to_string(),
        source,
    })?;
    Ok(found.descriptor())
}

/// Attaches a bundle to the artifact `subject`.
pub(crate) async fn attach_bundle(
    client: &Client,
    target: &Target,
    subject: Descriptor,
    bundle: Vec<u8>,
    predicate_type: &str,
    created: Timestamp,
) -> Result<Stored, SignError> {
    let repository = target.repository();
    let store = store_error(target);
    let (layer, mut config) = tokio::try_join!(
        client.push_blob(repository, media_type::SIGSTORE_BUNDLE_V03, bundle),
        client.push_blob(repository, media_type::OCI_EMPTY, b"{}".to_vec()),
    )
    .map_err(&store)?;
    // cosign repeats the type here, and registries without an eye for the manifest's own field list this one.
    config.artifact_type = Some(media_type::SIGSTORE_BUNDLE_V03.to_owned());

    let mut manifest = ImageManifest::new(config, vec![layer]);
    manifest.artifact_type = Some(media_type::SIGSTORE_BUNDLE_V03.to_owned());
    manifest.subject = Some(subject);
    manifest.annotations = BTreeMap::from([
        (
            annotation::SIGSTORE_BUNDLE_CONTENT.to_owned(),
            "dsse-envelope".to_owned(),
        ),
        (
            annotation::SIGSTORE_BUNDLE_PREDICATE_TYPE.to_owned(),
            predicate_type.to_owned(),
        ),
        (
            annotation::CREATED.to_owned(),
            created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        ),
    ]);
    let raw = manifest.to_bytes().map_err(encode_error(target))?;
    let manifest = client
        .push_manifest(repository, None, raw, media_type::OCI_MANIFEST)
        .await
        .map_err(&store)?;
    Ok(Stored {
        layout: Layout::Bundle,
        manifest,
    })
}

/// A layer of an image of the older layout, before it is stored.
pub(crate) struct NewLayer {
    pub(crate) layout: Layout,
    pub(crate) media_type: &'static str,
    pub(crate) content: Vec<u8>,
    pub(crate) annotations: BTreeMap<String, String>,
}

impl NewLayer {
    /// The annotations of what a signature comes with.
    pub(crate) fn with_material(mut self, material: PayloadMaterial) -> Self {
        let PayloadMaterial {
            certificate,
            chain,
            log_entry,
            timestamp,
        } = material;
        for (name, value) in [
            (CERTIFICATE_ANNOTATION, certificate),
            (CHAIN_ANNOTATION, chain),
            (LOG_ENTRY_ANNOTATION, log_entry),
            (TIMESTAMP_ANNOTATION, timestamp),
        ] {
            self.annotations
                .extend(value.map(|value| (name.to_owned(), value)));
        }
        self
    }
}

/// Stores `layers`, which are in the registry, and a new one after them as the image under `tag`.
pub(crate) async fn put_image(
    client: &Client,
    target: &Target,
    tag: &Tag,
    mut layers: Vec<Descriptor>,
    new: NewLayer,
) -> Result<Stored, SignError> {
    let repository = target.repository();
    let (store, encode) = (store_error(target), encode_error(target));
    let mut layer = client
        .push_blob(repository, new.media_type, new.content)
        .await
        .map_err(&store)?;
    layer.annotations.extend(new.annotations);
    layers.push(layer);

    let config = serde_json::to_vec(&configuration(&layers)).map_err(&encode)?;
    let config = client
        .push_blob(repository, media_type::OCI_CONFIG, config)
        .await
        .map_err(&store)?;
    let raw = ImageManifest::new(config, layers).to_bytes().map_err(&encode)?;
    let pushed = client
        .push_manifest(repository, Some(tag), raw, media_type::OCI_MANIFEST)
        .await;
    Ok(Stored {
        layout: new.layout,
        manifest: pushed.map_err(&store)?,
    })
}

/// What was stored under `tag` before, and the manifest that holds it.
pub(crate) async fn earlier(
    client: &Client,
    target: &Target,
    tag: &Tag,
) -> Result<Option<(Digest, Vec<Descriptor>)>, SignError> {
    match client.manifest_at(&target.repository().at_tag(tag.clone())).await {
        Ok(fetched) => match fetched.manifest {
            Manifest::Image(image) => Ok(Some((fetched.digest, image.layers))),
            Manifest::Index(_) => Err(SignError::NoSignatures {
                repository: target.repository().to_string(),
                tag: tag.to_string(),
            }),
        },
        Err(error) if error.is_not_found() => Ok(None),
        Err(source) => Err(SignError::Earlier {
            target: target.to_string(),
            source,
        }),
    }
}

/// The configuration of an image of these layers, as cosign writes it.
fn configuration(layers: &[Descriptor]) -> Value {
    let digests: Vec<String> = layers.iter().map(|layer| layer.digest.to_string()).collect();
    let history = vec![json!({ "created": NO_TIME }); layers.len()];
    json!({
        "architecture": "",
        "created": NO_TIME,
        "history": history,
        "os": "",
        "rootfs": { "type": "layers", "diff_ids": digests },
        "config": {},
    })
}
