//! Credentials and tokens.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HOST, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};

use crate::Registry;
use crate::api::problem;
use crate::options::Auth;
use crate::state::Grant;

/// What a request wants to do: an action on a repository.
#[derive(Debug)]
pub(crate) struct Want<'a> {
    pub(crate) repository: &'a str,
    pub(crate) action: &'static str,
}

impl Registry {
    /// The refusal, when the request may not do all of `wants`.
    pub(crate) fn check(&self, parts: &Parts, wants: &[Want<'_>]) -> Option<Response> {
        let given = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        match &self.options().auth {
            Auth::Open => None,
            Auth::Basic { username, password } => {
                if is_basic(given, username, password) {
                    return None;
                }
                Some(unauthorized("Basic realm=\"weir\"".to_owned()))
            }
            Auth::Bearer { realm, .. } => {
                let state = self.state();
                let grant = given
                    .strip_prefix("Bearer ")
                    .and_then(|token| state.tokens.get(token));
                if let Some(grant) = grant
                    && wants.iter().all(|want| grant.allows(want))
                {
                    return None;
                }
                let host = parts
                    .headers
                    .get(HOST)
                    .and_then(|host| host.to_str().ok())
                    .unwrap_or("localhost");
                let realm = realm.clone().unwrap_or_else(|| format!("http://{host}/token"));
                let scopes: Vec<String> = wants
                    .iter()
                    .map(|want| format!("repository:{}:{}", want.repository, want.action))
                    .collect();
                let scope = if scopes.is_empty() {
                    String::new()
                } else {
                    format!(",scope=\"{}\"", scopes.join(" "))
                };
                Some(unauthorized(format!(
                    "Bearer realm=\"{realm}\",service=\"{host}\"{scope}"
                )))
            }
        }
    }

    /// `/token`: by GET with a password or nothing, by POST with a refresh token.
    pub(crate) fn token(&self, parts: &Parts, body: &[u8]) -> Response {
        let Auth::Bearer {
            username,
            password,
            refresh_token,
            anonymous_pull,
            expires_in,
            ..
        } = &self.options().auth
        else {
            return problem(StatusCode::NOT_FOUND, "UNSUPPORTED", "no tokens here");
        };
        let given = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let mut scopes = Vec::new();
        let known = if parts.method == Method::POST {
            let mut right = false;
            for (name, value) in url::form_urlencoded::parse(body) {
                match name.as_ref() {
                    "refresh_token" => right = refresh_token.as_deref() == Some(value.as_ref()),
                    "scope" => scopes.extend(value.split(' ').map(str::to_owned)),
                    _ => {}
                }
            }
            right
        } else {
            let query = parts.uri.query().unwrap_or_default();
            for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
                if name == "scope" {
                    scopes.extend(value.split(' ').map(str::to_owned));
                }
            }
            given.is_some_and(|given| is_basic(given, username, password))
        };
        if !known && (given.is_some() || parts.method == Method::POST || !anonymous_pull) {
            return problem(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "wrong credentials");
        }
        let token = random();
        self.state()
            .tokens
            .insert(token.clone(), Grant::of(&scopes, known));
        let answer = serde_json::json!({"token": token, "expires_in": expires_in});
        Response::new(Body::from(answer.to_string()))
    }
}

impl Grant {
    /// Whoever is unknown gets the right to pull out of what is asked.
    fn of(scopes: &[String], known: bool) -> Self {
        let mut grant = Self::default();
        for scope in scopes {
            let mut parts = scope.splitn(3, ':');
            if let (Some("repository"), Some(name), Some(actions)) =
                (parts.next(), parts.next(), parts.next())
            {
                let actions: BTreeSet<String> = actions
                    .split(',')
                    .filter(|action| known || *action == "pull")
                    .map(str::to_owned)
                    .collect();
                grant.0.entry(name.to_owned()).or_default().extend(actions);
            }
        }
        grant
    }

    fn allows(&self, want: &Want<'_>) -> bool {
        self.0
            .get(want.repository)
            .is_some_and(|actions| actions.contains(want.action))
    }
}

fn is_basic(given: &str, username: &str, password: &str) -> bool {
    given
        .strip_prefix("Basic ")
        .is_some_and(|given| given == STANDARD.encode(format!("{username}:{password}")))
}

fn unauthorized(challenge: String) -> Response {
    let mut response = problem(
        StatusCode::UNAUTHORIZED,
        "UNAUTHORIZED",
        "authentication required",
    );
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// A name that cannot be guessed.
pub(crate) fn random() -> String {
    weir_oci::Digest::from_bytes(rand::random()).hex()
}
