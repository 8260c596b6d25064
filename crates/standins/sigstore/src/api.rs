//! The protocols: of Fulcio, of Rekor in both versions, of timestamps over HTTP, of an OIDC provider.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query as Asked, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::key::{hex, sha256};
use crate::sign::{dsse_body, hashed_body_v1, hashed_body_v2, pem};
use crate::stamp::Query;
use crate::token::InvalidToken;
use crate::{Rekor, Sigstore};

/// The longest request that is read, in bytes.
const MAX_BYTES: usize = 8 << 20;

/// A refusal: the status and the words.
type Refusal = (StatusCode, String);

pub(crate) fn router(sigstore: Sigstore) -> Router {
    Router::new()
        .route("/fulcio/api/v2/signingCert", post(certificate))
        .route("/rekor/api/v1/log/entries", post(log_v1))
        .route("/rekor2/api/v2/log/entries", post(log_v2))
        .route("/tsa/api/v1/timestamp", post(timestamp))
        .route("/actions/token", get(job_token))
        .route("/oidc/.well-known/openid-configuration", get(configuration))
        .route("/oidc/jwks", get(provider_keys))
        .layer(axum::extract::DefaultBodyLimit::max(MAX_BYTES))
        .with_state(sigstore)
}

fn bad(why: impl Into<String>) -> Refusal {
    (StatusCode::BAD_REQUEST, why.into())
}

fn unauthorized(why: InvalidToken) -> Refusal {
    (StatusCode::UNAUTHORIZED, why.to_string())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

fn read(body: &Bytes) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|error| bad(error.to_string()))
}

fn bytes(value: &Value, what: &str) -> Result<Vec<u8>, Refusal> {
    let text = value.as_str().filter(|text| !text.is_empty());
    let decoded = text.and_then(|text| STANDARD.decode(text).ok());
    decoded.ok_or_else(|| bad(format!("{what} is missing or no base64")))
}

/// The content of a PEM block, whatever it says it is.
fn unpem(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (_, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(body).ok()
}

async fn certificate(
    State(sigstore): State<Sigstore>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let request = read(&body)?;
    let token = bearer(&headers)
        .or_else(|| request["credentials"]["oidcIdentityToken"].as_str())
        .unwrap_or_default();
    let now = Timestamp::now();
    let (holder, claim) = sigstore.admit(token, now).await.map_err(unauthorized)?;
    let asked = &request["publicKeyRequest"];
    let key = asked["publicKey"]["content"].as_str().and_then(unpem);
    let key = key.ok_or_else(|| bad("the public key is missing or no PEM"))?;
    let proof = bytes(&asked["proofOfPossession"], "the proof of possession")?;
    // The real one takes other kinds of keys, too; P-256 is what cosign makes.
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key)
        .verify(claim.as_bytes(), &proof)
        .map_err(|_| bad("the proof of possession is not by that key, or the key is not on P-256"))?;
    let authority = &sigstore.0.authority;
    let chain = [
        pem(&authority.issue(&holder, &key, now)),
        pem(&authority.intermediate_certificate),
        pem(&authority.root_certificate),
    ];
    let answer = json!({ "signedCertificateEmbeddedSct": { "chain": { "certificates": chain } } });
    Ok(axum::Json(answer).into_response())
}

