//! Key pairs in the form of a Kubernetes Secret's data, as `cosign generate-key-pair k8s://…` makes it.

use std::collections::BTreeMap;

use weir_redact::{SecretBytes, SecretString};

use crate::key::{KeyError, SigningKey};

/// The entry with the encrypted private key.
pub const KEY_ENTRY: &str = "cosign.key";
/// The entry with its password.
pub const PASSWORD_ENTRY: &str = "cosign.password";
/// The entry with the public key.
pub const PUBLIC_KEY_ENTRY: &str = "cosign.pub";

/// What is wrong with a Secret's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// An entry is missing.
    #[error("secret has no entry {0:?}")]
    Missing(&'static str),
    /// An entry is no UTF-8 text.
    #[error("secret entry {0:?} is no text")]
    NoText(&'static str),
    /// The private key cannot be read.
    #[error("read secret entry {KEY_ENTRY:?}")]
    Key(#[source] KeyError),
    /// The public key does not belong to the private key.
    #[error("secret entry {PUBLIC_KEY_ENTRY:?} does not belong to the private key")]
    OtherPublicKey,
}

impl SigningKey {
    /// Reads the key pair from a Secret's decoded data. Without a password the key must be unencrypted or the
    /// password empty; a public key, when there is one, must belong to the private key.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn from_secret_data(data: &BTreeMap<String, SecretBytes>) -> Result<Self, SecretError> {
        let text = |entry: &'static str| match data.get(entry) {
            None => Ok(None),
            Some(value) => match std::str::from_utf8(value.expose()) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(SecretError::NoText(entry)),
            },
        };
        let pem = text(KEY_ENTRY)?.ok_or(SecretError::Missing(KEY_ENTRY))?;
        let password = SecretString::from(text(PASSWORD_ENTRY)?.unwrap_or_default());
        let key = Self::from_pem(pem, Some(&password)).map_err(SecretError::Key)?;
        if let Some(public) = text(PUBLIC_KEY_ENTRY)?
            && weir_verify::PublicKey::from_pem(public).as_ref() != Ok(key.public_key())
        {
            return Err(SecretError::OtherPublicKey);
        }
        Ok(key)
    }

    /// The key pair as a Secret's decoded data, encrypted with `password`.
    ///
    /// # Errors
    /// When the crypto library fails.
    pub fn to_secret_data(&self, password: &SecretString) -> Result<BTreeMap<String, SecretBytes>, KeyError> {
        let entry = |name: &str, text: String| (name.to_owned(), SecretBytes::from(text.into_bytes()));
        Ok(BTreeMap::from([
            entry(KEY_ENTRY, self.to_encrypted_pem(password)?),
            entry(PASSWORD_ENTRY, password.expose().clone()),
            entry(PUBLIC_KEY_ENTRY, self.public_key().to_pem()),
        ]))
    }
}
