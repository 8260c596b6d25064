//! Making signatures, and storing them where cosign looks.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use weir_oci::{Descriptor, Digest, media_type};
use weir_registry::Client;
use weir_verify::{
    COSIGN_SIGN_PREDICATE, Evidence, FoundPayload, Layout, MAX_BUNDLE_BYTES, SignatureSet, SimpleSigning,
    Statement, Target,
};

use crate::key::{KeySigner, KeySignerError, sign_with};
use crate::keyless::{IdentityToken, Keyless, KeylessError, KeylessSubject};
use crate::layout::{SIGNATURE_ANNOTATION, legacy_tag};
use crate::statement::{SignedStatement, Signer};
use crate::store::{NewLayer, artifact, attach_bundle, earlier, put_image};

/// How to sign.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignOptions {
    /// Where to store the signature.
    pub layout: Layout,
    /// Remarks to sign along, as cosign's `--annotations`. The older layout only: bundles have no place that
    /// other tools read.
    pub annotations: BTreeMap<String, String>,
    /// The time to write into the annotation of a bundle's manifest; it is no evidence of anything.
    pub created: Timestamp,
}

impl SignOptions {
    /// A bundle, made at this time.
    pub fn at(created: Timestamp) -> Self {
        Self {
            layout: Layout::Bundle,
            annotations: BTreeMap::new(),
            created,
        }
    }

    /// The same in another layout.
    #[must_use]
    pub fn in_layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }
}

/// Where a signature was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// The layout.
    pub layout: Layout,
    /// The manifest that holds the signature, in the artifact's repository.
    pub manifest: Digest,
}

/// A signature by an identity: where it was stored, and what verifiers will see in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeylessStored {
    /// Where.
    pub stored: Stored,
    /// Who signed, when, and in which logs, as the verifier found it. Its source is the digest of what was verified,
    /// not yet that of a manifest.
    pub evidence: Evidence,
}

/// An artifact could not be signed, or the signature could not be stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The artifact is not there, or cannot be read.
    #[error("read {target}")]
    Artifact {
        /// The artifact.
        target: String,
        /// Why.
        source: weir_registry::Error,
    },
    /// The signature could not be made.
    #[error("sign {target}")]
    Sign {
        /// The artifact.
        target: String,
        /// Why.
        source: KeySignerError,
    },
    /// The signature by an identity could not be made, or would not verify. Nothing is stored then.
    #[error("sign {target} with an identity")]
    Keyless {
        /// The artifact.
        target: String,
        /// Why.
        source: Box<KeylessError>,
    },
    /// What is to be signed or stored could not be written as JSON.
    #[error("encode the signature of {target}")]
    Encode {
        /// The artifact.
        target: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The signatures stored before could not be read.
    #[error("read earlier signatures of {target}")]
    Earlier {
        /// The artifact.
        target: String,
        /// Why.
        source: weir_registry::Error,
    },
    /// The tag of the signatures holds something else.
    #[error("tag {tag} in {repository} holds no signatures")]
    NoSignatures {
        /// The repository.
        repository: String,
        /// The tag.
        tag: String,
    },
    /// The signature could not be stored.
    #[error("store the signature of {target}")]
    Store {
        /// The artifact.
        target: String,
        /// Why.
        source: weir_registry::Error,
    },
    /// What is to be stated is longer than verifiers read, with all that a bundle needs beside it. Nothing was signed.
    #[error(
        "statement about {target} has {bytes} bytes, and verifiers read no bundle of more than {MAX_BUNDLE_BYTES}"
    )]
    TooLong {
        /// The artifact.
        target: String,
        /// The statement's length.
        bytes: usize,
    },
    /// The attestation is stored, and those that it was to replace are still there, too.
    #[error("replace earlier attestations of {target}: the new one is stored beside them")]
    Replace {
        /// The artifact.
        target: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Promotion records were to be removed. They say what a tag named before and what is held back: without them nobody can
    /// roll it back, and what was rolled back could come again.
    #[error(
        "promotion records of {0} are not replaced: what a tag named before, and what is held back, stands nowhere else"
    )]
    Records(String),
    /// The layout is none that can be written.
    #[error("layout {0} cannot be written")]
    Layout(Layout),
}

/// Signs `target` as `cosign sign --key` does, without a transparency log, and stores the signature.
///
/// The artifact must be in the registry. A bundle is attached to it by itself; a payload of the older layout is
/// added to those under the artifact's `.sig` tag, where two signers at the same moment can overwrite each
/// other, as with cosign.
///
/// # Errors
/// See [`SignError`].
pub async fn sign(
    client: &Client,
    target: &Target,
    key: &dyn KeySigner,
    options: &SignOptions,
) -> Result<Stored, SignError> {
    match options.layout {
        Layout::Bundle => {
            let (subject, signed) = state(client, target, Signer::Key(key)).await?;
            attach(client, target, subject, &signed, options).await
        }
        Layout::Legacy => sign_legacy(client, target, key, options).await,
        layout => Err(SignError::Layout(layout)),
    }
}

