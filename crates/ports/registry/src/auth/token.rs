//! Tokens, one for each keychain, host and set of scopes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;
use url::Url;
use weir_redact::SecretString;

use super::Scopes;

/// What the token protocol promises when the answer is silent.
const DEFAULT_LIFE: Duration = Duration::from_mins(1);
/// A token is renewed this long before it ends, so that it does not end under way.
const MARGIN: Duration = Duration::from_secs(10);
/// No token is kept longer, whatever the service says.
const LONGEST_LIFE: Duration = Duration::from_hours(1);
/// Tokens kept at once; a controller reads from many repositories over months.
const MOST: usize = 1024;

type Key = (String, Scopes);
type Slot = Arc<tokio::sync::Mutex<Option<Token>>>;

/// The cache. Each slot has its own lock, so that a token is asked for once however many wait for it.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<BTreeMap<Key, Slot>>);

/// A bearer token and when it ends.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) secret: SecretString,
    until: Instant,
}

impl Tokens {
    pub(crate) fn slot(&self, host: &str, scopes: &Scopes) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST {
            slots.clear();
        }
        slots
            .entry((host.to_owned(), scopes.clone()))
            .or_default()
            .clone()
    }
}

impl Token {
    /// A token that is kept for `life`, or for the default when nothing is said.
    pub(crate) fn new(secret: SecretString, life: Option<Duration>) -> Self {
        let life = life.unwrap_or(DEFAULT_LIFE).min(LONGEST_LIFE);
        Self {
            secret,
            until: Instant::now() + life.saturating_sub(MARGIN),
        }
    }

    pub(crate) fn is_fresh(&self) -> bool {
        Instant::now() < self.until
    }
}

/// The answer of a token service.
#[derive(Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    token: Option<SecretString>,
    #[serde(default)]
    access_token: Option<SecretString>,
    #[serde(default)]
    expires_in: Option<f64>,
}

impl Answer {
    pub(crate) fn token(self) -> Option<Token> {
        let secret = [self.token, self.access_token]
            .into_iter()
            .flatten()
            .find(|secret| !secret.expose().is_empty())?;
        let life = self
            .expires_in
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Some(Token::new(secret, life))
    }
}

/// The address of a token request by GET.
pub(crate) fn get_url(realm: &Url, service: Option<&str>, scopes: &[String]) -> Url {
    let mut url = realm.clone();
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = service {
            query.append_pair("service", service);
        }
        for scope in scopes {
            query.append_pair("scope", scope);
        }
    }
    url
}

/// The form of an OAuth2 request with a refresh token.
pub(crate) fn refresh_form(refresh: &SecretString, service: Option<&str>, scopes: &[String]) -> SecretString {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token")
        .append_pair("client_id", "weir")
        .append_pair("refresh_token", refresh.expose());
    if let Some(service) = service {
        form.append_pair("service", service);
    }
    if !scopes.is_empty() {
        form.append_pair("scope", &scopes.join(" "));
    }
    SecretString::new(form.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_spelling_of_the_token_is_read() {
        let read = |json: &str| serde_json::from_str::<Answer>(json).unwrap().token();
        assert_eq!(read(r#"{"token":"a"}"#).unwrap().secret.expose(), "a");
        assert_eq!(
            read(r#"{"token":"","access_token":"b","expires_in":300}"#)
                .unwrap()
                .secret
                .expose(),
            "b"
        );
        assert!(read(r#"{"token":"a","expires_in":5}"#).is_some_and(|token| !token.is_fresh()));
        assert!(read(r#"{"token":"a","expires_in":-5}"#).is_some());
        assert!(read("{}").is_none());
    }
}
