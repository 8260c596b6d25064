//! Who signs: a job of CI with a token of its issuer, at a Sigstore in this process.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use weir_redact::SecretString;
use weir_registry::{Client, ClientOptions};
use weir_standin_sigstore::{Holder, Options, Rekor, Server};
use weir_trust::{IdentityToken, Keyless, SignOptions, SigningConfig, sign_keyless};
use weir_verify::{Evidence, Target, TrustRoot};

use crate::run::Result;
use crate::{CommandError, Kind};

/// Who vouches for the jobs. The examples name it.
const ISSUER: &str = "https://ci.example";
/// The job that publishes. The examples name it.
pub(super) const PUBLISHER: &str = "https://git.example/acme/platform/.ci/publish.yml@refs/heads/main";
/// The same job, run for another branch.
pub(super) const STRANGER: &str = "https://git.example/acme/platform/.ci/publish.yml@refs/heads/feature";

/// A certificate authority, a transparency log and a timestamp authority.
#[derive(Debug)]
pub(super) struct Sigstore(Server);

/// Somebody who can sign.
#[derive(Debug)]
pub(super) struct Signer {
    keyless: Keyless,
    token: IdentityToken,
}

impl Sigstore {
    pub(super) async fn start() -> Result<Self> {
        // A little earlier than the first signature, as other authorities are.
        let from = Timestamp::now() - SignedDuration::from_hours(1);
        let server = Server::start(from, Options::default()).await;
        Ok(Self(server.map_err(|e| CommandError::of(Kind::Outside, &e))?))
    }

    /// Where it listens.
    pub(super) fn address(&self) -> String {
        self.0.address().to_string()
    }

    /// What those who verify need to know of it, as Sigstore's JSON.
    pub(super) fn trusted_root(&self) -> String {
        self.0.sigstore().trusted_root().to_string()
    }

    /// A job with a token that names it `subject`.
    pub(super) fn signer(&self, subject: &str) -> Result<Signer> {
        let internal = |e: &(dyn std::error::Error + 'static)| CommandError::of(Kind::Internal, e);
        let sigstore = self.0.sigstore();
        let config = sigstore.signing_config(Rekor::V2).to_string();
        let config = SigningConfig::from_json(config.as_bytes()).map_err(|e| internal(&e))?;
        let root = TrustRoot::from_json(self.trusted_root().as_bytes()).map_err(|e| internal(&e))?;
        let token = sigstore.token(&Holder::new(ISSUER, subject), Timestamp::now());
        let clock = Arc::new(Timestamp::now);
        Ok(Signer {
            keyless: Keyless::new(config, root, clock, &ClientOptions::default())
                .map_err(|e| internal(&e))?,
            token: IdentityToken::new(SecretString::new(token)).map_err(|e| internal(&e))?,
        })
    }
}

impl Signer {
    /// Signs an artifact as `weir sign --keyless` does. What a verifier finds in the signature.
    pub(super) async fn sign(&self, registry: &Client, target: &Target) -> Result<Evidence> {
        let options = SignOptions::at(Timestamp::now());
        let stored = sign_keyless(registry, target, &self.keyless, &self.token, &options).await;
        let stored = stored.map_err(|e| CommandError::of(Kind::Outside, &e))?;
        Ok(stored.evidence)
    }
}

/// Who has signed, and where that can be seen.
pub(super) fn told(evidence: &Evidence) -> String {
    let weir_verify::Signer::Identity { subject, issuer, .. } = &evidence.signer else {
        return crate::trust::by(evidence);
    };
    let entries = evidence.logged.iter();
    let entries: Vec<String> = entries
        .map(|place| format!("entry {} of {}", place.index, place.log))
        .collect();
    format!("by {subject}\nfor whom {issuer} vouches; {}", entries.join(", "))
}
