//! A file of a chart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::time::Time;
use bytes::Bytes;

/// A file of a chart, or of the archive that it came in.
///
/// Copies share the content.
#[derive(Clone, Debug)]
pub struct File {
    /// Path below the chart's folder, with `/`.
    pub name: String,
    /// Content, without a byte order mark.
    pub data: Bytes,
    /// When it was last changed; release records keep it. `None` is Go's zero time.
    pub modified: Option<Time>,
    /// The same content, where it is text that templates are to share.
    text: Option<Arc<String>>,
    /// Where somebody notes that content was asked for which is not here.
    pub(crate) left_out: Option<Arc<LeftOut>>,
}

/// Content that nobody is expected to ask for, so that it was not unpacked; and whether somebody did.
#[derive(Debug, Default)]
pub(crate) struct LeftOut(AtomicBool);

impl LeftOut {
    /// Somebody asks for it.
    pub(crate) fn miss(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody did.
    pub(crate) fn is_missed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A text that bytes point into.
struct Owner(Arc<String>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl File {
    /// A file without a time. A byte order mark at its start is dropped, as Helm does.
    pub fn new(name: impl Into<String>, data: impl Into<Bytes>) -> Self {
        Self::of(name.into(), without_mark(data.into()), None)
    }

    /// A file as it is.
    pub(crate) fn of(name: String, data: Bytes, modified: Option<Time>) -> Self {
        Self {
            name,
            data,
            modified,
            text: None,
            left_out: None,
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

    /// The content for a reader of YAML, which refuses what is no UTF-8.
    pub(crate) fn yaml(&self) -> Result<&str, String> {
        std::str::from_utf8(&self.data).map_err(|error| {
            let rest = self.data.get(error.valid_up_to()..).unwrap_or_default();
            format!("error converting YAML to JSON: yaml: {}", malformed(rest))
        })
    }

    /// Makes [`Self::shared_text`] of this file and all copies of it that are made from now on one text. The content is
    /// copied only if others hold it.
    pub(crate) fn share_text(&mut self) {
        if self.text.is_some() {
            return;
        }
        match String::from_utf8(std::mem::take(&mut self.data).into()) {
            Ok(text) => {
                let text = Arc::new(text);
                self.data = Bytes::from_owner(Owner(Arc::clone(&text)));
                self.text = Some(text);
            }
            Err(error) => self.data = error.into_bytes().into(),
        }
    }

    /// [`Self::text`] for those who keep it.
    pub(crate) fn shared_text(&self) -> Arc<String> {
        match &self.text {
            // Whoever has the file may have changed its content.
            Some(text) if text.as_ptr() == self.data.as_ptr() && text.len() == self.data.len() => {
                Arc::clone(text)
            }
            _ => Arc::new(self.text().into_owned()),
        }
    }
}

/// How the content is kept makes no difference.
impl PartialEq for File {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.data, &self.modified) == (&other.name, &other.data, &other.modified)
    }
}

impl Eq for File {}

/// What is wrong with the character that bytes begin with, in the words of libyaml 0.2, which Go's readers are made from.
fn malformed(bytes: &[u8]) -> &'static str {
    let first = bytes.first().copied().unwrap_or_default();
    let (width, bits, least) = match first {
        0xc0..=0xdf => (2, first & 0x1f, 0x80),
        0xe0..=0xef => (3, first & 0x0f, 0x800),
        0xf0..=0xf7 => (4, first & 0x07, 0x1_0000),
        _ => return "invalid leading UTF-8 octet",
    };
    let mut value = u32::from(bits);
    for at in 1..width {
        match bytes.get(at) {
            None => return "incomplete UTF-8 octet sequence",
            Some(next @ 0x80..=0xbf) => value = value << 6 | u32::from(next & 0x3f),
            Some(_) => return "invalid trailing UTF-8 octet",
        }
    }
    if value < least {
        "invalid length of a UTF-8 sequence"
    } else {
        "invalid Unicode character"
    }
}

/// Drops one byte order mark.
fn without_mark(mut data: Bytes) -> Bytes {
    if data.starts_with(b"\xEF\xBB\xBF") {
        return data.split_off(3);
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shared_as_long_as_it_is_the_content() {
        let mut file = File::new("templates/x", "\u{feff}text");
        file.share_text();
        assert!(Arc::ptr_eq(&file.shared_text(), &file.clone().shared_text()));
        assert_eq!(file.data, "text");
        assert_eq!(file, File::new("templates/x", "text"));
        file.data = "other".into();
        assert_eq!(*file.shared_text(), "other");
    }

    #[test]
    fn what_is_no_text_is_kept_as_it_is() {
        let mut file = File::new("templates/x", &b"a\xff"[..]);
        file.share_text();
        assert_eq!(&file.data[..], b"a\xff");
        assert_eq!(*file.shared_text(), "a\u{fffd}");
    }

    /// As Helm 4.2.4 says it of Chart.yaml.
    #[test]
    fn a_reader_of_yaml_is_told_what_is_no_utf8() {
        for (bytes, what) in [
            (&b"\xff"[..], "leading UTF-8 octet"),
            (b"\x80", "leading UTF-8 octet"),
            (b"\xf8\x88", "leading UTF-8 octet"),
            (b"\xc0\x80", "length of a UTF-8 sequence"),
            (b"\xe0\x80\x80", "length of a UTF-8 sequence"),
            (b"\xf0\x80\x80\x80", "length of a UTF-8 sequence"),
            (b"\xc3(", "trailing UTF-8 octet"),
            (b"\xe2\x82(", "trailing UTF-8 octet"),
            (b"\xf0\x9f(\x80", "trailing UTF-8 octet"),
            (b"\xed\xa0\x80", "Unicode character"),
            (b"\xf4\x90\x80\x80", "Unicode character"),
            (b"\xf7\xbf\xbf\xbf", "Unicode character"),
            (b"\xe2\x82", "incomplete UTF-8 octet sequence"),
        ] {
            let file = File::new("Chart.yaml", [b"a: ", bytes].concat());
            let said = file.yaml().unwrap_err();
            assert!(said.ends_with(what), "{bytes:?}: {said}");
        }
        assert_eq!(File::new("Chart.yaml", "a: \u{e9}").yaml(), Ok("a: \u{e9}"));
    }
}
