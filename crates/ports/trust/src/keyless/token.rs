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
    /// The workflow whose job it is for, in GitHub.
    workflow: Option<String>,
    /// Subjects of the certificate that it will probably get, and its issuer.
    named: Option<Named>,
}

/// Whom a certificate may name: one of the subjects, vouched for by the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    issuer: String,
    subjects: Vec<String>,
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
            workflow: claim("job_workflow_ref").map(str::to_owned),
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

    /// The workflow that holds the job, as `OWNER/REPOSITORY/PATH@REF`, where GitHub vouches for one: the one that was called, not the one
    /// that was started.
    pub fn workflow(&self) -> Option<&str> {
        self.workflow.as_deref()
    }

    /// Whom a certificate for it will name, if the authority names people, jobs of GitHub and GitLab, and ServiceAccounts
    /// as Sigstore's public-good instance does (`config/identity/config.yaml` of Fulcio). Others may do so otherwise, so it
    /// is good for looking for what this signer has signed before, and not for saying who has signed. More than one where the
    /// authority may say one or the other of this signer; none for tokens of other kinds.
    pub fn likely_identities(&self) -> Vec<Identity> {
        let named = self.named.iter().flat_map(|named| {
            let subjects = named.subjects.iter();
            subjects.map(|subject| Identity::exact(&named.issuer, subject))
        });
        named.filter_map(Result::ok).collect()
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

/// Issuer and subjects of the certificate for these claims, as [`IdentityToken::likely_identities`] says.
fn named(claims: &Value) -> Option<Named> {
    let text = |place: &str| {
        let text = claims.pointer(place).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let issuer = text("/iss")?;
    let of = |issuer: &str, subjects: Vec<String>| {
        Some(Named {
            issuer: issuer.to_owned(),
            subjects,
        })
    };
    if let Some(email) = text("/email") {
        // Where a provider stands before others, it says which of them it was.
        let issuer = text("/federated_claims/connector_id").unwrap_or(issuer);
        return of(issuer, vec![email.to_owned()]);
    }
    let subject = if let Some(workflow) = text("/job_workflow_ref") {
        let servers = github_servers(issuer).into_iter();
        return of(
            issuer,
            servers.map(|server| format!("{server}/{workflow}")).collect(),
        );
    } else if let Some(config) = text("/ci_config_ref_uri") {
        // With the host of the instance, whichever it is. There is none where the pipeline's file lies in another project, and nobody
        // gets a certificate then.
        format!("https://{config}")
    } else if let Some(namespace) = text("/kubernetes.io/namespace") {
        let name = text("/kubernetes.io/serviceaccount/name")?;
        format!("https://kubernetes.io/namespaces/{namespace}/serviceaccounts/{name}")
    } else {
        text("/sub").filter(|subject| subject.contains("://"))?.to_owned()
    };
    of(issuer, vec![subject])
}

/// Where the workflows are for whose jobs this issuer vouches, which their tokens do not say: at github.com, for enterprises with an
/// issuer of their own, too; at the tenant of an enterprise with its own domain; at a server of one's own. Of the last an authority says
/// what it is configured to, and without more that is github.com.
fn github_servers(issuer: &str) -> Vec<String> {
    const GITHUB: &str = "https://github.com";
    let rest = issuer.strip_prefix("https://").unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let tenant = host.strip_prefix("token.actions.");
    if let Some(tenant) = tenant.filter(|tenant| tenant.ends_with(".ghe.com")) {
        return vec![format!("https://{tenant}")];
    }
    if path.trim_end_matches('/') == "_services/token" {
        return vec![format!("https://{host}"), GITHUB.to_owned()];
    }
    vec![GITHUB.to_owned()]
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
        let workflow = "o/a/.github/workflows/w.yml@refs/heads/main";
        let at = |server: &str| format!("https://{server}/{workflow}");
        let job =
            |issuer: &str| json!({"iss": issuer, "sub": "repo:o/a:ref:r", "job_workflow_ref": workflow});
        let pipeline = |config: Value| {
            json!({"iss": "https://gitlab.example.org", "sub": "project_path:o/a:ref_type:branch:ref:main",
                "ci_config_ref_uri": config})
        };
        for (claims, issuer, subjects) in [
            (
                json!({"iss": "i", "sub": "1", "email": "a@x"}),
                "i",
                vec!["a@x".to_owned()],
            ),
            (
                json!({"iss": "i", "email": "a@x", "federated_claims": {"connector_id": "https://github.com/login/oauth"}}),
                "https://github.com/login/oauth",
                vec!["a@x".to_owned()],
            ),
            (
                job("https://token.actions.githubusercontent.com"),
                "https://token.actions.githubusercontent.com",
                vec![at("github.com")],
            ),
            // An enterprise with an issuer of its own.
            (
                job("https://token.actions.githubusercontent.com/octo"),
                "https://token.actions.githubusercontent.com/octo",
                vec![at("github.com")],
            ),
            // One with a domain of its own.
            (
                job("https://token.actions.octo.ghe.com"),
                "https://token.actions.octo.ghe.com",
                vec![at("octo.ghe.com")],
            ),
            // One with a server of its own.
            (
                job("https://git.octo.example:8443/_services/token"),
                "https://git.octo.example:8443/_services/token",
                vec![at("git.octo.example:8443"), at("github.com")],
            ),
            (
                job("https://token.actions.ghe.com.evil.example"),
                "https://token.actions.ghe.com.evil.example",
                vec![at("github.com")],
            ),
            (
                pipeline(json!("gitlab.example.org/o/a//.gitlab-ci.yml@refs/heads/main")),
                "https://gitlab.example.org",
                vec!["https://gitlab.example.org/o/a//.gitlab-ci.yml@refs/heads/main".to_owned()],
            ),
            (
                json!({"iss": "i", "sub": "s", "kubernetes.io": {"namespace": "n", "serviceaccount": {"name": "a"}}}),
                "i",
                vec!["https://kubernetes.io/namespaces/n/serviceaccounts/a".to_owned()],
            ),
            (
                json!({"iss": "i", "sub": "spiffe://org/ci"}),
                "i",
                vec!["spiffe://org/ci".to_owned()],
            ),
        ] {
            let issuer = issuer.to_owned();
            assert_eq!(named(&claims), Some(Named { issuer, subjects }), "{claims}");
        }
        for claims in [
            json!({"iss": "i", "sub": "1"}),
            json!({"sub": "spiffe://a"}),
            // The pipeline's file is elsewhere.
            pipeline(Value::Null),
            json!(1),
        ] {
            assert_eq!(named(&claims), None, "{claims}");
        }
    }
}
