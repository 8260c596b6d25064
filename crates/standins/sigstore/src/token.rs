//! Identity tokens (JWT): what an OIDC issuer gives a person or a build.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::Sigstore;
use crate::authority::Holder;

/// Whom tokens are for.
const AUDIENCE: &str = "sigstore";

/// Whom the tokens are for with which jobs ask for tokens.
const JOBS: &str = "token-service";

/// The key that stands for all issuers.
#[derive(Debug)]
pub(crate) struct Issuer(EcdsaKeyPair);

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidToken {
    #[error("the identity token is malformed")]
    Malformed,
    #[error("the identity token is not signed by a known issuer")]
    Signature,
    #[error("the identity token is for somebody else")]
    Audience,
    #[error("the identity token has expired")]
    Expired,
    #[error("the identity token names nobody")]
    Nobody,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self(pair.expect("the system has randomness"))
    }
}

impl Sigstore {
    /// A token of `holder`'s issuer that is good for an hour from `at` on.
    pub fn token(&self, holder: &Holder, at: Timestamp) -> String {
        self.token_for(holder, AUDIENCE, at)
    }

    /// What a job of `holder` finds in `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN` of GitHub
    /// Actions: where it can ask for its tokens, and what to ask with.
    pub fn actions_job(&self, holder: &Holder, at: Timestamp) -> (String, String) {
        let url = format!("{}/actions/token?api-version=2.0", self.0.url);
        (url, self.token_for(holder, JOBS, at))
    }

    /// The answer of that service to a job that asks for a token for `audience`.
    pub(crate) fn job_token(
        &self,
        asked_with: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<String, InvalidToken> {
        let (holder, _) = self.read_token_for(asked_with, JOBS, now)?;
        Ok(self.token_for(&holder, audience, now))
    }

    /// A token for somebody, such as [`Sigstore::token`] makes for Sigstore.
    pub fn token_for(&self, holder: &Holder, audience: &str, at: Timestamp) -> String {
        let mut claims = json!({
            "iss": holder.issuer,
            "sub": holder.subject,
            "aud": audience,
            "iat": at.as_second(),
            "nbf": at.as_second(),
            "exp": (at + SignedDuration::from_hours(1)).as_second(),
        });
        if !holder.subject.contains(':')
            && let Some(claims) = claims.as_object_mut()
        {
            claims.insert("email".to_owned(), holder.subject.clone().into());
            claims.insert("email_verified".to_owned(), true.into());
        }
        if let Some((repository, commit)) = &holder.source
            && let Some(claims) = claims.as_object_mut()
        {
            claims.insert("source_repository".to_owned(), repository.clone().into());
            claims.insert("source_commit".to_owned(), commit.clone().into());
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!(
            "{}.{}",
            part(&json!({ "alg": "ES256", "typ": "JWT" })),
            part(&claims)
        );
        let pair = &self.0.tokens.0;
        let signature = pair
            .sign(&SystemRandom::new(), signed.as_bytes())
            .expect("the system has randomness");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// Whom a token names, and the claim that its holder signs to show that they have their key.
    pub(crate) fn read_token(&self, token: &str, now: Timestamp) -> Result<(Holder, String), InvalidToken> {
        self.read_token_for(token, AUDIENCE, now)
    }

    fn read_token_for(
        &self,
        token: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<(Holder, String), InvalidToken> {
        let (signed, signature) = token.rsplit_once('.').ok_or(InvalidToken::Malformed)?;
        let (_, claims) = signed.split_once('.').ok_or(InvalidToken::Malformed)?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidToken::Malformed);
        let key = self
            .0
            .tokens
            .0
            .public_key()
            .as_der()
            .map_err(|_| InvalidToken::Signature)?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.as_ref())
            .verify(signed.as_bytes(), &decode(signature)?)
            .map_err(|_| InvalidToken::Signature)?;
        let claims: Value = serde_json::from_slice(&decode(claims)?).map_err(|_| InvalidToken::Malformed)?;
        let text = |name: &str| claims[name].as_str().map(str::to_owned);
        if text("aud").as_deref() != Some(audience) {
            return Err(InvalidToken::Audience);
        }
        if claims["exp"].as_i64().is_none_or(|until| until < now.as_second()) {
            return Err(InvalidToken::Expired);
        }
        let subject = text("email")
            .or_else(|| text("sub"))
            .filter(|subject| !subject.is_empty());
        let (issuer, subject) = text("iss").zip(subject).ok_or(InvalidToken::Nobody)?;
        let mut holder = Holder::new(issuer, subject.clone());
        holder.source = text("source_repository").zip(text("source_commit"));
        Ok((holder, subject))
    }
}
