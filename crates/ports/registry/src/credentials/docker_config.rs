//! Docker's `config.json` and Kubernetes' `dockerconfigjson` and `dockercfg` secrets.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use weir_oci::Repository;
use weir_redact::SecretString;

use super::{Credential, CredentialError, helper};

/// `auth` comes with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A parsed configuration.
///
/// An entry is found by the repository's host, in which `*` may stand for a label's text as in Kubernetes, and
/// the longest path that leads to the repository. Schemes, `/v1/` and `/v2/` in keys do not matter.
#[derive(Debug, Clone, Default)]
pub struct DockerConfig {
    entries: Vec<Entry>,
    /// The helper for everything without one of its own.
    store: Option<String>,
    helpers: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Entry {
    host: String,
    path: String,
    credential: Credential,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    auths: Option<BTreeMap<String, WireAuth>>,
    #[serde(default)]
    creds_store: Option<String>,
    #[serde(default)]
    cred_helpers: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireAuth {
    auth: Option<SecretString>,
    username: Option<SecretString>,
    password: Option<SecretString>,
    identitytoken: Option<SecretString>,
    registrytoken: Option<SecretString>,
}

impl DockerConfig {
    /// Reads a user's own `config.json`. Its credential helpers are programs that will be run, so the text
    /// must come from whoever runs weir.
    ///
    /// # Errors
    /// See [`InvalidDockerConfig`].
    pub fn from_own_file(json: &[u8]) -> Result<Self, InvalidDockerConfig> {
        let wire = parse::<Wire>(json)?;
        let store = wire.creds_store.filter(|name| !name.is_empty());
        let helpers = wire
            .cred_helpers
            .unwrap_or_default()
            .into_iter()
            .filter(|(_, name)| !name.is_empty())
            .map(|(key, name)| (split_key(&key).0, name))
            .collect::<BTreeMap<_, _>>();
        for name in store.iter().chain(helpers.values()) {
            helper::check_name(name).map_err(|_| InvalidDockerConfig::Helper)?;
        }
        Ok(Self {
            entries: entries(wire.auths.unwrap_or_default())?,
            store,
            helpers,
        })
    }

    /// Reads the value of `.dockerconfigjson` in a Secret of type `kubernetes.io/dockerconfigjson`. Credential
    /// helpers in it are ignored: a tenant's Secret must never become a command line (security case N52).
    ///
    /// # Errors
    /// See [`InvalidDockerConfig`].
    pub fn from_secret(json: &[u8]) -> Result<Self, InvalidDockerConfig> {
        let wire = parse::<Wire>(json)?;
        Ok(Self {
            entries: entries(wire.auths.unwrap_or_default())?,
            ..Self::default()
        })
    }

    /// Reads the value of `.dockercfg` in a Secret of type `kubernetes.io/dockercfg`: the older form, which is
    /// the `auths` alone.
    ///
    /// # Errors
    /// See [`InvalidDockerConfig`].
    pub fn from_legacy_secret(json: &[u8]) -> Result<Self, InvalidDockerConfig> {
        Ok(Self {
            entries: entries(parse(json)?)?,
            ..Self::default()
        })
    }

    /// Whether it can answer for nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.store.is_none() && self.helpers.is_empty()
    }

    pub(super) fn covers(&self, repository: &Repository) -> bool {
        self.store.is_some()
            || self.helpers.contains_key(repository.registry())
            || self.entry(repository).is_some()
    }

    /// A helper of the registry's own wins over entries, and entries over the general helper: Docker leaves
    /// empty entries behind where a helper holds the secret, and those are dropped when reading.
    pub(super) async fn lookup(
        &self,
        repository: &Repository,
    ) -> Result<Option<Credential>, CredentialError> {
        if let Some(name) = self.helpers.get(repository.registry()) {
            return helper::get(name, repository.registry()).await;
        }
        if let Some(entry) = self.entry(repository) {
            return Ok(Some(entry.credential.clone()));
        }
        match &self.store {
            Some(name) => helper::get(name, repository.registry()).await,
            None => Ok(None),
        }
    }

    fn entry(&self, repository: &Repository) -> Option<&Entry> {
        self.entries
            .iter()
            .filter(|entry| host_matches(&entry.host, repository.registry()))
            .filter(|entry| leads_to(&entry.path, repository.path()))
            .max_by_key(|entry| (entry.path.len(), !entry.host.contains('*'), entry.host.len()))
    }
}

fn parse<T: for<'de> Deserialize<'de>>(json: &[u8]) -> Result<T, InvalidDockerConfig> {
    // The parser's own message may quote the text, which holds secrets: only the place is kept.
    serde_json::from_slice(json).map_err(|err| InvalidDockerConfig::Json {
        line: err.line(),
        column: err.column(),
    })
}

fn entries(auths: BTreeMap<String, WireAuth>) -> Result<Vec<Entry>, InvalidDockerConfig> {
    let mut entries = Vec::new();
    for (key, auth) in auths {
        let (host, path) = split_key(&key);
        if let Some(credential) = credential(auth, &host)? {
            entries.push(Entry {
                host,
                path,
                credential,
            });
        }
    }
    Ok(entries)
}

fn credential(auth: WireAuth, host: &str) -> Result<Option<Credential>, InvalidDockerConfig> {
    let given = |value: Option<SecretString>| value.filter(|value| !value.expose().is_empty());
    if let Some(token) = given(auth.identitytoken) {
        return Ok(Some(Credential::Identity(token)));
    }
    if let Some(token) = given(auth.registrytoken) {
        return Ok(Some(Credential::Bearer(token)));
    }
    if let Some(auth) = given(auth.auth) {
        let wrong = || InvalidDockerConfig::Auth(host.to_owned());
        let decoded = BASE64.decode(auth.expose().trim()).map_err(|_| wrong())?;
        let text = SecretString::new(String::from_utf8(decoded).map_err(|_| wrong())?);
        let (username, password) = text.expose().split_once(':').ok_or_else(wrong)?;
        // Docker pads with NUL.
        return Ok(Some(Credential::basic(username, password.trim_end_matches('\0'))));
    }
    match (given(auth.username), given(auth.password)) {
        (Some(username), Some(password)) => Ok(Some(Credential::Basic { username, password })),
        _ => Ok(None),
    }
}

/// Host and path of a key such as `ghcr.io`, `ghcr.io/org` or `https://index.docker.io/v1/`.
pub(super) fn split_key(key: &str) -> (String, String) {
    let bare = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let host = match host.to_ascii_lowercase().as_str() {
        "docker.io" | "registry-1.docker.io" => "index.docker.io".to_owned(),
        host => host.to_owned(),
    };
    let path = path.trim_matches('/');
    let path = match path {
        "v1" | "v2" => "",
        path => path
            .strip_prefix("v1/")
            .or_else(|| path.strip_prefix("v2/"))
            .unwrap_or(path),
    };
    (host, path.to_owned())
}

/// Label by label, with `*` for any text within one; ports must be equal.
fn host_matches(pattern: &str, host: &str) -> bool {
    let split = |text: &str| match text.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|c| c.is_ascii_digit()) => (name.to_owned(), port.to_owned()),
        _ => (text.to_owned(), String::new()),
    };
    let ((pattern, pattern_port), (host, port)) = (split(pattern), split(host));
    let (patterns, labels): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), host.split('.').collect());
    pattern_port == port
        && patterns.len() == labels.len()
        && patterns
            .iter()
            .zip(&labels)
            .all(|(pattern, label)| label_matches(pattern, label))
}

