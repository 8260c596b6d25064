//! Whom a request is made for.

use http::HeaderValue;
use http::request::Builder;

/// A user to impersonate. There is no empty identity: without impersonation headers the API server would
/// take a request as the controller's own (security case N53).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    user: String,
}

/// A namespace or name that can't be part of a user name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{namespace}/{name}` names no ServiceAccount: both parts must be valid Kubernetes names")]
pub struct InvalidServiceAccount {
    namespace: String,
    name: String,
}

impl Identity {
    /// The user of a ServiceAccount: `system:serviceaccount:<namespace>:<name>`. The API server adds the
    /// groups of service accounts by itself.
    pub fn service_account(namespace: &str, name: &str) -> Result<Self, InvalidServiceAccount> {
        // RFC 1123: anything else could change which user the joined text names.
        let valid = |part: &str| {
            !part.is_empty()
                && part.len() <= 253
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
        };
        if valid(namespace) && valid(name) {
            Ok(Self {
                user: format!("system:serviceaccount:{namespace}:{name}"),
            })
        } else {
            Err(InvalidServiceAccount {
                namespace: namespace.into(),
                name: name.into(),
            })
        }
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn stamp(&self, request: Builder) -> Builder {
        // The constructor admits only characters that are valid in a header.
        match HeaderValue::from_str(&self.user) {
            Ok(value) => request.header("Impersonate-User", value),
            Err(_) => request.header("Impersonate-User", HeaderValue::from_static("system:anonymous")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n53_an_empty_or_crafted_service_account_is_no_identity() {
        for (namespace, name) in [
            ("", "flux"),
            ("apps", ""),
            ("a:b", "c"),
            ("apps", "x y"),
            ("apps", "a\nb"),
        ] {
            assert!(
                Identity::service_account(namespace, name).is_err(),
                "{namespace}/{name}"
            );
        }
        assert_eq!(
            Identity::service_account("apps", "flux").unwrap().user(),
            "system:serviceaccount:apps:flux"
        );
    }
}
