//! Trees of artifacts, shared by all Kustomizations that build from them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use weir_apis::artifact::Artifact;
use weir_kustomize::MemoryFiles;
use weir_oci::Digest;
use weir_store::download::{DownloadError, Downloader};
use weir_store::extract::{self, Symlinks};
use weir_store::{Limits, Store, Stored};

/// Trees that are kept. One source is built by many Kustomizations at about the same time, so few are enough.
const KEPT: usize = 16;

/// Why an artifact can't be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The source's status names no digest.
    #[error("the source's artifact has no valid digest ('{0}')")]
    Digest(String),
    /// The process that serves it does not give it.
    #[error("cannot download artifact {path}")]
    Download {
        path: String,
        #[source]
        source: Box<DownloadError>,
    },
    /// The store does not have it, or not intact.
    #[error("cannot read artifact {path}")]
    Read {
        path: String,
        #[source]
        source: weir_store::StoreError,
    },
    /// It is no archive that may be unpacked.
    #[error("cannot unpack artifact {path}")]
    Unpack {
        path: String,
        #[source]
        source: extract::ExtractError,
    },
    /// The reader was stopped.
    #[error("reading artifact {0} did not end")]
    Stopped(String),
}

/// Opens artifacts and remembers the last ones.
#[derive(Debug)]
pub(crate) struct Artifacts {
    store: Arc<Store>,
    /// Where the artifacts of the store are served: what lies there is not downloaded.
    own_url: String,
    downloader: Downloader,
    trees: Mutex<VecDeque<(Digest, Arc<MemoryFiles>)>>,
}

impl Artifacts {
    pub(crate) fn new(store: Arc<Store>, own_url: String, downloader: Downloader) -> Self {
        Self {
            store,
            own_url,
            downloader,
            trees: Mutex::default(),
        }
    }

    /// The tree of an artifact, from the store or from the process that serves it. Its bytes are checked against the
    /// digest in the source's status.
    pub(crate) async fn open(&self, artifact: &Artifact) -> Result<Arc<MemoryFiles>, OpenError> {
        let digest: Digest = artifact
            .digest
            .parse()
            .map_err(|_| OpenError::Digest(artifact.digest.clone()))?;
        if let Some(tree) = self.known(&digest) {
            return Ok(tree);
        }
        let (store, path) = (self.store.clone(), artifact.path.clone());
        let size = artifact.size.and_then(|s| u64::try_from(s).ok());
        let downloaded = if artifact.url.starts_with(&self.own_url) {
            None
        } else {
            let download = self.downloader.get(&artifact.url, &digest, size).await;
            Some(download.map_err(|source| OpenError::Download {
                path: path.clone(),
                source: Box::new(source),
            })?)
        };
        let stored = Stored {
            path: path.clone(),
            digest,
            size: size.unwrap_or_default(),
        };
        let task = tokio::task::spawn_blocking(move || {
            let bytes = match downloaded {
                Some(bytes) => bytes,
                None => store.read(&stored).map_err(|source| OpenError::Read {
                    path: path.clone(),
                    source,
                })?,
            };
            let tree = extract::tree(&bytes[..], &Limits::default(), Symlinks::Refuse)
                .map_err(|source| OpenError::Unpack { path, source })?;
            let files = tree
                .files()
                .map(|(path, entry)| (format!("/{path}"), entry.bytes.to_vec()));
            Ok(Arc::new(files.collect::<MemoryFiles>()))
        });
        let tree = task
            .await
            .map_err(|_| OpenError::Stopped(artifact.path.clone()))??;
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
        matches!(self, Self::Download { source, .. } if matches!(**source, DownloadError::Absent(_)))
    }
}
