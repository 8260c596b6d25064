//! Step five: the store, and `status.artifact`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use weir_apis::artifact::Artifact;
use weir_apis::time::Time;
use weir_apis::{Object, reason};
use weir_oci::Digest;
use weir_runtime::Failure;
use weir_runtime::verdict::chain;
use weir_store::{Location, Retention, Storable, Store, StoreError, Stored};
use weir_verify::Admitted;

use crate::status::{At, Failed};

/// The link to the newest artifact, as source-controller names it.
pub(crate) const LATEST: &str = "latest.tar.gz";

/// Where an artifact goes, and what the status says of it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Name of the file.
    pub(crate) file: String,
    /// Name of the link to it.
    pub(crate) latest: &'static str,
    pub(crate) revision: String,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// Keeps artifacts and says where they are served.
#[derive(Debug)]
pub(crate) struct Keeper {
    store: Arc<Store>,
    url: String,
}

impl Keeper {
    pub(crate) fn new(store: Arc<Store>, url: String) -> Self {
        Self { store, url }
    }

    /// Whether the store still holds this artifact, intact. A file that changed is removed, so that it is built again.
    pub(crate) async fn holds(&self, artifact: Option<&Artifact>) -> bool {
        let Some(stored) = artifact.and_then(stored) else {
            return false;
        };
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || store.verify(&stored)).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::info!(error = %chain(&error), "the stored artifact is gone or changed, fetching it again");
                false
            }
            Err(_) => false,
        }
    }

    /// Reads an artifact that another of our controllers has stored; `None` where the store does not hold it, intact.
    pub(crate) async fn read(&self, artifact: &Artifact) -> Option<bytes::Bytes> {
        let (store, stored) = (self.store.clone(), stored(artifact)?);
        let read = tokio::task::spawn_blocking(move || store.read(&stored)).await;
        read.ok()?.ok()
    }

    /// Where the link to the newest artifact is served.
    pub(crate) fn link(&self, artifact: &Artifact, latest: &str) -> String {
        let folder = artifact.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{}/{folder}/{latest}", self.url)
    }

    /// Stores what was admitted, removes what need not be kept, and says what the status is to say.
    pub(crate) async fn keep<T: Storable + Send + 'static>(
        &self,
        object: &Object,
        place: Place,
        admitted: Admitted<T>,
        now: Time,
    ) -> Result<Artifact, Failed> {
        let location = location(object).map_err(|e| store_failed(&e))?;
        let Place {
            file,
            latest,
            revision,
            metadata,
        } = place;
        let (store, at) = (self.store.clone(), now.timestamp());
        let task = tokio::task::spawn_blocking(move || put(&store, &location, &file, latest, &admitted, at));
        let stored = match task.await {
            Ok(result) => result.map_err(|e| store_failed(&e))?,
            Err(error) => {
                return Err(Failed {
                    at: At::Store,
                    failure: Failure::retry(
                        reason::STORAGE_OPERATION_FAILED,
                        format!("storing did not end: {error}"),
                    ),
                });
            }
        };
        Ok(Artifact {
            digest: stored.digest.to_string(),
            last_update_time: now,
            metadata,
            url: format!("{}/{}", self.url, stored.path),
            path: stored.path,
            revision,
            size: i64::try_from(stored.size).ok(),
        })
    }

    /// The object is being deleted: its artifacts go.
    pub(crate) async fn remove(&self, object: &Object) {
        let Ok(location) = location(object) else { return };
        let store = self.store.clone();
        let removed = tokio::task::spawn_blocking(move || store.remove(&location)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(object = %object.reference(), error = %chain(&error), "cannot remove stored artifacts");
        }
    }
}

fn put<T: Storable>(
    store: &Store,
    location: &Location,
    file: &str,
    latest: &str,
    admitted: &Admitted<T>,
    now: Timestamp,
) -> Result<Stored, StoreError> {
    let stored = store.put(location, file, Some(latest), admitted, now)?;
    store.collect(location, file, Retention::default(), now)?;
    Ok(stored)
}

fn location(object: &Object) -> Result<Location, StoreError> {
    Ok(Location::new(object.kind(), object.namespace(), object.name())?)
}

/// What the store knows of an artifact in a status.
fn stored(artifact: &Artifact) -> Option<Stored> {
    Some(Stored {
        path: artifact.path.clone(),
        digest: artifact.digest.parse::<Digest>().ok()?,
        size: u64::try_from(artifact.size?).ok()?,
    })
}

fn store_failed(error: &StoreError) -> Failed {
    Failed {
        at: At::Store,
        failure: Failure::retry(reason::STORAGE_OPERATION_FAILED, chain(error)),
    }
}
