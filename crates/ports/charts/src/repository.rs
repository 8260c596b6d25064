//! Where a repository's index and charts are.

use std::fmt;

use url::Url;
use weir_redact::redact_url;
use weir_registry::guard;

use crate::http::Login;

/// Largest index that is taken, in bytes, as in Flux.
pub const MAX_INDEX: u64 = 50 << 20;

/// An address that is none, or none that may be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{url}' cannot be used: {why}")]
pub struct UrlError {
    /// As it was given, without secrets.
    pub url: String,
    /// Why not.
    pub why: String,
}

/// A repository that is served over HTTP, and who asks.
#[derive(Clone)]
pub struct Repository {
    url: Url,
    pub(crate) login: Option<Login>,
    /// Whether the login is for other hosts too, where the index names charts there.
    pub(crate) pass_credentials: bool,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

impl Repository {
    /// The repository at an address: the folder that its index is in.
    pub fn new(address: &str) -> Result<Self, UrlError> {
        let wrong = |why: String| UrlError {
            url: redact_url(address),
            why,
        };
        let url: Url = address.parse().map_err(|error| wrong(format!("{error}")))?;
        guard::may_call(&url).map_err(wrong)?;
        Ok(Self {
            url,
            login: None,
            pass_credentials: false,
        })
    }

    /// The same repository, asked with a login; `everywhere` sends it to other hosts too.
    #[must_use]
    pub fn with_login(mut self, login: Login, everywhere: bool) -> Self {
        self.login = Some(login);
        self.pass_credentials = everywhere;
        self
    }

    /// Its address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Where the index is.
    pub fn index(&self) -> Result<Url, UrlError> {
        self.resolve("index.yaml")
    }

    /// What an index means by an address: one that is not whole is in the repository's folder, and is asked with the
    /// repository's query.
    pub fn resolve(&self, reference: &str) -> Result<Url, UrlError> {
        let wrong = |why: String| UrlError {
            url: redact_url(reference),
            why,
        };
        let url = match Url::parse(reference) {
            Ok(whole) => whole,
            Err(url::ParseError::RelativeUrlWithoutBase) => {
                let mut folder = self.url.clone();
                let path = format!("{}/", folder.path().trim_end_matches('/'));
                folder.set_path(&path);
                let mut joined = folder
                    .join(reference)
                    .map_err(|error| wrong(format!("{error}")))?;
                joined.set_query(self.url.query());
                joined
            }
            Err(error) => return Err(wrong(format!("{error}"))),
        };
        guard::may_call(&url).map_err(wrong)?;
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_an_index_are_whole_or_in_the_repositorys_folder() {
        for (repository, reference, expected) in [
            (
                "https://charts.example/stable",
                "index.yaml",
                "https://charts.example/stable/index.yaml",
            ),
            (
                "https://charts.example/stable/",
                "a-1.0.0.tgz",
                "https://charts.example/stable/a-1.0.0.tgz",
            ),
            (
                "https://charts.example",
                "charts/a-1.0.0.tgz",
                "https://charts.example/charts/a-1.0.0.tgz",
            ),
            (
                "https://charts.example/a/b?key=1",
                "../c.tgz?x=2",
                "https://charts.example/a/c.tgz?key=1",
            ),
            (
                "https://charts.example/a",
                "/c.tgz",
                "https://charts.example/c.tgz",
            ),
            (
                "https://charts.example/a",
                "https://cdn.example/c.tgz",
                "https://cdn.example/c.tgz",
            ),
        ] {
            let found = Repository::new(repository).unwrap().resolve(reference).unwrap();
            assert_eq!(found.as_str(), expected, "{repository} {reference}");
        }
    }

    #[test]
    fn n59_addresses_that_may_not_be_called_are_refused() {
        let repository = Repository::new("https://charts.example").unwrap();
        for reference in [
            "http://169.254.169.254/latest/meta-data",
            "https://metadata.google.internal/x.tgz",
            "file:///etc/passwd",
            "oci://registry.example/chart",
            "https://me:secret@charts.example/x.tgz",
        ] {
            let error = repository.resolve(reference).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        assert!(Repository::new("ftp://charts.example").is_err());
    }
}
