//! Making signatures and attestations, and storing them where cosign looks.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use weir_oci::{Descriptor, Digest, ImageManifest, Manifest, annotation, media_type};
use weir_registry::Client;
use weir_verify::{
    Evidence, FoundBundle, FoundPayload, Layout, PayloadMaterial, SignatureSet, SimpleSigning, Statement,
    Target, pre_authentication_encoding,
};

use crate::key::{KeyError, SigningKey};
use crate::keyless::{IdentityToken, Keyless, KeylessError, KeylessSubject};
use crate::layout::{
    CERTIFICATE_ANNOTATION, CHAIN_ANNOTATION, LOG_ENTRY_ANNOTATION, SIGNATURE_ANNOTATION,
    TIMESTAMP_ANNOTATION, legacy_tag,
};

/// The time in the configuration of a signature image: Go's zero time, as cosign writes it. It says nothing, so
/// that equal signatures make equal images.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

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
        source: KeyError,
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
    key: &SigningKey,
    options: &SignOptions,
) -> Result<Stored, SignError> {
    match options.layout {
        Layout::Bundle => {
            let statement = Statement::cosign_signature(target.digest());
            store_bundle(client, target, key, &statement, options.created).await
        }
        Layout::Legacy => sign_legacy(client, target, key, options).await,
        layout => Err(SignError::Layout(layout)),
    }
}

/// States something about `target` as `cosign attest --key` does, and attaches the signed statement as a
/// bundle.
///
/// # Errors
/// See [`SignError`].
pub async fn attest(
    client: &Client,
    target: &Target,
    key: &SigningKey,
    predicate_type: &str,
    predicate: Value,
    created: Timestamp,
) -> Result<Stored, SignError> {
    let statement = Statement::about(target, predicate_type, predicate);
    store_bundle(client, target, key, &statement, created).await
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
    match options.layout {
        Layout::Bundle => {
            let statement = Statement::cosign_signature(target.digest());
            bundle_keyless(client, target, keyless, token, &statement, options.created).await
        }
        Layout::Legacy => legacy_keyless(client, target, keyless, token, options).await,
        layout => Err(SignError::Layout(layout)),
    }
}

/// States something about `target` with an identity, and attaches the signed statement as a bundle.
///
/// # Errors
/// See [`SignError`]; nothing is stored then.
pub async fn attest_keyless(
    client: &Client,
    target: &Target,
    keyless: &Keyless,
    token: &IdentityToken,
    predicate_type: &str,
    predicate: Value,
    created: Timestamp,
) -> Result<KeylessStored, SignError> {
    let statement = Statement::about(target, predicate_type, predicate);
    bundle_keyless(client, target, keyless, token, &statement, created).await
}

async fn bundle_keyless(
    client: &Client,
    target: &Target,
    keyless: &Keyless,
    token: &IdentityToken,
    statement: &Statement,
    created: Timestamp,
) -> Result<KeylessStored, SignError> {
    let encode = encode_error(target);
    let subject = artifact(client, target).await?;
    let payload = serde_json::to_vec(statement).map_err(&encode)?;
    let signed = keyless.make(token, KeylessSubject::Statement(&payload)).await;
    let signed = signed.map_err(keyless_error(target))?;
    let bundle = serde_json::to_vec(&signed.bundle(&payload)).map_err(&encode)?;
    let set = SignatureSet {
        bundles: vec![FoundBundle {
            manifest: Digest::of(&bundle),
            content: bundle.clone(),
        }],
        ..SignatureSet::default()
    };
    let evidence = keyless.check(target, &set).map_err(keyless_error(target))?;
    let stored = attach_bundle(
        client,
        target,
        subject,
        bundle,
        &statement.predicate_type,
        created,
    )
    .await?;
    Ok(KeylessStored { stored, evidence })
}

async fn legacy_keyless(
    client: &Client,
    target: &Target,
    keyless: &Keyless,
    token: &IdentityToken,
    options: &SignOptions,
) -> Result<KeylessStored, SignError> {
    artifact(client, target).await?;
    let payload = SimpleSigning::new(target.repository(), target.digest(), options.annotations.clone());
    let payload = payload.to_json().map_err(encode_error(target))?;
    let signed = keyless.make(token, KeylessSubject::Payload(&payload)).await;
    let signed = signed.map_err(keyless_error(target))?;
    let signature = STANDARD.encode(&signed.signature);
    let [certificate, chain, log_entry, timestamp] = signed.annotations();
    let annotations = [
        (SIGNATURE_ANNOTATION, Some(signature.clone())),
        (CERTIFICATE_ANNOTATION, certificate.clone()),
        (CHAIN_ANNOTATION, chain.clone()),
        (LOG_ENTRY_ANNOTATION, log_entry.clone()),
        (TIMESTAMP_ANNOTATION, timestamp.clone()),
    ];
    let set = SignatureSet {
        payloads: vec![FoundPayload {
            layer: Digest::of(&payload),
            content: payload.clone(),
            signature,
            material: PayloadMaterial {
                certificate,
                chain,
                log_entry,
                timestamp,
            },
        }],
        ..SignatureSet::default()
    };
    let evidence = keyless.check(target, &set).map_err(keyless_error(target))?;
    let layers = earlier(client, target)
        .await?
        .map_or_else(Vec::new, |(_, layers)| layers);
    let annotations = annotations
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    let stored = add_payload(client, target, layers, payload, annotations).await?;
    Ok(KeylessStored { stored, evidence })
}

