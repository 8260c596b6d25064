//! Which `Authorization` a request carries.
//!
//! The first contact with a host asks `/v2/` and learns its challenge, for all clients that share the
//! connections. Tokens belong to one keychain and one set of scopes.

mod challenge;
mod scope;
mod token;

pub(crate) use challenge::Challenge;
pub(crate) use scope::{Access, Scopes};
pub(crate) use token::{Answer as TokenAnswer, Token, Tokens, get_url, refresh_form};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use weir_redact::SecretString;

use crate::credentials::Credential;

/// A header that libraries do not print.
pub(crate) fn sensitive(text: String) -> Option<HeaderValue> {
    let text = SecretString::new(text);
    let mut value = HeaderValue::from_str(text.expose()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

pub(crate) fn basic(username: &SecretString, password: &SecretString) -> Option<HeaderValue> {
    let pair = SecretString::new(format!("{}:{}", username.expose(), password.expose()));
    sensitive(format!("Basic {}", STANDARD.encode(pair.expose())))
}

pub(crate) fn bearer(token: &SecretString) -> Option<HeaderValue> {
    sensitive(format!("Bearer {}", token.expose()))
}

/// What a credential is worth where the registry asks for `Basic`.
pub(crate) fn direct(credential: &Credential) -> Option<HeaderValue> {
    match credential {
        Credential::Basic { username, password } => basic(username, password),
        Credential::Bearer(token) => bearer(token),
        Credential::Identity(_) => None,
    }
}
