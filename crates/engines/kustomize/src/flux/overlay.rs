//! A tree with one file replaced or added.

use std::borrow::Cow;

use super::options;
use crate::build::{Resources, build, build_cached};
use crate::cache::Cache;
use crate::error::Error;
use crate::files::{Entry, FileError, FileKind, Files, Found, base_name, parent};

/// A tree with a generated kustomization file.
pub struct Overlay<'a> {
    files: &'a dyn Files,
    directory: String,
    path: String,
    content: String,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(files: &'a dyn Files, directory: String, path: String, content: String) -> Self {
        Self {
            files,
            directory,
            path,
            content,
        }
    }

    /// Path of the generated file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The generated file.
    pub fn kustomization(&self) -> &str {
        &self.content
    }

    /// Builds it as the Kustomization controller does.
    pub fn build(&self) -> Result<Resources, Error> {
        build(self, &self.directory, &options())
    }

    /// As [`Self::build`], with files that other builds have parsed.
    pub fn build_cached(&self, cache: &Cache) -> Result<Resources, Error> {
        build_cached(self, &self.directory, &options(), cache)
    }
}

impl Files for Overlay<'_> {
    fn find(&self, path: &str) -> Result<Option<Found>, FileError> {
        if path == self.path {
            // The file stands in its directory, wherever that really is.
            let directory = self.files.find(parent(path))?;
            let directory = directory.map_or_else(|| parent(path).to_owned(), |found| found.path);
            return Ok(Some(Found {
                path: crate::files::join(&directory, base_name(path)),
                kind: FileKind::File,
            }));
        }
        self.files.find(path)
    }

    fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, FileError> {
        let is_ours =
            path == self.path || matches!(self.find(&self.path)?, Some(found) if found.path == path);
        if is_ours {
            return Ok(Cow::Borrowed(self.content.as_bytes()));
        }
        self.files.read(path)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let mut entries = self.files.list(path)?;
        let name = base_name(&self.path);
        if path == parent(&self.path) && entries.iter().all(|entry| entry.name != name) {
            entries.push(Entry {
                name: name.to_owned(),
                kind: FileKind::File,
            });
        }
        Ok(entries)
    }
}
