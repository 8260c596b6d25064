//! Identity tokens: what an issuer says about who is signing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;
use url::Url;
use weir_redact::SecretString;
use weir_registry::ClientOptions;
use weir_verify::Identity;

use crate::http::{CallError, Http, Place, is_safe};

/// Whom tokens must be for.
const AUDIENCE: &str = "sigstore";

/// The longest token that is read, in bytes; those of GitHub have about 2,000.
const MAX_BYTES: usize = 64 * 1024;

/// A token, and what it says. It prints without its text.
#[derive(Clone, Debug)]
pub struct IdentityToken {
    text: SecretString,
    subject: String,
    issuer: String,
    expires: Timestamp,
    /// Issuer and subject of the certificate that it will probably get.
    named: Option<(String, String)>,
}

/// Why a token cannot be used. Nothing of the token but its times and audiences is part of a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// It is no JSON web token.
    #[error("identity token is no JSON web token")]
    Malformed,
    /// It has no claim that is needed.
    #[error("identity token has no claim {0:?}")]
    Missing(&'static str),
    /// It is for somebody else.
    #[error("identity token is for the audience {0:?} and not for {AUDIENCE:?}")]
    Audience(Vec<String>),
    /// Its time is over.
    #[error("identity token has expired at {expired} (it is {now})")]
    Expired {
        /// When.
        expired: Timestamp,
        /// By the caller's clock.
        now: Timestamp,
    },
}

/// A token could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The address of the token service is none, or is not safe.
    #[error("address of the token service is no https URL")]
    Address,
    /// The token service could not be asked, or refused.
    #[error(transparent)]
    Call(#[from] CallError),
    /// What it gave is no token to sign with.
    #[error("read the token that the token service gave")]
    Token(#[from] InvalidToken),
}

impl IdentityToken {
    /// Reads a token. Its signature is for the certificate authority to check.
    ///
    /// # Errors
    /// When it is no token, or for another audience than Sigstore's.
    pub fn new(text: SecretString) -> Result<Self, InvalidToken> {
        let trimmed = SecretString::new(text.expose().trim().to_owned());
        if trimmed.expose().len() > MAX_BYTES {
            return Err(InvalidToken::Malformed);
        }
        let mut parts = trimmed.expose().split('.');
        let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidToken::Malformed);
        };
        let claims = URL_SAFE_NO_PAD
            .decode(claims.trim_end_matches('='))
            .map_err(|_| InvalidToken::Malformed)?;
        let claims: Value = serde_json::from_slice(&claims).map_err(|_| InvalidToken::Malformed)?;
        let claim = |name: &str| {
            claims
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let audiences: Vec<String> = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => return Err(InvalidToken::Missing("aud")),
        };
        if !audiences.iter().any(|one| one == AUDIENCE) {
            return Err(InvalidToken::Audience(audiences));
        }
        let expires = claims.get("exp").and_then(Value::as_i64);
        let expires = expires.and_then(|seconds| Timestamp::from_second(seconds).ok());
        // Fulcio asks for a proof over the e-mail address where there is one, as cosign gives it.
        let subject = claim("email").or_else(|| claim("sub"));
        Ok(Self {
            subject: subject.ok_or(InvalidToken::Missing("sub"))?.to_owned(),
            issuer: claim("iss").ok_or(InvalidToken::Missing("iss"))?.to_owned(),
            expires: expires.ok_or(InvalidToken::Missing("exp"))?,
            named: named(&claims),
            text: trimmed,
        })
    }

    /// Whom it names, in the issuer's words; the certificate may name them otherwise.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Who vouches.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whom a certificate for it will name, if the authority names people, jobs of GitHub and GitLab, and ServiceAccounts
    /// as Sigstore's public-good instance does (`config/identity/config.yaml` of Fulcio). Others may do so otherwise, so it
    /// is good for looking for what this signer has signed before, and not for saying who has signed. Nothing for tokens
    /// of other kinds.
    pub fn likely_identity(&self) -> Option<Identity> {
        let (issuer, subject) = self.named.as_ref()?;
        Identity::exact(issuer, subject).ok()
    }

    /// The `Authorization` header that carries it.
    pub(super) fn header(&self) -> Result<HeaderMap, InvalidToken> {
        bearer(&self.text)
    }

    /// Whether its time is not over.
    ///
    /// # Errors
    /// When it has expired.
    pub fn check(&self, now: Timestamp) -> Result<(), InvalidToken> {
        if self.expires <= now {
            return Err(InvalidToken::Expired {
                expired: self.expires,
                now,
            });
        }
        Ok(())
    }
}