fn label_matches(pattern: &str, label: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| label.strip_prefix(first)) else {
        return false;
    };
    let mut rest = rest;
    let mut last = None;
    for part in parts {
        if let Some(part) = last.replace(part) {
            let Some((_, after)) = rest.split_once(part) else {
                return false;
            };
            rest = after;
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

/// Whether `prefix` is `path` or a folder above it.
fn leads_to(prefix: &str, path: &str) -> bool {
    prefix.is_empty()
        || path
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Why text is no Docker configuration. Quotes nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDockerConfig {
    /// No JSON of the right shape.
    #[error("the docker configuration is no valid JSON at line {line}, column {column}")]
    Json {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// `auth` is not base64 of `user:password`.
    #[error("the docker configuration's entry for {0:?} has an auth that is not base64 of user:password")]
    Auth(String),
    /// A helper's name that could be a path.
    #[error("the docker configuration names a credential helper that is no plain word")]
    Helper,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> DockerConfig {
        DockerConfig::from_secret(json.as_bytes()).unwrap()
    }

    fn username(config: &DockerConfig, repository: &str) -> Option<String> {
        match &config.entry(&repository.parse().unwrap())?.credential {
            Credential::Basic { username, .. } => Some(username.expose().clone()),
            _ => None,
        }
    }

    #[test]
    fn the_longest_path_wins_and_hosts_are_exact_or_globbed() {
        let config = config(
            r#"{"auths":{
                "ghcr.io":{"username":"host","password":"x"},
                "ghcr.io/org":{"username":"org","password":"x"},
                "https://ghcr.io/v2/org/app/":{"username":"app","password":"x"},
                "*.example.com":{"username":"glob","password":"x"},
                "https://index.docker.io/v1/":{"auth":"aHViOng="},
                "gone.io":{}
            }}"#,
        );
        for (repository, expected) in [
            ("ghcr.io/other/app", Some("host")),
            ("ghcr.io/org/web", Some("org")),
            ("ghcr.io/organisation/web", Some("host")),
            ("ghcr.io/org/app", Some("app")),
            ("r.example.com/a", Some("glob")),
            ("a.b.example.com/a", None),
            ("example.com/a", None),
            ("r.example.com:5000/a", None),
            ("nginx", Some("hub")),
            ("gone.io/a", None),
        ] {
            assert_eq!(username(&config, repository).as_deref(), expected, "{repository}");
        }
    }

    #[test]
    fn tokens_win_over_passwords() {
        let config =
            config(r#"{"auths":{"a.io":{"auth":"eDp5","identitytoken":"t"},"b.io":{"registrytoken":"r"}}}"#);
        let entry = |name: &str| config.entry(&name.parse().unwrap()).unwrap().credential.clone();
        assert_eq!(entry("a.io/x"), Credential::Identity("t".into()));
        assert_eq!(entry("b.io/x"), Credential::Bearer("r".into()));
    }

    #[test]
    fn n52_a_secret_never_names_a_program() {
        let json = br#"{"auths":{},"credsStore":"evil","credHelpers":{"ghcr.io":"evil"}}"#;
        assert!(DockerConfig::from_secret(json).unwrap().is_empty());
        assert!(!DockerConfig::from_own_file(json).unwrap().is_empty());
        let json = br#"{"credsStore":"../evil"}"#;
        assert_eq!(
            DockerConfig::from_own_file(json).unwrap_err(),
            InvalidDockerConfig::Helper
        );
    }

    #[test]
    fn n56_errors_quote_nothing() {
        for json in [
            r#"{"auths":{"a.io":{"auth":"!!s3cr3t"}}}"#,
            r#"{"auths":"s3cr3t"}"#,
            "s3cr3t",
        ] {
            let err = DockerConfig::from_secret(json.as_bytes()).unwrap_err();
            assert!(!format!("{err} {err:?}").contains("s3cr3t"), "{err}");
        }
        let shown = format!(
            "{:?}",
            config(r#"{"auths":{"a.io":{"auth":"dXNlcjpzM2NyM3Q="}}}"#)
        );
        assert!(!shown.contains("s3cr3t") && !shown.contains("dXNlc"), "{shown}");
    }

    #[test]
    fn stars_stay_within_a_label() {
        for (pattern, label, expected) in [
            ("*", "x", true),
            ("a*", "ab", true),
            ("a*c", "abbc", true),
            ("a*c", "ab", false),
            ("", "x", false),
            ("*a*b", "xaxb", true),
            ("a", "ab", false),
        ] {
            assert_eq!(label_matches(pattern, label), expected, "{pattern} {label}");
        }
    }
}
