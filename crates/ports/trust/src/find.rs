//! Fetching the signatures of an artifact.

use futures::{StreamExt as _, TryStreamExt as _};
use weir_oci::{Descriptor, Manifest, Tag, media_type};
use weir_registry::{Client, ErrorKind};
use weir_verify::{
    Bundle, FoundAttestation, FoundBundle, FoundPayload, MAX_SIGNATURES, PayloadMaterial, SignatureSet,
    Target,
};

use crate::layout::{
    CERTIFICATE_ANNOTATION, CHAIN_ANNOTATION, LOG_ENTRY_ANNOTATION, SIGNATURE_ANNOTATION,
    TIMESTAMP_ANNOTATION, attestation_tag, legacy_tag,
};

/// The longest bundle that is fetched, in bytes: as long as the engine reads.
pub const MAX_BUNDLE_BYTES: u64 = 4 << 20;

/// The longest payload of the older layout that is fetched, in bytes. cosign's have some hundreds.
pub const MAX_PAYLOAD_BYTES: u64 = 1 << 20;

/// How many signatures are fetched at a time. With the sizes above this bounds the memory of what is under way.
const AT_A_TIME: usize = 4;

/// The signatures could not be fetched. That there are none is no error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// What is attached to the artifact could not be listed, and there is no signature of the older layout.
    #[error("list what is attached to {target}")]
    List {
        /// The artifact.
        target: String,
        /// Why.
        source: weir_registry::Error,
    },
    /// A signature could not be fetched.
    #[error("fetch a signature of {target}")]
    Fetch {
        /// The artifact.
        target: String,
        /// Why.
        source: weir_registry::Error,
    },
    /// More manifests are attached to the artifact than are looked at.
    #[error("{count} manifests are attached to {target}, more than the {MAX_SIGNATURES} that are looked at")]
    TooMany {
        /// The artifact.
        target: String,
        /// How many there are.
        count: usize,
    },
}

/// Fetches the signatures of `target`.
///
/// First what is attached to the artifact, of whatever type, because registries and clients disagree about the
/// type of an attached bundle; what holds no bundle is passed over. Only when no bundle can be read, or the
/// list cannot be had, cosign's older payloads. Everything is fetched by digest, with caps on number and size.
///
/// # Errors
/// See [`FindError`]. An attached manifest that is gone, broken or too large is passed over; a registry that
/// fails on the way is an error, because the signature that counts could have been there.
pub async fn find(client: &Client, target: &Target) -> Result<SignatureSet, FindError> {
    let mut set = SignatureSet::default();
    let failure = attached(client, target, &mut set).await?;
    if !has_bundle(&set) {
        let tag = legacy_tag(&target.digest());
        let layers = layers(client, target, tag, is_payload, MAX_PAYLOAD_BYTES).await?;
        set.payloads = layers.into_iter().map(payload).collect();
    }
    match failure {
        Some(failure) if set.payloads.is_empty() => Err(failure),
        _ => Ok(set),
    }
}

/// Fetches the signatures of `target` as [`find`] does, and with them what cosign stored under the `.att` tag before: for those who
/// ask for both. What does not count beside bundles is not fetched beside them.
///
/// # Errors
/// As for [`find`].
pub async fn find_all(client: &Client, target: &Target) -> Result<SignatureSet, FindError> {
    let mut set = SignatureSet::default();
    let failure = attached(client, target, &mut set).await?;
    if !has_bundle(&set) {
        let tag = legacy_tag(&target.digest());
        let found = layers(client, target, tag, is_payload, MAX_PAYLOAD_BYTES).await?;
        set.payloads = found.into_iter().map(payload).collect();
        let tag = attestation_tag(&target.digest());
        let found = layers(client, target, tag, is_attestation, MAX_BUNDLE_BYTES).await?;
        set.attestations = found.into_iter().map(attestation).collect();
    }
    match failure {
        Some(failure) if set.payloads.is_empty() && set.attestations.is_empty() => Err(failure),
        _ => Ok(set),
    }
}

/// Fetches the attestations of `target` as [`find`] does signatures: bundles, which are signatures too, and what cosign
/// stored under the `.att` tag before. Both, so that a verdict can say that the latter do not count beside the former.
///
/// # Errors
/// As for [`find`].
pub async fn find_attestations(client: &Client, target: &Target) -> Result<SignatureSet, FindError> {
    let mut set = SignatureSet::default();
    let tag = attestation_tag(&target.digest());
    let (failure, older) = tokio::join!(
        attached(client, target, &mut set),
        layers(client, target, tag, is_attestation, MAX_BUNDLE_BYTES),
    );
    let failure = failure?;
    match older {
        Ok(layers) => set.attestations = layers.into_iter().map(attestation).collect(),
        // They would not count.
        Err(_) if has_bundle(&set) => {}
        Err(failure) => return Err(failure),
    }
    match failure {
        Some(failure) if set.attestations.is_empty() => Err(failure),
        _ => Ok(set),
    }
}

/// Adds the bundles that are attached to the artifact. Why they could not be listed is for later: there may be something
/// of an older layout.
async fn attached(
    client: &Client,
    target: &Target,
    set: &mut SignatureSet,
) -> Result<Option<FindError>, FindError> {
    match attached_bundles(client, target).await {
        Ok(bundles) => {
            set.bundles = bundles;
            Ok(None)
        }
        Err(failure @ FindError::List { .. }) => Ok(Some(failure)),
        Err(failure) => Err(failure),
    }
}