/// Issuer and subject of the certificate for these claims, as [`IdentityToken::likely_identity`] says.
fn named(claims: &Value) -> Option<(String, String)> {
    let text = |place: &str| {
        let text = claims.pointer(place).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let issuer = text("/iss")?;
    if let Some(email) = text("/email") {
        // Where a provider stands before others, it says which of them it was.
        let issuer = text("/federated_claims/connector_id").unwrap_or(issuer);
        return Some((issuer.to_owned(), email.to_owned()));
    }
    let subject = if let Some(workflow) = text("/job_workflow_ref") {
        format!("https://github.com/{workflow}")
    } else if let Some(config) = text("/ci_config_ref_uri") {
        format!("https://{config}")
    } else if let Some(namespace) = text("/kubernetes.io/namespace") {
        let name = text("/kubernetes.io/serviceaccount/name")?;
        format!("https://kubernetes.io/namespaces/{namespace}/serviceaccounts/{name}")
    } else {
        text("/sub").filter(|subject| subject.contains("://"))?.to_owned()
    };
    Some((issuer.to_owned(), subject))
}

fn bearer(token: &SecretString) -> Result<HeaderMap, InvalidToken> {
    let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
    let mut value = value.map_err(|_| InvalidToken::Malformed)?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

/// Asks GitHub Actions for a token: `url` and `request_token` are what a job with `id-token: write` finds in
/// `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. It is reached as `options` say.
///
/// # Errors
/// See [`TokenError`].
pub async fn github_actions_token(
    url: &str,
    request_token: &SecretString,
    options: &ClientOptions,
) -> Result<IdentityToken, TokenError> {
    let mut url: Url = url.parse().map_err(|_| TokenError::Address)?;
    if !is_safe(&url) {
        return Err(TokenError::Address);
    }
    url.query_pairs_mut().append_pair("audience", AUDIENCE);
    let place = Place {
        service: "token service of GitHub Actions",
        url,
    };
    let answer = Http::new(options)?.get(&place, bearer(request_token)?).await?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|_| place.unusable("no JSON"))?;
    let value = answer.get("value").and_then(Value::as_str);
    let value = value.ok_or_else(|| place.unusable("no token in it"))?;
    Ok(IdentityToken::new(SecretString::from(value))?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_names_in_certificates_follow_from_the_claims() {
        for (claims, issuer, subject) in [
            (json!({"iss": "i", "sub": "1", "email": "a@x"}), "i", "a@x"),
            (
                json!({"iss": "i", "email": "a@x", "federated_claims": {"connector_id": "https://github.com/login/oauth"}}),
                "https://github.com/login/oauth",
                "a@x",
            ),
            (
                json!({"iss": "i", "sub": "repo:o/a:ref:r", "job_workflow_ref": "o/a/.github/workflows/w.yml@refs/heads/main"}),
                "i",
                "https://github.com/o/a/.github/workflows/w.yml@refs/heads/main",
            ),
            (
                json!({"iss": "i", "sub": "s", "ci_config_ref_uri": "gitlab.com/o/a//.gitlab-ci.yml@refs/heads/main"}),
                "i",
                "https://gitlab.com/o/a//.gitlab-ci.yml@refs/heads/main",
            ),
            (
                json!({"iss": "i", "sub": "s", "kubernetes.io": {"namespace": "n", "serviceaccount": {"name": "a"}}}),
                "i",
                "https://kubernetes.io/namespaces/n/serviceaccounts/a",
            ),
            (
                json!({"iss": "i", "sub": "spiffe://org/ci"}),
                "i",
                "spiffe://org/ci",
            ),
        ] {
            let expected = Some((issuer.to_owned(), subject.to_owned()));
            assert_eq!(named(&claims), expected, "{claims}");
        }
        for claims in [
            json!({"iss": "i", "sub": "1"}),
            json!({"sub": "spiffe://a"}),
            json!(1),
        ] {
            assert_eq!(named(&claims), None, "{claims}");
        }
    }
}
