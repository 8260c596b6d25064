//! Private keys: made, read and written as cosign does.

mod sealed;
mod signer;

use std::fmt;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA256_ASN1_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use weir_redact::{SecretBytes, SecretString};
use weir_verify::PublicKey;
use zeroize::Zeroizing;

pub use signer::{KeySigner, KeySignerError, ToSign};

pub(crate) use signer::sign_with;

/// The label that cosign writes since version 2.
const SIGSTORE_LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
/// The label that it wrote before.
const COSIGN_LABEL: &str = "ENCRYPTED COSIGN PRIVATE KEY";
/// An unencrypted PKCS #8 key.
const PLAIN_LABEL: &str = "PRIVATE KEY";

/// The longest PEM text that is read, in bytes. An encrypted RSA key of 8192 bits needs about 9,000.
const MAX_PEM_BYTES: usize = 32 * 1024;

/// A private key to sign with. It prints as its public key.
pub struct SigningKey {
    pair: Pair,
    /// The key as PKCS #8, in DER.
    pkcs8: SecretBytes,
    public: PublicKey,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// What is wrong with a private key. Nothing of the key or the password is ever part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No PEM block of a private key.
    #[error("no PEM block of a private key")]
    NoPrivateKey,
    /// The block is not base64, or the text is too long.
    #[error("malformed PEM")]
    MalformedPem,
    /// The key is encrypted and no password was given.
    #[error("private key is encrypted and no password is given")]
    PasswordNeeded,
    /// What is in the block is not how cosign encrypts keys.
    #[error("malformed encrypted private key")]
    MalformedEncryption,
    /// It is encrypted in a way that is not supported, or with costs that are out of bounds.
    #[error("unsupported encryption of the private key")]
    UnsupportedEncryption,
    /// Decryption failed: the password is wrong, or the content was changed.
    #[error("wrong password, or the private key was changed")]
    WrongPassword,
    /// What was decrypted is no key of a supported kind. P-384 is not supported for signing: cosign and Flux
    /// verify such signatures with SHA-256, which the crypto library does not make.
    #[error("unsupported kind of private key")]
    Unsupported,
    /// The crypto library failed.
    #[error("cryptographic operation failed")]
    Crypto,
}

impl SigningKey {
    /// Makes a new key, on the curve P-256 as cosign does.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| KeyError::Crypto)?;
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| KeyError::Crypto)?;
        Self::from_pkcs8(pkcs8.as_ref())
    }

    /// Reads the first PEM block: a key that cosign encrypted, or a plain PKCS #8 key (ECDSA on P-256 or
    /// P-521, RSA, Ed25519).
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_pem(pem: &str, password: Option<&SecretString>) -> Result<Self, KeyError> {
        let (label, content) = pem_block(pem)?;
        match label {
            SIGSTORE_LABEL | COSIGN_LABEL => {
                let password = password.ok_or(KeyError::PasswordNeeded)?;
                let pkcs8 = sealed::open(&content, password.expose().as_bytes())?;
                Self::from_pkcs8(&pkcs8)
            }
            PLAIN_LABEL => Self::from_pkcs8(&content),
            _ => Err(KeyError::NoPrivateKey),
        }
    }

    /// Reads a PKCS #8 key in DER.
    ///
    /// # Errors
    /// When it is of no supported kind.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let ecdsa = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, pkcs8);
        let pair = if let Ok(pair) = ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING) {
            Pair::Ecdsa(pair)
        } else if let Ok(pair) = ecdsa(&ECDSA_P521_SHA256_ASN1_SIGNING) {
            Pair::Ecdsa(pair)
        } else if ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING).is_ok() {
            return Err(KeyError::Unsupported);
        } else if let Ok(pair) = RsaKeyPair::from_pkcs8(pkcs8) {
            Pair::Rsa(pair)
        } else {
            Pair::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| KeyError::Unsupported)?)
        };
        let der = match &pair {
            Pair::Ecdsa(pair) => pair.public_key().as_der(),
            Pair::Rsa(pair) => pair.public_key().as_der(),
            Pair::Ed25519(pair) => pair.public_key().as_der(),
        };
        let der = der.map_err(|_| KeyError::Crypto)?;
        let public = PublicKey::from_der(der.as_ref()).map_err(|_| KeyError::Unsupported)?;
        Ok(Self {
            pair,
            pkcs8: pkcs8.into(),
            public,
        })
    }

    /// The key as cosign writes it: encrypted with `password`.
    ///
    /// # Errors
    /// When the crypto library fails.
    pub fn to_encrypted_pem(&self, password: &SecretString) -> Result<String, KeyError> {
        let sealed = sealed::seal(self.pkcs8.expose(), password.expose().as_bytes())?;
        Ok(pem(SIGSTORE_LABEL, &sealed))
    }

    /// The key that verifies what this one signs.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message`: ECDSA and RSA with SHA-256, Ed25519 directly.
    ///
    /// # Errors
    /// When the crypto library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| KeyError::Crypto)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature);
                signed.map(|()| signature).map_err(|_| KeyError::Crypto)
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.public)
    }
}

/// The label and the content of the first PEM block.
fn pem_block(pem: &str) -> Result<(&str, Zeroizing<Vec<u8>>), KeyError> {
    if pem.len() > MAX_PEM_BYTES {
        return Err(KeyError::MalformedPem);
    }
    let (_, rest) = pem.split_once("-----BEGIN ").ok_or(KeyError::NoPrivateKey)?;
    let (label, rest) = rest.split_once("-----").ok_or(KeyError::MalformedPem)?;
    let end = format!("-----END {label}-----");
    let (body, _) = rest.split_once(&end).ok_or(KeyError::MalformedPem)?;
    let body = Zeroizing::new(
        body.chars()
            .filter(|c| !c.is_ascii_whitespace())
            .collect::<String>(),
    );
    let content = STANDARD
        .decode(body.as_bytes())
        .map_err(|_| KeyError::MalformedPem)?;
    Ok((label, Zeroizing::new(content)))
}

/// The content of a certificate's PEM block.
pub(crate) fn pem_content(pem: &str) -> Option<Vec<u8>> {
    let (label, content) = pem_block(pem).ok()?;
    (label == "CERTIFICATE").then(|| content.to_vec())
}

pub(crate) fn pem(label: &str, content: &[u8]) -> String {
    let body = STANDARD.encode(content);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END ");
    pem.push_str(label);
    pem.push_str("-----\n");
    pem
}
