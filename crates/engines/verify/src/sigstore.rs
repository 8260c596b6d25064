//! The one place that meets the Sigstore crates: bundles with certificates, transparency logs and timestamps.
//!
//! What the crates check: structure of each bundle version, the certificate's chain, its signed certificate
//! timestamp, inclusion proofs, checkpoints and promises, RFC 3161 timestamps, the signature, and that each log
//! entry describes this signature, artifact and certificate. What they leave out is checked here:
//!
//! - every log entry has a proof or a promise, and none is there twice;
//! - a checkpoint is signed by the log that its entry names, not just by any trusted one, and for Rekor v2 under
//!   that log's name;
//! - every verified time lies in the window of each log that is relied on;
//! - no verified time and no window's beginning is later than the `now` that the caller gives; (the crates
//!   compare with the machine's clock, too, so a caller can only be stricter than that);
//! - every certificate of an authority was valid at every verified time; to the crates, the root and the
//!   intermediates that a trust root lists are anchors without a life of their own (N34).

mod authorities;
mod legacy;
mod logs;

use jiff::Timestamp;
use serde_json::Value;
use sigstore_verify::bundle::Error as Form;
use sigstore_verify::types::{Artifact, Bundle, DerPublicKey, Sha256Hash};
use sigstore_verify::{
    CertificateError, Error, PublicKeyVerificationPolicy, TransparencyLogError, VerificationPolicy,
    VerificationResult, Verifier,
};
use weir_oci::Digest;

use crate::certificate;
use crate::error::clip;
use crate::key::PublicKey;
use crate::root::TrustRoot;

pub(crate) use authorities::Lives;
pub(crate) use legacy::{attestation_bundle, payload_bundle};
pub(crate) use logs::Logged;

/// Which part of a signature's evidence does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The bundle's form.
    Bundle,
    /// The signature itself.
    Signature,
    /// What was signed is not the artifact.
    Artifact,
    /// The signing certificate or its chain.
    Certificate,
    /// The proof that the certificate was published.
    CertificateLog,
    /// The log entry is of another signature, or of an unknown log.
    LogEntry,
    /// The proof that the entry is in the log.
    InclusionProof,
    /// The signed head of the log.
    Checkpoint,
    /// The log's promise to include the entry.
    InclusionPromise,
    /// When the entry was made.
    IntegratedTime,
    /// The timestamp of a timestamp authority, or the lack of any time.
    Timestamp,
    /// The trust root.
    TrustRoot,
}

/// Why the evidence for a signature is not to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
#[non_exhaustive]
pub struct Untrusted {
    /// Which part of it.
    pub part: Part,
    /// What is wrong there.
    pub detail: String,
}

impl Untrusted {
    pub(crate) fn new(part: Part, detail: impl AsRef<str>) -> Self {
        let detail: String = detail
            .as_ref()
            .chars()
            .filter(|c| !c.is_control())
            .take(300)
            .collect();
        Self { part, detail }
    }
}

impl From<Error> for Untrusted {
    fn from(error: Error) -> Self {
        let part = match &error {
            Error::SignatureInvalid(_) => Part::Signature,
            // One variant for two things: the artifact is not what the statement names, or not what was logged.
            Error::ArtifactMismatch(detail) if detail.ends_with("hashedrekord entry") => Part::LogEntry,
            Error::ArtifactMismatch(_) | Error::UnsupportedArtifact(_) | Error::ArtifactRead(_) => {
                Part::Artifact
            }
            Error::Certificate(CertificateError::Sct(_)) => Part::CertificateLog,
            Error::Certificate(_) => Part::Certificate,
            Error::TransparencyLog(error) => match error {
                TransparencyLogError::InclusionProof(_) => Part::InclusionProof,
                TransparencyLogError::Checkpoint(_) => Part::Checkpoint,
                TransparencyLogError::InclusionPromise(_) => Part::InclusionPromise,
                TransparencyLogError::IntegratedTime(_) => Part::IntegratedTime,
                _ => Part::LogEntry,
            },
            Error::Timestamp(_) => Part::Timestamp,
            Error::Bundle(error) => match error {
                Form::CheckpointRootMismatch => Part::Checkpoint,
                Form::MissingCheckpoint
                | Form::MissingInclusionProof(_)
                | Form::LogIndexOutOfRange { .. } => Part::InclusionProof,
                Form::MissingInclusionPromise(_) => Part::InclusionPromise,
                Form::MissingSigningTimeEvidence | Form::MissingTimestamp => Part::Timestamp,
                _ => Part::Bundle,
            },
            Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => {
                Part::TrustRoot
            }
            _ => Part::Bundle,
        };
        Self::new(part, error.to_string())
    }
}

