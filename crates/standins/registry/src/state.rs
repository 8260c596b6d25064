//! What the registry holds.

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Bytes, BytesMut};
use weir_oci::Digest;

use crate::fault::Fault;
use crate::owner::Seen;

/// Requests remembered; older ones are forgotten.
const MOST_SEEN: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) repositories: BTreeMap<String, Repository>,
    /// Keyed by the digest under which the content was pushed, which tampering may have made untrue.
    pub(crate) blobs: BTreeMap<Digest, Bytes>,
    pub(crate) uploads: BTreeMap<String, Upload>,
    pub(crate) tokens: BTreeMap<String, Grant>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) seen: std::collections::VecDeque<Seen>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Repository {
    pub(crate) blobs: BTreeSet<Digest>,
    pub(crate) manifests: BTreeMap<Digest, Stored>,
    pub(crate) tags: BTreeMap<String, Digest>,
}

/// A manifest as it was pushed.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) raw: Bytes,
    pub(crate) media_type: String,
}

#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) repository: String,
    pub(crate) content: BytesMut,
}

/// What a token allows: actions by repository.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grant(pub(crate) BTreeMap<String, BTreeSet<String>>);

impl State {
    pub(crate) fn repository(&mut self, name: &str) -> &mut Repository {
        self.repositories.entry(name.to_owned()).or_default()
    }

    pub(crate) fn blob(&self, repository: &str, digest: &Digest) -> Option<Bytes> {
        let held = self.repositories.get(repository)?.blobs.contains(digest);
        held.then(|| self.blobs.get(digest).cloned()).flatten()
    }

    pub(crate) fn keep_blob(&mut self, repository: &str, digest: Digest, content: Bytes) {
        self.blobs.entry(digest).or_insert(content);
        self.repository(repository).blobs.insert(digest);
    }

    /// A manifest by tag or digest.
    pub(crate) fn manifest(&self, repository: &str, selector: &str) -> Option<(Digest, Stored)> {
        let repository = self.repositories.get(repository)?;
        let digest = match selector.parse::<Digest>() {
            Ok(digest) => digest,
            Err(_) => *repository.tags.get(selector)?,
        };
        Some((digest, repository.manifests.get(&digest)?.clone()))
    }

    pub(crate) fn remember(&mut self, seen: Seen) {
        if self.seen.len() >= MOST_SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(seen);
    }
}
