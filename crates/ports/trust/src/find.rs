//! Fetching the signatures of an artifact.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _};
use weir_oci::{Descriptor, Digest, Manifest, Tag, media_type};
use weir_registry::{Client, ErrorKind};
use weir_verify::{
    Bundle, DEFAULT_BUNDLE_BYTES, FoundAttestation, FoundBundle, FoundPayload, Layout, MAX_BUNDLE_BYTES,
    MAX_SIGNATURES, PayloadMaterial, Refused, Rejection, SignatureSet, Target,
};

use crate::layout::{
    CERTIFICATE_ANNOTATION, CHAIN_ANNOTATION, LOG_ENTRY_ANNOTATION, SIGNATURE_ANNOTATION,
    TIMESTAMP_ANNOTATION, attestation_tag, legacy_tag,
};

/// How much is fetched at most, in bytes. What is small goes first, so that what is large cannot keep a signature from being seen;
/// what is not fetched is told ([`SignatureSet::unread`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Of one bundle or envelope.
    pub one: u64,
    /// Of all that is attached to the artifact.
    pub all: u64,
}

impl Sizes {
    /// As much as the engine, or cosign, reads of one: for whoever looks at an artifact of their own accord.
    pub const LARGEST: Self = Self {
        one: MAX_BUNDLE_BYTES as u64,
        all: 4 * MAX_BUNDLE_BYTES as u64,
    };

    /// For whoever reads many artifacts of others, and asks for attestations of up to `one` bytes.
    pub fn of(one: u64) -> Self {
        let one = one.min(Self::LARGEST.one);
        Self {
            one,
            all: one.saturating_mul(2).max(Self::default().all),
        }
    }
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            one: DEFAULT_BUNDLE_BYTES,
            all: 4 * DEFAULT_BUNDLE_BYTES,
        }
    }
}

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
/// list cannot be had, cosign's older payloads. Everything is fetched by digest, with caps on number and size
/// ([`Sizes::default`]).
///
/// # Errors
/// See [`FindError`]. An attached manifest that is gone or broken is passed over; a registry that
/// fails on the way is an error, because the signature that counts could have been there.
pub async fn find(client: &Client, target: &Target) -> Result<SignatureSet, FindError> {
    let mut set = SignatureSet::default();
    let failure = attached(client, target, Sizes::default(), &mut set).await?;
    if !has_bundle(&set) {
        add_payloads(client, target, &mut set).await?;
    }
    match failure {
        Some(failure) if set.payloads.is_empty() => Err(failure),
        _ => Ok(set),
    }
}

/// Fetches the signatures of `target` as [`find`] does, and with them what cosign stored under the `.att` tag before: for those who
/// ask for both, no more than `sizes` says. What does not count beside bundles is not fetched beside them.
///
/// # Errors
/// As for [`find`].
pub async fn find_all(client: &Client, target: &Target, sizes: Sizes) -> Result<SignatureSet, FindError> {
    let mut set = SignatureSet::default();
    let failure = attached(client, target, sizes, &mut set).await?;
    if !has_bundle(&set) {
        add_payloads(client, target, &mut set).await?;
        let found = attestations(client, target, sizes).await?;
        add_attestations(&mut set, found);
    }
    match failure {
        Some(failure) if set.payloads.is_empty() && set.attestations.is_empty() => Err(failure),
        _ => Ok(set),
    }
}