/// What is known of a signature whose evidence holds.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// All times at which it is proven to have existed, the earliest first; none for keys without any.
    pub(crate) times: Vec<Timestamp>,
    /// The log entries.
    pub(crate) logged: Vec<Logged>,
}

/// Reads a bundle of version 0.1, 0.2 or 0.3.
pub(crate) fn read(json: &[u8]) -> Result<Bundle, Untrusted> {
    let malformed =
        |detail: String| Untrusted::new(Part::Bundle, format!("bundle is malformed ({})", clip(&detail)));
    let text = std::str::from_utf8(json).map_err(|error| malformed(error.to_string()))?;
    Bundle::from_json(text).or_else(|error| {
        // Go's base64 decoder passes over line breaks, so files that went through other tools have them.
        let joined = unbroken(text).and_then(|value| serde_json::from_value(value).ok());
        joined.ok_or_else(|| malformed(error.to_string()))
    })
}

/// The document without line breaks in texts that are base64; nothing when it is no JSON.
fn unbroken(text: &str) -> Option<Value> {
    fn is_base64(line: &str) -> bool {
        line.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    }
    fn walk(value: &mut Value) {
        match value {
            Value::String(text) if text.lines().all(is_base64) => text.retain(|c| !matches!(c, '\r' | '\n')),
            Value::Array(values) => values.iter_mut().for_each(walk),
            Value::Object(fields) => fields.values_mut().for_each(walk),
            _ => {}
        }
    }
    let mut value = serde_json::from_str(text).ok()?;
    walk(&mut value);
    Some(value)
}

/// An artifact of which only the digest is at hand.
pub(crate) fn digested(digest: Digest) -> Result<Artifact<'static>, Untrusted> {
    let hash = Sha256Hash::from_hex(&digest.hex())
        .map_err(|error| Untrusted::new(Part::Artifact, error.to_string()))?;
    Ok(Artifact::from(hash))
}

/// A signature by a certificate whose evidence holds, and what the certificate says.
pub(crate) type Certified = (Checked, certificate::Facts);

/// Checks a signature by a certificate, up to the question whose it is.
pub(crate) fn by_certificate(
    root: &TrustRoot,
    bundle: &Bundle,
    artifact: &Artifact<'_>,
    now: Timestamp,
) -> Result<Certified, Untrusted> {
    let policy = VerificationPolicy::any_identity();
    let checked = check(root, bundle, now, |verifier| {
        verifier.verify(artifact.clone(), bundle, &policy)
    })?;
    if checked.times.is_empty() {
        return Err(Untrusted::new(
            Part::Timestamp,
            "no verified time of the signature",
        ));
    }
    let unreadable = || Untrusted::new(Part::Certificate, "certificate names or issuer cannot be read");
    let certificate = bundle.signing_certificate().ok_or_else(unreadable)?;
    let facts = certificate::facts(certificate.as_bytes()).ok_or_else(unreadable)?;
    Ok((checked, facts))
}

/// Checks a signature by a given key that must be in a transparency log.
pub(crate) fn by_key(
    root: &TrustRoot,
    bundle: &Bundle,
    artifact: &Artifact<'_>,
    key: &PublicKey,
    now: Timestamp,
) -> Result<Checked, Untrusted> {
    let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(key.to_der().to_vec()));
    check(root, bundle, now, |verifier| {
        verifier.verify(artifact.clone(), bundle, &policy)
    })
}

fn check(
    root: &TrustRoot,
    bundle: &Bundle,
    now: Timestamp,
    verify: impl Fn(&Verifier) -> Result<VerificationResult, Error>,
) -> Result<Checked, Untrusted> {
    logs::check_presence(root.root(), bundle)?;
    let mut times = verify(root.verifier())?.verified_timestamps().to_vec();
    times.sort();
    if let Some(time) = times.last().filter(|time| **time > now) {
        let detail = format!("verified time {time} is in the future (it is {now})");
        return Err(Untrusted::new(Part::IntegratedTime, detail));
    }
    if let Some(living) = authorities::living(root.root(), root.lives(), &times, now) {
        verify(&Verifier::new(&living)?)?;
    }
    let logged = logs::check(root.root(), bundle, &times, now)?;
    Ok(Checked { times, logged })
}
