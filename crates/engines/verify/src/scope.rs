//! Which addresses a rule is about.
//!
//! Addresses come from those whom the rule holds, so several ways to write one are the same: letters of the host in upper case,
//! a dot at its end, the ports that nobody has to write, empty parts of the path, Docker Hub's names. What cannot be told counts
//! as covered, since a rule can only refuse.

use std::fmt;
use std::str::FromStr;

use weir_oci::Repository;

/// How the addresses begin that a rule is about. Whole parts of the path are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    text: String,
    address: Address,
}

/// Why a text is no prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("prefix {text:?} {why}")]
pub struct InvalidPrefix {
    text: String,
    why: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    is_oci: bool,
    host: String,
    path: Vec<String>,
}

impl Prefix {
    /// Whether `url` begins so.
    pub fn covers(&self, url: &str) -> bool {
        let Some(address) = Address::read(url) else {
            return true;
        };
        let prefix = &self.address;
        if prefix.is_oci != address.is_oci || prefix.host != address.host {
            return false;
        }
        address.is_unclear() || address.path.starts_with(&prefix.path)
    }
}

impl FromStr for Prefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let invalid = |why| InvalidPrefix {
            text: text.chars().take(300).collect(),
            why,
        };
        let address = Address::split(text).ok_or_else(|| {
            invalid("is no address: it must begin with oci://, http:// or https:// and name a host")
        })?;
        if address.is_unclear() || text.contains(['?', '#', '@']) {
            return Err(invalid("must be a host and plain parts of a path"));
        }
        let is_host = address.host.contains(['.', ':', '[']) || address.host == "localhost";
        if address.is_oci && !is_host {
            return Err(invalid(
                "names no registry: write its host, which is docker.io for Docker Hub",
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            address,
        })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Address {
    /// The address that `url` is for whoever fetches from it.
    fn read(url: &str) -> Option<Self> {
        if !url.starts_with("oci://") {
            return Self::split(url);
        }
        let repository: Repository = url.parse().ok()?;
        Self::split(&format!("oci://{repository}"))
    }

    fn split(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let is_oci = match scheme.to_ascii_lowercase().as_str() {
            "oci" => true,
            "http" | "https" => false,
            _ => return None,
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = canonical(host);
        if host.is_empty() {
            return None;
        }
        let parts = path.split('/').filter(|part| !part.is_empty());
        Some(Self {
            is_oci,
            host,
            path: parts.map(str::to_owned).collect(),
        })
    }

    /// Whether the path may mean another one.
    fn is_unclear(&self) -> bool {
        let unclear = |part: &String| part == "." || part == ".." || part.contains(['%', '\\']);
        self.path.iter().any(unclear)
    }
}

/// A host with the port that is not the usual one, in one spelling.
fn canonical(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let host = [":443", ":80"]
        .iter()
        .find_map(|port| host.strip_suffix(port))
        .unwrap_or(&host);
    let host = host.trim_end_matches('.');
    match host {
        "docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => "index.docker.io".to_owned(),
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(prefix: &str, url: &str) -> bool {
        prefix.parse::<Prefix>().unwrap().covers(url)
    }

    #[test]
    fn whole_parts_of_the_path_are_compared() {
        for url in [
            "oci://ghcr.io/org",
            "oci://ghcr.io/org/",
            "oci://ghcr.io/org/app",
            "oci://ghcr.io/org/a/b",
        ] {
            assert!(covers("oci://ghcr.io/org", url), "{url}");
            assert!(covers("oci://ghcr.io/org/", url), "{url}");
            assert!(covers("oci://ghcr.io", url), "{url}");
        }
        for url in [
            "oci://ghcr.io/org-evil/app",
            "oci://ghcr.io/organisation",
            "oci://ghcr.io/other/org",
            "oci://ghcr.io.example/org",
            "oci://example.com/ghcr.io/org",
            "https://ghcr.io/org",
        ] {
            assert!(!covers("oci://ghcr.io/org", url), "{url}");
        }
    }

    #[test]
    fn other_spellings_of_an_address_are_covered() {
        for url in [
            "oci://GHCR.io/org/app",
            "oci://ghcr.io:443/org/app",
            "oci://ghcr.io:80/org/app",
            // No repository: it will not be fetched, and what cannot be told counts as covered.
            "oci://ghcr.io./org/app",
            "oci://ghcr.io//org/app",
            "oci://",
        ] {
            assert!(covers("oci://ghcr.io/org", url), "{url}");
        }
        for url in [
            "oci://docker.io/nginx",
            "oci://index.docker.io/library/nginx",
            "oci://nginx",
            "oci://registry-1.docker.io/library/nginx",
        ] {
            assert!(covers("oci://docker.io/library", url), "{url}");
        }
        for url in [
            "https://Charts.example./stable/x",
            "http://user@charts.example:80//stable",
            "https://charts.example/other/../stable",
            "https://charts.example/%73table",
        ] {
            assert!(covers("https://charts.example/stable", url), "{url}");
        }
        assert!(!covers(
            "https://charts.example/stable",
            "https://charts.example/other?/stable"
        ));
    }

    #[test]
    fn what_is_no_prefix_is_refused() {
        for text in [
            "",
            "ghcr.io/org",
            "oci://",
            "oci:///org",
            "ftp://host/x",
            "oci://org",
            "oci://org/app",
            "oci://ghcr.io/org/../x",
            "oci://ghcr.io/%6frg",
            "https://host/a?b",
        ] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
    }
}
