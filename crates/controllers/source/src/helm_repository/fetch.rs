//! The index: downloaded unless it is unchanged, read, and written as JSON.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use weir_apis::artifact::Artifact;
use weir_apis::reason;
use weir_charts::{Answer, MAX_INDEX, Repository, Web};
use weir_helm::Index;
use weir_oci::Digest;
use weir_runtime::verdict::chain;
use weir_runtime::{Failure, Key};
use weir_store::Storable;
use weir_verify::Digested;

use crate::status::Failed;

/// What a server called the index that is stored, so that it need not be sent again.
#[derive(Debug, Default)]
pub(crate) struct Etags(Mutex<HashMap<Key, Remembered>>);

#[derive(Debug, Clone)]
struct Remembered {
    url: String,
    revision: String,
    etag: String,
}

impl Etags {
    /// The etag of the artifact, if this repository gave it.
    fn of(&self, key: &Key, url: &str, artifact: Option<&Artifact>) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(key)?;
        let is_stored = artifact.is_some_and(|artifact| artifact.revision == found.revision);
        (is_stored && found.url == url).then(|| found.etag.clone())
    }

    fn keep(&self, key: Key, url: &str, revision: String, etag: Option<String>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match etag {
            Some(etag) => {
                let url = url.to_owned();
                kept.insert(key, Remembered { url, revision, etag });
            }
            None => {
                kept.remove(&key);
            }
        }
    }

    /// The object is gone.
    pub(crate) fn forget(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// An index as it came.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) digest: Digest,
    content: Bytes,
}

/// Downloads the index; `None` if it is the one that is stored.
pub(crate) async fn fetch(
    web: &Web,
    repository: &Repository,
    etags: &Etags,
    key: &Key,
    stored: Option<&Artifact>,
) -> Result<Option<Fetched>, Failed> {
    let url = repository.url().as_str();
    let etag = etags.of(key, url, stored);
    let answer = web
        .index(repository, etag.as_deref(), MAX_INDEX)
        .await
        .map_err(|error| {
            let reason = if error.is_access() {
                reason::AUTHENTICATION_FAILED
            } else {
                reason::FAILED
            };
            let message = format!("failed to fetch Helm repository index: {}", chain(&error));
            Failed::fetch(Failure::retry(reason, message))
        })?;
    let Answer::Content { bytes, etag } = answer else {
        return Ok(None);
    };
    let digest = Digest::of(&bytes);
    etags.keep(key.clone(), url, digest.to_string(), etag);
    if stored.is_some_and(|artifact| artifact.revision == digest.to_string()) {
        return Ok(None);
    }
    Ok(Some(Fetched {
        digest,
        content: bytes,
    }))
}

/// An index for the store.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// Digest of the index as it came.
    digest: Digest,
    json: Bytes,
}

impl Digested for Written {
    fn digest(&self) -> Digest {
        self.digest
    }
}

impl Storable for Written {
    fn content(&self) -> &Bytes {
        &self.json
    }
}

/// Reads an index and writes it as JSON.
pub(crate) async fn rewrite(fetched: Fetched) -> Result<Written, Failed> {
    let failed = |why: String| {
        let message = format!("failed to load Helm repository from index YAML: {why}");
        Failed::fetch(Failure::retry(reason::INDEXATION_FAILED, message))
    };
    let Fetched { digest, content } = fetched;
    let task = tokio::task::spawn_blocking(move || {
        let index = Index::read_whole(&content).map_err(|error| error.to_string())?;
        drop(content);
        for warning in index.warnings() {
            tracing::info!(%warning, "an index of charts has entries that break a rule");
        }
        Ok(Bytes::from(index.to_json()))
    });
    match task.await {
        Ok(Ok(json)) => Ok(Written { digest, json }),
        Ok(Err(why)) => Err(failed(why)),
        Err(error) => Err(failed(format!("reading did not end: {error}"))),
    }
}
