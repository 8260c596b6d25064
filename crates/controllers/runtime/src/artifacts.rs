//! The files that sources offer.

use std::sync::Arc;

use bytes::Bytes;
use weir_apis::artifact::Artifact;
use weir_oci::Digest;
use weir_store::download::{DownloadError, Downloader};
use weir_store::{Store, StoreError, Stored};

/// Why an artifact can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source's status names no digest.
    #[error("the source's artifact has no valid digest ('{0}')")]
    Digest(String),
    /// The process that serves it does not give it.
    #[error("cannot download artifact {path}")]
    Download {
        /// Its path below the store's root.
        path: String,
        /// Why not.
        #[source]
        source: Box<DownloadError>,
    },
    /// The store does not have it, or not intact.
    #[error("cannot read artifact {path}")]
    Read {
        /// Its path below the store's root.
        path: String,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// The reader was stopped.
    #[error("reading artifact {0} did not end")]
    Stopped(String),
}

impl ReadError {
    /// It is not there yet, or not any more: a new one is about to be told.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Download { source, .. } if matches!(**source, DownloadError::Absent(_)))
    }
}

/// Reads artifacts, from the store of this process or from the process that serves them.
#[derive(Debug, Clone)]
pub struct Artifacts {
    store: Arc<Store>,
    /// Where the artifacts of the store are served: what lies there is not downloaded.
    own_url: String,
    downloader: Downloader,
}

impl Artifacts {
    /// Artifacts under `own_url` are read from `store`, others downloaded.
    pub fn new(store: Arc<Store>, own_url: String, downloader: Downloader) -> Self {
        Self {
            store,
            own_url,
            downloader,
        }
    }

    /// The digest that the source's status names.
    pub fn digest(artifact: &Artifact) -> Result<Digest, ReadError> {
        artifact
            .digest
            .parse()
            .map_err(|_| ReadError::Digest(artifact.digest.clone()))
    }

    /// The bytes of an artifact, checked against the digest in the source's status.
    pub async fn read(&self, artifact: &Artifact) -> Result<Bytes, ReadError> {
        let digest = Self::digest(artifact)?;
        let path = artifact.path.clone();
        let size = artifact.size.and_then(|s| u64::try_from(s).ok());
        if !artifact.url.starts_with(&self.own_url) {
            let download = self.downloader.get(&artifact.url, &digest, size).await;
            return download.map_err(|source| ReadError::Download {
                path,
                source: Box::new(source),
            });
        }
        let store = self.store.clone();
        let stored = Stored {
            path: path.clone(),
            digest,
            size: size.unwrap_or_default(),
        };
        let task = tokio::task::spawn_blocking(move || store.read(&stored));
        let read = task.await.map_err(|_| ReadError::Stopped(path.clone()))?;
        read.map_err(|source| ReadError::Read { path, source })
    }
}
