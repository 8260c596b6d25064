//! Keys that sign, wherever they are.

use std::error::Error;
use std::fmt;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use weir_oci::Digest;
use weir_verify::PublicKey;

use super::{KeyError, SigningKey};

/// A key that can sign: a [`SigningKey`] in memory, or one that never leaves where it is, such as a key management service or a
/// security module. Whoever reaches such a key implements this.
///
/// The public key must be known beforehand, because it decides how a signature is made and what else is written beside it:
///
/// | public key | signature |
/// |---|---|
/// | ECDSA on P-256, P-384, P-521 | of the SHA-256 digest, in ASN.1 (`ECDSA_SHA_256` in the words of key management services) |
/// | RSA | of the SHA-256 digest, PKCS #1 v1.5 (`RSASSA_PKCS1_V1_5_SHA_256`) |
/// | Ed25519 | of the message itself |
///
/// That is what cosign and Flux verify such keys with. A signature that the public key does not verify is not used.
pub trait KeySigner: fmt::Debug + Send + Sync {
    /// What names the key in messages, such as a reference that a person gave. Nothing of it may be secret.
    fn id(&self) -> String;

    /// The key that verifies what this one signs.
    fn public_key(&self) -> &PublicKey;

    /// Signs.
    ///
    /// # Errors
    /// When the key cannot be used. Nothing is stored then.
    fn sign<'k>(&'k self, content: ToSign<'k>) -> BoxFuture<'k, Result<Vec<u8>, KeySignerError>>;
}

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct ToSign<'m>(&'m [u8]);

impl<'m> ToSign<'m> {
    /// The message.
    pub const fn message(&self) -> &'m [u8] {
        self.0
    }

    /// The SHA-256 of the message.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0)
    }
}

/// Why a key gave no signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeySignerError {
    /// A key in memory.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key elsewhere.
    #[error("{id} does not sign")]
    Elsewhere {
        /// The key.
        id: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// What it gave is no signature by its public key.
    #[error("{0} gave something that its public key does not verify")]
    NotItsSignature(String),
}

impl KeySigner for SigningKey {
    fn id(&self) -> String {
        self.public_key().fingerprint().to_string()
    }

    fn public_key(&self) -> &PublicKey {
        Self::public_key(self)
    }

    fn sign<'k>(&'k self, content: ToSign<'k>) -> BoxFuture<'k, Result<Vec<u8>, KeySignerError>> {
        let signature = Self::sign(self, content.message()).map_err(KeySignerError::Key);
        async move { signature }.boxed()
    }
}

/// A signature of `message` that was looked at.
pub(crate) async fn sign_with(key: &dyn KeySigner, message: &[u8]) -> Result<Vec<u8>, KeySignerError> {
    let signature = key.sign(ToSign(message)).await?;
    if key.public_key().verifies(message, &signature) {
        Ok(signature)
    } else {
        Err(KeySignerError::NotItsSignature(key.id()))
    }
}
