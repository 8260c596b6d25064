//! What was found in a registry for an artifact, bytes already fetched.

use std::fmt;

use weir_oci::Digest;

/// The most signatures of either layout that are looked at; more of them make a verdict impossible (N25).
pub const MAX_SIGNATURES: usize = 200;

/// The signatures found for one artifact.
#[derive(Clone, Debug, Default)]
pub struct SignatureSet {
    /// Sigstore bundles, attached as referrers, in the registry's order.
    pub bundles: Vec<FoundBundle>,
    /// cosign's older payloads, from the `.sig` tag, in order.
    pub payloads: Vec<FoundPayload>,
}

/// A document that may be a bundle.
#[derive(Clone, Debug)]
pub struct FoundBundle {
    /// The manifest that holds it.
    pub manifest: Digest,
    /// Its bytes.
    pub content: Vec<u8>,
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
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bundle => "sigstore bundle",
            Self::Legacy => "cosign payload",
        })
    }
}
