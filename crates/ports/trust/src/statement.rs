//! A signed statement, by a key or an identity, and how each layout writes it.

use serde_json::json;
use weir_oci::{Digest, media_type};
use weir_verify::{
    Evidence, FoundAttestation, FoundBundle, Layout, MAX_BUNDLE_BYTES, PayloadMaterial, SignatureSet,
    Statement, Target, pre_authentication_encoding,
};

use crate::key::{KeySigner, sign_with};
use crate::keyless::{IdentityToken, Keyless, KeylessSubject, Signed, envelope, statement_bundle};
use crate::sign::{SignError, encode_error, key_error, keyless_error};

/// What certificates, log entries and timestamps take of a bundle at most, in bytes; in fact less than 10,000.
const MATERIAL_BYTES: usize = 64 * 1024;

/// Who signs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Signer<'s> {
    /// The holder of a key. Nothing is logged.
    Key(&'s dyn KeySigner),
    /// Somebody whom a token names, at Sigstore's services.
    Identity(&'s Keyless, &'s IdentityToken),
}

/// A statement that is signed and not stored.
#[derive(Debug)]
pub(crate) struct SignedStatement {
    payload: Vec<u8>,
    layout: Layout,
    by: By,
}

#[derive(Debug)]
enum By {
    Key { hint: String, signature: Vec<u8> },
    Identity(Box<Signed>),
}

impl SignedStatement {
    /// Signs `statement`, to be stored in this layout.
    pub(crate) async fn make(
        target: &Target,
        signer: Signer<'_>,
        statement: &Statement,
        layout: Layout,
    ) -> Result<Self, SignError> {
        let payload = serde_json::to_vec(statement).map_err(encode_error(target))?;
        // In base64. Before anything is logged: who verifies would not read more.
        if payload.len().div_ceil(3).saturating_mul(4) > MAX_BUNDLE_BYTES - MATERIAL_BYTES {
            return Err(SignError::TooLong {
                target: target.to_string(),
                bytes: payload.len(),
            });
        }
        let by = match signer {
            Signer::Key(key) => {
                let message = pre_authentication_encoding(media_type::IN_TOTO, &payload);
                By::Key {
                    hint: key.public_key().fingerprint().hint(),
                    signature: sign_with(key, &message).await.map_err(key_error(target))?,
                }
            }
            Signer::Identity(keyless, token) => {
                let subject = match layout {
                    Layout::LegacyAttestation => KeylessSubject::Attestation(&payload),
                    _ => KeylessSubject::Statement(&payload),
                };
                let signed = keyless.make(token, subject).await;
                By::Identity(Box::new(signed.map_err(keyless_error(target))?))
            }
        };
        Ok(Self { payload, layout, by })
    }

    /// What verifiers will see in a signature by an identity, which must be good.
    pub(crate) fn check(&self, target: &Target, keyless: &Keyless) -> Result<Evidence, SignError> {
        let content = self.content();
        let digest = Digest::of(&content);
        let mut set = SignatureSet::default();
        if self.layout == Layout::LegacyAttestation {
            set.attestations.push(FoundAttestation {
                layer: digest,
                content,
                material: self.annotations(),
            });
        } else {
            set.bundles.push(FoundBundle {
                manifest: digest,
                content,
            });
        }
        keyless.check(target, &set).map_err(keyless_error(target))
    }

    /// The bytes that the layout stores: a bundle, or the envelope alone.
    pub(crate) fn content(&self) -> Vec<u8> {
        let signature = match &self.by {
            By::Key { signature, .. } => signature,
            By::Identity(signed) => &signed.signature,
        };
        let envelope = envelope(&self.payload, signature);
        if self.layout == Layout::LegacyAttestation {
            return envelope.to_string().into_bytes();
        }
        let material = match &self.by {
            By::Key { hint, .. } => json!({ "publicKey": { "hint": hint } }),
            By::Identity(signed) => signed.verification_material(),
        };
        statement_bundle(&material, &envelope).to_string().into_bytes()
    }

    /// What cosign's older layout keeps beside the envelope.
    pub(crate) fn annotations(&self) -> PayloadMaterial {
        match &self.by {
            By::Key { .. } => PayloadMaterial::default(),
            By::Identity(signed) => signed.annotations(),
        }
    }
}
