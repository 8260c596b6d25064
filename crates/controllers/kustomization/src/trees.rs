//! Trees of artifacts, shared by all Kustomizations that build from them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use weir_apis::artifact::Artifact;
use weir_kustomize::MemoryFiles;
use weir_oci::Digest;
use weir_runtime::artifacts::{Artifacts, ReadError};
use weir_store::Limits;
use weir_store::extract::{self, Symlinks};

/// Trees that are kept. One source is built by many Kustomizations at about the same time, so few are enough.
const KEPT: usize = 16;

/// Why an artifact can't be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is no archive that may be unpacked.
    #[error("cannot unpack artifact {path}")]
    Unpack {
        path: String,
        #[source]
        source: extract::ExtractError,
    },
}

/// Opens artifacts and remembers the last ones.
#[derive(Debug)]
pub(crate) struct Trees {
    artifacts: Artifacts,
    trees: Mutex<VecDeque<(Digest, Arc<MemoryFiles>)>>,
}

impl Trees {
    pub(crate) fn new(artifacts: Artifacts) -> Self {
        Self {
            artifacts,
            trees: Mutex::default(),
        }
    }

    /// The tree of an artifact. Its bytes are checked against the digest in the source's status.
    pub(crate) async fn open(&self, artifact: &Artifact) -> Result<Arc<MemoryFiles>, OpenError> {
        let digest = Artifacts::digest(artifact)?;
        if let Some(tree) = self.known(&digest) {
            return Ok(tree);
        }
        let bytes = self.artifacts.read(artifact).await?;
        let path = artifact.path.clone();
        let task = tokio::task::spawn_blocking(move || {
            let tree = extract::tree(&bytes[..], &Limits::default(), Symlinks::Refuse)
                .map_err(|source| OpenError::Unpack { path, source })?;
            let files = tree
                .files()
                .map(|(path, entry)| (format!("/{path}"), entry.bytes.to_vec()));
            Ok::<_, OpenError>(Arc::new(files.collect::<MemoryFiles>()))
        });
        let tree = task
            .await
            .map_err(|_| ReadError::Stopped(artifact.path.clone()))??;
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees.push_front((digest, tree.clone()));
        trees.truncate(KEPT);
        Ok(tree)
    }

    fn known(&self, digest: &Digest) -> Option<Arc<MemoryFiles>> {
        let trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees
            .iter()
            .find(|(d, _)| d == digest)
            .map(|(_, tree)| tree.clone())
    }
}

impl OpenError {
    /// It is not there yet, or not any more: a new one is about to be told.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Read(error) if error.is_absent())
    }
}
