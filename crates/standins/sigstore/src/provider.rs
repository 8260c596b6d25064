//! The OIDC provider of an instance, and how its Fulcio finds the keys of any provider (OpenID Connect Discovery 1.0).

use jiff::Timestamp;
use serde_json::{Value, json};
use weir_registry::{ClientOptions, http_client};

use crate::Sigstore;
use crate::authority::Holder;
use crate::token::{AUDIENCE, InvalidToken, Token, proven};
use crate::workload::holder;

/// The longest document of a provider that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;

impl Sigstore {
    /// The issuer of the tokens that the instance's own OIDC provider makes: an address below which its discovery document is.
    pub fn issuer(&self) -> String {
        format!("{}/oidc", self.0.url)
    }

    /// The discovery document (section 3).
    pub(crate) fn configuration(&self) -> Value {
        let issuer = self.issuer();
        json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/jwks"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }

    /// The provider's public keys.
    pub(crate) fn provider_keys(&self) -> Value {
        json!({ "keys": [self.0.provider.public()] })
    }

    /// Whose certificate a token gets, and what its holder signs to show that they have their key. Tokens of providers that
    /// the instance knows are checked with the keys that those publish now; all others must be its own tokens for anybody.
    pub(crate) async fn admit(&self, token: &str, now: Timestamp) -> Result<(Holder, String), InvalidToken> {
        let token = Token::read(token)?;
        let issuer = token.issuer();
        if issuer != self.issuer() && !self.0.issuers.iter().any(|known| known == issuer) {
            return self.read_token(&token, now);
        }
        let keys = discover(issuer).await.map_err(InvalidToken::Discovery)?;
        let claims = token.check(&keys, AUDIENCE, now)?;
        let proven = proven(claims).ok_or(InvalidToken::Nobody)?.to_owned();
        Ok((holder(issuer, claims).ok_or(InvalidToken::Nobody)?, proven))
    }
}

/// The keys that an issuer publishes.
async fn discover(issuer: &str) -> Result<Vec<Value>, String> {
    let http = http_client(&ClientOptions::default()).map_err(|error| error.to_string())?;
    let configuration = get(&http, &format!("{issuer}/.well-known/openid-configuration")).await?;
    // Section 4.3: or a document copied from elsewhere would do.
    if configuration["issuer"] != issuer {
        return Err("its discovery document is about another issuer".to_owned());
    }
    let place = configuration["jwks_uri"].as_str().ok_or("it publishes no keys")?;
    let keys = get(&http, place).await?;
    Ok(keys["keys"].as_array().cloned().unwrap_or_default())
}

async fn get(http: &reqwest::Client, url: &str) -> Result<Value, String> {
    let failed = |error: reqwest::Error| format!("{url}: {}", error.without_url());
    let mut answer = http.get(url).send().await.map_err(failed)?;
    if !answer.status().is_success() {
        return Err(format!("{url} answered {}", answer.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(format!("{url} does not end"));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|error| format!("{url}: {error}"))
}
