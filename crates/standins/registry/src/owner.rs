//! What the owner of the registry can do without asking the protocol.

use bytes::Bytes;
use weir_oci::{Digest, InvalidManifest, Manifest};

use crate::Registry;
use crate::fault::Fault;
use crate::state::Stored;

/// A request the registry saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The scheme of its `Authorization`, when it had one. The credentials themselves are not kept.
    pub authorization: Option<String>,
    /// The answer's status; 0 when a fault swallowed it.
    pub status: u16,
}

/// A manifest that the owner wanted to put in and that is none.
#[derive(Debug, thiserror::Error)]
#[error("cannot put a manifest into {repository}")]
pub struct RefusedManifest {
    repository: String,
    #[source]
    source: InvalidManifest,
}

impl Registry {
    /// Another registry that behaves like this one and holds what this one holds now, without faults and requests.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::new(self.options().clone());
        let (mut to, from) = (copy.state(), self.state());
        to.repositories.clone_from(&from.repositories);
        to.blobs.clone_from(&from.blobs);
        drop((to, from));
        copy
    }

    /// Puts a blob into a repository.
    pub fn put_blob(&self, repository: &str, content: impl Into<Bytes>) -> Digest {
        let content = content.into();
        let digest = Digest::of(&content);
        self.state().keep_blob(repository, digest, content);
        digest
    }

    /// Puts a manifest into a repository, under `tag` when there is one. Its blobs need not be there.
    ///
    /// # Errors
    /// When the bytes are no manifest of that media type.
    pub fn put_manifest(
        &self,
        repository: &str,
        tag: Option<&str>,
        raw: impl Into<Bytes>,
        media_type: &str,
    ) -> Result<Digest, RefusedManifest> {
        let raw = raw.into();
        Manifest::parse(media_type, &raw).map_err(|source| RefusedManifest {
            repository: repository.to_owned(),
            source,
        })?;
        let digest = Digest::of(&raw);
        let mut state = self.state();
        let held = state.repository(repository);
        held.manifests.insert(
            digest,
            Stored {
                raw,
                media_type: media_type.to_owned(),
            },
        );
        if let Some(tag) = tag {
            held.tags.insert(tag.to_owned(), digest);
        }
        Ok(digest)
    }

    /// The blob as it is stored.
    pub fn blob(&self, repository: &str, digest: &Digest) -> Option<Bytes> {
        self.state().blob(repository, digest)
    }

    /// The bytes of a manifest by tag or digest, as they are stored.
    pub fn manifest(&self, repository: &str, selector: &str) -> Option<Bytes> {
        Some(self.state().manifest(repository, selector)?.1.raw)
    }

    /// What a tag points to.
    pub fn tag(&self, repository: &str, tag: &str) -> Option<Digest> {
        self.state().repositories.get(repository)?.tags.get(tag).copied()
    }

    /// The tags of a repository, sorted.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        let state = self.state();
        state
            .repositories
            .get(repository)
            .map(|held| held.tags.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// The repositories, sorted.
    pub fn repositories(&self) -> Vec<String> {
        self.state().repositories.keys().cloned().collect()
    }

    /// Moves a tag behind everyone's back, also an immutable one. Whether the digest exists does not matter.
    pub fn tamper_tag(&self, repository: &str, tag: &str, digest: Digest) {
        self.state()
            .repository(repository)
            .tags
            .insert(tag.to_owned(), digest);
    }

    /// Changes the bytes of a manifest while its digest and tags stay. False when there is none.
    pub fn tamper_manifest(&self, repository: &str, selector: &str, raw: impl Into<Bytes>) -> bool {
        let mut state = self.state();
        let Some((digest, _)) = state.manifest(repository, selector) else {
            return false;
        };
        match state.repository(repository).manifests.get_mut(&digest) {
            Some(stored) => {
                stored.raw = raw.into();
                true
            }
            None => false,
        }
    }

    /// Changes the bytes of a blob, in all repositories, while its digest stays. False when there is none.
    pub fn tamper_blob(&self, digest: &Digest, content: impl Into<Bytes>) -> bool {
        match self.state().blobs.get_mut(digest) {
            Some(stored) => {
                *stored = content.into();
                true
            }
            None => false,
        }
    }

    /// Adds a fault. The oldest one that applies to a request is used.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Forgets all faults.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// The requests so far, oldest first.
    pub fn seen(&self) -> Vec<Seen> {
        self.state().seen.iter().cloned().collect()
    }

    /// Forgets the requests so far.
    pub fn forget_seen(&self) {
        self.state().seen.clear();
    }

    /// Makes every token end now.
    pub fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }
}