/// Signs `target` with an identity, as `cosign sign` does without a key, and stores the signature.
///
/// Flow: the artifact is looked up; a new key gets a certificate, signs and is dropped; timestamp and log entry
/// are fetched; the whole is verified offline; then it is stored. What was logged stays logged, whatever fails
/// afterwards.
///
/// # Errors
/// See [`SignError`]; nothing is stored then.
pub async fn sign_keyless(
    client: &Client,
    target: &Target,
    keyless: &Keyless,
    token: &IdentityToken,
    options: &SignOptions,
) -> Result<KeylessStored, SignError> {
    let (stored, evidence) = match options.layout {
        Layout::Bundle => {
            let signer = Signer::Identity(keyless, token);
            let (subject, signed) = state(client, target, signer).await?;
            let evidence = signed.check(target, keyless)?;
            (attach(client, target, subject, &signed, options).await?, evidence)
        }
        Layout::Legacy => legacy_keyless(client, target, keyless, token, options).await?,
        layout => return Err(SignError::Layout(layout)),
    };
    Ok(KeylessStored { stored, evidence })
}

/// The artifact, and the signed statement that is its signature.
async fn state(
    client: &Client,
    target: &Target,
    signer: Signer<'_>,
) -> Result<(Descriptor, SignedStatement), SignError> {
    let subject = artifact(client, target).await?;
    let statement = Statement::cosign_signature(target.digest());
    let signed = SignedStatement::make(target, signer, &statement, Layout::Bundle).await?;
    Ok((subject, signed))
}

async fn attach(
    client: &Client,
    target: &Target,
    subject: Descriptor,
    signed: &SignedStatement,
    options: &SignOptions,
) -> Result<Stored, SignError> {
    let (content, created) = (signed.content(), options.created);
    attach_bundle(client, target, subject, content, COSIGN_SIGN_PREDICATE, created).await
}

async fn sign_legacy(
    client: &Client,
    target: &Target,
    key: &dyn KeySigner,
    options: &SignOptions,
) -> Result<Stored, SignError> {
    artifact(client, target).await?;
    let payload = payload(target, options)?;
    let tag = legacy_tag(&target.digest());
    let (earlier, layers) = match earlier(client, target, &tag).await? {
        Some((digest, layers)) => (Some(digest), layers),
        None => (None, Vec::new()),
    };
    if let Some(manifest) = earlier
        && layers.iter().any(|layer| is_same(layer, &payload, key))
    {
        return Ok(Stored {
            layout: Layout::Legacy,
            manifest,
        });
    }
    let signature = sign_with(key, &payload).await.map_err(key_error(target))?;
    let layer = payload_layer(payload, STANDARD.encode(signature));
    put_image(client, target, &tag, layers, layer).await
}

async fn legacy_keyless(
    client: &Client,
    target: &Target,
    keyless: &Keyless,
    token: &IdentityToken,
    options: &SignOptions,
) -> Result<(Stored, Evidence), SignError> {
    artifact(client, target).await?;
    let payload = payload(target, options)?;
    let signed = keyless.make(token, KeylessSubject::Payload(&payload)).await;
    let signed = signed.map_err(keyless_error(target))?;
    let (signature, material) = (STANDARD.encode(&signed.signature), signed.annotations());
    let set = SignatureSet {
        payloads: vec![FoundPayload {
            layer: Digest::of(&payload),
            content: payload.clone(),
            signature: signature.clone(),
            material: material.clone(),
        }],
        ..SignatureSet::default()
    };
    let evidence = keyless.check(target, &set).map_err(keyless_error(target))?;
    let tag = legacy_tag(&target.digest());
    let layers = earlier(client, target, &tag)
        .await?
        .map_or_else(Vec::new, |(_, layers)| layers);
    let layer = payload_layer(payload, signature).with_material(material);
    let stored = put_image(client, target, &tag, layers, layer).await?;
    Ok((stored, evidence))
}

fn payload(target: &Target, options: &SignOptions) -> Result<Vec<u8>, SignError> {
    let payload = SimpleSigning::new(target.repository(), target.digest(), options.annotations.clone());
    payload.to_json().map_err(encode_error(target))
}

fn payload_layer(payload: Vec<u8>, signature: String) -> NewLayer {
    NewLayer {
        layout: Layout::Legacy,
        media_type: media_type::COSIGN_SIMPLE_SIGNING,
        content: payload,
        annotations: BTreeMap::from([(SIGNATURE_ANNOTATION.to_owned(), signature)]),
    }
}

/// Whether `layer` is this payload, signed by this key: signing again would add nothing.
fn is_same(layer: &Descriptor, payload: &[u8], key: &dyn KeySigner) -> bool {
    let signature = layer
        .annotations
        .get(SIGNATURE_ANNOTATION)
        .and_then(|text| STANDARD.decode(text).ok());
    layer.digest == Digest::of(payload)
        && signature.is_some_and(|signature| key.public_key().verifies(payload, &signature))
}

pub(crate) fn keyless_error(target: &Target) -> impl Fn(KeylessError) -> SignError + '_ {
    |source| SignError::Keyless {
        target: target.to_string(),
        source: Box::new(source),
    }
}

pub(crate) fn key_error(target: &Target) -> impl Fn(KeySignerError) -> SignError + '_ {
    |source| SignError::Sign {
        target: target.to_string(),
        source,
    }
}

pub(crate) fn encode_error(target: &Target) -> impl Fn(serde_json::Error) -> SignError + '_ {
    |source| SignError::Encode {
        target: target.to_string(),
        source,
    }
}

pub(crate) fn store_error(target: &Target) -> impl Fn(weir_registry::Error) -> SignError + '_ {
    |source| SignError::Store {
        target: target.to_string(),
        source,
    }
}
