//! Signing with an identity ("keyless"): a key that lives for one signature, a certificate for it, a log entry, a time.
//!
//! [`Keyless`] knows where the services are and whom verifiers will trust. Nothing it makes leaves it before this
//! workspace's own verifier has accepted it offline, with the trust root alone.

mod config;
mod http;
mod material;
mod services;
mod token;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use weir_verify::{IdentityPolicy, NotVerified, Policy, SignatureSet, Target, TrustRoot, verify};

pub use config::{InvalidSigningConfig, NoService, SigningConfig};
pub use http::CallError;
pub use token::{IdentityToken, InvalidToken, TokenError, github_actions_token};

pub(crate) use material::Signed;
pub(crate) use services::Subject as KeylessSubject;

use crate::key::{KeyError, SigningKey};
use config::Services;
use http::Http;
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
    /// The services gave something that a verifier with this trust root refuses, so it is not stored.
    #[error("the new signature would not verify with the trust root given, so it was not stored")]
    WouldNotVerify(#[source] Box<NotVerified>),
}

impl Keyless {
    /// Signs with the services of `config`, for verifiers who trust `root`. The clock decides which services and
    /// tokens are in their time, and from when on a signature is from the future.
    ///
    /// # Errors
    /// When no HTTP client can be made on this machine.
    pub fn new(config: SigningConfig, root: TrustRoot, clock: Clock) -> Result<Self, CallError> {
        Ok(Self {
            http: Http::new()?,
            config,
            root,
            clock,
        })
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
        let signature = key.sign(&subject.message())?;
        // The key has done its work; nobody can use it again.
        drop(key);
        let mut signed = Signed::new(chain, signature);
        for authority in &services.timestamps {
            let stamp = services::timestamp(&self.http, authority, &signed.signature).await?;
            signed.timestamps.push(stamp);
        }
        for log in &services.logs {
            let entry = services::log(&self.http, log, &subject, &signed).await?;
            signed.entries.push(entry);
        }
        Ok(signed)
    }

    /// Whether a verifier with this trust root will accept the signature.
    pub(crate) fn check(&self, target: &Target, set: &SignatureSet) -> Result<(), KeylessError> {
        // Whose it is, the authority decides by the token: a workflow's certificate has other names than its token.
        let policy = Policy::Identities(IdentityPolicy::any_identity_unsafe(self.root.clone()));
        match verify(target, set, &policy, (self.clock)()) {
            Ok(_) => Ok(()),
            Err(error) => Err(KeylessError::WouldNotVerify(Box::new(error))),
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
