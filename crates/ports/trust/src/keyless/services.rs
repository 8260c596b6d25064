//! The protocols: of Fulcio (v2), of Rekor (v1 and v2), of timestamps over HTTP (RFC 3161).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use url::Url;
use weir_oci::media_type;
use weir_verify::pre_authentication_encoding;

use super::config::Service;
use super::material::{Signed, envelope};
use super::{IdentityToken, KeylessError};
use crate::http::{CallError, Http, Place};
use crate::key::{SigningKey, pem_content};

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'p> {
    /// An in-toto statement, in an envelope, for a bundle.
    Statement(&'p [u8]),
    /// The same for cosign's older layout.
    Attestation(&'p [u8]),
    /// A payload of cosign's older layout.
    Payload(&'p [u8]),
    /// A file, for a bundle.
    Blob(&'p [u8]),
}

impl Subject<'_> {
    pub(super) fn message(&self) -> Vec<u8> {
        match self {
            Self::Statement(payload) | Self::Attestation(payload) => {
                pre_authentication_encoding(media_type::IN_TOTO, payload)
            }
            Self::Payload(content) | Self::Blob(content) => content.to_vec(),
        }
    }

    /// Whether only a log's promise can be stored with the signature.
    pub(super) const fn needs_promise(&self) -> bool {
        matches!(self, Self::Payload(_) | Self::Attestation(_))
    }

    /// Whether a timestamp can be stored with it. cosign's readers want one of the envelope there, its writers make one of
    /// the signature; the log's time is enough.
    pub(super) const fn keeps_timestamps(&self) -> bool {
        !matches!(self, Self::Attestation(_))
    }
}

/// A path below a service's address.
fn place(service: &'static str, base: &Url, path: &str) -> Place {
    let mut url = base.clone();
    let full = format!("{}{path}", base.path().trim_end_matches('/'));
    url.set_path(&full);
    Place { service, url }
}

fn json_headers() -> HeaderMap {
    let json = HeaderValue::from_static("application/json");
    HeaderMap::from_iter([(CONTENT_TYPE, json.clone()), (ACCEPT, json)])
}

/// A certificate for `key`, and those above it; `proof` is the key's signature of the token's subject.
pub(super) async fn certificate(
    http: &Http,
    authority: &Service,
    token: &IdentityToken,
    key: &SigningKey,
    proof: &[u8],
) -> Result<Vec<Vec<u8>>, KeylessError> {
    let place = place(
        "certificate authority (Fulcio)",
        &authority.url,
        "/api/v2/signingCert",
    );
    let request = json!({
        "publicKeyRequest": {
            "publicKey": { "algorithm": "ECDSA", "content": key.public_key().to_pem() },
            "proofOfPossession": STANDARD.encode(proof),
        },
    });
    let mut headers = json_headers();
    headers.extend(token.header()?);
    let answer = http.post(&place, headers, serde_json::to_vec(&request)?).await?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|_| place.unusable("no JSON"))?;
    let chain = answer
        .pointer("/signedCertificateEmbeddedSct/chain/certificates")
        .and_then(Value::as_array)
        .ok_or_else(|| place.unusable("no certificate with an embedded timestamp of a certificate log"))?;
    let chain: Option<Vec<Vec<u8>>> = chain.iter().map(|one| pem_content(one.as_str()?)).collect();
    let chain = chain.filter(|chain| !chain.is_empty());
    Ok(chain.ok_or_else(|| place.unusable("a certificate is no PEM"))?)
}

/// A timestamp authority's answer about `signature`.
pub(super) async fn timestamp(
    http: &Http,
    authority: &Service,
    signature: &[u8],
) -> Result<Vec<u8>, KeylessError> {
    let place = place("timestamp authority", &authority.url, "");
    let kind = |text| HeaderValue::from_static(text);
    let headers = HeaderMap::from_iter([
        (CONTENT_TYPE, kind("application/timestamp-query")),
        (ACCEPT, kind("application/timestamp-reply")),
    ]);
    Ok(http.post(&place, headers, timestamp_query(signature)).await?)
}

/// A request (RFC 3161, 2.4.1) that asks for the certificate along. It has no nonce: the signature is new each
/// time, so that no older answer fits, and the answer is checked against it before anything is stored.
fn timestamp_query(signature: &[u8]) -> Vec<u8> {
    // SEQUENCE { version 1, { { sha256 }, digest }, certReq TRUE }
    const HEAD: [u8; 22] = [
        0x30, 0x37, 0x02, 0x01, 0x01, 0x30, 0x2F, 0x30, 0x0B, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
        0x04, 0x02, 0x01, 0x04, 0x20,
    ];
    let mut query = HEAD.to_vec();
    query.extend_from_slice(digest(&SHA256, signature).as_ref());
    query.extend([0x01, 0x01, 0xFF]);
    query
}

/// Adds the signature to a log, and gives its entry as a bundle holds it.
pub(super) async fn log(
    http: &Http,
    log: &Service,
    subject: &Subject<'_>,
    signed: &Signed,
) -> Result<Value, KeylessError> {
    if log.major_api_version == 1 {
        return log_v1(http, &log.url, subject, signed).await;
    }
    let place = place("transparency log (Rekor v2)", &log.url, "/api/v2/log/entries");
    // As cosign does it: the digest of what was signed, also for envelopes.
    let request = json!({ "hashedRekordRequestV002": {
        "digest": STANDARD.encode(digest(&SHA256, &subject.message())),
        "signature": {
            "content": STANDARD.encode(&signed.signature),
            "verifier": {
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "x509Certificate": { "rawBytes": STANDARD.encode(signed.certificate()) },
            },
        },
    } });
    let answer = http
        .post(&place, json_headers(), serde_json::to_vec(&request)?)
        .await?;
    let entry: Value = serde_json::from_slice(&answer).map_err(|_| place.unusable("no JSON"))?;
    if !entry.is_object() {
        return Err(place.unusable("no log entry").into());
    }
    Ok(entry)
}

async fn log_v1(
    http: &Http,
    url: &Url,
    subject: &Subject<'_>,
    signed: &Signed,
) -> Result<Value, KeylessError> {
    let place = place("transparency log (Rekor v1)", url, "/api/v1/log/entries");
    let verifier = STANDARD.encode(signed.certificate_pem());
    let (kind, spec) = match subject {
        Subject::Statement(payload) | Subject::Attestation(payload) => {
            let text = envelope(payload, &signed.signature).to_string();
            let spec = json!({ "proposedContent": { "envelope": text, "verifiers": [verifier] } });
            ("dsse", spec)
        }
        Subject::Payload(content) | Subject::Blob(content) => {
            let hash = HEXLOWER.encode(digest(&SHA256, content).as_ref());
            let spec = json!({
                "data": { "hash": { "algorithm": "sha256", "value": hash } },
                "signature": {
                    "content": STANDARD.encode(&signed.signature),
                    "publicKey": { "content": verifier },
                },
            });
            ("hashedrekord", spec)
        }
    };
    let request = json!({ "apiVersion": "0.0.1", "kind": kind, "spec": spec });
    let answer = http
        .post(&place, json_headers(), serde_json::to_vec(&request)?)
        .await?;
    Ok(read_v1(&place, kind, &answer)?)
}

/// The one entry of an answer of Rekor v1, in the words of bundles.
fn read_v1(place: &Place, kind: &str, answer: &[u8]) -> Result<Value, CallError> {
    let answer: Value = serde_json::from_slice(answer).map_err(|_| place.unusable("no JSON"))?;
    let entry = answer.as_object().and_then(|all| all.values().next());
    entry
        .and_then(|entry| translate(kind, entry))
        .ok_or_else(|| place.unusable("no log entry with its proof and promise"))
}

fn translate(kind: &str, entry: &Value) -> Option<Value> {
    let proof = entry.pointer("/verification/inclusionProof")?;
    let number = |value: &Value| value.as_u64().map(|number| number.to_string());
    let base64 = |value: &Value| {
        let bytes = HEXLOWER_PERMISSIVE.decode(value.as_str()?.as_bytes());
        bytes.ok().map(|bytes| STANDARD.encode(bytes))
    };
    let hashes: Option<Vec<String>> = proof.get("hashes")?.as_array()?.iter().map(base64).collect();
    Some(json!({
        "logIndex": number(entry.get("logIndex")?)?,
        "logId": { "keyId": base64(entry.get("logID")?)? },
        "kindVersion": { "kind": kind, "version": "0.0.1" },
        "integratedTime": number(entry.get("integratedTime")?)?,
        "inclusionPromise": {
            "signedEntryTimestamp": entry.pointer("/verification/signedEntryTimestamp")?,
        },
        "inclusionProof": {
            "logIndex": number(proof.get("logIndex")?)?,
            "rootHash": base64(proof.get("rootHash")?)?,
            "treeSize": number(proof.get("treeSize")?)?,
            "hashes": hashes?,
            "checkpoint": { "envelope": proof.get("checkpoint")? },
        },
        "canonicalizedBody": entry.get("body")?,
    }))
}
