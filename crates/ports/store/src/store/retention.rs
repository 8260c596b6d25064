//! What is kept beside the current artifact, for consumers that still read the one before.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::{Location, Store, StoreError, TEMPORARY};

/// How many artifacts of an object are kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The most artifacts, the current one included.
    pub records: usize,
    /// The longest time for any but the current one.
    pub age: Duration,
}

impl Default for Retention {
    /// source-controller's defaults.
    fn default() -> Self {
        Self {
            records: 2,
            age: Duration::from_mins(1),
        }
    }
}

impl Store {
    /// Removes what need not be kept at `location` besides the file called `current`, and says which files.
    ///
    /// # Errors
    /// When the disk fails. That nothing is there is no error.
    pub fn collect(
        &self,
        location: &Location,
        current: &str,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let folder = self.root().join(location.folder());
        let mut others = match files(&folder) {
            Ok(files) => files,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(StoreError::Read { path: folder, source }),
        };
        others.retain(|(_, name)| name != current);
        // The newest first; of equal times, a fixed order.
        others.sort_by(|a, b| b.cmp(a));
        let now = SystemTime::from(now);
        let mut removed = Vec::new();
        for (kept_before, (modified, name)) in others.into_iter().enumerate() {
            let expired = now.duration_since(modified).is_ok_and(|age| age > retention.age);
            // One place belongs to the current artifact.
            if !expired && kept_before + 1 < retention.records {
                continue;
            }
            let path = folder.join(&name);
            fs::remove_file(&path).map_err(|source| StoreError::Write { path, source })?;
            removed.push(name);
        }
        Ok(removed)
    }
}

/// The artifacts in a folder with their times; links and files under way are none.
fn files(folder: &PathBuf) -> io::Result<Vec<(SystemTime, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && !name.starts_with(TEMPORARY) {
            files.push((entry.metadata()?.modified()?, name));
        }
    }
    Ok(files)
}
