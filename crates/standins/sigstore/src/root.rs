//! The documents that describe the instance: for those who verify, and for those who sign.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::key::sha256;
use crate::{Rekor, Sigstore};

/// Where the services are when nobody can reach them.
pub(crate) const NOWHERE: &str = "https://sigstore.standin.example";

/// The host in a URL, which is what a tiled log signs under.
pub(crate) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

impl Sigstore {
    /// The trust root, in Sigstore's JSON form.
    pub fn trusted_root(&self) -> Value {
        let inner = &self.0;
        let window = json!({ "start": inner.from.to_string() });
        let key = |spki: &[u8], details: &str| {
            json!({
                "rawBytes": STANDARD.encode(spki),
                "keyDetails": details,
                "validFor": window,
            })
        };
        let log = |rekor, name: &str, details: &str| {
            let (spki, id) = self.with_log(rekor, |log| (log.spki(), log.id()));
            json!({
                "baseUrl": format!("{}/{name}", inner.url),
                "hashAlgorithm": "SHA2_256",
                "publicKey": key(&spki, details),
                "logId": { "keyId": STANDARD.encode(id) },
            })
        };
        let chain = |certificates: &[&[u8]]| {
            let list: Vec<Value> = certificates
                .iter()
                .map(|der| json!({ "rawBytes": STANDARD.encode(der) }))
                .collect();
            json!({ "certificates": list })
        };
        let ct_key = inner.authority.log.spki();
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [
                log(Rekor::V1, "rekor", "PKIX_ECDSA_P256_SHA_256"),
                log(Rekor::V2, "rekor2", "PKIX_ED25519"),
            ],
            "certificateAuthorities": [{
                "subject": { "organization": "weir", "commonName": "weir stand-in" },
                "uri": format!("{}/fulcio", inner.url),
                "certChain": chain(&[
                    &inner.authority.intermediate_certificate,
                    &inner.authority.root_certificate,
                ]),
                "validFor": window,
            }],
            "ctlogs": [{
                "baseUrl": format!("{}/ctfe", inner.url),
                "hashAlgorithm": "SHA2_256",
                "publicKey": key(&ct_key, "PKIX_ECDSA_P256_SHA_256"),
                "logId": { "keyId": STANDARD.encode(sha256(&ct_key)) },
            }],
            "timestampAuthorities": [{
                "subject": { "organization": "weir", "commonName": "weir stand-in" },
                "uri": format!("{}/tsa/api/v1/timestamp", inner.url),
                "certChain": chain(&[&inner.stamps.certificate, &inner.stamps.root_certificate]),
                "validFor": window,
            }],
        })
    }

    /// Where to sign, with a log of this protocol, in Sigstore's JSON form.
    pub fn signing_config(&self, rekor: Rekor) -> Value {
        let inner = &self.0;
        let service = |path: &str, version: u8| {
            json!({
                "url": format!("{}/{path}", inner.url),
                "majorApiVersion": version,
                "validFor": { "start": inner.from.to_string() },
                "operator": "weir",
            })
        };
        let log = match rekor {
            Rekor::V1 => service("rekor", 1),
            Rekor::V2 => service("rekor2", 2),
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service("fulcio", 1)],
            "oidcUrls": [service("oidc", 1)],
            "rekorTlogUrls": [log],
            "rekorTlogConfig": { "selector": "ANY" },
            "tsaUrls": [service("tsa/api/v1/timestamp", 1)],
            "tsaConfig": { "selector": "ANY" },
        })
    }
}
