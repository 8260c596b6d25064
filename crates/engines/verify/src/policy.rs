//! What a signature must be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::num::NonZeroUsize;

use weir_oci::Digest;

use crate::identity::Identity;
use crate::key::{InvalidKey, PublicKey};
use crate::root::TrustRoot;

/// How the entries of a Secret that hold public keys end, as in Flux's `verify.secretRef`.
const PUBLIC_KEY_SUFFIX: &str = ".pub";

/// What is asked of signatures.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Policy {
    /// A signature by one of some keys.
    Keys(KeyPolicy),
    /// A signature by somebody whom a certificate authority vouches for ("keyless").
    Identities(IdentityPolicy),
}

/// A signature by one of some keys. The transparency log is looked at only when asked for.
#[derive(Clone, Debug)]
pub struct KeyPolicy {
    pub(crate) keys: Vec<(String, PublicKey)>,
    pub(crate) log: Option<TrustRoot>,
    pub(crate) claims: Claims,
}

/// A signature with a certificate of one of some identities, in a transparency log, made while the certificate was
/// valid. Who may issue certificates and keep logs, a trust root says.
#[derive(Clone, Debug)]
pub struct IdentityPolicy {
    pub(crate) root: TrustRoot,
    /// Nothing: whoever.
    pub(crate) identities: Option<Vec<Identity>>,
    pub(crate) distinct_logs: NonZeroUsize,
    pub(crate) claims: Claims,
}

/// What a good signature must state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    pub(crate) predicate_types: PredicateTypes,
    pub(crate) same_repository: bool,
}

/// Which attestations count as signatures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PredicateTypes {
    /// Any statement about the artifact, as in Flux.
    #[default]
    Any,
    /// Statements of these predicate types only. cosign's older payloads, which have none, count as
    /// [`crate::COSIGN_SIGN_PREDICATE`].
    OneOf(BTreeSet<String>),
}

impl PredicateTypes {
    pub(crate) fn accept(&self, predicate_type: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(accepted) => accepted.contains(predicate_type),
        }
    }
}

/// The data of a Secret is no list of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKeys {
    /// No entry has a name that ends in `.pub`.
    #[error("no entry ends in {PUBLIC_KEY_SUFFIX:?}")]
    NoKeys,
    /// An entry is no usable public key. One bad key spoils the list, so that a slip is seen.
    #[error("entry {entry:?}")]
    Key {
        /// The entry.
        entry: String,
        /// Why.
        source: InvalidKey,
    },
}

/// A policy without keys, which nothing could meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no public keys to verify with")]
pub struct NoKeys;

/// A policy without identities, which nothing could meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no identities to verify with")]
pub struct NoIdentities;

impl KeyPolicy {
    /// A policy of named keys (the name of the file or of the Secret's entry); any one of them is enough.
    ///
    /// # Errors
    /// When there are none.
    pub fn new(keys: impl IntoIterator<Item = (String, PublicKey)>) -> Result<Self, NoKeys> {
        let keys: Vec<_> = keys.into_iter().collect();
        if keys.is_empty() {
            return Err(NoKeys);
        }
        Ok(Self {
            keys,
            log: None,
            claims: Claims::default(),
        })
    }

    /// A policy of the keys in a Secret's decoded data: every entry whose name ends in `.pub`, as Flux reads
    /// the Secret of `verify.secretRef`. Other entries are not looked at.
    ///
    /// # Errors
    /// When there are none, or one is no public key.
    pub fn from_secret_data<V: AsRef<[u8]>>(data: &BTreeMap<String, V>) -> Result<Self, InvalidKeys> {
        let entries = data.iter().filter(|(name, _)| name.ends_with(PUBLIC_KEY_SUFFIX));
        let keys = entries.map(|(name, value)| {
            let pem = std::str::from_utf8(value.as_ref()).map_err(|_| InvalidKey::NoPublicKey);
            let key = pem.and_then(PublicKey::from_pem);
            let key = key.map_err(|source| InvalidKeys::Key {
                entry: name.clone(),
                source,
            })?;
            Ok((name.clone(), key))
        });
        let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
        Self::new(keys).map_err(|NoKeys| InvalidKeys::NoKeys)
    }

    /// Takes only attestations of these predicate types.
    #[must_use]
    pub fn with_predicate_types(mut self, predicate_types: PredicateTypes) -> Self {
        self.claims.predicate_types = predicate_types;
        self
    }

    /// Takes only signatures that are in a transparency log of this root as well.
    #[must_use]
    pub fn in_log_of(mut self, root: TrustRoot) -> Self {
        self.log = Some(root);
        self
    }

    /// Takes only signatures that were made for the repository the artifact is now in. Bundles do not say
    /// where the artifact was, so with this none of them counts. An artifact that was copied to a mirror does
    /// not pass.
    #[must_use]
    pub fn for_same_repository_only(mut self) -> Self {
        self.claims.same_repository = true;
        self
    }
}

