//! Indexes that were read already: many charts come from one repository.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Mutex;
use weir_apis::artifact::Artifact;
use weir_apis::reason;
use weir_helm::Index;
use weir_runtime::Failure;

use crate::keep::Keeper;
use crate::status::Failed;

/// How many indexes are kept, and how many versions of charts in all of them; a version takes some three hundred bytes.
const MOST: usize = 64;
const MOST_VERSIONS: usize = 250_000;

/// Indexes by digest of their artifact, those used last in front.
#[derive(Debug, Default)]
pub(crate) struct Indexes(Mutex<VecDeque<(String, Arc<Index>)>>);

impl Indexes {
    /// Whether the index of an artifact is in memory. Then nothing of the stored file is needed, which may have fifty
    /// million bytes to check.
    pub(crate) async fn has(&self, artifact: &Artifact) -> bool {
        let kept = self.0.lock().await;
        kept.iter().any(|(digest, _)| *digest == artifact.digest)
    }

    /// The index that an artifact holds. One at a time is read, so that memory is bounded and nothing is read twice.
    pub(crate) async fn load(&self, keeper: &Keeper, artifact: &Artifact) -> Result<Arc<Index>, Failed> {
        let mut kept = self.0.lock().await;
        let at = kept.iter().position(|(digest, _)| *digest == artifact.digest);
        if let Some(entry) = at.and_then(|at| kept.remove(at)) {
            let index = entry.1.clone();
            kept.push_front(entry);
            return Ok(index);
        }
        let failed = |why: &str| {
            let message = format!(
                "chart pull error: failed to get chart version for remote reference: failed to load index: {why}"
            );
            Failed::fetch(Failure::retry(reason::CHART_PULL_ERROR, message))
        };
        let content = keeper
            .read(artifact)
            .await
            .ok_or_else(|| failed("the store does not hold it any more"))?;
        let task = tokio::task::spawn_blocking(move || Index::read(&content));
        let index = match task.await {
            Ok(Ok(index)) => Arc::new(index),
            Ok(Err(error)) => return Err(failed(&error.to_string())),
            Err(error) => return Err(failed(&format!("reading did not end: {error}"))),
        };
        kept.push_front((artifact.digest.clone(), index.clone()));
        let mut versions = 0;
        let fitting = kept
            .iter()
            .take(MOST)
            .take_while(|(_, index)| {
                versions += index.len();
                versions <= MOST_VERSIONS
            })
            .count();
        kept.truncate(fitting.max(1));
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use jiff::Timestamp;
    use serde_json::json;
    use weir_apis::Object;
    use weir_apis::time::Time;
    use weir_store::Store;
    use weir_verify::Admitted;

    use super::*;
    use crate::keep::Place;

    #[tokio::test]
    async fn an_index_is_read_once_however_many_charts_come_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let keeper = Keeper::new(store, "http://weir.test".into());
        let repository = Object::from_value(json!({"apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "HelmRepository", "metadata": {"name": "charts", "namespace": "apps"}}))
        .unwrap();
        let text = "apiVersion: v1\nentries:\n  web:\n  - {apiVersion: v2, name: web, version: 1.0.0}\n";
        let place = Place {
            file: "index.yaml".into(),
            latest: "latest.yaml",
            revision: "r".into(),
            metadata: BTreeMap::new(),
        };
        let admitted = Admitted::without_policy(Bytes::from(text));
        let now = Time::new(Timestamp::UNIX_EPOCH);
        let artifact = keeper.keep(&repository, place, admitted, now).await.unwrap();
        let indexes = Indexes::default();
        assert!(!indexes.has(&artifact).await);
        let first = indexes.load(&keeper, &artifact).await.unwrap();
        assert_eq!(first.len(), 1);
        // Nothing is left to read it from.
        keeper.remove(&repository).await;
        assert!(!keeper.holds(Some(&artifact)).await);
        for _ in 0..200 {
            assert!(indexes.has(&artifact).await);
            let again = indexes.load(&keeper, &artifact).await.unwrap();
            assert!(Arc::ptr_eq(&first, &again));
        }
    }
}
