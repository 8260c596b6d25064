//! Where to sign: Sigstore's signing configuration, version 0.2, as cosign's `--signing-config` reads it.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use url::Url;

use crate::http::is_safe;

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";

/// Where the public-good instance is, with its Rekor v1 log: those of the second protocol come and go by the year.
const PUBLIC_GOOD: &str = r#"{
  "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
  "caUrls": [{ "url": "https://fulcio.sigstore.dev", "majorApiVersion": 1, "operator": "sigstore.dev" }],
  "rekorTlogUrls": [{ "url": "https://rekor.sigstore.dev", "majorApiVersion": 1, "operator": "sigstore.dev" }],
  "tsaUrls": [
    { "url": "https://timestamp.sigstore.dev/api/v1/timestamp", "majorApiVersion": 1, "operator": "sigstore.dev" }
  ],
  "rekorTlogConfig": { "selector": "ANY" },
  "tsaConfig": { "selector": "ANY" }
}"#;

/// The longest configuration that is read, in bytes. The public-good instance's has about 1,500.
const MAX_BYTES: usize = 1 << 20;

/// The services that make signatures, each with the time in which it is to be used.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningConfig {
    media_type: String,
    #[serde(default)]
    ca_urls: Vec<Service>,
    #[serde(default)]
    rekor_tlog_urls: Vec<Service>,
    #[serde(default)]
    rekor_tlog_config: Selection,
    #[serde(default)]
    tsa_urls: Vec<Service>,
    #[serde(default)]
    tsa_config: Selection,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Service {
    #[serde(deserialize_with = "url")]
    pub(super) url: Url,
    #[serde(default)]
    pub(super) major_api_version: u32,
    #[serde(default)]
    valid_for: Window,
    #[serde(default)]
    operator: String,
}

