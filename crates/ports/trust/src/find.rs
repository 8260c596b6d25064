//! Fetching the signatures of an artifact.

use futures::{StreamExt as _, TryStreamExt as _};
use weir_oci::{Descriptor, Manifest, media_type};
use weir_registry::{Client, ErrorKind};
use weir_verify::{Bundle, FoundBundle, FoundPayload, MAX_SIGNATURES, PayloadMaterial, SignatureSet, Target};

use crate::layout::{
    CERTIFICATE_ANNOTATION, CHAIN_ANNOTATION, LOG_ENTRY_ANNOTATION, SIGNATURE_ANNOTATION,
    TIMESTAMP_ANNOTATION, legacy_tag,
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
    let listed = client
        .referrers(target.repository(), &target.digest(), None)
        .await;
    let listing_failure = match listed {
        Ok(referrers) => {
            set.bundles = bundles(client, target, referrers).await?;
            None
        }
        Err(source) => Some(FindError::List {
            target: target.to_string(),
            source,
        }),
    };
    if set
        .bundles
        .iter()
        .any(|found| Bundle::from_json(&found.content).is_ok())
    {
        return Ok(set);
    }
    set.payloads = payloads(client, target).await?;
    match listing_failure {
        Some(failure) if set.payloads.is_empty() => Err(failure),
        _ => Ok(set),
    }
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

async fn payloads(client: &Client, target: &Target) -> Result<Vec<FoundPayload>, FindError> {
    let reference = target.repository().at_tag(legacy_tag(&target.digest()));
    let Some(fetched) = passable(target, client.manifest_at(&reference).await)? else {
        return Ok(Vec::new());
    };
    let Manifest::Image(image) = fetched.manifest else {
        return Ok(Vec::new());
    };
    // One more than are looked at, so that the engine can say that there are more.
    let layers = image
        .layers
        .into_iter()
        .filter(is_payload)
        .take(MAX_SIGNATURES + 1);
    let fetches = layers.map(|layer| payload(client, target, layer));
    let found: Vec<Option<FoundPayload>> = futures::stream::iter(fetches)
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

fn is_payload(layer: &Descriptor) -> bool {
    layer.media_type == media_type::COSIGN_SIMPLE_SIGNING
        && layer.annotations.contains_key(SIGNATURE_ANNOTATION)
}

async fn payload(
    client: &Client,
    target: &Target,
    layer: Descriptor,
) -> Result<Option<FoundPayload>, FindError> {
    let content = client
        .blob_bytes(target.repository(), &layer, MAX_PAYLOAD_BYTES)
        .await;
    let content = passable(target, content)?;
    // cosign writes some of them empty, which is the same as not at all.
    let annotation = |name: &str| {
        layer
            .annotations
            .get(name)
            .filter(|text| !text.is_empty())
            .cloned()
    };
    Ok(content.map(|content| FoundPayload {
        layer: layer.digest,
        content: content.to_vec(),
        signature: annotation(SIGNATURE_ANNOTATION).unwrap_or_default(),
        material: PayloadMaterial {
            certificate: annotation(CERTIFICATE_ANNOTATION),
            chain: annotation(CHAIN_ANNOTATION),
            log_entry: annotation(LOG_ENTRY_ANNOTATION),
            timestamp: annotation(TIMESTAMP_ANNOTATION),
        },
    }))
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
