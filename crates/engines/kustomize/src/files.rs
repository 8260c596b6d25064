//! The tree that a build reads.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// A path after symbolic links, and what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Rooted path without links, `.` or `..`.
    pub path: String,
    /// What is there.
    pub kind: FileKind,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name without a slash.
    pub name: String,
    /// What it is, after links.
    pub kind: FileKind,
}

/// A file that could not be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot read '{path}': {reason}")]
pub struct FileError {
    /// The path asked for.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Read access to a tree.
///
/// Paths are rooted (`/a/b`), separated by `/`, and clean: no `.`, no `..`, no trailing slash.
/// The implementor decides what `/` is, follows links, and must not leave its tree while doing so;
/// the engine compares resolved paths with its load restrictions, never the paths as written.
pub trait Files {
    /// What stands at a path, and where it really is; `None` if nothing is there.
    fn find(&self, path: &str) -> Result<Option<Found>, FileError>;
    /// The content of a file.
    fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, FileError>;
    /// The entries of a directory, in any order.
    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError>;
}

/// A tree in memory, without links. Directories exist where files are below them.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryFiles {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a file; the path is cleaned and rooted.
    pub fn insert(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.files.insert(clean(path), content.into());
    }
}

impl<P: AsRef<str>, C: Into<Vec<u8>>> FromIterator<(P, C)> for MemoryFiles {
    fn from_iter<I: IntoIterator<Item = (P, C)>>(files: I) -> Self {
        let mut tree = Self::new();
        for (path, content) in files {
            tree.insert(path.as_ref(), content);
        }
        tree
    }
}

impl Files for MemoryFiles {
    fn find(&self, path: &str) -> Result<Option<Found>, FileError> {
        let kind = if self.files.contains_key(path) {
            FileKind::File
        } else {
            let below = directory_prefix(path);
            let mut rest = self.files.range(below.clone()..);
            if path != "/" && !rest.next().is_some_and(|(name, _)| name.starts_with(&below)) {
                return Ok(None);
            }
            FileKind::Directory
        };
        let path = path.to_owned();
        Ok(Some(Found { path, kind }))
    }

    fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, FileError> {
        match self.files.get(path) {
            Some(content) => Ok(Cow::Borrowed(content)),
            None => Err(FileError {
                path: path.to_owned(),
                reason: "no such file".into(),
            }),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let below = directory_prefix(path);
        let mut entries: Vec<Entry> = Vec::new();
        for (name, _) in self.files.range(below.clone()..) {
            let Some(rest) = name.strip_prefix(&below) else {
                break;
            };
            let (name, kind) = match rest.split_once('/') {
                Some((directory, _)) => (directory, FileKind::Directory),
                None => (rest, FileKind::File),
            };
            if entries.last().is_none_or(|last| last.name != name) {
                let name = name.to_owned();
                entries.push(Entry { name, kind });
            }
        }
        Ok(entries)
    }
}

fn directory_prefix(path: &str) -> String {
    if path == "/" {
        "/".to_owned()
    } else {
        format!("{path}/")
    }
}

/// A rooted path without `.`, `..`, doubled or trailing slashes. `..` at the root stays there.
pub fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// A path below a directory, cleaned; an absolute one stays as it is.
pub(crate) fn join(directory: &str, path: &str) -> String {
    if path.starts_with('/') {
        clean(path)
    } else {
        clean(&format!("{directory}/{path}"))
    }
}

/// Whether a clean path is a directory or below it.
pub(crate) fn is_within(path: &str, directory: &str) -> bool {
    directory == "/"
        || path
            .strip_prefix(directory)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The directory of a clean path.
pub(crate) fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((directory, _)) => directory,
    }
}

/// The last part of a path.
pub(crate) fn base_name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}
