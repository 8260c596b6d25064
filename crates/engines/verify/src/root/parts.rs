//! A trust root made of PEM files: certificates of authorities and public keys of logs, each with its time.
//!
//! The document is the one that `cosign trusted-root create` writes from the same parts, with one difference: chains that
//! are in the wrong order are refused.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::TrustedFor;
use crate::certificate;
use crate::key::{Algorithm, InvalidKey, PublicKey};
use crate::pem;

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

/// What a note's key id of an Ed25519 key is made of besides its name and itself (C2SP, signed-note).
const ED25519_NOTE: [u8; 2] = [b'\n', 0x01];

/// Who is to be trusted for what.
#[derive(Clone, Debug, Default)]
pub struct RootParts {
    /// Certificate authorities (Fulcio).
    pub certificate_authorities: Vec<AuthorityPart>,
    /// Their certificate logs.
    pub certificate_logs: Vec<LogPart>,
    /// Transparency logs (Rekor).
    pub signature_logs: Vec<LogPart>,
    /// Timestamp authorities.
    pub timestamp_authorities: Vec<AuthorityPart>,
}

/// An authority.
#[derive(Clone, Debug)]
pub struct AuthorityPart {
    /// Where it is.
    pub url: String,
    /// Its certificates as PEM: its own first, each signed by the next, the one that signs itself last.
    pub chain: String,
    /// From when on it is trusted; from the beginning of the last certificate where nothing is said.
    pub from: Option<Timestamp>,
    /// Until when, included.
    pub until: Option<Timestamp>,
}

/// A log.
#[derive(Clone, Debug)]
pub struct LogPart {
    /// Where it is.
    pub url: String,
    /// Its public key as PEM.
    pub key: String,
    /// From when on it is trusted.
    pub from: Timestamp,
    /// Until when, included.
    pub until: Option<Timestamp>,
    /// The name under which it signs its heads, for a tiled log (Rekor v2): it is in the id of an Ed25519 key.
    pub origin: Option<String>,
}

/// Why parts make no trust root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPart {
    /// A chain has no certificate, or something else in it.
    #[error("no PEM blocks of certificates alone")]
    NoChain,
    /// A certificate cannot be read.
    #[error("certificate {0} of the chain cannot be read")]
    Certificate(usize),
    /// A certificate is followed by one that did not sign it, as far as the names say.
    #[error("certificate {0} of the chain is not followed by its issuer's; the authority's own comes first")]
    Order(usize),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] InvalidKey),
    /// A key of a kind for which Sigstore has no name.
    #[error("RSA keys of {0} bits have no name in Sigstore's trust roots; 2048, 3072 and 4096 have")]
    RsaSize(usize),
    /// The time ends before it begins.
    #[error("it ends on {until}, before it begins on {from}")]
    Window {
        /// The beginning.
        from: Timestamp,
        /// The end.
        until: Timestamp,
    },
}

/// Which part makes no trust root, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{role} {}", .index + 1)]
#[non_exhaustive]
pub struct WrongPart {
    /// Of which kind it is.
    pub role: TrustedFor,
    /// Where it is among those of its kind, from zero.
    pub index: usize,
    /// What is wrong.
    #[source]
    pub why: InvalidPart,
}

impl AuthorityPart {
    fn entry(&self) -> Result<Value, InvalidPart> {
        let chain = pem::all(&self.chain, "CERTIFICATE").map_err(|_| InvalidPart::NoChain)?;
        let last = chain.last().ok_or(InvalidPart::NoChain)?;
        let mut issuer = None;
        for (index, der) in chain.iter().enumerate() {
            let unreadable = InvalidPart::Certificate(index + 1);
            let (signed_by, named) = certificate::issuer_and_subject(der).ok_or(unreadable)?;
            if issuer.is_some_and(|issuer| issuer != named) {
                return Err(InvalidPart::Order(index));
            }
            issuer = Some(signed_by);
        }
        let (begins, _) = certificate::validity(last).ok_or(InvalidPart::Certificate(chain.len()))?;
        let (common, organization) = certificate::holder(last);
        let mut subject = Map::new();
        subject.extend(organization.map(|text| ("organization".to_owned(), text.into())));
        subject.extend(common.map(|text| ("commonName".to_owned(), text.into())));
        let certificates: Vec<Value> = chain
            .iter()
            .map(|der| json!({ "rawBytes": STANDARD.encode(der) }))
            .collect();
        Ok(json!({
            "subject": subject,
            "uri": self.url,
            "certChain": { "certificates": certificates },
            "validFor": window(self.from.unwrap_or(begins), self.until)?,
        }))
    }
}

