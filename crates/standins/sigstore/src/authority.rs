//! The certificate authority and its certificate log: what Fulcio and its CT log are to Sigstore.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::certificate::{Template, authority, extension, leaf};
use crate::der::{octets, sequence, tagged, utf8};
use crate::key::{Key, sha256};

const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";
const SCT_LIST: &str = "1.3.6.1.4.1.11129.2.4.2";
const FULCIO: &str = "1.3.6.1.4.1.57264.1";
const SOURCE_REPOSITORY: u8 = 12;
const SOURCE_DIGEST: u8 = 13;

/// How long a certificate lives, as Fulcio's do.
const LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Somebody who signs, as an OIDC issuer describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The issuer's URL.
    pub issuer: String,
    /// An e-mail address or a URI; the latter has a colon.
    pub subject: String,
    /// What their certificate says of a build besides: the last number of an extension's object identifier, as Fulcio's `oid-info`
    /// lists them, and its text.
    pub build: BTreeMap<u8, String>,
}

impl Holder {
    /// Somebody who builds nothing.
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            subject: subject.into(),
            build: BTreeMap::new(),
        }
    }

    /// A build of a commit of a repository.
    #[must_use]
    pub fn of(mut self, repository: impl Into<String>, commit: impl Into<String>) -> Self {
        self.build.insert(SOURCE_REPOSITORY, repository.into());
        self.build.insert(SOURCE_DIGEST, commit.into());
        self
    }
}

/// A certificate authority of a root and an intermediate.
#[derive(Debug)]
pub(crate) struct Authority {
    intermediate: Key,
    pub(crate) root_certificate: Vec<u8>,
    pub(crate) intermediate_certificate: Vec<u8>,
    pub(crate) log: Key,
}

impl Authority {
    /// An authority that lives from `from` until `until`, whose intermediate ends at `intermediate_until` and may
    /// be constrained to names of e-mail addresses in `only_domain`.
    pub(crate) fn new(
        from: Timestamp,
        until: Timestamp,
        intermediate_until: Timestamp,
        only_domain: Option<&str>,
    ) -> Self {
        let (root, intermediate) = (Key::p256(), Key::p256());
        let (root_spki, spki) = (root.spki(), intermediate.spki());
        let root_certificate = Template {
            serial: &[1],
            issuer: "weir stand-in root",
            subject: "weir stand-in root",
            from,
            until,
            spki: &root_spki,
            extensions: authority(&root_spki),
        };
        let mut extensions = authority(&spki);
        extensions.push(extension(
            "2.5.29.37",
            false,
            &sequence(&[&crate::der::oid(CODE_SIGNING)]),
        ));
        if let Some(domain) = only_domain {
            let permitted = [0x81, 0x82, 0x86]
                .map(|kind| sequence(&[&tagged(kind, &[domain.as_bytes()])]))
                .concat();
            extensions.push(extension(
                "2.5.29.30",
                true,
                &sequence(&[&tagged(0xA0, &[&permitted])]),
            ));
        }
        let intermediate_certificate = Template {
            serial: &[2],
            issuer: "weir stand-in root",
            subject: "weir stand-in intermediate",
            from,
            until: intermediate_until,
            spki: &spki,
            extensions,
        };
        Self {
            root_certificate: root_certificate.signed_by(&root),
            intermediate_certificate: intermediate_certificate.signed_by(&root),
            intermediate,
            log: Key::p256(),
        }
    }

    /// A certificate for the key `spki` of `holder`, published in the log, valid for ten minutes from `at`.
    pub(crate) fn issue(&self, holder: &Holder, spki: &[u8], at: Timestamp) -> Vec<u8> {
        let issuer_spki = self.intermediate.spki();
        let tag = if holder.subject.contains(':') { 0x86 } else { 0x81 };
        let mut extensions = leaf(spki, &issuer_spki, CODE_SIGNING, false);
        let names = sequence(&[&tagged(tag, &[holder.subject.as_bytes()])]);
        extensions.push(extension("2.5.29.17", true, &names));
        extensions.push(extension(&format!("{FULCIO}.1"), false, holder.issuer.as_bytes()));
        extensions.push(extension(&format!("{FULCIO}.8"), false, &utf8(&holder.issuer)));
        for (number, text) in &holder.build {
            // The first ones that there were are plain bytes.
            let value = if *number < 8 {
                text.clone().into_bytes()
            } else {
                utf8(text)
            };
            extensions.push(extension(&format!("{FULCIO}.{number}"), false, &value));
        }
        let serial = sha256(spki);
        let mut template = Template {
            serial: serial.get(..16).unwrap_or(&serial),
            issuer: "weir stand-in intermediate",
            subject: "",
            from: at,
            until: at + LIFE,
            spki,
            extensions,
        };
        let promise = self.publish(&template.to_be_signed(), &issuer_spki, at);
        template
            .extensions
            .push(extension(SCT_LIST, false, &octets(&promise)));
        template.signed_by(&self.intermediate)
    }

    /// The list with the log's one promise for a certificate (RFC 6962, 3.2 and 3.3).
    fn publish(&self, to_be_signed: &[u8], issuer_spki: &[u8], at: Timestamp) -> Vec<u8> {
        let millis = u64::try_from(at.as_millisecond()).expect("no time before 1970");
        let mut message = vec![0, 0];
        message.extend(millis.to_be_bytes());
        message.extend([0, 1]);
        message.extend(sha256(issuer_spki));
        let length = u32::try_from(to_be_signed.len()).expect("certificates are short");
        message.extend(length.to_be_bytes().get(1..).unwrap_or_default());
        message.extend_from_slice(to_be_signed);
        message.extend([0, 0]);
        let signature = self.log.sign(&message);

        let mut promise = vec![0];
        promise.extend(sha256(&self.log.spki()));
        promise.extend(millis.to_be_bytes());
        // No extensions; then SHA-256 and ECDSA as TLS counts them.
        promise.extend([0, 0, 4, 3]);
        promise.extend(short(&signature));
        short(&short(&promise))
    }
}

/// Bytes after their length in two bytes.
fn short(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("it is short");
    let mut out = length.to_be_bytes().to_vec();
    out.extend_from_slice(content);
    out
}
