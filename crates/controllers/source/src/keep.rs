//! Step five: the store, and `status.artifact`.

use std::sync::Arc;

use jiff::Timestamp;
use weir_apis::artifact::Artifact;
use weir_apis::time::Time;
use weir_apis::{Object, reason};
use weir_oci::Digest;
use weir_runtime::Failure;
use weir_runtime::verdict::chain;
use weir_store::{Location, Retention, Store, StoreError, Stored};
use weir_verify::Admitted;

use crate::fetch::Pulled;
use crate::status::{At, Failed};

/// The link to the newest artifact, as source-controller names it.
const LATEST: &str = "latest.tar.gz";

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

    /// Stores what was admitted, removes what need not be kept, and says what the status is to say.
    pub(crate) async fn keep(
        &self,
        object: &Object,
        revision: &str,
        admitted: Admitted<Pulled>,
        now: Time,
    ) -> Result<Artifact, Failed> {
        let location = location(object).map_err(|e| store_failed(&e))?;
        // As source-controller names it, also for a copied layer: by the digest that was resolved.
        let file = format!("{}.tar.gz", digest_of(revision));
        let metadata = admitted.get().metadata.clone();
        let (store, at) = (self.store.clone(), now.timestamp());
        let task = tokio::task::spawn_blocking(move || put(&store, &location, &file, &admitted, at));
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
            revision: revision.to_owned(),
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

fn put(
    store: &Store,
    location: &Location,
    file: &str,
    admitted: &Admitted<Pulled>,
    now: Timestamp,
) -> Result<Stored, StoreError> {
    let stored = store.put(location, file, Some(LATEST), admitted, now)?;
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

/// The digest part of a revision.
fn digest_of(revision: &str) -> &str {
    revision.rsplit_once('@').map_or(revision, |(_, digest)| digest)
}

fn store_failed(error: &StoreError) -> Failed {
    Failed {
        at: At::Store,
        failure: Failure::retry(reason::STORAGE_OPERATION_FAILED, chain(error)),
    }
}