fn keyless_error(target: &Target) -> impl Fn(KeylessError) -> SignError + '_ {
    |source| SignError::Keyless {
        target: target.to_string(),
        source: Box::new(source),
    }
}

fn encode_error(target: &Target) -> impl Fn(serde_json::Error) -> SignError + '_ {
    |source| SignError::Encode {
        target: target.to_string(),
        source,
    }
}

fn store_error(target: &Target) -> impl Fn(weir_registry::Error) -> SignError + '_ {
    |source| SignError::Store {
        target: target.to_string(),
        source,
    }
}

/// What is to be signed, which must be in the registry.
async fn artifact(client: &Client, target: &Target) -> Result<Descriptor, SignError> {
    let found = client.manifest(target.repository(), &target.digest()).await;
    let found = found.map_err(|source| SignError::Artifact {
        target: target.to_string(),
        source,
    })?;
    Ok(found.descriptor())
}

async fn store_bundle(
    client: &Client,
    target: &Target,
    key: &SigningKey,
    statement: &Statement,
    created: Timestamp,
) -> Result<Stored, SignError> {
    let encode = encode_error(target);
    let subject = artifact(client, target).await?;

    let payload = serde_json::to_vec(statement).map_err(&encode)?;
    let message = pre_authentication_encoding(media_type::IN_TOTO, &payload);
    let signature = key.sign(&message).map_err(|source| SignError::Sign {
        target: target.to_string(),
        source,
    })?;
    let bundle = json!({
        "mediaType": media_type::SIGSTORE_BUNDLE_V03,
        "verificationMaterial": { "publicKey": { "hint": key.public_key().fingerprint().hint() } },
        "dsseEnvelope": {
            "payload": STANDARD.encode(&payload),
            "payloadType": media_type::IN_TOTO,
            "signatures": [{ "sig": STANDARD.encode(&signature) }],
        },
    });
    let bundle = serde_json::to_vec(&bundle).map_err(&encode)?;
    attach_bundle(
        client,
        target,
        subject,
        bundle,
        &statement.predicate_type,
        created,
    )
    .await
}

async fn attach_bundle(
    client: &Client,
    target: &Target,
    subject: Descriptor,
    bundle: Vec<u8>,
    predicate_type: &str,
    created: Timestamp,
) -> Result<Stored, SignError> {
    let repository = target.repository();
    let store = store_error(target);
    let layer = client
        .push_blob(repository, media_type::SIGSTORE_BUNDLE_V03, bundle)
        .await
        .map_err(&store)?;
    let mut config = client
        .push_blob(repository, media_type::OCI_EMPTY, b"{}".to_vec())
        .await
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

async fn sign_legacy(
    client: &Client,
    target: &Target,
    key: &SigningKey,
    options: &SignOptions,
) -> Result<Stored, SignError> {
    artifact(client, target).await?;

    let payload = SimpleSigning::new(target.repository(), target.digest(), options.annotations.clone());
    let payload = payload.to_json().map_err(encode_error(target))?;
    let (earlier, layers) = match earlier(client, target).await? {
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
    let signature = key.sign(&payload).map_err(|source| SignError::Sign {
        target: target.to_string(),
        source,
    })?;
    let annotations = BTreeMap::from([(SIGNATURE_ANNOTATION.to_owned(), STANDARD.encode(signature))]);
    add_payload(client, target, layers, payload, annotations).await
}

/// Stores a payload with its signature after the `layers` stored before.
async fn add_payload(
    client: &Client,
    target: &Target,
    mut layers: Vec<Descriptor>,
    payload: Vec<u8>,
    annotations: BTreeMap<String, String>,
) -> Result<Stored, SignError> {
    let repository = target.repository();
    let (store, encode) = (store_error(target), encode_error(target));
    let mut layer = client
        .push_blob(repository, media_type::COSIGN_SIMPLE_SIGNING, payload)
        .await
        .map_err(&store)?;
    layer.annotations.extend(annotations);
    layers.push(layer);

    let config = serde_json::to_vec(&configuration(&layers)).map_err(&encode)?;
    let config = client
        .push_blob(repository, media_type::OCI_CONFIG, config)
        .await
        .map_err(&store)?;
    let raw = ImageManifest::new(config, layers).to_bytes().map_err(&encode)?;
    let tag = legacy_tag(&target.digest());
    let pushed = client
        .push_manifest(repository, Some(&tag), raw, media_type::OCI_MANIFEST)
        .await;
    Ok(Stored {
        layout: Layout::Legacy,
        manifest: pushed.map_err(&store)?,
    })
}

/// The signatures stored before, and the manifest that holds them.
async fn earlier(client: &Client, target: &Target) -> Result<Option<(Digest, Vec<Descriptor>)>, SignError> {
    let tag = legacy_tag(&target.digest());
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

/// Whether `layer` is this payload, signed by this key: signing again would add nothing.
fn is_same(layer: &Descriptor, payload: &[u8], key: &SigningKey) -> bool {
    let signature = layer
        .annotations
        .get(SIGNATURE_ANNOTATION)
        .and_then(|text| STANDARD.decode(text).ok());
    layer.digest == Digest::of(payload)
        && signature.is_some_and(|signature| key.public_key().verifies(payload, &signature))
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
