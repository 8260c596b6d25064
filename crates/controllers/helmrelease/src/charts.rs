//! Charts, loaded from artifacts and shared by all releases of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use weir_apis::artifact::Artifact;
use weir_charts::Tgz;
use weir_helm::{Chart, LoadError};
use weir_oci::Digest;
use weir_runtime::artifacts::{Artifacts, ReadError};

/// Bytes of the files of loaded charts that are kept. A chart that many releases share is loaded once; most have some
/// ten thousand bytes.
const KEPT: usize = 32 << 20;

/// Why a chart can't be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// Its artifact can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The artifact holds no chart.
    #[error("artifact {path} holds no chart that can be loaded")]
    Load {
        path: String,
        #[source]
        source: LoadError,
    },
}

impl OpenError {
    /// It is not there yet, or not any more: a new one is about to be told.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Read(error) if error.is_absent())
    }
}

/// Loads charts and remembers the last ones.
#[derive(Debug)]
pub(crate) struct Charts {
    artifacts: Artifacts,
    loaded: Mutex<Loaded>,
}

/// Charts by the digest of their artifact, the last used one first.
#[derive(Debug, Default)]
struct Loaded {
    charts: VecDeque<(Digest, Arc<Chart>, usize)>,
    bytes: usize,
}

impl Loaded {
    fn get(&mut self, digest: &Digest) -> Option<Arc<Chart>> {
        let at = self.charts.iter().position(|(known, _, _)| known == digest)?;
        let found = self.charts.remove(at)?;
        let chart = found.1.clone();
        self.charts.push_front(found);
        Some(chart)
    }

    fn put(&mut self, digest: Digest, chart: Arc<Chart>, budget: usize) {
        if self.get(&digest).is_some() {
            return;
        }
        let size = chart.raw.iter().map(|file| file.data.len()).sum();
        self.charts.push_front((digest, chart, size));
        self.bytes += size;
        while self.bytes > budget
            && let Some((_, _, size)) = self.charts.pop_back()
        {
            self.bytes -= size;
        }
    }
}

impl Charts {
    pub(crate) fn new(artifacts: Artifacts) -> Self {
        Self {
            artifacts,
            loaded: Mutex::default(),
        }
    }

    /// The chart of an artifact, whose bytes are checked against the digest in the source's status.
    pub(crate) async fn open(&self, artifact: &Artifact) -> Result<Arc<Chart>, OpenError> {
        let digest = Artifacts::digest(artifact)?;
        if let Some(chart) = self.lock().get(&digest) {
            return Ok(chart);
        }
        let bytes = self.artifacts.read(artifact).await?;
        let path = artifact.path.clone();
        let task = tokio::task::spawn_blocking(move || Chart::from_archive(&bytes, &Tgz));
        let loaded = task.await.map_err(|_| ReadError::Stopped(path.clone()))?;
        let chart = Arc::new(loaded.map_err(|source| OpenError::Load { path, source })?);
        self.lock().put(digest, chart.clone(), KEPT);
        Ok(chart)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use weir_helm::File;

    use super::*;

    fn chart(size: usize) -> Arc<Chart> {
        Arc::new(Chart {
            raw: vec![File::new("values.yaml", vec![b'#'; size])].into(),
            ..Chart::default()
        })
    }

    #[test]
    fn the_last_used_charts_stay_within_the_budget() {
        let mut loaded = Loaded::default();
        let digests: Vec<Digest> = (0..4_u8).map(|n| Digest::of(&[n])).collect();
        loaded.put(digests[0], chart(40), 100);
        loaded.put(digests[1], chart(40), 100);
        assert!(loaded.get(&digests[0]).is_some());
        loaded.put(digests[2], chart(40), 100);
        let has =
            |loaded: &mut Loaded| -> Vec<bool> { digests.iter().map(|d| loaded.get(d).is_some()).collect() };
        assert_eq!(has(&mut loaded), [true, false, true, false]);
        // What is larger than all that is kept is loaded each time.
        loaded.put(digests[3], chart(200), 100);
        assert_eq!(loaded.bytes, 0);
        assert_eq!(has(&mut loaded), [false; 4]);
    }
}
