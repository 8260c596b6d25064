//! A registry's name and a path in it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Docker Hub's name as a registry, which is also what its short form `docker.io` means
/// (go-containerregistry's rule; cosign payloads and Docker's `config.json` use this spelling).
const DOCKER_HUB: &str = "index.docker.io";
/// The longest repository path that registries accept.
const MAX_PATH: usize = 255;

/// A repository: a registry (host, perhaps with a port) and a path.
///
/// Read from `ghcr.io/org/app`, `oci://ghcr.io/org/app` or, as every Docker tool reads it, `org/app`, which is
/// `index.docker.io/org/app`. It never carries a tag or a digest, and no user name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: String,
    path: String,
}

impl Repository {
    /// Puts a repository together from a registry (`host` or `host:port`) and a path.
    ///
    /// # Errors
    /// When either is outside the distribution reference grammar.
    pub fn new(registry: &str, path: &str) -> Result<Self, InvalidRepository> {
        if !is_registry(registry) {
            return Err(InvalidRepository::Registry(clip(registry)));
        }
        if path.is_empty() {
            return Err(InvalidRepository::NoPath(clip(registry)));
        }
        let registry = if registry == "docker.io" {
            DOCKER_HUB
        } else {
            registry
        };
        let path = if registry == DOCKER_HUB && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        if path.len() > MAX_PATH || !path.split('/').all(is_component) {
            return Err(InvalidRepository::Path(clip(&path)));
        }
        Ok(Self {
            registry: registry.to_ascii_lowercase(),
            path,
        })
    }

    /// The registry: a host name or address, with `:port` when one was given. In lower case.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path inside the registry, such as `org/app`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A repository below this one: `child("addons/dns")` of `ghcr.io/org` is `ghcr.io/org/addons/dns`.
    ///
    /// # Errors
    /// When the longer path is no path of a repository.
    pub fn child(&self, path: &str) -> Result<Self, InvalidRepository> {
        Self::new(&self.registry, &format!("{}/{path}", self.path))
    }

    /// This repository at a tag.
    pub fn at_tag(&self, tag: crate::Tag) -> crate::Reference {
        crate::Reference::new(self.clone(), Some(tag), None)
    }

    /// This repository at a digest.
    pub fn at_digest(&self, digest: crate::Digest) -> crate::Reference {
        crate::Reference::new(self.clone(), None, Some(digest))
    }
}

/// Parses text that must not carry a tag or digest.
impl FromStr for Repository {
    type Err = InvalidRepository;

    fn from_str(text: &str) -> Result<Self, InvalidRepository> {
        let is_url = text.starts_with("oci://");
        let bare = text.strip_prefix("oci://").unwrap_or(text);
        if bare.contains("://") {
            return Err(InvalidRepository::Scheme(clip(text)));
        }
        let bare = bare.trim_end_matches('/');
        // As Docker and go-containerregistry decide: a host has a dot or a port, or is localhost.
        let is_host = |first: &str| first.contains(['.', ':', '[']) || first == "localhost";
        match bare.split_once('/') {
            Some((first, rest)) if is_host(first) => Self::new(first, rest),
            // `docker pull ghcr.io` means Docker Hub, but nobody writes `oci://ghcr.io` and means that.
            None if is_url && is_host(bare) => Err(InvalidRepository::NoPath(clip(bare))),
            _ => Self::new(DOCKER_HUB, bare),
        }
    }
}

/// `host`, `host:port`, `[::1]`, `[::1]:port`, each part in the distribution grammar.
fn is_registry(text: &str) -> bool {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let Some((address, after)) = rest.split_once(']') else {
            return false;
        };
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return false;
        }
        match after.strip_prefix(':') {
            Some(port) => (None, Some(port)),
            None if after.is_empty() => (None, None),
            None => return false,
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(text), None),
        }
    };
    let port_ok = port.is_none_or(|port| {
        !port.is_empty()
            && port.len() <= 5
            && port.bytes().all(|c| c.is_ascii_digit())
            && port.parse::<u16>().is_ok()
    });
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    port_ok && host.is_none_or(|host| host.len() <= 253 && host.split('.').all(label))
}

/// `[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`
fn is_component(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !text.starts_with(word) || !text.ends_with(word) {
        return false;
    }
    text.split(word)
        .filter(|between| !between.is_empty())
        .all(|between| matches!(between, "." | "_" | "__") || between.bytes().all(|c| c == b'-'))
}

fn clip(text: &str) -> String {
    text.chars().take(300).collect()
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Repository({self})")
    }
}

impl Serialize for Repository {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Repository {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Why text names no repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRepository {
    /// Another scheme than `oci://`.
    #[error("{0:?} has a scheme other than oci://")]
    Scheme(String),
    /// The part before the first slash is no host.
    #[error("{0:?} is no registry: expected a host name or address, perhaps with a port")]
    Registry(String),
    /// A registry alone.
    #[error("{0:?} names a registry but no repository in it")]
    NoPath(String),
    /// The path is outside the grammar.
    #[error("{0:?} is no repository path: expected lower-case letters, digits and single . _ - between them")]
    Path(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, registry: &str, path: &str) {
        let repository: Repository = text.parse().unwrap();
        assert_eq!(
            (repository.registry(), repository.path()),
            (registry, path),
            "{text}"
        );
    }

    #[test]
    fn hosts_are_told_from_docker_hub_paths() {
        check("oci://ghcr.io/a/b", "ghcr.io", "a/b");
        check("localhost/a", "localhost", "a");
        check("localhost:5000/a__b/c--d", "localhost:5000", "a__b/c--d");
        check("[::1]:5000/a", "[::1]:5000", "a");
        check("nginx", "index.docker.io", "library/nginx");
        check("docker.io/nginx", "index.docker.io", "library/nginx");
        check("fluxcd/flux-cli", "index.docker.io", "fluxcd/flux-cli");
        check("Ghcr.IO/a", "ghcr.io", "a");
    }

    #[test]
    fn what_is_outside_the_grammar_is_refused() {
        for text in [
            "",
            "oci://ghcr.io",
            "oci://ghcr.io/",
            "https://ghcr.io/a",
            "ghcr.io/A",
            "ghcr.io/a//b",
            "ghcr.io/a/../b",
            "ghcr.io/a._b",
            "ghcr.io/a___b",
            "ghcr.io/-a",
            "me:secret@ghcr.io/a",
            "ghcr.io:http/a",
            "ghcr.io:99999/a",
            "gh_cr.io/a",
            "[::g]/a",
            "ghcr.io/a:tag",
            "ghcr.io/a@sha256:00",
        ] {
            assert!(text.parse::<Repository>().is_err(), "{text}");
        }
        assert!(
            format!("ghcr.io/{}", "a".repeat(256))
                .parse::<Repository>()
                .is_err()
        );
    }
}