async fn log_v1(State(sigstore): State<Sigstore>, body: Bytes) -> Result<Response, Refusal> {
    let request = read(&body)?;
    let spec = &request["spec"];
    let kind = request["kind"].as_str().unwrap_or_default();
    let entry_body = match kind {
        "hashedrekord" => {
            let hash = spec["data"]["hash"]["value"]
                .as_str()
                .ok_or_else(|| bad("no hash"))?;
            let signature = bytes(&spec["signature"]["content"], "the signature")?;
            let verifier = bytes(&spec["signature"]["publicKey"]["content"], "the public key")?;
            hashed_body_v1(hash, &signature, &verifier)
        }
        "dsse" => {
            let proposed = &spec["proposedContent"];
            let text = proposed["envelope"].as_str().ok_or_else(|| bad("no envelope"))?;
            let envelope: Value = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
            let signature = bytes(&envelope["signatures"][0]["sig"], "the signature")?;
            let payload = bytes(&envelope["payload"], "the payload")?;
            let verifier = bytes(&proposed["verifiers"][0], "the verifier")?;
            dsse_body(text.as_bytes(), &payload, &signature, &verifier)
        }
        other => return Err(bad(format!("entries of kind {other:?} are not kept here"))),
    };
    let now = Timestamp::now();
    let entry = sigstore.with_log(Rekor::V1, |log| log.add(kind, "0.0.1", &entry_body, now));
    let id = hex(&sigstore.with_log(Rekor::V1, |log| log.id()));
    let proof = &entry["inclusionProof"];
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<i64>().ok());
    let as_hex = |value: &Value| {
        let bytes = STANDARD
            .decode(value.as_str().unwrap_or_default())
            .unwrap_or_default();
        hex(&bytes)
    };
    let hashes: Vec<String> = proof["hashes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(as_hex)
        .collect();
    let canonical = STANDARD
        .decode(entry["canonicalizedBody"].as_str().unwrap_or_default())
        .unwrap_or_default();
    let leaf = [&[0], canonical.as_slice()].concat();
    // The id of a tree, then that of the entry.
    let uuid = format!("{:016x}{}", 1, hex(&sha256(&leaf)));
    let answer = json!({ uuid.as_str(): {
        "body": entry["canonicalizedBody"],
        "integratedTime": now.as_second(),
        "logID": id,
        "logIndex": number(&entry["logIndex"]),
        "verification": {
            "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "inclusionProof": {
                "checkpoint": proof["checkpoint"]["envelope"],
                "hashes": hashes,
                "logIndex": number(&proof["logIndex"]),
                "rootHash": as_hex(&proof["rootHash"]),
                "treeSize": number(&proof["treeSize"]),
            },
        },
    } });
    let headers = [
        (header::ETAG, uuid.clone()),
        (header::LOCATION, format!("/rekor/api/v1/log/entries/{uuid}")),
    ];
    Ok((StatusCode::CREATED, headers, axum::Json(answer)).into_response())
}

async fn log_v2(State(sigstore): State<Sigstore>, body: Bytes) -> Result<Response, Refusal> {
    let request = read(&body)?;
    let asked = &request["hashedRekordRequestV002"];
    if !asked.is_object() {
        return Err(bad("only hashedrekord entries are kept here"));
    }
    let digest = bytes(&asked["digest"], "the digest")?;
    let signature = bytes(&asked["signature"]["content"], "the signature")?;
    let body = hashed_body_v2(&digest, &signature, &asked["signature"]["verifier"]);
    let now = Timestamp::now();
    let entry = sigstore.with_log(Rekor::V2, |log| log.add("hashedrekord", "0.0.2", &body, now));
    Ok((StatusCode::CREATED, axum::Json(entry)).into_response())
}

async fn timestamp(
    State(sigstore): State<Sigstore>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json");
    let query = if is_json {
        Query::read_json(&body)
    } else {
        Query::read(&body)
    };
    let query = query.ok_or_else(|| bad("no timestamp request with a SHA-256 digest"))?;
    let answer = sigstore.0.stamps.answer(&query, Timestamp::now());
    let kind = [(header::CONTENT_TYPE, "application/timestamp-reply")];
    Ok((StatusCode::CREATED, kind, answer).into_response())
}

/// GitHub's token service for jobs.
async fn job_token(
    State(sigstore): State<Sigstore>,
    Asked(asked): Asked<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let audience = asked.get("audience").map_or("", String::as_str);
    let token = sigstore.job_token(bearer(&headers).unwrap_or_default(), audience, Timestamp::now());
    Ok(axum::Json(json!({ "count": 1, "value": token.map_err(unauthorized)? })).into_response())
}

async fn configuration(State(sigstore): State<Sigstore>) -> axum::Json<Value> {
    axum::Json(sigstore.configuration())
}

async fn provider_keys(State(sigstore): State<Sigstore>) -> axum::Json<Value> {
    axum::Json(sigstore.provider_keys())
}
