//! A file of a chart.

use crate::time::Time;
use bytes::Bytes;

/// A file of a chart, or of the archive that it came in.
///
/// Copies share the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path below the chart's folder, with `/`.
    pub name: String,
    /// Content, without a byte order mark.
    pub data: Bytes,
    /// When it was last changed; release records keep it. `None` is Go's zero time.
    pub modified: Option<Time>,
}

impl File {
    /// A file without a time. A byte order mark at its start is dropped, as Helm does.
    pub fn new(name: impl Into<String>, data: impl Into<Bytes>) -> Self {
        Self {
            name: name.into(),
            data: without_mark(data.into()),
            modified: None,
        }
    }

    /// The same file with the time of its last change.
    #[must_use]
    pub fn at(mut self, modified: impl Into<Time>) -> Self {
        self.modified = Some(modified.into());
        self
    }

    /// The content as text; bytes that are no UTF-8 become U+FFFD.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        // Looking for what is no UTF-8 takes many times as long as seeing that all is.
        match std::str::from_utf8(&self.data) {
            Ok(text) => text.into(),
            Err(_) => String::from_utf8_lossy(&self.data),
        }
    }
}

/// Drops one byte order mark.
fn without_mark(mut data: Bytes) -> Bytes {
    if data.starts_with(b"\xEF\xBB\xBF") {
        return data.split_off(3);
    }
    data
}
