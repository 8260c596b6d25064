//! Files in memory.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::limits::Limits;
use crate::path::{self, InvalidPath};

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The content.
    pub bytes: Bytes,
    /// Whether it may be run.
    pub executable: bool,
}

/// Files by path, `/` between components, and the folders they are in. Holds no links and nothing outside
/// itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    files: BTreeMap<String, Entry>,
    folders: BTreeSet<String>,
}

impl Tree {
    /// The files in the order of their paths' bytes.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.files.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// The folders, without the root, in the order of their paths' bytes.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(String::as_str)
    }

    /// The file at `path`.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.files.get(path)
    }

    /// Whether there is a folder at `path`; the root is one.
    pub fn is_folder(&self, path: &str) -> bool {
        path.is_empty() || self.folders.contains(path)
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are no files.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Adds a file that is not executable.
    ///
    /// # Errors
    /// As for [`Tree::insert_entry`].
    pub fn insert(&mut self, path: &str, bytes: impl Into<Bytes>) -> Result<(), InsertError> {
        self.insert_entry(
            path,
            Entry {
                bytes: bytes.into(),
                executable: false,
            },
        )
    }

    /// Adds a file and the folders it is in.
    ///
    /// # Errors
    /// When the path could lead out of the tree, or something else is there.
    pub fn insert_entry(&mut self, path: &str, entry: Entry) -> Result<(), InsertError> {
        let path = path::clean(path, false, &Limits::default())?;
        if self.files.contains_key(&path) || self.folders.contains(&path) {
            return Err(InsertError::Duplicate(path));
        }
        self.insert_parents(&path)?;
        self.files.insert(path, entry);
        Ok(())
    }

    /// Adds a folder and those it is in. One that is there already is left as it is.
    ///
    /// # Errors
    /// When the path could lead out of the tree, or a file is there.
    pub fn insert_folder(&mut self, path: &str) -> Result<(), InsertError> {
        let path = path::clean(path, true, &Limits::default())?;
        if path.is_empty() {
            return Ok(());
        }
        if self.files.contains_key(&path) {
            return Err(InsertError::Duplicate(path));
        }
        self.insert_parents(&path)?;
        self.folders.insert(path);
        Ok(())
    }

    fn insert_parents(&mut self, path: &str) -> Result<(), InsertError> {
        let parents: Vec<&str> = path
            .match_indices('/')
            .filter_map(|(at, _)| path.get(..at))
            .collect();
        if let Some(file) = parents.iter().find(|parent| self.files.contains_key(**parent)) {
            return Err(InsertError::Duplicate((*file).to_owned()));
        }
        self.folders.extend(parents.into_iter().map(str::to_owned));
        Ok(())
    }

    /// The tree without what `excluded` says is to be left out; it is asked for each path and whether that is a
    /// folder. A file below an excluded folder may stay, and the folder then does not appear by itself.
    #[must_use]
    pub fn filtered(&self, excluded: impl Fn(&str, bool) -> bool) -> Self {
        Self {
            files: self
                .files
                .iter()
                .filter(|(path, _)| !excluded(path, false))
                .map(|(path, entry)| (path.clone(), entry.clone()))
                .collect(),
            folders: self
                .folders
                .iter()
                .filter(|path| !excluded(path, true))
                .cloned()
                .collect(),
        }
    }
}

/// Why something cannot be added to a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InsertError {
    /// The path is not acceptable.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// Something is there already.
    #[error("there are two entries for {0:?}")]
    Duplicate(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n09_a_path_is_one_thing_only() {
        let mut tree = Tree::default();
        tree.insert("a/b", "x").unwrap();
        assert!(matches!(tree.insert("a/b", "y"), Err(InsertError::Duplicate(_))));
        assert!(matches!(tree.insert("a", "y"), Err(InsertError::Duplicate(_))));
        assert!(matches!(
            tree.insert("a/b/c", "y"),
            Err(InsertError::Duplicate(_))
        ));
        assert!(matches!(
            tree.insert_folder("a/b"),
            Err(InsertError::Duplicate(_))
        ));
        tree.insert_folder("a").unwrap();
        assert_eq!(tree.folders().collect::<Vec<_>>(), ["a"]);
        assert_eq!(tree.len(), 1);
    }
}