/// Fetches the attestations of `target` as [`find`] does signatures: bundles, which are signatures too, and what cosign
/// stored under the `.att` tag before, as much as the engine reads. Both, so that a verdict can say that the latter do not count
/// beside the former.
///
/// # Errors
/// As for [`find`].
pub async fn find_attestations(client: &Client, target: &Target) -> Result<SignatureSet, FindError> {
    let mut set = SignatureSet::default();
    let (failure, older) = tokio::join!(
        attached(client, target, Sizes::LARGEST, &mut set),
        attestations(client, target, Sizes::LARGEST),
    );
    let failure = failure?;
    match older {
        Ok(found) => add_attestations(&mut set, found),
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
    sizes: Sizes,
    set: &mut SignatureSet,
) -> Result<Option<FindError>, FindError> {
    match attached_bundles(client, target, sizes).await {
        Ok((bundles, unread)) => {
            set.bundles = bundles;
            set.unread.extend(unread);
            Ok(None)
        }
        Err(failure @ FindError::List { .. }) => Ok(Some(failure)),
        Err(failure) => Err(failure),
    }
}

/// Adds the payloads of the older layout.
async fn add_payloads(client: &Client, target: &Target, set: &mut SignatureSet) -> Result<(), FindError> {
    let sizes = Sizes {
        one: MAX_PAYLOAD_BYTES,
        all: Sizes::default().all,
    };
    let tag = legacy_tag(&target.digest());
    let (found, unread) = layers(client, target, tag, Layout::Legacy, sizes).await?;
    set.payloads = found.into_iter().map(payload).collect();
    set.unread.extend(unread);
    Ok(())
}

/// The attestations of the older layout.
async fn attestations(client: &Client, target: &Target, sizes: Sizes) -> Result<Layers, FindError> {
    let tag = attestation_tag(&target.digest());
    layers(client, target, tag, Layout::LegacyAttestation, sizes).await
}

fn add_attestations(set: &mut SignatureSet, (found, unread): Layers) {
    set.attestations = found.into_iter().map(attestation).collect();
    set.unread.extend(unread);
}

/// The bundles that are attached to the artifact, and those that are too large.
pub(crate) async fn attached_bundles(
    client: &Client,
    target: &Target,
    sizes: Sizes,
) -> Result<(Vec<FoundBundle>, Vec<Refused>), FindError> {
    let listed = client
        .referrers(target.repository(), &target.digest(), None)
        .await;
    let referrers = listed.map_err(|source| FindError::List {
        target: target.to_string(),
        source,
    })?;
    bundles(client, target, referrers, sizes).await
}

fn has_bundle(set: &SignatureSet) -> bool {
    let mut bundles = set.bundles.iter();
    bundles.any(|found| Bundle::from_json(&found.content).is_ok())
}

async fn bundles(
    client: &Client,
    target: &Target,
    referrers: Vec<Descriptor>,
    sizes: Sizes,
) -> Result<(Vec<FoundBundle>, Vec<Refused>), FindError> {
    if referrers.len() > MAX_SIGNATURES {
        return Err(FindError::TooMany {
            target: target.to_string(),
            count: referrers.len(),
        });
    }
    let fetches = referrers
        .into_iter()
        .map(|referrer| bundle_layer(client, target, referrer));
    let found: Vec<Option<(Digest, Descriptor)>> = futures::stream::iter(fetches)
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    let (fitting, unread) = fitting(Layout::Bundle, found.into_iter().flatten().collect(), sizes);
    let fetches = fitting.into_iter().map(|(manifest, layer)| async move {
        let content = content(client, target, &layer, sizes.one).await?;
        Ok(content.map(|content| FoundBundle { manifest, content }))
    });
    let found: Vec<Option<FoundBundle>> = futures::stream::iter(fetches)
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    Ok((found.into_iter().flatten().collect(), unread))
}

/// An attached manifest and its layer, if that says that it is a bundle.
async fn bundle_layer(
    client: &Client,
    target: &Target,
    referrer: Descriptor,
) -> Result<Option<(Digest, Descriptor)>, FindError> {
    let manifest = client.manifest(target.repository(), &referrer.digest).await;
    let Some(manifest) = passable(target, manifest)? else {
        return Ok(None);
    };
    let Manifest::Image(image) = manifest.manifest else {
        return Ok(None);
    };
    let mut layers = image.layers.into_iter();
    let (Some(layer), None) = (layers.next(), layers.next()) else {
        return Ok(None);
    };
    let is_bundle = media_type::is_sigstore_bundle(&layer.media_type);
    Ok(is_bundle.then_some((referrer.digest, layer)))
}

/// What is to be fetched of these documents, each with the digest of what holds it, in their order; and what is not.
fn fitting(
    layout: Layout,
    found: Vec<(Digest, Descriptor)>,
    sizes: Sizes,
) -> (Vec<(Digest, Descriptor)>, Vec<Refused>) {
    let mut by_size: Vec<usize> = (0..found.len()).collect();
    let size = |at: &usize| found.get(*at).map_or(0, |(_, layer)| layer.size);
    by_size.sort_by_key(size);
    let mut left = sizes.all;
    let mut reasons: BTreeMap<usize, Rejection> = BTreeMap::new();
    for at in by_size {
        let bytes = size(&at);
        if bytes > sizes.one {
            let limit = sizes.one;
            reasons.insert(at, Rejection::TooLarge { bytes, limit });
        } else if let Some(rest) = left.checked_sub(bytes) {
            left = rest;
        } else {
            reasons.insert(at, Rejection::TooMuch { limit: sizes.all });
        }
    }
    let (mut fitting, mut unread) = (Vec::new(), Vec::new());
    for (at, (source, layer)) in found.into_iter().enumerate() {
        match reasons.remove(&at) {
            None => fitting.push((source, layer)),
            Some(reason) => unread.push(Refused {
                layout,
                source,
                reason,
            }),
        }
    }
    (fitting, unread)
}

async fn content(
    client: &Client,
    target: &Target,
    layer: &Descriptor,
    limit: u64,
) -> Result<Option<Vec<u8>>, FindError> {
    let content = client.blob_bytes(target.repository(), layer, limit).await;
    Ok(passable(target, content)?.map(Vec::from))
}

/// Layers of the older layout with their content, and those that are too large.
type Layers = (Vec<(Descriptor, Vec<u8>)>, Vec<Refused>);

/// The layers of the image under one of cosign's tags.
async fn layers(
    client: &Client,
    target: &Target,
    tag: Tag,
    layout: Layout,
    sizes: Sizes,
) -> Result<Layers, FindError> {
    let reference = target.repository().at_tag(tag);
    let Some(fetched) = passable(target, client.manifest_at(&reference).await)? else {
        return Ok(Layers::default());
    };
    let Manifest::Image(image) = fetched.manifest else {
        return Ok(Layers::default());
    };
    let wanted = match layout {
        Layout::LegacyAttestation => is_attestation,
        _ => is_payload,
    };
    // One more than are looked at, so that the engine can say that there are more.
    let layers = image.layers.into_iter().filter(wanted).take(MAX_SIGNATURES + 1);
    let layers = layers.map(|layer| (layer.digest, layer)).collect();
    let (fitting, unread) = fitting(layout, layers, sizes);
    let fetches = fitting.into_iter().map(|(_, layer)| async move {
        let content = content(client, target, &layer, sizes.one).await?;
        Ok(content.map(|content| (layer, content)))
    });
    let found: Vec<Option<(Descriptor, Vec<u8>)>> = futures::stream::iter(fetches)
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    Ok((found.into_iter().flatten().collect(), unread))
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
