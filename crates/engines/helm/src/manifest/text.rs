//! A part of a text that others share.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A document of a rendered file. It is not copied out of the file; the file stays in memory as long as one of its documents
/// does.
#[derive(Clone, Default)]
pub struct Text {
    file: Arc<String>,
    place: Range<usize>,
}

impl Text {
    /// The part of a file at a place in bytes; empty where there is no such place.
    pub(crate) fn of(file: &Arc<String>, place: Range<usize>) -> Self {
        Self {
            file: Arc::clone(file),
            place,
        }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        self.file.get(self.place.clone()).unwrap_or_default()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
