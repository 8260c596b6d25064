//! Signing as anybody.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::authority::Holder;
use crate::key::{Key, hex, sha256};
use crate::{Rekor, Sigstore};

const BUNDLE_V03: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A signature of a payload in cosign's older layout: the values of the layer's annotations.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PayloadSignature {
    /// `dev.cosignproject.cosign/signature`
    pub signature: String,
    /// `dev.sigstore.cosign/certificate`
    pub certificate: String,
    /// `dev.sigstore.cosign/chain`
    pub chain: String,
    /// `dev.sigstore.cosign/bundle`
    pub log_entry: String,
    /// `dev.sigstore.cosign/rfc3161timestamp`
    pub timestamp: String,
}

impl Sigstore {
    /// A bundle (version 0.3) of `holder`'s signature of an in-toto statement, made at `at` and logged.
    pub fn sign_statement(&self, holder: &Holder, statement: &[u8], at: Timestamp, rekor: Rekor) -> Value {
        self.sign_envelope(holder, IN_TOTO, statement, at, rekor)
    }

    /// The same for a payload of any type.
    pub fn sign_envelope(
        &self,
        holder: &Holder,
        payload_type: &str,
        payload: &[u8],
        at: Timestamp,
        rekor: Rekor,
    ) -> Value {
        let key = Key::p256();
        let certificate = self.0.authority.issue(holder, &key.spki(), at);
        let signature = key.sign(&pre_authentication_encoding(payload_type, payload));
        let mut bundle = json!({
            "mediaType": BUNDLE_V03,
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(&certificate) },
                "tlogEntries": [],
                "timestampVerificationData": {},
            },
            "dsseEnvelope": {
                "payload": STANDARD.encode(payload),
                "payloadType": payload_type,
                "signatures": [{ "sig": STANDARD.encode(&signature) }],
            },
        });
        bundle["verificationMaterial"]["tlogEntries"] = json!([self.log(&bundle, at, rekor)]);
        if rekor == Rekor::V2 {
            bundle["verificationMaterial"]["timestampVerificationData"] = self.stamps(&signature, at);
        }
        bundle
    }

    /// Another log entry for the envelope in `bundle`, as the bundle holds it. Nothing is checked: whatever is in
    /// the bundle is logged.
    pub fn log(&self, bundle: &Value, at: Timestamp, rekor: Rekor) -> Value {
        let bytes = |value: &Value| {
            STANDARD
                .decode(value.as_str().unwrap_or_default())
                .unwrap_or_default()
        };
        let envelope = &bundle["dsseEnvelope"];
        let certificate = bytes(&bundle["verificationMaterial"]["certificate"]["rawBytes"]);
        let signature = bytes(&envelope["signatures"][0]["sig"]);
        let payload = bytes(&envelope["payload"]);
        match rekor {
            Rekor::V1 => {
                let text = envelope.to_string();
                let body = dsse_body(
                    text.as_bytes(),
                    &payload,
                    &signature,
                    pem(&certificate).as_bytes(),
                );
                self.with_log(rekor, |log| log.add("dsse", "0.0.1", &body, at))
            }
            Rekor::V2 => {
                let payload_type = envelope["payloadType"].as_str().unwrap_or_default();
                let message = pre_authentication_encoding(payload_type, &payload);
                let verifier = json!({
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "x509Certificate": { "rawBytes": STANDARD.encode(&certificate) },
                });
                let body = hashed_body_v2(&sha256(&message), &signature, &verifier);
                self.with_log(rekor, |log| log.add("hashedrekord", "0.0.2", &body, at))
            }
        }
    }

    /// The line of a signed note with a log's signature of `text`, under any name: what a head of the tree ends with. No log signs what
    /// is no head of its own.
    pub fn sign_note(&self, rekor: Rekor, name: &str, text: &str) -> String {
        self.with_log(rekor, |log| log.sign_note(name, text))
    }

    /// `holder`'s signature of a payload in cosign's older layout, made at `at` and logged in Rekor v1.
    pub fn sign_payload(&self, holder: &Holder, payload: &[u8], at: Timestamp) -> PayloadSignature {
        let key = Key::p256();
        let authority = &self.0.authority;
        let certificate = authority.issue(holder, &key.spki(), at);
        let signature = key.sign(payload);
        let body = hashed_body_v1(&hex(&sha256(payload)), &signature, pem(&certificate).as_bytes());
        let entry = self.with_log(Rekor::V1, |log| log.add("hashedrekord", "0.0.1", &body, at));
        let kept = self.kept_entry(&entry);
        let stamp = json!({ "SignedRFC3161Timestamp": STANDARD.encode(self.0.stamps.stamp(&signature, at)) });
        PayloadSignature {
            signature: STANDARD.encode(&signature),
            certificate: pem(&certificate),
            chain: pem(&authority.intermediate_certificate) + &pem(&authority.root_certificate),
            log_entry: kept.to_string(),
            timestamp: stamp.to_string(),
        }
    }

    /// A bundle's envelope with its entry of Rekor v1 in cosign's older layout: the layer's content, and the values of its
    /// annotations. Such a layer has no signature beside it.
    pub fn older_attestation(&self, bundle: &Value) -> (String, PayloadSignature) {
        let material = &bundle["verificationMaterial"];
        let certificate = STANDARD
            .decode(material["certificate"]["rawBytes"].as_str().unwrap_or_default())
            .unwrap_or_default();
        let authority = &self.0.authority;
        let annotations = PayloadSignature {
            signature: String::new(),
            certificate: pem(&certificate),
            chain: pem(&authority.intermediate_certificate) + &pem(&authority.root_certificate),
            log_entry: self.kept_entry(&material["tlogEntries"][0]).to_string(),
            timestamp: String::new(),
        };
        (bundle["dsseEnvelope"].to_string(), annotations)
    }

    /// What cosign's older layout keeps of an entry of Rekor v1.
    fn kept_entry(&self, entry: &Value) -> Value {
        let number = |value: &Value| value.as_str().and_then(|text| text.parse::<i64>().ok());
        json!({
            "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "Payload": {
                "body": entry["canonicalizedBody"],
                "integratedTime": number(&entry["integratedTime"]),
                "logIndex": number(&entry["logIndex"]),
                "logID": hex(&self.with_log(Rekor::V1, |log| log.id())),
            },
        })
    }

    /// Timestamps as a bundle holds them: that `signature` existed at `at`.
    pub fn stamps(&self, signature: &[u8], at: Timestamp) -> Value {
        let stamp = STANDARD.encode(self.0.stamps.stamp(signature, at));
        json!({ "rfc3161Timestamps": [{ "signedTimestamp": stamp }] })
    }
}