fn url<'de, D: Deserializer<'de>>(text: D) -> Result<Url, D::Error> {
    String::deserialize(text)?
        .parse()
        .map_err(serde::de::Error::custom)
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Window {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

/// How many of the services of a kind to use.
#[derive(Clone, Debug, Default, Deserialize)]
struct Selection {
    #[serde(default)]
    selector: Selector,
    #[serde(default)]
    count: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Selector {
    #[default]
    #[serde(rename = "SERVICE_SELECTOR_UNDEFINED")]
    Undefined,
    All,
    Any,
    Exact,
}

/// Why a document is no signing configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSigningConfig {
    /// It is longer than any sensible configuration.
    #[error("signing configuration is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// It is no JSON of a configuration's shape.
    #[error("signing configuration is malformed ({0})")]
    Malformed(String),
    /// It is of another kind or version.
    #[error("signing configuration has media type {0:?}, and {MEDIA_TYPE:?} is read")]
    MediaType(String),
    /// A service would be asked over plain HTTP, where tokens can be read on the way.
    #[error("signing configuration names {0}, and only https is used outside of this machine")]
    Insecure(Url),
}

/// Why no service can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signing configuration has {found} of the {wanted} {kind} needed at {at}{}", remark(*.promise))]
pub struct NoService {
    kind: &'static str,
    found: usize,
    wanted: usize,
    at: Timestamp,
    promise: bool,
}

fn remark(promise: bool) -> &'static str {
    if promise {
        "; cosign's older layout needs a Rekor v1 log"
    } else {
        ""
    }
}

impl SigningConfig {
    /// The services of Sigstore's public-good instance, as shipped with weir: everybody can read what is logged there.
    pub fn public_good() -> Self {
        Self::from_json(PUBLIC_GOOD.as_bytes()).expect("the shipped configuration is read by a test")
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// See [`InvalidSigningConfig`].
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidSigningConfig> {
        if json.len() > MAX_BYTES {
            return Err(InvalidSigningConfig::TooLong);
        }
        let config: Self = serde_json::from_slice(json).map_err(|error| {
            InvalidSigningConfig::Malformed(error.to_string().chars().take(100).collect())
        })?;
        if config.media_type != MEDIA_TYPE {
            let found = config.media_type.chars().take(100).collect();
            return Err(InvalidSigningConfig::MediaType(found));
        }
        let all = config.ca_urls.iter().chain(&config.rekor_tlog_urls);
        if let Some(service) = all.chain(&config.tsa_urls).find(|one| !is_safe(&one.url)) {
            return Err(InvalidSigningConfig::Insecure(service.url.clone()));
        }
        Ok(config)
    }
}

/// The services of one signature.
#[derive(Debug)]
pub(super) struct Services {
    pub(super) authority: Service,
    pub(super) logs: Vec<Service>,
    pub(super) timestamps: Vec<Service>,
}

impl Services {
    /// The services to use at `at`; with `promise`, only logs that sign promises (Rekor v1).
    pub(super) fn choose(config: &SigningConfig, at: Timestamp, promise: bool) -> Result<Self, NoService> {
        let missing = |kind, found, wanted, promise| NoService {
            kind,
            found,
            wanted,
            at,
            promise,
        };
        let one = Selection {
            selector: Selector::Any,
            count: 0,
        };
        let authority = select(&config.ca_urls, &one, &[1], at);
        let authority = authority
            .map_err(|(found, wanted)| missing("certificate authorities (Fulcio)", found, wanted, false))?;
        let authority = authority.into_iter().next();
        let authority = authority.ok_or_else(|| missing("certificate authorities (Fulcio)", 0, 1, false))?;
        let versions: &[u32] = if promise { &[1] } else { &[1, 2] };
        let logs = select(&config.rekor_tlog_urls, &config.rekor_tlog_config, versions, at);
        let logs =
            logs.map_err(|(found, wanted)| missing("transparency logs (Rekor)", found, wanted, promise))?;
        // Rekor v1 states a time itself; without it somebody else must.
        let needed = logs.iter().all(|log| log.major_api_version != 1);
        let timestamps = if config.tsa_urls.is_empty() && !needed {
            Vec::new()
        } else {
            select(&config.tsa_urls, &config.tsa_config, &[1], at)
                .map_err(|(found, wanted)| missing("timestamp authorities", found, wanted, false))?
        };
        Ok(Self {
            authority,
            logs,
            timestamps,
        })
    }
}

/// As Sigstore's clients choose: in their time, the highest version that is spoken and the newest of each
/// operator, and of those as many as asked for. Fails with how many there are and how many there must be.
fn select(
    services: &[Service],
    selection: &Selection,
    versions: &[u32],
    at: Timestamp,
) -> Result<Vec<Service>, (usize, usize)> {
    let mut usable: Vec<&Service> = services
        .iter()
        .filter(|one| versions.contains(&one.major_api_version))
        .filter(|one| one.valid_for.start.is_none_or(|start| start <= at))
        .filter(|one| one.valid_for.end.is_none_or(|end| at <= end))
        .collect();
    usable.sort_by_key(|one| std::cmp::Reverse((one.major_api_version, one.valid_for.start)));
    let mut operators: Vec<&str> = Vec::new();
    usable.retain(|one| {
        let new = !operators.contains(&one.operator.as_str());
        if new {
            operators.push(&one.operator);
        }
        new
    });
    let wanted = match selection.selector {
        Selector::All => usable.len().max(1),
        Selector::Exact => selection.count.max(1),
        Selector::Any | Selector::Undefined => 1,
    };
    if usable.len() < wanted {
        return Err((usable.len(), wanted));
    }
    Ok(usable.into_iter().take(wanted).cloned().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Else every signature would be refused by our own verifier.
    #[test]
    fn the_public_services_are_those_of_the_shipped_trust_root() {
        let root = include_bytes!("../../../../engines/verify/data/trusted_root.json");
        let root: Value = serde_json::from_slice(root).unwrap();
        let config = SigningConfig::public_good();
        for promise in [false, true] {
            let chosen = Services::choose(&config, Timestamp::now(), promise).unwrap();
            for (part, field, services) in [
                ("certificateAuthorities", "uri", &[chosen.authority][..]),
                ("tlogs", "baseUrl", &chosen.logs),
                ("timestampAuthorities", "uri", &chosen.timestamps),
            ] {
                assert_eq!(services.len(), 1, "{part}");
                for service in services {
                    let mut known = root[part].as_array().unwrap().iter();
                    let same = |one: &Value| one[field].as_str().unwrap().parse() == Ok(service.url.clone());
                    assert!(known.any(same), "{} is not in the root", service.url);
                }
            }
        }
    }
}
