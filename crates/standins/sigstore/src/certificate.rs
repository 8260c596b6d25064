//! Certificates.

use jiff::Timestamp;

use crate::der::{bits, integer, octets, oid, sequence, set, tagged, time, utf8};
use crate::key::{Key, sha256};

/// ecdsa-with-SHA256
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
const COMMON_NAME: &str = "2.5.4.3";
const ORGANIZATION: &str = "2.5.4.10";
/// Fulcio's certificates name an organisation, and `gh` tells instances apart by it.
const INSTANCE: &str = "weir stand-in";

/// What a certificate says, before it is signed.
#[derive(Debug)]
pub(crate) struct Template<'t> {
    pub(crate) serial: &'t [u8],
    pub(crate) issuer: &'t str,
    /// Empty for leaves: their names are in an extension.
    pub(crate) subject: &'t str,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) spki: &'t [u8],
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl Template<'_> {
    /// The part that is signed.
    pub(crate) fn to_be_signed(&self) -> Vec<u8> {
        let extensions: Vec<&[u8]> = self.extensions.iter().map(Vec::as_slice).collect();
        sequence(&[
            &tagged(0xA0, &[&integer(&[2])]),
            &integer(self.serial),
            &algorithm(),
            &name(self.issuer),
            &sequence(&[&time(self.from), &time(self.until)]),
            &name(self.subject),
            self.spki,
            &tagged(0xA3, &[&sequence(&extensions)]),
        ])
    }

    pub(crate) fn signed_by(&self, key: &Key) -> Vec<u8> {
        let content = self.to_be_signed();
        sequence(&[&content, &algorithm(), &bits(&key.sign(&content))])
    }
}

pub(crate) fn algorithm() -> Vec<u8> {
    sequence(&[&oid(ECDSA_SHA256)])
}

pub(crate) fn name(common: &str) -> Vec<u8> {
    if common.is_empty() {
        return sequence(&[]);
    }
    let part = |id: &str, text: &str| set(vec![sequence(&[&oid(id), &utf8(text)])]);
    sequence(&[&part(ORGANIZATION, INSTANCE), &part(COMMON_NAME, common)])
}

pub(crate) fn extension(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let flag: &[u8] = if critical { &[0x01, 0x01, 0xFF] } else { &[] };
    sequence(&[&oid(id), flag, &octets(value)])
}

/// The extensions of an authority: may sign certificates.
pub(crate) fn authority(spki: &[u8]) -> Vec<Vec<u8>> {
    vec![
        extension("2.5.29.15", true, &[0x03, 0x02, 0x01, 0x06]),
        extension("2.5.29.19", true, &sequence(&[&[0x01, 0x01, 0xFF]])),
        extension("2.5.29.14", false, &octets(&key_id(spki))),
    ]
}

/// The extensions of a leaf that may sign content, for `purpose`.
pub(crate) fn leaf(spki: &[u8], issuer_spki: &[u8], purpose: &str, critical: bool) -> Vec<Vec<u8>> {
    vec![
        extension("2.5.29.15", true, &[0x03, 0x02, 0x07, 0x80]),
        extension("2.5.29.37", critical, &sequence(&[&oid(purpose)])),
        extension("2.5.29.14", false, &octets(&key_id(spki))),
        extension(
            "2.5.29.35",
            false,
            &sequence(&[&tagged(0x80, &[&key_id(issuer_spki)])]),
        ),
    ]
}

/// Any name for a key will do; it only has to be the same on both sides.
fn key_id(spki: &[u8]) -> Vec<u8> {
    sha256(spki).into_iter().take(20).collect()
}