/// What a signature in an envelope is over (DSSE protocol, "PAE").
fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

// Bodies are canonical JSON (RFC 8785): keys are in order here, and the JSON library keeps or makes that order.

pub(crate) fn dsse_body(envelope: &[u8], payload: &[u8], signature: &[u8], verifier_pem: &[u8]) -> Value {
    let hash = |content: &[u8]| json!({ "algorithm": "sha256", "value": hex(&sha256(content)) });
    json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": hash(envelope),
            "payloadHash": hash(payload),
            "signatures": [{
                "signature": STANDARD.encode(signature),
                "verifier": STANDARD.encode(verifier_pem),
            }],
        },
    })
}

pub(crate) fn hashed_body_v1(hash: &str, signature: &[u8], verifier_pem: &[u8]) -> Value {
    json!({
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": { "hash": { "algorithm": "sha256", "value": hash } },
            "signature": {
                "content": STANDARD.encode(signature),
                "publicKey": { "content": STANDARD.encode(verifier_pem) },
            },
        },
    })
}

pub(crate) fn hashed_body_v2(digest: &[u8], signature: &[u8], verifier: &Value) -> Value {
    json!({
        "apiVersion": "0.0.2",
        "kind": "hashedrekord",
        "spec": { "hashedRekordV002": {
            "data": { "algorithm": "SHA2_256", "digest": STANDARD.encode(digest) },
            "signature": { "content": STANDARD.encode(signature), "verifier": verifier },
        } },
    })
}

pub(crate) fn pem(der: &[u8]) -> String {
    pem_block("CERTIFICATE", der)
}

pub(crate) fn pem_block(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}
