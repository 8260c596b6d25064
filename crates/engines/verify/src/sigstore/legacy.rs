//! cosign's older layout as a bundle: what it keeps in annotations is what a bundle of version 0.1 keeps in fields.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER_PERMISSIVE;
use serde::Deserialize;
use serde_json::{Value, json};
use sigstore_verify::types::Bundle;

use super::{Part, Untrusted};
use crate::bundle::Envelope;
use crate::key::PublicKey;
use crate::pem;
use crate::signatures::{FoundPayload, PayloadMaterial};

/// The oldest version: the only one that may rest on the log's promise alone, which is all that cosign kept.
const BUNDLE_V01: &str = "application/vnd.dev.sigstore.bundle+json;version=0.1";

/// What cosign keeps of a log entry (annotation `dev.sigstore.cosign/bundle`).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct LogEntry {
    signed_entry_timestamp: String,
    payload: LogPayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LogPayload {
    body: String,
    integrated_time: i64,
    log_index: i64,
    #[serde(rename = "logID")]
    log_id: String,
}

/// What the body of an entry says it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    kind: String,
    api_version: String,
}

/// What cosign keeps of a timestamp (annotation `dev.sigstore.cosign/rfc3161timestamp`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Timestamped {
    #[serde(rename = "SignedRFC3161Timestamp")]
    signed_rfc3161_timestamp: String,
}

/// The signature of a payload as a bundle over the payload's bytes; by a certificate, or by `key` when given.
pub(crate) fn payload_bundle(found: &FoundPayload, key: Option<&PublicKey>) -> Result<Bundle, Untrusted> {
    let mut verification = verification_material(&found.material, key)?;
    if let Some(timestamp) = &found.material.timestamp {
        let timestamp: Timestamped = serde_json::from_str(timestamp)
            .map_err(|_| Untrusted::new(Part::Timestamp, "timestamp of the signature is malformed"))?;
        let signed = json!([{ "signedTimestamp": timestamp.signed_rfc3161_timestamp }]);
        set(
            &mut verification,
            "timestampVerificationData",
            json!({ "rfc3161Timestamps": signed }),
        );
    }
    bundle(json!({
        "mediaType": BUNDLE_V01,
        "verificationMaterial": verification,
        "messageSignature": {
            "messageDigest": {
                "algorithm": "SHA2_256",
                "digest": STANDARD.encode(digest(&SHA256, &found.content)),
            },
            "signature": found.signature.trim(),
        },
    }))
}

/// An attestation's envelope as a bundle; by a certificate, or by `key` when given. Its time is the log's.
pub(crate) fn attestation_bundle(
    envelope: &Envelope,
    material: &PayloadMaterial,
    key: Option<&PublicKey>,
) -> Result<Bundle, Untrusted> {
    let signatures = envelope.signatures.iter();
    let signatures: Vec<Value> = signatures
        .map(|one| json!({ "sig": STANDARD.encode(one) }))
        .collect();
    bundle(json!({
        "mediaType": BUNDLE_V01,
        "verificationMaterial": verification_material(material, key)?,
        "dsseEnvelope": {
            "payload": STANDARD.encode(&envelope.payload),
            "payloadType": envelope.payload_type,
            "signatures": signatures,
        },
    }))
}

fn bundle(json: Value) -> Result<Bundle, Untrusted> {
    super::read(json.to_string().as_bytes())
}

/// The certificates, or `key` by its name, and the log entry.
fn verification_material(material: &PayloadMaterial, key: Option<&PublicKey>) -> Result<Value, Untrusted> {
    let wrong = |detail: &str| Untrusted::new(Part::LogEntry, detail);
    let entry = material
        .log_entry
        .as_deref()
        .ok_or_else(|| wrong("signature has no entry of a transparency log"))?;
    let entry: LogEntry =
        serde_json::from_str(entry).map_err(|_| wrong("log entry of the signature is malformed"))?;
    let body = STANDARD
        .decode(&entry.payload.body)
        .ok()
        .and_then(|body| serde_json::from_slice::<Body>(&body).ok())
        .ok_or_else(|| wrong("body of the log entry is malformed"))?;
    let log_id = HEXLOWER_PERMISSIVE.decode(entry.payload.log_id.as_bytes());
    let log_id = log_id.map_err(|_| wrong("log of the log entry is malformed"))?;
    let mut verification = json!({
        "tlogEntries": [{
            "logIndex": entry.payload.log_index.to_string(),
            "logId": { "keyId": STANDARD.encode(log_id) },
            "kindVersion": { "kind": body.kind, "version": body.api_version },
            "integratedTime": entry.payload.integrated_time.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": entry.signed_entry_timestamp },
            "canonicalizedBody": entry.payload.body,
        }],
    });
    if let Some(key) = key {
        let hint = json!({ "hint": key.fingerprint().hint() });
        set(&mut verification, "publicKey", hint);
    } else {
        let chain = certificates(material)
            .ok_or_else(|| Untrusted::new(Part::Bundle, "certificate of the signature is malformed"))?;
        set(
            &mut verification,
            "x509CertificateChain",
            json!({ "certificates": chain }),
        );
    }
    Ok(verification)
}

/// The certificate, and after it its chain.
fn certificates(material: &PayloadMaterial) -> Option<Vec<Value>> {
    let mut all = pem::all(material.certificate.as_deref()?, "CERTIFICATE").ok()?;
    // Exactly one is the signer's; what it chains to comes apart.
    if all.len() != 1 {
        return None;
    }
    if let Some(chain) = &material.chain {
        all.extend(pem::all(chain, "CERTIFICATE").ok()?);
    }
    Some(
        all.iter()
            .map(|der| json!({ "rawBytes": STANDARD.encode(der) }))
            .collect(),
    )
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}
