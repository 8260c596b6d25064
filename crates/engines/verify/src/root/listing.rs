//! What a trust root holds, for people to read.

use std::fmt;

use jiff::Timestamp;
use sigstore_verify::types::TimeRange;

use super::TrustRoot;
use crate::certificate;
use crate::key::Fingerprint;

/// What somebody in a trust root is trusted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TrustedFor {
    /// To say who holds a key (Fulcio).
    Certificates,
    /// To have published such a certificate (a certificate transparency log).
    CertificateLog,
    /// To have published a signature (Rekor).
    SignatureLog,
    /// To say when a signature was there (RFC 3161).
    Timestamps,
}

impl fmt::Display for TrustedFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificates => "certificate authority",
            Self::CertificateLog => "certificate log",
            Self::SignatureLog => "transparency log",
            Self::Timestamps => "timestamp authority",
        })
    }
}

/// Somebody whom a trust root trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trusted {
    /// For what.
    pub role: TrustedFor,
    /// Where they are.
    pub url: String,
    /// From when on; since ever where the root does not say.
    pub from: Option<Timestamp>,
    /// Until when, included; for ever where the root does not say.
    pub until: Option<Timestamp>,
    /// The key of a log.
    pub key: Option<TrustedKey>,
    /// The certificates of an authority, its own first, the one that signs itself last.
    pub certificates: Vec<TrustedCertificate>,
}

/// The key of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustedKey {
    /// What entries name it by, in base64.
    pub log_id: String,
    /// Of what kind it is, in Sigstore's words.
    pub kind: String,
}

/// A certificate of an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustedCertificate {
    /// Whom it names: common name and organisation, as far as they can be read.
    pub subject: String,
    /// From when to when it is valid; nothing where that cannot be read.
    pub valid: Option<(Timestamp, Timestamp)>,
    /// The SHA-256 of the certificate in DER.
    pub fingerprint: Fingerprint,
}

impl Trusted {
    fn new(role: TrustedFor, url: &str, window: Option<TimeRange>) -> Self {
        Self {
            role,
            url: url.to_owned(),
            from: window.map(|window| window.start),
            until: window.and_then(|window| window.end),
            key: None,
            certificates: Vec::new(),
        }
    }

    /// Whether they are trusted for what happens at `at`, by the root's own windows.
    pub fn is_trusted_at(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at <= until)
    }
}

impl TrustRoot {
    /// Everybody whom the root trusts: certificate authorities, their logs, transparency logs, timestamp authorities, each
    /// kind in the order of the root.
    pub fn trusted(&self) -> Vec<Trusted> {
        let root = self.root();
        let mut all = Vec::new();
        for one in &root.certificate_authorities {
            let chain = one.cert_chain.certificates.iter();
            all.push(Trusted {
                certificates: chain.map(|one| listed(one.raw_bytes.as_bytes())).collect(),
                ..Trusted::new(TrustedFor::Certificates, &one.uri, one.valid_for)
            });
        }
        let certificate_logs = root.ctlogs.iter().map(|one| {
            let kind = TrustedFor::CertificateLog;
            (kind, &one.base_url, &one.public_key, &one.log_id)
        });
        let signature_logs = root.tlogs.iter().map(|one| {
            let kind = TrustedFor::SignatureLog;
            (kind, &one.base_url, &one.public_key, &one.log_id)
        });
        for (role, url, key, id) in certificate_logs.chain(signature_logs) {
            all.push(Trusted {
                key: Some(TrustedKey {
                    log_id: id.key_id.to_base64(),
                    kind: key.key_details.to_string(),
                }),
                ..Trusted::new(role, url, key.valid_for)
            });
        }
        for one in &root.timestamp_authorities {
            let chain = one.cert_chain.certificates.iter();
            let url = one.uri.as_deref().unwrap_or_default();
            all.push(Trusted {
                certificates: chain.map(|one| listed(one.raw_bytes.as_bytes())).collect(),
                ..Trusted::new(TrustedFor::Timestamps, url, one.valid_for)
            });
        }
        all
    }
}

fn listed(der: &[u8]) -> TrustedCertificate {
    let (common, organization) = certificate::holder(der);
    let names: Vec<String> = common.into_iter().chain(organization).collect();
    TrustedCertificate {
        subject: names.join(", "),
        valid: certificate::validity(der),
        fingerprint: Fingerprint::of(der),
    }
}
