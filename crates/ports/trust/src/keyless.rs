//! Signing with an identity ("keyless"): a key that lives for one signature, a certificate for it, a log entry, a time.
//!
//! [`Keyless`] knows where the services are and whom verifiers will trust. Nothing it makes leaves it before this
//! workspace's own verifier has accepted it offline, with the trust root alone.

mod config;
mod material;
mod services;
mod token;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use weir_oci::Digest;
use weir_registry::ClientOptions;
use weir_verify::{
    Blob, Evidence, Identity, IdentityPolicy, InvalidStatement, Layout, NotVerified, Policy, Refused,
    Rejection, SignatureSet, Statement, Target, TrustRoot, verify, verify_blob,
};

pub use config::{InvalidSigningConfig, NoService, SigningConfig};
pub use token::{IdentityToken, InvalidToken, TokenError, github_actions_token};

pub(crate) use material::{Signed, envelope, statement_bundle};
pub(crate) use services::Subject as KeylessSubject;

use crate::http::{CallError, Http};
use crate::key::{KeyError, SigningKey};
use config::Services;
use services::Subject;

/// The time, as the caller has it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What signing with an identity needs: where the services are, whom to trust, and the time.
#[derive(Clone)]
pub struct Keyless {
    http: Http,
    config: SigningConfig,
    root: TrustRoot,
    clock: Clock,
    expected: Option<Identity>,
}

