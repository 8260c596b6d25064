//! What the services gave for one signature, in both of cosign's forms.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use weir_oci::media_type;
use weir_verify::PayloadMaterial;

use crate::key::pem;

/// A signature with everything that a verifier needs.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    /// The signer's certificate first, in DER.
    chain: Vec<Vec<u8>>,
    pub(crate) signature: Vec<u8>,
    /// Log entries as a bundle holds them.
    pub(super) entries: Vec<Value>,
    /// Whole answers of timestamp authorities, in DER.
    pub(super) timestamps: Vec<Vec<u8>>,
}

impl Signed {
    /// A certificate and those above it, with nothing signed yet.
    pub(super) fn new(chain: Vec<Vec<u8>>) -> Self {
        Self {
            chain,
            signature: Vec::new(),
            entries: Vec::new(),
            timestamps: Vec::new(),
        }
    }

    pub(super) fn certificate(&self) -> &[u8] {
        self.chain.first().map_or(&[], Vec::as_slice)
    }

    pub(super) fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", self.certificate())
    }

    /// What a bundle of version 0.3 holds beside the envelope.
    pub(crate) fn verification_material(&self) -> Value {
        let stamps: Vec<Value> = self
            .timestamps
            .iter()
            .map(|one| json!({ "signedTimestamp": STANDARD.encode(one) }))
            .collect();
        let stamps = if stamps.is_empty() {
            json!({})
        } else {
            json!({ "rfc3161Timestamps": stamps })
        };
        json!({
            "certificate": { "rawBytes": STANDARD.encode(self.certificate()) },
            "tlogEntries": self.entries,
            "timestampVerificationData": stamps,
        })
    }

    /// A bundle of version 0.3 around a plain signature of `content`.
    pub(super) fn blob_bundle(&self, content: &[u8]) -> Value {
        json!({
            "mediaType": media_type::SIGSTORE_BUNDLE_V03,
            "verificationMaterial": self.verification_material(),
            "messageSignature": {
                "messageDigest": {
                    "algorithm": "SHA2_256",
                    "digest": STANDARD.encode(digest(&SHA256, content)),
                },
                "signature": STANDARD.encode(&self.signature),
            },
        })
    }

    /// The annotations of cosign's older layout: certificate, chain, log entry, timestamp.
    pub(crate) fn annotations(&self) -> PayloadMaterial {
        let chain = self.chain.iter().skip(1).map(|one| pem("CERTIFICATE", one));
        let stamp = self.timestamps.first();
        PayloadMaterial {
            certificate: Some(self.certificate_pem()),
            chain: Some(chain.collect()),
            log_entry: self.entries.first().and_then(kept_entry),
            timestamp: stamp.map(|one| json!({ "SignedRFC3161Timestamp": STANDARD.encode(one) }).to_string()),
        }
    }
}

/// A bundle of version 0.3 around an envelope.
pub(crate) fn statement_bundle(material: &Value, envelope: &Value) -> Value {
    json!({
        "mediaType": media_type::SIGSTORE_BUNDLE_V03,
        "verificationMaterial": material,
        "dsseEnvelope": envelope,
    })
}

/// What is signed and its signature, in the one spelling that is both logged and stored.
pub(crate) fn envelope(payload: &[u8], signature: &[u8]) -> Value {
    json!({
        "payload": STANDARD.encode(payload),
        "payloadType": media_type::IN_TOTO,
        "signatures": [{ "sig": STANDARD.encode(signature) }],
    })
}

/// What cosign's older layout keeps of an entry of Rekor v1.
fn kept_entry(entry: &Value) -> Option<String> {
    let number = |value: &Value| value.as_str()?.parse::<i64>().ok();
    let id = STANDARD.decode(entry.pointer("/logId/keyId")?.as_str()?).ok()?;
    let kept = json!({
        "SignedEntryTimestamp": entry.pointer("/inclusionPromise/signedEntryTimestamp")?,
        "Payload": {
            "body": entry.get("canonicalizedBody")?,
            "integratedTime": number(entry.get("integratedTime")?)?,
            "logIndex": number(entry.get("logIndex")?)?,
            "logID": HEXLOWER.encode(&id),
        },
    });
    Some(kept.to_string())
}
