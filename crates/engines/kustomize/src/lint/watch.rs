//! A tree that keeps in mind which of its files are read.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::files::{Entry, FileError, Files, Found};

pub(super) struct Watched<'a> {
    files: &'a dyn Files,
    read: RefCell<BTreeSet<String>>,
}

impl<'a> Watched<'a> {
    pub(super) fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            read: RefCell::default(),
        }
    }

    /// The paths that were read, links resolved.
    pub(super) fn into_read(self) -> BTreeSet<String> {
        self.read.into_inner()
    }
}

impl Files for Watched<'_> {
    fn find(&self, path: &str) -> Result<Option<Found>, FileError> {
        self.files.find(path)
    }

    fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, FileError> {
        self.read.borrow_mut().insert(path.to_owned());
        self.files.read(path)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        self.files.list(path)
    }
}
