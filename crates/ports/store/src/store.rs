//! Artifacts on a disk, as source-controller keeps them: `<kind>/<namespace>/<name>/<file>`.
//!
//! A file appears whole or not at all: it is written beside its place, flushed to the disk and renamed. What is
//! read is hashed again. The store knows no time but the caller's.

mod location;
mod retention;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use jiff::Timestamp;
use weir_oci::{Digest, Hasher};
use weir_verify::Admitted;

pub(crate) use location::check_path;
pub use location::{InvalidLocation, Location};
pub use retention::Retention;

/// What can be stored, once it is admitted.
pub trait Storable {
    /// The bytes of the file.
    fn content(&self) -> &Bytes;
}

impl Storable for Bytes {
    fn content(&self) -> &Bytes {
        self
    }
}

/// A stored artifact: what `status.artifact` says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it is below the store's root, with `/` between components.
    pub path: String,
    /// The digest of the file.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// The store. It is used by one process at a time; within it, from any number of threads.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    temporary: AtomicU64,
}

/// The names of files under way; they are never served or counted.
const TEMPORARY: &str = ".tmp-";

impl Store {
    /// Opens the store in `root`, making the folder if it is not there, and removes what a crash left behind.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let root = root.into();
        fs::create_dir_all(&root).map_err(|source| StoreError::Write {
            path: root.clone(),
            source,
        })?;
        sweep(&root, 0)?;
        Ok(Self {
            root,
            temporary: AtomicU64::new(0),
        })
    }

    /// Where the store is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Stores what was admitted as `file` at `location`, with `now` as its age for [`Store::collect`], and makes the link
    /// `latest` (such as `latest.tar.gz`) point to it.
    ///
    /// # Errors
    /// When a name is not acceptable or the disk fails.
    pub fn put<T: Storable>(
        &self,
        location: &Location,
        file: &str,
        latest: Option<&str>,
        admitted: &Admitted<T>,
        now: Timestamp,
    ) -> Result<Stored, StoreError> {
        location::check_file(file)?;
        let content = admitted.get().content();
        let folder = self.root.join(location.folder());
        let place = folder.join(file);
        let failed = |source| StoreError::Write {
            path: place.clone(),
            source,
        };
        fs::create_dir_all(&folder).map_err(failed)?;
        let temporary = folder.join(self.temporary_name());
        let written = write(&temporary, content, now).and_then(|()| fs::rename(&temporary, &place));
        if let Err(source) = written {
            drop(fs::remove_file(&temporary));
            return Err(failed(source));
        }
        flush_folder(&folder).map_err(failed)?;
        if let Some(latest) = latest {
            location::check_file(latest)?;
            self.link(&folder, latest, file).map_err(failed)?;
        }
        Ok(Stored {
            path: format!("{}/{file}", location.folder()),
            digest: Digest::of(content),
            size: content.len() as u64,
        })
    }

    /// Reads a stored artifact and checks it against its digest.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when the file is not what was stored, [`StoreError::Read`] when it cannot be read.
    pub fn read(&self, stored: &Stored) -> Result<Bytes, StoreError> {
        let path = self.path_of(stored)?;
        let failed = |source| StoreError::Read {
            path: path.clone(),
            source,
        };
        let file = File::open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        // One byte more than expected tells a longer file, and no more than that is read of it.
        file.take(stored.size.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes.len() as u64 != stored.size || Digest::of(&bytes) != stored.digest {
            return Err(StoreError::Changed(stored.path.clone()));
        }
        Ok(bytes.into())
    }

    /// Hashes a stored artifact again, without holding it in memory. A file that changed is removed, so that it is not
    /// served any longer.
    ///
    /// # Errors
    /// As for [`Store::read`].
    pub fn verify(&self, stored: &Stored) -> Result<(), StoreError> {
        let path = self.path_of(stored)?;
        let failed = |source| StoreError::Read {
            path: path.clone(),
            source,
        };
        let mut file = File::open(&path).map_err(failed)?;
        let mut hasher = Hasher::new();
        io::copy(&mut file, &mut hasher).map_err(failed)?;
        if hasher.length() == stored.size && hasher.finish() == stored.digest {
            return Ok(());
        }
        fs::remove_file(&path).map_err(|source| StoreError::Write {
            path: path.clone(),
            source,
        })?;
        Err(StoreError::Changed(stored.path.clone()))
    }

    /// Removes everything at a location: its object is gone.
    ///
    /// # Errors
    /// When the disk fails. That nothing is there is no error.
    pub fn remove(&self, location: &Location) -> Result<(), StoreError> {
        let folder = self.root.join(location.folder());
        match fs::remove_dir_all(&folder) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::Write { path: folder, source })
            }
            _ => Ok(()),
        }
    }

    fn path_of(&self, stored: &Stored) -> Result<PathBuf, StoreError> {
        location::check_path(&stored.path)?;
        Ok(self.root.join(&stored.path))
    }

    fn temporary_name(&self) -> String {
        format!("{TEMPORARY}{}", self.temporary.fetch_add(1, Ordering::Relaxed))
    }

    /// Points `latest` to `file`, at once.
    fn link(&self, folder: &Path, latest: &str, file: &str) -> io::Result<()> {
        let temporary = folder.join(self.temporary_name());
        #[cfg(unix)]
        std::os::unix::fs::symlink(file, &temporary)?;
        #[cfg(not(unix))]
        fs::copy(folder.join(file), &temporary)?;
        fs::rename(&temporary, folder.join(latest))
    }
}

/// Removes files under way that nobody is writing any more. Depth 3 is where the files are.
fn sweep(folder: &Path, depth: usize) -> Result<(), StoreError> {
    let failed = |source| StoreError::Read {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() && depth < 3 {
            sweep(&entry.path(), depth + 1)?;
        } else if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            fs::remove_file(entry.path()).map_err(failed)?;
        }
    }
    Ok(())
}

fn write(path: &Path, content: &[u8], now: Timestamp) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.set_modified(SystemTime::from(now))?;
    file.sync_all()
}

/// A rename is on the disk when its folder is.
fn flush_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A kind, namespace, name or file name that is not acceptable.
    #[error(transparent)]
    Location(#[from] InvalidLocation),
    /// The file is not what was stored.
    #[error("the stored artifact {0:?} has changed")]
    Changed(String),
    /// The disk fails.
    #[error("cannot read {path:?}")]
    Read {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The disk fails.
    #[error("cannot write {path:?}")]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}
