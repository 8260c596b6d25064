//! The verdict, and the types that only a good one can make.

use std::fmt;

use jiff::Timestamp;
use weir_oci::{Digest, Repository};

use crate::error::{Refused, Rejection};
use crate::key::Fingerprint;
use crate::signatures::Layout;
use crate::statement::Statement;

/// The artifact that is to be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    repository: Repository,
    digest: Digest,
}

impl Target {
    /// An artifact by its repository (the original one, whatever mirror it came from) and its digest.
    pub const fn new(repository: Repository, digest: Digest) -> Self {
        Self { repository, digest }
    }

    /// The digest.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The repository.
    pub const fn repository(&self) -> &Repository {
        &self.repository
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.digest)
    }
}

/// A value that was verified. Only [`crate::verify`] and [`crate::examine`] make one, for a digest and for what was stated
/// about it; [`Verified::bind`] carries the verdict over to what has that digest.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    value: T,
    // On the heap: it is much larger than what it is about.
    evidence: Box<Evidence>,
}

/// What the verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// Who signed.
    pub signer: Signer,
    /// Where the signature was logged; nothing when no log was asked for.
    pub logged: Vec<LogPlace>,
    /// How the signature is stored.
    pub layout: Layout,
    /// The digest of the manifest or layer that holds it.
    pub source: Digest,
    /// What kind of statement was signed; nothing for a payload of the older layout.
    pub predicate_type: Option<String>,
    /// The repository that the signer named; nothing for a bundle.
    pub signed_repository: Option<String>,
    /// The signatures looked at before that did not count.
    pub passed_over: Vec<Refused>,
}

/// Who made a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signer {
    /// The holder of a given key.
    #[non_exhaustive]
    Key {
        /// The key's name in the policy.
        name: String,
        /// The key.
        fingerprint: Fingerprint,
    },
    /// Somebody whom a certificate names.
    #[non_exhaustive]
    Identity {
        /// The certificate's name that the policy takes.
        subject: String,
        /// Who vouches for it.
        issuer: String,
        /// The earliest time at which the signature is proven to have existed.
        signed_at: Timestamp,
        /// The source repository and the commit in it, where the signer is a build and its certificate says so.
        source: Option<(String, Option<String>)>,
    },
}

/// An entry in a transparency log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogPlace {
    /// Where the log is.
    pub log: String,
    /// The entry's place in it.
    pub index: u64,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.layout, self.signer)?;
        match &self.predicate_type {
            Some(predicate_type) => write!(f, ", predicate type {predicate_type}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { name, fingerprint } => write!(f, "key {name:?} ({fingerprint})"),
            Self::Identity { subject, issuer, .. } => write!(f, "{subject:?} (issuer {issuer:?})"),
        }
    }
}

/// Something with the digest that a verdict is about.
pub trait Digested {
    /// The digest of the manifest this came from.
    fn digest(&self) -> Digest;
}

impl Digested for Digest {
    fn digest(&self) -> Digest {
        *self
    }
}

/// A verdict about one digest was to be carried over to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("digest {found} is not the verified {verified}")]
pub struct NotTheVerified {
    /// The digest the verdict is about.
    pub verified: Digest,
    /// The digest of the other thing.
    pub found: Digest,
}

/// What somebody signed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Signed {
    /// The artifact.
    pub digest: Digest,
    /// What was stated about it; nothing for a payload of cosign's older layout.
    pub statement: Option<Statement>,
}

impl Digested for Signed {
    fn digest(&self) -> Digest {
        self.digest
    }
}

/// A signature that was found, and what is thought of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Examined {
    /// How it is stored.
    pub layout: Layout,
    /// The digest of the manifest or layer that holds it.
    pub source: Digest,
    /// How long it is, in bytes; 0 where it was not read.
    pub bytes: usize,
    /// What was signed, or why the signature does not count.
    pub verdict: Result<Verified<Signed>, Rejection>,
}

impl<T> Verified<T> {
    pub(crate) fn new(value: T, evidence: Evidence) -> Self {
        Self {
            value,
            evidence: Box::new(evidence),
        }
    }

    /// The value.
    pub const fn get(&self) -> &T {
        &self.value
    }

    /// What the verdict rests on.
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The value without its verdict.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: Digested> Verified<T> {
    /// Carries the verdict over to `value`, which must have the verified digest.
    ///
    /// # Errors
    /// When it has another.
    pub fn bind<U: Digested>(self, value: U) -> Result<Verified<U>, NotTheVerified> {
        let (verified, found) = (self.value.digest(), value.digest());
        if verified != found {
            return Err(NotTheVerified { verified, found });
        }
        Ok(Verified {
            value,
            evidence: self.evidence,
        })
    }
}

/// A value that may be used: verified, or no policy asks for it. What was refused is neither.
#[derive(Clone, Debug)]
pub enum Admitted<T> {
    /// It was verified.
    Verified(Verified<T>),
    /// Nobody asked. Status and events must say so.
    NotRequired(NotRequired<T>),
}

/// A value that no policy asks to be verified.
#[derive(Clone, Debug)]
pub struct NotRequired<T>(T);

impl<T> Admitted<T> {
    /// Admits `value` because no policy exists for it. To be called where the absence of a policy was read
    /// from the object, and nowhere else.
    pub const fn without_policy(value: T) -> Self {
        Self::NotRequired(NotRequired(value))
    }

    /// The value.
    pub const fn get(&self) -> &T {
        match self {
            Self::Verified(verified) => verified.get(),
            Self::NotRequired(value) => &value.0,
        }
    }

    /// What the verdict rests on; nothing when none was asked for.
    pub const fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Verified(verified) => Some(verified.evidence()),
            Self::NotRequired(_) => None,
        }
    }

    /// For the status: whether and by what this was verified.
    pub fn describe(&self) -> String {
        match self {
            Self::Verified(verified) => format!("signature verified: {}", verified.evidence),
            Self::NotRequired(_) => "unverified: no policy asks for a signature".to_owned(),
        }
    }
}

impl<T: Digested> Admitted<T> {
    /// Carries the admission over to `value`, which must have the admitted digest.
    ///
    /// # Errors
    /// When it has another.
    pub fn bind<U: Digested>(self, value: U) -> Result<Admitted<U>, NotTheVerified> {
        match self {
            Self::Verified(verified) => verified.bind(value).map(Admitted::Verified),
            Self::NotRequired(NotRequired(admitted)) if admitted.digest() == value.digest() => {
                Ok(Admitted::without_policy(value))
            }
            Self::NotRequired(NotRequired(admitted)) => Err(NotTheVerified {
                verified: admitted.digest(),
                found: value.digest(),
            }),
        }
    }
}

impl<T> From<Verified<T>> for Admitted<T> {
    fn from(verified: Verified<T>) -> Self {
        Self::Verified(verified)
    }
}
