//! Trees on this machine's disk, as the build engine reads them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use weir_kustomize::{Entry, FileError, FileKind, Files, Found};

/// A folder as `/`. Symbolic links are followed inside it; one that leads out is an error.
///
/// Where the folders of files really are is looked up once: a tree that changes while it is read is no tree.
#[derive(Debug)]
pub(crate) struct DiskFiles {
    root: PathBuf,
    folders: RefCell<HashMap<PathBuf, PathBuf>>,
}

impl DiskFiles {
    /// The tree below `root`, which must exist.
    pub(crate) fn new(root: &Path) -> io::Result<Self> {
        Ok(Self {
            root: root.canonicalize()?,
            folders: RefCell::default(),
        })
    }

    /// What the engine calls a path of the disk; `None` when it is not below the root.
    pub(crate) fn rooted(&self, path: &Path) -> Option<String> {
        let mut rooted = String::new();
        for part in path.strip_prefix(&self.root).ok()?.components() {
            rooted.push('/');
            rooted.push_str(part.as_os_str().to_str()?);
        }
        Some(if rooted.is_empty() { "/".to_owned() } else { rooted })
    }

    fn on_disk(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Where a path really is and of what kind, if it is there and inside the tree.
    fn resolve(&self, path: &str) -> Result<Option<Real>, FileError> {
        match self.canonical(&self.on_disk(path)) {
            Ok(real) if real.path.starts_with(&self.root) => Ok(Some(real)),
            Ok(_) => Err(FileError {
                path: path.to_owned(),
                reason: "it leads outside the tree".into(),
            }),
            // A file in the place of a folder on the way is nothing, too.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed(path, &error)),
        }
    }

    /// A path without links. Only the last part is looked at anew.
    fn canonical(&self, path: &Path) -> io::Result<Real> {
        let follow = || {
            let path = path.canonicalize()?;
            let kind = kind(&path.metadata()?);
            Ok(Real { path, kind })
        };
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return follow();
        };
        let known = self.folders.borrow().get(folder).cloned();
        let real = if let Some(real) = known {
            real
        } else {
            let real = folder.canonicalize()?;
            self.folders.borrow_mut().insert(folder.to_owned(), real.clone());
            real
        };
        let real = real.join(name);
        let metadata = real.symlink_metadata()?;
        if metadata.is_symlink() {
            return follow();
        }
        Ok(Real {
            path: real,
            kind: kind(&metadata),
        })
    }

    fn must_resolve(&self, path: &str) -> Result<Real, FileError> {
        self.resolve(path)?.ok_or_else(|| FileError {
            path: path.to_owned(),
            reason: "no such file or directory".into(),
        })
    }
}

fn failed(path: &str, error: &io::Error) -> FileError {
    FileError {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// A path without links, and what is there.
struct Real {
    path: PathBuf,
    kind: Option<FileKind>,
}

fn kind(metadata: &fs::Metadata) -> Option<FileKind> {
    if metadata.is_dir() {
        Some(FileKind::Directory)
    } else if metadata.is_file() {
        Some(FileKind::File)
    } else {
        // Sockets and devices: reading one could wait for ever.
        None
    }
}

impl Files for DiskFiles {
    fn find(&self, path: &str) -> Result<Option<Found>, FileError> {
        let Some(real) = self.resolve(path)? else {
            return Ok(None);
        };
        let Some(kind) = real.kind else { return Ok(None) };
        let path = self.rooted(&real.path).ok_or_else(|| FileError {
            path: path.to_owned(),
            reason: "its name is not UTF-8".into(),
        })?;
        Ok(Some(Found { path, kind }))
    }

    fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, FileError> {
        let real = self.must_resolve(path)?;
        if real.kind != Some(FileKind::File) {
            return Err(FileError {
                path: path.to_owned(),
                reason: "it is no regular file".into(),
            });
        }
        fs::read(real.path)
            .map(Cow::Owned)
            .map_err(|error| failed(path, &error))
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let real = self.must_resolve(path)?;
        let mut entries = Vec::new();
        for entry in fs::read_dir(real.path).map_err(|error| failed(path, &error))? {
            let entry = entry.map_err(|error| failed(path, &error))?;
            let name = entry.file_name();
            // Names that are not UTF-8 can't be written in a kustomization either.
            let kind = fs::metadata(entry.path()).ok().and_then(|found| kind(&found));
            if let (Some(name), Some(kind)) = (name.to_str(), kind) {
                entries.push(Entry {
                    name: name.to_owned(),
                    kind,
                });
            }
        }
        Ok(entries)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn n18_links_are_followed_inside_and_refused_outside() {
        let outside = tempfile::tempdir().expect("a folder");
        let inside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("secret"), "s").expect("writes");
        fs::write(inside.path().join("file"), "f").expect("writes");
        symlink(outside.path().join("secret"), inside.path().join("out")).expect("links");
        symlink("file", inside.path().join("in")).expect("links");
        let files = DiskFiles::new(inside.path()).expect("a tree");
        let found = files.find("/in").expect("reads").expect("is there");
        assert_eq!(found.path, "/file");
        assert!(files.find("/out").is_err() && files.read("/out").is_err());
        assert!(files.find("/absent").expect("reads").is_none());
    }
}
