//! Public keys as cosign writes and reads them.

mod der;

use std::fmt;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA256_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::pem::{self, InvalidPem};

const SPKI_LABEL: &str = "PUBLIC KEY";
const PKCS1_LABEL: &str = "RSA PUBLIC KEY";

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA on the curve P-256, with SHA-256.
    EcdsaP256,
    /// ECDSA on the curve P-384, with SHA-256 as cosign does for given keys, or SHA-384 as Sigstore does.
    EcdsaP384,
    /// ECDSA on the curve P-521, with SHA-256 as cosign does for given keys, or SHA-512 as Sigstore does.
    EcdsaP521,
    /// RSA from 2048 to 8192 bits, PKCS #1 v1.5 with SHA-256.
    Rsa,
    /// Ed25519.
    Ed25519,
}

impl Algorithm {
    /// The ways in which a signature by such a key may have been made.
    fn schemes(self) -> &'static [&'static dyn VerificationAlgorithm] {
        match self {
            Self::EcdsaP256 => &[&ECDSA_P256_SHA256_ASN1],
            Self::EcdsaP384 => &[&ECDSA_P384_SHA256_ASN1, &ECDSA_P384_SHA384_ASN1],
            Self::EcdsaP521 => &[&ECDSA_P521_SHA256_ASN1, &ECDSA_P521_SHA512_ASN1],
            Self::Rsa => &[&RSA_PKCS1_2048_8192_SHA256],
            Self::Ed25519 => &[&ED25519],
        }
    }
}

/// The SHA-256 of a public key, or of a certificate, in its DER form: its name in evidence, logs and bundle hints.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a key or a certificate in DER.
    pub(crate) fn of(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, der).as_ref());
        Self(bytes)
    }

    /// The form in which a bundle names a key: base64.
    pub fn hint(&self) -> String {
        STANDARD.encode(self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A public key that signatures can be checked with.
#[derive(Clone)]
pub struct PublicKey {
    algorithm: Algorithm,
    /// The key as SubjectPublicKeyInfo (RFC 5280), in DER.
    spki: Vec<u8>,
    schemes: Vec<ParsedPublicKey>,
}

/// Why a text is no usable public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// No PEM block of a public key: a private key, a certificate, something else, or nothing.
    #[error("no PEM block of a public key")]
    NoPublicKey,
    /// The block is not base64, or the text is too long.
    #[error("malformed PEM")]
    MalformedPem,
    /// The content is no SubjectPublicKeyInfo.
    #[error("malformed public key")]
    MalformedKey,
    /// A kind of key that is not supported: DSA, P-224, secp256k1, Ed448 and so on.
    #[error("unsupported kind of public key")]
    Unsupported,
    /// The numbers do not make a key: a point off the curve, an RSA modulus of the wrong size.
    #[error("invalid public key")]
    Invalid,
}

impl From<InvalidPem> for InvalidKey {
    fn from(error: InvalidPem) -> Self {
        match error {
            InvalidPem::NoBlock => Self::NoPublicKey,
            InvalidPem::Malformed => Self::MalformedPem,
        }
    }
}

impl PublicKey {
    /// Reads the first PEM block, `PUBLIC KEY` or `RSA PUBLIC KEY`.
    ///
    /// # Errors
    /// See [`InvalidKey`].
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKey> {
        let (label, content) = pem::first(pem)?;
        match label {
            SPKI_LABEL => Self::from_der(&content),
            PKCS1_LABEL => Self::from_der(&der::spki_of_rsa(&content)),
            _ => Err(InvalidKey::NoPublicKey),
        }
    }

    /// Reads a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    /// See [`InvalidKey`].
    pub fn from_der(spki: &[u8]) -> Result<Self, InvalidKey> {
        let algorithm = der::algorithm(spki)?;
        let schemes = algorithm
            .schemes()
            .iter()
            .map(|scheme| ParsedPublicKey::new(*scheme, spki));
        let schemes = schemes
            .collect::<Result<_, _>>()
            .map_err(|_| InvalidKey::Invalid)?;
        Ok(Self {
            algorithm,
            spki: spki.to_owned(),
            schemes,
        })
    }

    /// What kind of key this is.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How many bits the modulus of an RSA key has.
    pub(crate) fn rsa_bits(&self) -> Option<usize> {
        (self.algorithm == Algorithm::Rsa)
            .then(|| der::rsa_bits(&self.spki))
            .flatten()
    }

    /// The key in DER.
    pub fn to_der(&self) -> &[u8] {
        &self.spki
    }

    /// The key as PEM, with a newline at the end.
    pub fn to_pem(&self) -> String {
        let mut pem = format!("-----BEGIN {SPKI_LABEL}-----\n");
        let body = STANDARD.encode(&self.spki);
        let mut rest = body.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        pem
    }

    /// The key's fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.spki)
    }

    /// Whether `signature` is this key's over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.schemes
            .iter()
            .any(|scheme| scheme.verify_sig(message, signature).is_ok())
    }
}

impl PublicKey {
    /// Whether `signature` is this key's over what has this digest. No for keys that sign no SHA-256 digests.
    pub(crate) fn verifies_digest(&self, digest: weir_oci::Digest, signature: &[u8]) -> bool {
        let Ok(digest) = Digest::import_less_safe(digest.as_bytes(), &SHA256) else {
            return false;
        };
        self.schemes
            .iter()
            .any(|scheme| scheme.verify_digest_sig(&digest, signature).is_ok())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?}, {})", self.algorithm, self.fingerprint())
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}
