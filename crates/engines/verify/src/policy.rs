//! What a signature must be.

use std::collections::{BTreeMap, BTreeSet};

use crate::key::{InvalidKey, PublicKey};

/// How the entries of a Secret that hold public keys end, as in Flux's `verify.secretRef`.
const PUBLIC_KEY_SUFFIX: &str = ".pub";

/// What is asked of signatures.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Policy {
    /// A signature by one of some keys.
    Keys(KeyPolicy),
}

/// A signature by one of some keys; the transparency log is not looked at.
#[derive(Clone, Debug)]
pub struct KeyPolicy {
    pub(crate) keys: Vec<(String, PublicKey)>,
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
            predicate_types: PredicateTypes::Any,
            same_repository: false,
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
        self.predicate_types = predicate_types;
        self
    }

    /// Takes only signatures that were made for the repository the artifact is now in. Bundles do not say
    /// where the artifact was, so with this none of them counts. An artifact that was copied to a mirror does
    /// not pass.
    #[must_use]
    pub fn for_same_repository_only(mut self) -> Self {
        self.same_repository = true;
        self
    }
}
