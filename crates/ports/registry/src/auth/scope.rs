//! What a token is asked for.

use std::collections::BTreeMap;

use weir_oci::Repository;

/// What is to be done with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    Pull,
    Push,
    Delete,
}

impl Access {
    const fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
            // Registries differ in whether deletion includes the rest; asking for all of it is safe.
            Self::Delete => "delete,pull,push",
        }
    }
}

/// A set of scopes: the key of a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Scopes(BTreeMap<String, Access>);

impl Scopes {
    pub(crate) fn one(repository: &Repository, access: Access) -> Self {
        Self::default().and(repository, access)
    }

    /// Adds a repository; the stronger access stays.
    pub(crate) fn and(mut self, repository: &Repository, access: Access) -> Self {
        let held = self.0.entry(repository.path().to_owned()).or_insert(access);
        *held = access.max(*held);
        self
    }

    /// The scopes in the words of the token protocol.
    pub(crate) fn words(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|(path, access)| format!("repository:{path}:{}", access.actions()))
            .collect()
    }
}