/// The bundles that are attached to the artifact.
pub(crate) async fn attached_bundles(
    client: &Client,
    target: &Target,
) -> Result<Vec<FoundBundle>, FindError> {
    let listed = client
        .referrers(target.repository(), &target.digest(), None)
        .await;
    let referrers = listed.map_err(|source| FindError::List {
        target: target.to_string(),
        source,
    })?;
    bundles(client, target, referrers).await
}

fn has_bundle(set: &SignatureSet) -> bool {
    let mut bundles = set.bundles.iter();
    bundles.any(|found| Bundle::from_json(&found.content).is_ok())
}

async fn bundles(
    client: &Client,
    target: &Target,
    referrers: Vec<Descriptor>,
) -> Result<Vec<FoundBundle>, FindError> {
    if referrers.len() > MAX_SIGNATURES {
        return Err(FindError::TooMany {
            target: target.to_string(),
            count: referrers.len(),
        });
    }
    let fetches = referrers
        .into_iter()
        .map(|referrer| bundle(client, target, referrer));
    let found: Vec<Option<FoundBundle>> = futures::stream::iter(fetches)
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

/// The bundle in an attached manifest, if it holds one.
async fn bundle(
    client: &Client,
    target: &Target,
    referrer: Descriptor,
) -> Result<Option<FoundBundle>, FindError> {
    let manifest = client.manifest(target.repository(), &referrer.digest).await;
    let Some(manifest) = passable(target, manifest)? else {
        return Ok(None);
    };
    let Manifest::Image(image) = manifest.manifest else {
        return Ok(None);
    };
    let [layer] = image.layers.as_slice() else {
        return Ok(None);
    };
    if !media_type::is_sigstore_bundle(&layer.media_type) {
        return Ok(None);
    }
    let content = client
        .blob_bytes(target.repository(), layer, MAX_BUNDLE_BYTES)
        .await;
    let content = passable(target, content)?;
    Ok(content.map(|content| FoundBundle {
        manifest: referrer.digest,
        content: content.to_vec(),
    }))
}

/// The layers of the image under one of cosign's tags, with their content.
async fn layers(
    client: &Client,
    target: &Target,
    tag: Tag,
    wanted: fn(&Descriptor) -> bool,
    max_bytes: u64,
) -> Result<Vec<(Descriptor, Vec<u8>)>, FindError> {
    let reference = target.repository().at_tag(tag);
    let Some(fetched) = passable(target, client.manifest_at(&reference).await)? else {
        return Ok(Vec::new());
    };
    let Manifest::Image(image) = fetched.manifest else {
        return Ok(Vec::new());
    };
    // One more than are looked at, so that the engine can say that there are more.
    let layers = image.layers.into_iter().filter(wanted).take(MAX_SIGNATURES + 1);
    let fetches = layers.map(|layer| async move {
        let content = client.blob_bytes(target.repository(), &layer, max_bytes).await;
        let content = passable(target, content)?;
        Ok(content.map(|content| (layer, content.to_vec())))
    });
    let found: Vec<Option<(Descriptor, Vec<u8>)>> = futures::stream::iter(fetches)
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

fn is_payload(layer: &Descriptor) -> bool {
    layer.media_type == media_type::COSIGN_SIMPLE_SIGNING
        && layer.annotations.contains_key(SIGNATURE_ANNOTATION)
}

pub(crate) fn is_attestation(layer: &Descriptor) -> bool {
    layer.media_type == media_type::DSSE_ENVELOPE
}

fn payload((layer, content): (Descriptor, Vec<u8>)) -> FoundPayload {
    FoundPayload {
        layer: layer.digest,
        content,
        signature: annotation(&layer, SIGNATURE_ANNOTATION).unwrap_or_default(),
        material: material(&layer),
    }
}

fn attestation((layer, content): (Descriptor, Vec<u8>)) -> FoundAttestation {
    FoundAttestation {
        layer: layer.digest,
        content,
        material: material(&layer),
    }
}

fn material(layer: &Descriptor) -> PayloadMaterial {
    PayloadMaterial {
        certificate: annotation(layer, CERTIFICATE_ANNOTATION),
        chain: annotation(layer, CHAIN_ANNOTATION),
        log_entry: annotation(layer, LOG_ENTRY_ANNOTATION),
        timestamp: annotation(layer, TIMESTAMP_ANNOTATION),
    }
}

/// cosign writes some of them empty, which is the same as not at all.
fn annotation(layer: &Descriptor, name: &str) -> Option<String> {
    let text = layer.annotations.get(name);
    text.filter(|text| !text.is_empty()).cloned()
}

/// What is gone, too large or not what it should be is nothing: anyone who may push can attach such things.
/// Other failures are ours to report.
fn passable<T>(target: &Target, result: weir_registry::Result<T>) -> Result<Option<T>, FindError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() || is_broken(&error) => Ok(None),
        Err(source) => Err(FindError::Fetch {
            target: target.to_string(),
            source,
        }),
    }
}

fn is_broken(error: &weir_registry::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::TooLarge { .. } | ErrorKind::DigestMismatch { .. } | ErrorKind::Manifest(_)
    )
}
