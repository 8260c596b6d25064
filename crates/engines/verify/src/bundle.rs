//! Sigstore bundles, version 0.3: a signature with what is needed to check it, in one JSON document.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use weir_oci::media_type;

use crate::error::{Rejection, clip, place};
use crate::statement::Statement;

/// The longest bundle or envelope that is read, in bytes: as long as cosign reads. Who reads for others wants less; see
/// [`DEFAULT_BUNDLE_BYTES`].
pub const MAX_BUNDLE_BYTES: usize = 128 << 20;

/// The longest one that is read where nobody asks for more, in bytes. Most SBOMs have some megabytes.
pub const DEFAULT_BUNDLE_BYTES: u64 = 32 << 20;

/// The spelling of version 0.3 that older tools wrote.
const MEDIA_TYPE_WITH_PARAMETER: &str = "application/vnd.dev.sigstore.bundle+json;version=0.3";

/// A bundle that could be read. Whether its signature is good is another question.
#[derive(Clone, Debug)]
pub struct Bundle {
    pub(crate) material: Material,
    pub(crate) content: Content,
}

/// By what the signature is to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    Key,
    Certificate,
    Nothing,
}

/// What is signed.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Envelope(Envelope),
    /// A signature over a blob's digest: cosign makes it for files, never for artifacts in a registry.
    MessageSignature,
}

/// A signed payload.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) payload_type: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) signatures: Vec<Vec<u8>>,
}

/// Why a document is no bundle that counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidBundle {
    /// It is longer than any sensible bundle.
    #[error("bundle is longer than {MAX_BUNDLE_BYTES} bytes")]
    TooLong,
    /// It is no JSON of a bundle's shape; unknown fields count as that.
    #[error("bundle is malformed ({0})")]
    Malformed(String),
    /// An attestation of the older layout is no JSON of an envelope's shape; unknown fields count as that.
    #[error("envelope is malformed ({0})")]
    MalformedEnvelope(String),
    /// It is of a version other than 0.3.
    #[error("bundle media type {0:?} is not supported")]
    UnsupportedVersion(String),
    /// A field that must be base64 is not.
    #[error("bundle field {0} is no base64")]
    NotBase64(&'static str),
    /// The statement consists of so many small values that reading it takes far more memory than it is long. Nobody has verified
    /// anything by then (N10).
    #[error("statement has more values than its length lets expect")]
    TooManyValues,
    /// It holds neither an envelope nor a message signature, or both.
    #[error("bundle holds no single signature content")]
    NoContent,
}

impl Envelope {
    /// Reads an envelope that stands by itself.
    pub(crate) fn from_json(json: &[u8]) -> Result<Self, InvalidBundle> {
        if json.len() > MAX_BUNDLE_BYTES {
            return Err(InvalidBundle::TooLong);
        }
        let wire: WireEnvelope =
            serde_json::from_slice(json).map_err(|error| InvalidBundle::MalformedEnvelope(place(&error)))?;
        wire.decode()
    }

    /// The one signature, whose bytes say nothing yet.
    pub(crate) fn signature(&self) -> Result<&[u8], Rejection> {
        match self.signatures.as_slice() {
            [signature] => Ok(signature),
            other => Err(Rejection::SignatureCount(other.len())),
        }
    }

    /// The statement that the payload is.
    pub(crate) fn statement(&self) -> Result<Statement, Rejection> {
        Statement::in_envelope(&self.payload_type, &self.payload)
    }
}