impl LogPart {
    fn entry(&self) -> Result<Value, InvalidPart> {
        let key = PublicKey::from_pem(&self.key)?;
        let id = match (&self.origin, key.algorithm()) {
            (Some(origin), Algorithm::Ed25519) => {
                // The key itself is the end of its DER.
                let raw = key.to_der().last_chunk::<32>().ok_or(InvalidKey::MalformedKey)?;
                let named = [origin.as_bytes(), &ED25519_NOTE, raw].concat();
                digest(&SHA256, &named)
            }
            _ => digest(&SHA256, key.to_der()),
        };
        Ok(json!({
            "baseUrl": self.url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": STANDARD.encode(key.to_der()),
                "keyDetails": details(&key)?,
                "validFor": window(self.from, self.until)?,
            },
            "logId": { "keyId": STANDARD.encode(id) },
        }))
    }
}

impl RootParts {
    /// The document.
    ///
    /// # Errors
    /// See [`InvalidPart`].
    pub fn to_json(&self) -> Result<Value, WrongPart> {
        let mut root = Map::new();
        root.insert("mediaType".to_owned(), MEDIA_TYPE.into());
        let authorities =
            |parts: &[AuthorityPart]| parts.iter().map(AuthorityPart::entry).collect::<Vec<_>>();
        let logs = |parts: &[LogPart]| parts.iter().map(LogPart::entry).collect::<Vec<_>>();
        for (role, field, entries) in [
            (TrustedFor::SignatureLog, "tlogs", logs(&self.signature_logs)),
            (
                TrustedFor::Certificates,
                "certificateAuthorities",
                authorities(&self.certificate_authorities),
            ),
            (TrustedFor::CertificateLog, "ctlogs", logs(&self.certificate_logs)),
            (
                TrustedFor::Timestamps,
                "timestampAuthorities",
                authorities(&self.timestamp_authorities),
            ),
        ] {
            let mut list = Vec::new();
            for (index, entry) in entries.into_iter().enumerate() {
                list.push(entry.map_err(|why| WrongPart { role, index, why })?);
            }
            if !list.is_empty() {
                root.insert(field.to_owned(), list.into());
            }
        }
        Ok(root.into())
    }
}

fn window(from: Timestamp, until: Option<Timestamp>) -> Result<Value, InvalidPart> {
    let mut window = Map::new();
    window.insert("start".to_owned(), from.to_string().into());
    if let Some(until) = until {
        if until < from {
            return Err(InvalidPart::Window { from, until });
        }
        window.insert("end".to_owned(), until.to_string().into());
    }
    Ok(window.into())
}

/// What Sigstore calls a key of this kind.
fn details(key: &PublicKey) -> Result<&'static str, InvalidPart> {
    Ok(match key.algorithm() {
        Algorithm::EcdsaP256 => "PKIX_ECDSA_P256_SHA_256",
        Algorithm::EcdsaP384 => "PKIX_ECDSA_P384_SHA_384",
        Algorithm::EcdsaP521 => "PKIX_ECDSA_P521_SHA_512",
        Algorithm::Ed25519 => "PKIX_ED25519",
        Algorithm::Rsa => match key.rsa_bits() {
            Some(2048) => "PKIX_RSA_PKCS1V15_2048_SHA256",
            Some(3072) => "PKIX_RSA_PKCS1V15_3072_SHA256",
            Some(4096) => "PKIX_RSA_PKCS1V15_4096_SHA256",
            other => return Err(InvalidPart::RsaSize(other.unwrap_or_default())),
        },
    })
}