/// Why there is no signature by an identity.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeylessError {
    /// The token cannot be used at this time.
    #[error("use the identity token")]
    Token(#[from] InvalidToken),
    /// The signing configuration names no service that can be used.
    #[error("choose where to sign")]
    NoService(#[from] NoService),
    /// A service could not be asked, or refused.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The key of this signature could not be made or used.
    #[error("sign with a new key")]
    Key(#[from] KeyError),
    /// What is to be signed or sent could not be written as JSON.
    #[error("encode the signature")]
    Encode(#[from] serde_json::Error),
    /// What is to be signed as a statement is none.
    #[error("read the statement")]
    Statement(#[source] InvalidStatement),
    /// The statement is about nothing that a verifier could compare.
    #[error("statement has no subject with a SHA-256 digest")]
    NoDigest,
    /// The certificate names somebody else than expected, so nothing was signed.
    #[error("the certificate is not for the identity that is to sign, so nothing was signed")]
    OtherIdentity(#[source] Box<Rejection>),
    /// The services gave something that a verifier with this trust root refuses, so it is not stored.
    #[error("the new signature would not verify with the trust root given, so it was not stored")]
    WouldNotVerify(#[source] Box<NotVerified>),
}

impl Keyless {
    /// Signs with the services of `config`, for verifiers who trust `root`. The clock decides which services and
    /// tokens are in their time, and from when on a signature is from the future. Of `options`, certificates, proxies,
    /// time-outs for a connection and the user agent count here.
    ///
    /// # Errors
    /// When certificates or proxies of `options` cannot be used.
    pub fn new(
        config: SigningConfig,
        root: TrustRoot,
        clock: Clock,
        options: &ClientOptions,
    ) -> Result<Self, CallError> {
        Ok(Self {
            http: Http::new(options)?,
            config,
            root,
            clock,
            expected: None,
        })
    }

    /// The same, for a signer whom the certificate must name: with another one nothing is signed, let alone logged. Without
    /// this the authority decides by the token, and a workflow's certificate has other names than its token.
    #[must_use]
    pub fn expecting(mut self, identity: Identity) -> Self {
        self.expected = Some(identity);
        self
    }

    /// Makes a signature of `subject`, with its certificate, timestamps and log entries.
    pub(crate) async fn make(
        &self,
        token: &IdentityToken,
        subject: Subject<'_>,
    ) -> Result<Signed, KeylessError> {
        let now = (self.clock)();
        token.check(now)?;
        let services = Services::choose(&self.config, now, subject.needs_promise())?;
        let key = SigningKey::generate()?;
        let proof = key.sign(token.subject().as_bytes())?;
        let chain = services::certificate(&self.http, &services.authority, token, &key, &proof).await?;
        let mut signed = Signed::new(chain);
        if let Some(expected) = &self.expected {
            expected
                .is_claimed_by(signed.certificate())
                .map_err(|why| KeylessError::OtherIdentity(Box::new(why)))?;
        }
        signed.signature = key.sign(&subject.message())?;
        // The key has done its work; nobody can use it again.
        drop(key);
        let authorities = services.timestamps.iter();
        for authority in authorities.filter(|_| subject.keeps_timestamps()) {
            let stamp = services::timestamp(&self.http, authority, &signed.signature).await?;
            signed.timestamps.push(stamp);
        }
        for log in &services.logs {
            let entry = services::log(&self.http, log, &subject, &signed).await?;
            signed.entries.push(entry);
        }
        Ok(signed)
    }

    /// What a verifier with this trust root will see in the signature.
    pub(crate) fn check(&self, target: &Target, set: &SignatureSet) -> Result<Evidence, KeylessError> {
        // Whose it is was looked at before anything was signed.
        let policy = Policy::Identities(IdentityPolicy::any_identity_unsafe(self.root.clone()));
        match verify(target, set, &policy, (self.clock)()) {
            Ok(verified) => Ok(verified.evidence().clone()),
            Err(error) => Err(KeylessError::WouldNotVerify(Box::new(error))),
        }
    }

    /// Signs a file: gives a bundle of version 0.3 with a plain signature of its content, as `cosign sign-blob` does, which
    /// a verifier with this trust root accepts.
    ///
    /// # Errors
    /// See [`KeylessError`]. What was logged stays logged, whatever fails afterwards.
    pub async fn sign_blob(&self, token: &IdentityToken, content: &[u8]) -> Result<Vec<u8>, KeylessError> {
        let signed = self.make(token, Subject::Blob(content)).await?;
        let bundle = signed.blob_bundle(content);
        self.checked(&bundle, Blob::Content(content), Digest::of(content))
    }

    /// Signs an in-toto statement, whose bytes stay as they are: gives a bundle of version 0.3 that a verifier with this
    /// trust root accepts as one about the statement's first subject.
    ///
    /// # Errors
    /// See [`KeylessError`]; what is no statement is not signed. What was logged stays logged, whatever fails afterwards.
    pub async fn sign_statement(
        &self,
        token: &IdentityToken,
        statement: &[u8],
    ) -> Result<Vec<u8>, KeylessError> {
        let read = Statement::from_json(statement).map_err(KeylessError::Statement)?;
        let subject = read.subject.iter().find_map(|one| {
            let hex = one.digest.get("sha256")?;
            format!("sha256:{hex}").parse::<Digest>().ok()
        });
        let subject = subject.ok_or(KeylessError::NoDigest)?;
        let signed = self.make(token, Subject::Statement(statement)).await?;
        let bundle = statement_bundle(
            &signed.verification_material(),
            &envelope(statement, &signed.signature),
        );
        self.checked(&bundle, Blob::Digest(subject), subject)
    }

    /// The bundle, if a verifier will take it.
    fn checked(&self, bundle: &Value, blob: Blob<'_>, digest: Digest) -> Result<Vec<u8>, KeylessError> {
        let bundle = serde_json::to_vec(bundle)?;
        let policy = Policy::Identities(IdentityPolicy::any_identity_unsafe(self.root.clone()));
        match verify_blob(blob, &bundle, &policy, (self.clock)()) {
            Ok(_) => Ok(bundle),
            Err(reason) => Err(KeylessError::WouldNotVerify(Box::new(NotVerified {
                reference: digest.to_string(),
                refused: vec![Refused {
                    layout: Layout::Bundle,
                    source: Digest::of(&bundle),
                    reason,
                }],
            }))),
        }
    }
}

impl fmt::Debug for Keyless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyless")
            .field("config", &self.config)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}