impl Bundle {
    /// Reads a bundle of version 0.3.
    ///
    /// # Errors
    /// See [`InvalidBundle`].
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidBundle> {
        if json.len() > MAX_BUNDLE_BYTES {
            return Err(InvalidBundle::TooLong);
        }
        let wire: Wire =
            serde_json::from_slice(json).map_err(|error| InvalidBundle::Malformed(place(&error)))?;
        if ![media_type::SIGSTORE_BUNDLE_V03, MEDIA_TYPE_WITH_PARAMETER].contains(&wire.media_type.as_str()) {
            return Err(InvalidBundle::UnsupportedVersion(clip(&wire.media_type)));
        }
        let material = &wire.verification_material;
        let material = match (
            &material.public_key,
            &material.certificate,
            &material.x509_certificate_chain,
        ) {
            (Some(_), None, None) => Material::Key,
            (None, None, None) => Material::Nothing,
            _ => Material::Certificate,
        };
        let content = match (wire.dsse_envelope, wire.message_signature) {
            (Some(envelope), None) => Content::Envelope(envelope.decode()?),
            (None, Some(_)) => Content::MessageSignature,
            _ => return Err(InvalidBundle::NoContent),
        };
        Ok(Self { material, content })
    }
}

/// The document as it is written. What only matters for certificates and logs is kept opaque.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    media_type: String,
    verification_material: WireMaterial,
    #[serde(default)]
    dsse_envelope: Option<WireEnvelope>,
    #[serde(default)]
    message_signature: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireMaterial {
    #[serde(default)]
    public_key: Option<IgnoredAny>,
    #[serde(default)]
    certificate: Option<IgnoredAny>,
    #[serde(default)]
    x509_certificate_chain: Option<IgnoredAny>,
    #[serde(default, rename = "tlogEntries")]
    _tlog_entries: Option<IgnoredAny>,
    #[serde(default, rename = "timestampVerificationData")]
    _timestamps: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireEnvelope {
    payload: String,
    payload_type: String,
    signatures: Vec<WireSignature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    sig: String,
    #[serde(default, rename = "keyid")]
    _key_id: Option<String>,
}

impl WireEnvelope {
    fn decode(self) -> Result<Envelope, InvalidBundle> {
        let decode = |text: &str, field| STANDARD.decode(text).map_err(|_| InvalidBundle::NotBase64(field));
        let signatures = self
            .signatures
            .iter()
            .map(|signature| decode(&signature.sig, "sig"));
        let payload = decode(&self.payload, "payload")?;
        if self.payload_type == media_type::IN_TOTO && !is_sparse(&payload) {
            return Err(InvalidBundle::TooManyValues);
        }
        Ok(Envelope {
            payload,
            signatures: signatures.collect::<Result<_, _>>()?,
            payload_type: self.payload_type,
        })
    }
}

/// What a value and an object of JSON take in memory when they are read, in units of some forty bytes.
const VALUE: usize = 1;
const OBJECT: usize = 16;

/// Units that every statement may take, and that a long one may take besides a quarter of its length.
const SMALL: usize = 1 << 16;
const LARGE: usize = 8 << 20;

/// Whether a JSON text takes no more than a unit for each of its bytes, or less where it is long. SBOMs take a fifth, dense ones a half.
fn is_sparse(json: &[u8]) -> bool {
    let (mut units, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' => units = units.saturating_add(OBJECT),
            b'[' | b',' => units = units.saturating_add(VALUE),
            _ => {}
        }
    }
    units <= SMALL.max(json.len().min(LARGE + json.len() / 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n10_a_statement_that_unfolds_is_not_read() {
        let line = |one: &str, count: usize| format!("[{}]", vec![one; count].join(",")).into_bytes();
        for unfolding in ["{}", "{\"a\":0}", "[{},1]", "[[{}]]"] {
            assert!(is_sparse(&line(unfolding, 1000)), "{unfolding}");
            assert!(!is_sparse(&line(unfolding, 100_000)), "{unfolding}");
        }
        let component = "{\"type\": \"library\", \"name\": \"zlib{{{{\\\"{{{{\", \"licenses\": [{\"license\": {\"id\": \"Zlib\"}}]}";
        assert!(is_sparse(&line(component, 100_000)));
        assert!(is_sparse(&line("123456", 1_000_000)));
    }
}
