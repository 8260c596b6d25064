//! Attestations: statements about an artifact, made, stored and replaced.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use weir_oci::{Descriptor, Digest, media_type};
use weir_registry::Client;
use weir_verify::{
    Evidence, FoundAttestation, Layout, PROMOTION_PREDICATE, PayloadMaterial, Statement, Target,
};

use crate::find::{Sizes, attached_bundles, is_attestation};
use crate::layout::{PREDICATE_TYPE_ANNOTATION, SIGNATURE_ANNOTATION, attestation_tag};
use crate::sign::{SignError, Stored};
use crate::statement::{SignedStatement, Signer};
use crate::store::{NewLayer, artifact, attach_bundle, earlier, put_image};

/// How to attest.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttestOptions {
    /// Where to store the attestation: [`Layout::Bundle`] or [`Layout::LegacyAttestation`].
    pub layout: Layout,
    /// Whether it takes the place of attestations of the same predicate type, whoever signed them, in this layout.
    pub replace: bool,
    /// The time to write into the annotation of a bundle's manifest; it is no evidence of anything.
    pub created: Timestamp,
}

impl AttestOptions {
    /// A bundle, made at this time, beside all others.
    pub fn at(created: Timestamp) -> Self {
        Self {
            layout: Layout::Bundle,
            replace: false,
            created,
        }
    }
}

/// An attestation that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attested {
    /// Where.
    pub stored: Stored,
    /// Who signed, when, and in which logs, as the verifier found it; nothing for a key, which was not asked. Its source is
    /// the digest of what was verified, not yet that of a manifest.
    pub evidence: Option<Evidence>,
    /// The manifests or layers of attestations that are no longer there.
    pub replaced: Vec<Digest>,
}

/// States `predicate` about `target` as `cosign attest` does, with a key or an identity, and stores the signed statement.
///
/// Flow: the artifact is looked up; the statement is signed, with an identity logged and verified offline, too; it is
/// stored; then those that it replaces are removed, so that there is one at any time.
///
/// # Errors
/// See [`SignError`]. Nothing is stored then, except with [`SignError::Replace`].
pub async fn attest(
    client: &Client,
    target: &Target,
    signer: Signer<'_>,
    predicate_type: &str,
    predicate: Value,
    options: &AttestOptions,
) -> Result<Attested, SignError> {
    if ![Layout::Bundle, Layout::LegacyAttestation].contains(&options.layout) {
        return Err(SignError::Layout(options.layout));
    }
    if options.replace && predicate_type == PROMOTION_PREDICATE {
        return Err(SignError::Records(target.to_string()));
    }
    let subject = artifact(client, target).await?;
    let statement = Statement::about(target, predicate_type, predicate);
    let signed = SignedStatement::make(target, signer, &statement, options.layout).await?;
    let evidence = match signer {
        Signer::Key(_) => None,
        Signer::Identity(keyless, _) => Some(signed.check(target, keyless)?),
    };
    let (stored, replaced) = if options.layout == Layout::Bundle {
        let created = options.created;
        let content = signed.content();
        let stored = attach_bundle(client, target, subject, content, predicate_type, created).await?;
        let replaced = if options.replace {
            remove_bundles(client, target, predicate_type, stored.manifest).await?
        } else {
            Vec::new()
        };
        (stored, replaced)
    } else {
        add_layer(client, target, &signed, predicate_type, options.replace).await?
    };
    Ok(Attested {
        stored,
        evidence,
        replaced,
    })
}

/// Removes the attached bundles of this predicate type, except `keep`.
async fn remove_bundles(
    client: &Client,
    target: &Target,
    predicate_type: &str,
    keep: Digest,
) -> Result<Vec<Digest>, SignError> {
    let found = attached_bundles(client, target, Sizes::LARGEST).await;
    let (found, _) = found.map_err(|source| SignError::Replace {
        target: target.to_string(),
        source: Box::new(source),
    })?;
    let mut removed = Vec::new();
    for one in found {
        let same = one
            .unverified_statement()
            .is_ok_and(|statement| statement.predicate_type == predicate_type);
        if !same || one.manifest == keep {
            continue;
        }
        client
            .delete_referrer(target.repository(), &target.digest(), &one.manifest)
            .await
            .map_err(|source| SignError::Replace {
                target: target.to_string(),
                source: Box::new(source),
            })?;
        removed.push(one.manifest);
    }
    Ok(removed)
}

/// Adds the attestation to the image of the older layout, and leaves those out that it replaces.
async fn add_layer(
    client: &Client,
    target: &Target,
    signed: &SignedStatement,
    predicate_type: &str,
    replace: bool,
) -> Result<(Stored, Vec<Digest>), SignError> {
    let tag = attestation_tag(&target.digest());
    let earlier = earlier(client, target, &tag).await?;
    let (mut kept, mut replaced) = (Vec::new(), Vec::new());
    for layer in earlier.map_or_else(Vec::new, |(_, layers)| layers) {
        if replace && is_of_type(client, target, &layer, predicate_type).await? {
            replaced.push(layer.digest);
        } else {
            kept.push(layer);
        }
    }
    let annotations = BTreeMap::from([
        // The signature is in the envelope, and cosign reads no layer without this.
        (SIGNATURE_ANNOTATION.to_owned(), String::new()),
        (PREDICATE_TYPE_ANNOTATION.to_owned(), predicate_type.to_owned()),
    ]);
    let layer = NewLayer {
        layout: Layout::LegacyAttestation,
        media_type: media_type::DSSE_ENVELOPE,
        content: signed.content(),
        annotations,
    };
    let layer = layer.with_material(signed.annotations());
    let stored = put_image(client, target, &tag, kept, layer).await?;
    Ok((stored, replaced))
}

/// Whether a layer holds a statement of this type; what cannot be read is none.
async fn is_of_type(
    client: &Client,
    target: &Target,
    layer: &Descriptor,
    predicate_type: &str,
) -> Result<bool, SignError> {
    if !is_attestation(layer) || layer.size > Sizes::LARGEST.one {
        return Ok(false);
    }
    let content = client
        .blob_bytes(target.repository(), layer, Sizes::LARGEST.one)
        .await;
    let content = content.map_err(|source| SignError::Earlier {
        target: target.to_string(),
        source,
    })?;
    let found = FoundAttestation {
        layer: layer.digest,
        content: content.to_vec(),
        material: PayloadMaterial::default(),
    };
    let statement = found.unverified_statement();
    Ok(statement.is_ok_and(|statement| statement.predicate_type == predicate_type))
}
