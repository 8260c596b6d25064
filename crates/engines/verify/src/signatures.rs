//! What was found in a registry for an artifact, bytes already fetched.

use std::fmt;

use weir_oci::Digest;

use crate::bundle::{Bundle, Content, Envelope};
use crate::error::{Refused, Rejection};
use crate::statement::Statement;

/// The most signatures of either layout that are looked at; more of them make a verdict impossible (N25).
pub const MAX_SIGNATURES: usize = 200;

/// The signatures found for one artifact.
#[derive(Clone, Debug, Default)]
pub struct SignatureSet {
    /// Sigstore bundles, attached as referrers, in the registry's order.
    pub bundles: Vec<FoundBundle>,
    /// cosign's older payloads, from the `.sig` tag, in order.
    pub payloads: Vec<FoundPayload>,
    /// cosign's older attestations, from the `.att` tag, in order; none where signatures alone are asked for.
    pub attestations: Vec<FoundAttestation>,
    /// What was found and not fetched, with the reason, for verdicts to tell.
    pub unread: Vec<Refused>,
}

impl SignatureSet {
    /// How many bytes were fetched.
    pub fn bytes(&self) -> usize {
        let bundles = self.bundles.iter().map(|one| one.content.len());
        let payloads = self.payloads.iter().map(|one| one.content.len());
        let attestations = self.attestations.iter().map(|one| one.content.len());
        bundles.chain(payloads).chain(attestations).sum()
    }
}

/// A document that may be a bundle.
#[derive(Clone, Debug)]
pub struct FoundBundle {
    /// The manifest that holds it.
    pub manifest: Digest,
    /// Its bytes.
    pub content: Vec<u8>,
}

impl FoundBundle {
    /// What somebody claims to state, for lists. Nothing of it is verified; see [`crate::examine`].
    ///
    /// # Errors
    /// Why there is no statement in it.
    pub fn unverified_statement(&self) -> Result<Statement, Rejection> {
        match Bundle::from_json(&self.content)?.content {
            Content::Envelope(envelope) => envelope.statement(),
            Content::MessageSignature => Err(Rejection::MessageSignature),
        }
    }
}

impl FoundAttestation {
    /// As [`FoundBundle::unverified_statement`].
    ///
    /// # Errors
    /// Why there is no statement in it.
    pub fn unverified_statement(&self) -> Result<Statement, Rejection> {
        Envelope::from_json(&self.content)?.statement()
    }
}

/// A payload with its signature.
#[derive(Clone, Debug)]
pub struct FoundPayload {
    /// The layer that holds the payload.
    pub layer: Digest,
    /// The payload's bytes.
    pub content: Vec<u8>,
    /// The signature, in base64 as in the annotation `dev.cosignproject.cosign/signature`.
    pub signature: String,
    /// What else the layer's annotations hold to check it with; nothing for a signature by a given key.
    pub material: PayloadMaterial,
}

/// A signed statement in an envelope by itself, as cosign stored attestations before bundles.
#[derive(Clone, Debug)]
pub struct FoundAttestation {
    /// The layer that holds the envelope.
    pub layer: Digest,
    /// The envelope's bytes.
    pub content: Vec<u8>,
    /// What the layer's annotations hold to check it with. A timestamp in it is not looked at: cosign 3 makes it of the
    /// signature and checks it against the envelope.
    pub material: PayloadMaterial,
}

/// What cosign keeps beside a payload's signature when it was made with a certificate, or logged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayloadMaterial {
    /// The signer's certificate as PEM, annotation `dev.sigstore.cosign/certificate`.
    pub certificate: Option<String>,
    /// The certificates above it as PEM, annotation `dev.sigstore.cosign/chain`.
    pub chain: Option<String>,
    /// The entry in the transparency log with the log's promise, annotation `dev.sigstore.cosign/bundle`.
    pub log_entry: Option<String>,
    /// A timestamp, annotation `dev.sigstore.cosign/rfc3161timestamp`.
    pub timestamp: Option<String>,
}

/// How a signature is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// A Sigstore bundle as a referrer: what cosign v3 writes.
    #[default]
    Bundle,
    /// A payload under the tag `sha256-<hex>.sig`: what cosign wrote before, and still does when asked.
    Legacy,
    /// An envelope under the tag `sha256-<hex>.att`: the same for attestations.
    LegacyAttestation,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bundle => "sigstore bundle",
            Self::Legacy => "cosign payload",
            Self::LegacyAttestation => "cosign attestation",
        })
    }
}
