//! Credentials and where they come from.
//!
//! A [`Keychain`] is asked for a repository and answers with the credential that belongs to it, or with none.
//! It never answers for another host, so a mirror, a redirect or a token service gets nothing by mistake.

mod docker_config;
mod helper;

pub use docker_config::{DockerConfig, InvalidDockerConfig};
pub use helper::HelperError;

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_oci::Repository;
use weir_redact::SecretString;

/// What proves who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user name and a password or token.
    Basic {
        /// The user name. Printed in no error, since some services put tokens here.
        username: SecretString,
        /// The password.
        password: SecretString,
    },
    /// An OAuth2 refresh token, `identitytoken` in Docker's configuration.
    Identity(SecretString),
    /// A bearer token for the registry itself, `registrytoken` in Docker's configuration.
    Bearer(SecretString),
}

impl Credential {
    /// A user name and password.
    pub fn basic(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic {
            username: SecretString::new(username.into()),
            password: SecretString::new(password.into()),
        }
    }
}

/// Where a client looks for credentials: fixed ones by registry first, then Docker configurations in order.
#[derive(Debug, Clone, Default)]
pub struct Keychain {
    fixed: BTreeMap<String, Credential>,
    configs: Vec<Arc<DockerConfig>>,
}

impl Keychain {
    /// A keychain that holds nothing.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Adds a credential for one registry (`host` or `host:port`; `docker.io` is Docker Hub).
    #[must_use]
    pub fn with(mut self, registry: impl Into<String>, credential: Credential) -> Self {
        self.fixed
            .insert(docker_config::split_key(&registry.into()).0, credential);
        self
    }

    /// Adds a Docker configuration; earlier ones win.
    #[must_use]
    pub fn with_docker_config(mut self, config: DockerConfig) -> Self {
        self.configs.push(Arc::new(config));
        self
    }

    /// Whether nothing is in it, so that every request is anonymous.
    pub fn is_anonymous(&self) -> bool {
        self.fixed.is_empty() && self.configs.iter().all(|config| config.is_empty())
    }

    /// Whether there is an entry for `repository`. Helpers are not run: one that may know it counts as yes.
    pub fn covers(&self, repository: &Repository) -> bool {
        self.fixed.contains_key(repository.registry())
            || self.configs.iter().any(|config| config.covers(repository))
    }

    /// The credential for `repository`.
    ///
    /// # Errors
    /// When a credential helper is asked and fails for another reason than not knowing the registry.
    pub async fn lookup(&self, repository: &Repository) -> Result<Option<Credential>, CredentialError> {
        if let Some(credential) = self.fixed.get(repository.registry()) {
            return Ok(Some(credential.clone()));
        }
        for config in &self.configs {
            if let Some(credential) = config.lookup(repository).await? {
                return Ok(Some(credential));
            }
        }
        Ok(None)
    }
}

/// Why credentials could not be got.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// A credential helper failed.
    #[error("the credential helper {name:?} failed for {registry}")]
    Helper {
        /// The helper, without `docker-credential-`.
        name: String,
        /// Which registry it was asked for.
        registry: String,
        /// Why.
        #[source]
        source: HelperError,
    },
    /// The token service refused.
    #[error("the token service at {service} answered with status {status}{problem}")]
    Token {
        /// The host of the token service.
        service: String,
        /// The status.
        status: u16,
        /// What it says.
        problem: crate::Problem,
    },
    /// The token service's answer holds no token.
    #[error("the token service at {0} gave no token")]
    NoToken(String),
}
