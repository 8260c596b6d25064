//! The authorities that keyless signatures rest on: a trust root in Sigstore's JSON form.

mod listing;
mod parts;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use sigstore_verify::Verifier;
use sigstore_verify::trust_root::TrustedRoot;
use weir_oci::Digest;

use crate::error::clip;
use crate::sigstore::Lives;

pub use listing::{Trusted, TrustedCertificate, TrustedFor, TrustedKey};
pub use parts::{AuthorityPart, InvalidPart, LogPart, RootParts, WrongPart};

/// The public-good instance's root, as shipped.
const PUBLIC_GOOD: &[u8] = include_bytes!("../data/trusted_root.json");

/// The day of the release that it is from, 2026-10-23, in seconds since 1970: it was the newest then.
const PUBLIC_GOOD_DAY: i64 = 1_792_713_600;

/// The longest trust root that is read, in bytes. The public-good instance's has 7,000.
const MAX_BYTES: usize = 1 << 20;

/// How the media type of every version of the format begins.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot";

/// Certificate authorities, transparency logs, certificate logs and timestamp authorities that are trusted, each
/// with the time in which it is. Cheap to clone.
#[derive(Clone)]
pub struct TrustRoot(Arc<Inner>);

struct Inner {
    root: TrustedRoot,
    verifier: Verifier,
    lives: Lives,
    fingerprint: Digest,
}

/// Why a document is no trust root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTrustRoot {
    /// It is longer than any sensible root.
    #[error("trust root is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// It is no JSON of a root's shape; a window without a beginning counts as that.
    #[error("trust root is malformed ({0})")]
    Malformed(String),
    /// It is of an unknown kind.
    #[error("trust root media type {0:?} is not supported")]
    MediaType(String),
    /// A key, a certificate or a window in it cannot be used.
    #[error("trust root cannot be used ({0})")]
    Unusable(String),
    /// It has no transparency log that says where it is.
    #[error("trust root has no transparency log with a base URL")]
    NoLog,
    /// It has no certificate authority.
    #[error("trust root has no certificate authority")]
    NoAuthority,
}

impl TrustRoot {
    /// Reads a root. As in Flux, it must have at least one transparency log with a base URL.
    ///
    /// # Errors
    /// See [`InvalidTrustRoot`].
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidTrustRoot> {
        if json.len() > MAX_BYTES {
            return Err(InvalidTrustRoot::TooLong);
        }
        let root: TrustedRoot = serde_json::from_slice(json)
            .map_err(|error| InvalidTrustRoot::Malformed(clip(&error.to_string())))?;
        if !root.media_type.starts_with(MEDIA_TYPE) {
            return Err(InvalidTrustRoot::MediaType(clip(&root.media_type)));
        }
        if root.tlogs.iter().all(|log| log.base_url.is_empty()) {
            return Err(InvalidTrustRoot::NoLog);
        }
        if root.certificate_authorities.is_empty() {
            return Err(InvalidTrustRoot::NoAuthority);
        }
        let verifier =
            Verifier::new(&root).map_err(|error| InvalidTrustRoot::Unusable(clip(&error.to_string())))?;
        Ok(Self(Arc::new(Inner {
            lives: Lives::of(&root),
            root,
            verifier,
            fingerprint: Digest::of(json),
        })))
    }

    /// The root of Sigstore's public-good instance, as shipped with weir; what is new there since is not in it.
    pub fn public_good() -> Self {
        Self::from_json(PUBLIC_GOOD).expect("the shipped trust root is read by a test")
    }

    /// The day on which the root of [`TrustRoot::public_good`] was known to be the newest.
    pub fn public_good_day() -> Timestamp {
        Timestamp::from_second(PUBLIC_GOOD_DAY).unwrap_or_default()
    }

    /// The digest of the document: verdicts by different roots are different verdicts.
    pub fn fingerprint(&self) -> Digest {
        self.0.fingerprint
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    pub(crate) fn lives(&self) -> &Lives {
        &self.0.lives
    }

    pub(crate) fn root(&self) -> &TrustedRoot {
        &self.0.root
    }
}

impl fmt::Debug for TrustRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustRoot({})", self.0.fingerprint)
    }
}
