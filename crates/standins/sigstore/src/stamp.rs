//! The timestamp authority (RFC 3161).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use crate::certificate::{Template, algorithm, authority, leaf, name};
use crate::der::{generalized_time, integer, octets, oid, sequence, set, tagged};
use crate::key::{Key, sha256};

const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";
/// The policy that Sigstore's timestamp authority states.
const POLICY: &str = "1.3.6.1.4.1.57264.2";
const ROOT: &str = "weir stand-in timestamp root";

/// An authority that says what time it is.
#[derive(Debug)]
pub(crate) struct Stamps {
    key: Key,
    pub(crate) certificate: Vec<u8>,
    pub(crate) root_certificate: Vec<u8>,
}

impl Stamps {
    pub(crate) fn new(from: Timestamp, until: Timestamp) -> Self {
        let (root, key) = (Key::p256(), Key::p256());
        let (root_spki, spki) = (root.spki(), key.spki());
        let root_certificate = Template {
            serial: &[1],
            issuer: ROOT,
            subject: ROOT,
            from,
            until,
            spki: &root_spki,
            extensions: authority(&root_spki),
        };
        let certificate = Template {
            serial: &[2],
            issuer: ROOT,
            subject: "weir stand-in timestamps",
            from,
            until,
            spki: &spki,
            extensions: leaf(&spki, &root_spki, TIME_STAMPING, true),
        };
        Self {
            certificate: certificate.signed_by(&root),
            root_certificate: root_certificate.signed_by(&root),
            key,
        }
    }

    /// A response that says that `message` existed at `at`.
    pub(crate) fn stamp(&self, message: &[u8], at: Timestamp) -> Vec<u8> {
        let query = Query {
            digest: sha256(message),
            nonce: None,
            with_certificate: false,
        };
        self.answer(&query, at)
    }

    /// The response to a request.
    pub(crate) fn answer(&self, query: &Query, at: Timestamp) -> Vec<u8> {
        let sha256_id = sequence(&[&oid(SHA256)]);
        let info = sequence(&[
            &integer(&[1]),
            &oid(POLICY),
            &sequence(&[&sha256_id, &octets(&query.digest)]),
            &integer(query.digest.first_chunk::<8>().unwrap_or(&[1; 8])),
            &generalized_time(at),
            query.nonce.as_deref().unwrap_or_default(),
        ]);
        let attribute = |id: &str, value: Vec<u8>| sequence(&[&oid(id), &set(vec![value])]);
        let certificate = sequence(&[&sequence(&[&sequence(&[&octets(&sha256(&self.certificate))])])]);
        let attributes = set(vec![
            attribute(CONTENT_TYPE, oid(TST_INFO)),
            attribute(MESSAGE_DIGEST, octets(&sha256(&info))),
            attribute(SIGNING_CERTIFICATE_V2, certificate),
        ]);
        let signature = self.key.sign(&attributes);
        // Signed as a set, sent as [0].
        let mut sent = attributes;
        if let Some(tag) = sent.first_mut() {
            *tag = 0xA0;
        }
        let signer = sequence(&[
            &integer(&[1]),
            &sequence(&[&name(ROOT), &integer(&[2])]),
            &sha256_id,
            &sent,
            &algorithm(),
            &octets(&signature),
        ]);
        let certificates = tagged(0xA0, &[&self.certificate]);
        let signed = sequence(&[
            &integer(&[3]),
            &set(vec![sha256_id]),
            &sequence(&[&oid(TST_INFO), &tagged(0xA0, &[&octets(&info)])]),
            if query.with_certificate {
                &certificates
            } else {
                &[]
            },
            &set(vec![signer]),
        ]);
        let token = sequence(&[&oid(SIGNED_DATA), &tagged(0xA0, &[&signed])]);
        sequence(&[&sequence(&[&integer(&[0])]), &token])
    }
}

/// What is asked of a timestamp authority.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Query {
    digest: [u8; 32],
    /// A number to be repeated, as it was encoded.
    nonce: Option<Vec<u8>>,
    with_certificate: bool,
}

impl Query {
    /// Reads a request for a SHA-256 digest (RFC 3161, 2.4.1).
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let (0x30, content, []) = element(der)? else {
            return None;
        };
        let (0x02, [1], rest) = element(content)? else {
            return None;
        };
        let (0x30, imprint, mut rest) = element(rest)? else {
            return None;
        };
        let (0x30, algorithm, hash) = element(imprint)? else {
            return None;
        };
        if !algorithm.starts_with(&oid(SHA256)) {
            return None;
        }
        let (0x04, digest, []) = element(hash)? else {
            return None;
        };
        let mut query = Self {
            digest: digest.try_into().ok()?,
            nonce: None,
            with_certificate: false,
        };
        while !rest.is_empty() {
            let (tag, content, after) = element(rest)?;
            match tag {
                0x02 => query.nonce = Some(tagged(0x02, &[content])),
                0x01 => query.with_certificate = content != [0],
                _ => {}
            }
            rest = after;
        }
        Some(query)
    }

    /// Reads the same in the JSON of Sigstore's timestamp authority, which its clients in JavaScript send.
    pub(crate) fn read_json(json: &[u8]) -> Option<Self> {
        let asked: Value = serde_json::from_slice(json).ok()?;
        if asked["hashAlgorithm"] != "sha256" {
            return None;
        }
        let digest = STANDARD.decode(asked["artifactHash"].as_str()?).ok()?;
        let nonce = asked["nonce"].as_u64().map(|nonce| integer(&nonce.to_be_bytes()));
        Some(Self {
            digest: digest.try_into().ok()?,
            nonce,
            with_certificate: asked["certificates"] == true,
        })
    }
}

/// The tag and the content of the first element, and what follows it; requests have short lengths.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, length, rest @ ..] = der else {
        return None;
    };
    let (content, rest) = rest
        .split_at_checked(usize::from(*length))
        .filter(|_| *length < 0x80)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_in_json_asks_for_the_same() {
        let digest = sha256(b"signature");
        let imprint = sequence(&[&sequence(&[&oid(SHA256)]), &octets(&digest)]);
        let der = sequence(&[&integer(&[1]), &imprint, &integer(&[7]), &[0x01, 0x01, 0xFF]]);
        let asked = Query::read(&der).unwrap();
        let json = |hash: &str| {
            json!({ "artifactHash": STANDARD.encode(digest), "hashAlgorithm": hash, "nonce": 7, "certificates": true })
                .to_string()
        };
        assert_eq!(Query::read_json(json("sha256").as_bytes()), Some(asked));
        assert_eq!(Query::read_json(json("sha512").as_bytes()), None);
        assert_eq!(Query::read_json(b"{}"), None);
    }
}
