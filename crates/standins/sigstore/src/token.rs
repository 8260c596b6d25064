//! Identity tokens (JWT): what an OIDC issuer gives a person or a build.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::Sigstore;
use crate::authority::Holder;
use crate::key::{hex, sha256};

/// Whom tokens are for.
pub(crate) const AUDIENCE: &str = "sigstore";

/// Whom the tokens are for with which jobs ask for tokens.
const JOBS: &str = "token-service";

/// How long a token is good.
const LIFE: SignedDuration = SignedDuration::from_hours(1);

/// Somebody who makes tokens: the key, and its name.
#[derive(Debug)]
pub(crate) struct Issuer {
    pair: EcdsaKeyPair,
    name: String,
}

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidToken {
    #[error("the identity token is malformed")]
    Malformed,
    #[error("the identity token is not signed by a known issuer")]
    Signature,
    #[error("the identity token is for somebody else")]
    Audience,
    #[error("the identity token has expired")]
    Expired,
    #[error("the identity token is not good yet")]
    Early,
    #[error("the identity token names nobody")]
    Nobody,
    #[error("the issuer of the identity token cannot be asked for its keys: {0}")]
    Discovery(String),
}

impl Issuer {
    pub(crate) fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let pair = pair.expect("the system has randomness");
        let mut name = hex(&sha256(pair.public_key().as_ref()));
        name.truncate(16);
        Self { pair, name }
    }

    /// The public key as a JSON Web Key (RFC 7517, RFC 7518 6.2).
    pub(crate) fn public(&self) -> Value {
        // 4, then the two coordinates of 32 bytes (SEC 1, 2.3.3).
        let point = self.pair.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
        json!({
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "kid": self.name,
            "x": URL_SAFE_NO_PAD.encode(x),
            "y": URL_SAFE_NO_PAD.encode(y),
        })
    }

    /// A token with these claims, for `audience`, good for an hour from `at` on.
    pub(crate) fn token(&self, claims: Value, issuer: &str, audience: &str, at: Timestamp) -> String {
        let mut all = match claims {
            Value::Object(claims) => claims,
            _ => Map::new(),
        };
        all.insert("iss".to_owned(), issuer.into());
        all.insert("aud".to_owned(), audience.into());
        all.insert("iat".to_owned(), at.as_second().into());
        all.insert("nbf".to_owned(), at.as_second().into());
        all.insert("exp".to_owned(), (at + LIFE).as_second().into());
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.name });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&Value::Object(all)));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.expect("the system has randomness");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

/// A token, taken apart. Nothing of it is checked yet.
pub(crate) struct Token {
    /// What is signed.
    signed: String,
    signature: Vec<u8>,
    header: Value,
    claims: Value,
}

impl Token {
    pub(crate) fn read(text: &str) -> Result<Self, InvalidToken> {
        let (signed, signature) = text.rsplit_once('.').ok_or(InvalidToken::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(InvalidToken::Malformed)?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidToken::Malformed);
        let json = |text: &str| -> Result<Value, InvalidToken> {
            serde_json::from_slice(&decode(text)?).map_err(|_| InvalidToken::Malformed)
        };
        Ok(Self {
            signed: signed.to_owned(),
            signature: decode(signature)?,
            header: json(header)?,
            claims: json(claims)?,
        })
    }

    /// Who says that they made it.
    pub(crate) fn issuer(&self) -> &str {
        self.claims["iss"].as_str().unwrap_or_default()
    }

    /// The claims, once one of these keys (JSON Web Keys) has signed the token, and it is for `audience` at this time.
    pub(crate) fn check(
        &self,
        keys: &[Value],
        audience: &str,
        now: Timestamp,
    ) -> Result<&Value, InvalidToken> {
        let mut own = keys.iter().filter(|key| key["kid"] == self.header["kid"]);
        let point = own.next().and_then(point).ok_or(InvalidToken::Signature)?;
        if self.header["alg"] != "ES256" {
            return Err(InvalidToken::Signature);
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point)
            .verify(self.signed.as_bytes(), &self.signature)
            .map_err(|_| InvalidToken::Signature)?;
        let claims = &self.claims;
        if claims["aud"].as_str() != Some(audience) {
            return Err(InvalidToken::Audience);
        }
        let now = now.as_second();
        if claims["exp"].as_i64().is_none_or(|until| until < now) {
            return Err(InvalidToken::Expired);
        }
        // A minute for clocks that differ.
        if claims["nbf"].as_i64().is_some_and(|from| from > now + 60) {
            return Err(InvalidToken::Early);
        }
        Ok(claims)
    }
}