impl IdentityPolicy {
    /// A policy of identities; any one of them is enough.
    ///
    /// # Errors
    /// When there are none. See [`IdentityPolicy::any_identity_unsafe`].
    pub fn new(
        root: TrustRoot,
        identities: impl IntoIterator<Item = Identity>,
    ) -> Result<Self, NoIdentities> {
        let identities: Vec<_> = identities.into_iter().collect();
        if identities.is_empty() {
            return Err(NoIdentities);
        }
        Ok(Self {
            identities: Some(identities),
            ..Self::any_identity_unsafe(root)
        })
    }

    /// A policy that anybody meets who has an account with an issuer that the certificate authority knows. With the
    /// public-good instance that is everybody. Flux takes a `verify` without `matchOIDCIdentity` for this.
    pub fn any_identity_unsafe(root: TrustRoot) -> Self {
        Self {
            root,
            identities: None,
            distinct_logs: NonZeroUsize::MIN,
            claims: Claims::default(),
        }
    }

    /// Takes only signatures that are in this many different logs. Two entries of one log are one log.
    #[must_use]
    pub fn in_distinct_logs(mut self, logs: NonZeroUsize) -> Self {
        self.distinct_logs = logs;
        self
    }

    /// Takes only attestations of these predicate types.
    #[must_use]
    pub fn with_predicate_types(mut self, predicate_types: PredicateTypes) -> Self {
        self.claims.predicate_types = predicate_types;
        self
    }

    /// Takes only signatures that were made for the repository the artifact is now in; see
    /// [`KeyPolicy::for_same_repository_only`].
    #[must_use]
    pub fn for_same_repository_only(mut self) -> Self {
        self.claims.same_repository = true;
        self
    }

    /// In what ways the policy lets in more than it seems to: words for a warning.
    pub fn warnings(&self) -> Vec<String> {
        match &self.identities {
            None => vec!["any identity is accepted, so anybody can sign; name the identities".to_owned()],
            Some(identities) => identities.iter().flat_map(Identity::warnings).collect(),
        }
    }
}

impl Policy {
    pub(crate) const fn claims(&self) -> &Claims {
        match self {
            Self::Keys(policy) => &policy.claims,
            Self::Identities(policy) => &policy.claims,
        }
    }

    /// A digest of everything that decides. Verdicts may be remembered by it, together with the artifact and its
    /// repository (N23).
    pub fn fingerprint(&self) -> Digest {
        let mut parts = Vec::new();
        match self {
            Self::Keys(policy) => {
                parts.push("keys".to_owned());
                for (name, key) in &policy.keys {
                    parts.extend([name.clone(), key.fingerprint().to_string()]);
                }
                parts.push(
                    policy
                        .log
                        .as_ref()
                        .map_or_else(String::new, |root| root.fingerprint().to_string()),
                );
            }
            Self::Identities(policy) => {
                parts.extend(["identities".to_owned(), policy.root.fingerprint().to_string()]);
                parts.push(policy.distinct_logs.to_string());
                match &policy.identities {
                    None => parts.push("any".to_owned()),
                    Some(identities) => identities.iter().for_each(|one| one.describe(&mut parts)),
                }
            }
        }
        let claims = self.claims();
        match &claims.predicate_types {
            PredicateTypes::Any => parts.push("any predicate".to_owned()),
            PredicateTypes::OneOf(types) => {
                parts.push("predicates".to_owned());
                parts.extend(types.iter().cloned());
            }
        }
        parts.push(claims.same_repository.to_string());
        fingerprint_of(parts)
    }

    /// Takes only attestations of these predicate types.
    #[must_use]
    pub fn with_predicate_types(self, predicate_types: PredicateTypes) -> Self {
        match self {
            Self::Keys(policy) => Self::Keys(policy.with_predicate_types(predicate_types)),
            Self::Identities(policy) => Self::Identities(policy.with_predicate_types(predicate_types)),
        }
    }

    /// Takes only signatures that were made for the repository the artifact is now in; see
    /// [`KeyPolicy::for_same_repository_only`].
    #[must_use]
    pub fn for_same_repository_only(self) -> Self {
        match self {
            Self::Keys(policy) => Self::Keys(policy.for_same_repository_only()),
            Self::Identities(policy) => Self::Identities(policy.for_same_repository_only()),
        }
    }
}

/// A digest of a list of parts.
pub(crate) fn fingerprint_of(parts: Vec<String>) -> Digest {
    // Each part with its length, so that no two lists read alike.
    let mut text = String::new();
    for part in parts {
        // Writing to a String cannot fail.
        let _ = write!(text, "{}:{part},", part.len());
    }
    Digest::of(text.as_bytes())
}
