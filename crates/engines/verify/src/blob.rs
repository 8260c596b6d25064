//! Signatures of files: any bundle beside any bytes, as `cosign verify-blob` takes them.

use jiff::Timestamp;
use sigstore_verify::types::bundle::VerificationMaterialContent;
use sigstore_verify::types::{Artifact, SignatureContent};
use weir_oci::Digest;

use crate::bundle::MAX_BUNDLE_BYTES;
use crate::dsse::pre_authentication_encoding;
use crate::error::Rejection;
use crate::judge::{by_identity, by_key, check_statement};
use crate::key::PublicKey;
use crate::policy::{KeyPolicy, Policy};
use crate::sigstore::{self, Part, Untrusted};
use crate::statement::Statement;
use crate::verdict::{LogPlace, Signer};

/// A file: what is in it, or where that is not at hand, the digest of that.
#[derive(Clone, Copy, Debug)]
pub enum Blob<'b> {
    /// The content.
    Content(&'b [u8]),
    /// The SHA-256 of the content. Signatures by Ed25519 keys, and by keys with another digest, cannot be checked so.
    Digest(Digest),
}

impl Blob<'_> {
    fn digest(&self) -> Digest {
        match self {
            Self::Content(content) => Digest::of(content),
            Self::Digest(digest) => *digest,
        }
    }

    fn is_signed(&self, key: &PublicKey, signature: &[u8]) -> bool {
        match self {
            Self::Content(content) => key.verifies(content, signature),
            Self::Digest(digest) => key.verifies_digest(*digest, signature),
        }
    }
}

impl<'b> Blob<'b> {
    fn artifact(self) -> Result<Artifact<'b>, Untrusted> {
        match self {
            Self::Content(content) => Ok(Artifact::from_blob(content)),
            Self::Digest(digest) => sigstore::digested(digest),
        }
    }
}

/// What a verdict on a file rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlobEvidence {
    /// Who signed.
    pub signer: Signer,
    /// Where the signature was logged; nothing when no log was asked for.
    pub logged: Vec<LogPlace>,
    /// What kind of statement was signed; nothing for a plain signature of the bytes.
    pub predicate_type: Option<String>,
}

/// Decides whether `bundle`, of version 0.1, 0.2 or 0.3, holds a signature of `blob` as `policy` asks, `now`
/// being the time.
///
/// What the policy says about repositories is not looked at.
///
/// # Errors
/// Why it does not.
pub fn verify_blob(
    blob: Blob<'_>,
    bundle: &[u8],
    policy: &Policy,
    now: Timestamp,
) -> Result<BlobEvidence, Rejection> {
    if bundle.len() > MAX_BUNDLE_BYTES {
        return Err(crate::bundle::InvalidBundle::TooLong.into());
    }
    let read = sigstore::read(bundle)?;
    let by_given_key = matches!(
        read.verification_material.content,
        VerificationMaterialContent::PublicKey(_)
    );
    let (signer, logged) = match policy {
        Policy::Keys(_) if !by_given_key => return Err(Rejection::Certificate),
        Policy::Identities(_) if by_given_key => return Err(Rejection::Key),
        Policy::Keys(policy) => by_given(policy, &read, blob, now)?,
        Policy::Identities(policy) => {
            let certified = sigstore::by_certificate(&policy.root, &read, &blob.artifact()?, now)?;
            by_identity(policy, certified)?
        }
    };
    let predicate_type = match &read.content {
        SignatureContent::DsseEnvelope(envelope) => {
            let statement = Statement::in_envelope(&envelope.payload_type, envelope.payload.as_bytes())?;
            check_statement(&statement, blob.digest(), policy.claims())?;
            Some(statement.predicate_type)
        }
        _ => None,
    };
    Ok(BlobEvidence {
        signer,
        logged,
        predicate_type,
    })
}

fn by_given(
    policy: &KeyPolicy,
    bundle: &sigstore_verify::types::Bundle,
    blob: Blob<'_>,
    now: Timestamp,
) -> Result<(Signer, Vec<LogPlace>), Rejection> {
    let logged = |_: &PublicKey| Ok((bundle.clone(), blob.artifact()?));
    match &bundle.content {
        SignatureContent::MessageSignature(signature) => {
            // The digest is a hint, but one that contradicts the content is a sign of a mix-up.
            if let Some(hint) = &signature.message_digest
                && hint.algorithm == sigstore_verify::types::HashAlgorithm::Sha2256
                && hint.digest.as_bytes() != blob.digest().as_bytes()
            {
                return Err(Untrusted::new(Part::Artifact, "message digest is of another artifact").into());
            }
            let signature = signature.signature.as_bytes();
            by_key(policy, |key| blob.is_signed(key, signature), now, logged)
        }
        SignatureContent::DsseEnvelope(envelope) => {
            let message = pre_authentication_encoding(&envelope.payload_type, envelope.payload.as_bytes());
            let signature = envelope.signature.sig.as_bytes();
            by_key(policy, |key| key.verifies(&message, signature), now, logged)
        }
        _ => Err(Rejection::NoMaterial),
    }
}