/// The point on the curve that a JSON Web Key is.
fn point(key: &Value) -> Option<Vec<u8>> {
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str()?).ok();
    if key["kty"] != "EC" || key["crv"] != "P-256" {
        return None;
    }
    Some([&[4], coordinate("x")?.as_slice(), coordinate("y")?.as_slice()].concat())
}

/// Whom Fulcio asks for a proof to name: the e-mail address, where there is one.
pub(crate) fn proven(claims: &Value) -> Option<&str> {
    let text = |name: &str| claims[name].as_str().filter(|text| !text.is_empty());
    text("email").or_else(|| text("sub"))
}

impl Sigstore {
    /// A token of `holder`'s issuer that is good for an hour from `at` on.
    pub fn token(&self, holder: &Holder, at: Timestamp) -> String {
        self.token_for(holder, AUDIENCE, at)
    }

    /// What a job of `holder` finds in `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN` of GitHub
    /// Actions: where it can ask for its tokens, and what to ask with.
    pub fn actions_job(&self, holder: &Holder, at: Timestamp) -> (String, String) {
        (self.token_service(), self.token_for(holder, JOBS, at))
    }

    /// The same for a job whose tokens come from this instance's own OIDC provider, [`Sigstore::issuer`].
    pub fn job(&self, workload: &crate::Workload, at: Timestamp) -> (String, String) {
        (self.token_service(), self.workload_token(workload, JOBS, at))
    }

    fn token_service(&self) -> String {
        format!("{}/actions/token?api-version=2.0", self.0.url)
    }

    /// The answer of that service to a job that asks for a token for `audience`.
    pub(crate) fn job_token(
        &self,
        asked_with: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<String, InvalidToken> {
        let token = Token::read(asked_with)?;
        let (provider, anybody) = (&self.0.provider, &self.0.tokens);
        let keys = [provider.public(), anybody.public()];
        let claims = token.check(&keys, JOBS, now)?.clone();
        let issuer = if token.issuer() == self.issuer() {
            provider
        } else {
            anybody
        };
        Ok(issuer.token(claims, token.issuer(), audience, now))
    }

    /// A token for somebody, such as [`Sigstore::token`] makes for Sigstore.
    pub fn token_for(&self, holder: &Holder, audience: &str, at: Timestamp) -> String {
        let mut claims = json!({ "sub": holder.subject });
        if !holder.subject.contains(':') {
            claims["email"] = holder.subject.clone().into();
            claims["email_verified"] = true.into();
        }
        claims["build"] = json!(holder.build);
        self.0.tokens.token(claims, &holder.issuer, audience, at)
    }

    /// A token that the instance's own OIDC provider, [`Sigstore::issuer`], gives to a workload, good for an hour from `at`
    /// on. GitLab puts such tokens into variables, the kubelet into files.
    pub fn workload_token(&self, workload: &crate::Workload, audience: &str, at: Timestamp) -> String {
        let issuer = self.issuer();
        self.0.provider.token(workload.claims(), &issuer, audience, at)
    }

    /// Whom a token of anybody's issuer names, and the claim that its holder signs to show that they have their key.
    pub(crate) fn read_token(&self, token: &Token, now: Timestamp) -> Result<(Holder, String), InvalidToken> {
        let claims = token.check(&[self.0.tokens.public()], AUDIENCE, now)?;
        let text = |name: &str| claims[name].as_str().map(str::to_owned);
        let subject = proven(claims).ok_or(InvalidToken::Nobody)?.to_owned();
        let mut holder = Holder::new(text("iss").ok_or(InvalidToken::Nobody)?, subject.clone());
        holder.build = serde_json::from_value(claims["build"].clone()).unwrap_or_default();
        Ok((holder, subject))
    }
}
