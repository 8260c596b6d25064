//! Texts that trees share.

use std::borrow::{Borrow, Cow};
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::{Data, Node};

/// A text that does not change; its copies share it. As large as a pointer.
#[derive(Clone, Eq)]
pub struct Text(Arc<Box<str>>);

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.as_str() == other.as_str()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Arc::new(text.into()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Arc::new(text.into()))
    }
}

impl From<&Self> for Text {
    fn from(text: &Self) -> Self {
        text.clone()
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        Self(Arc::new(text.into()))
    }
}

/// Texts that were there before. Manifests say the same few words again and again: who reads many of them keeps each
/// word once. Like std's the table is seeded by chance, so that nobody can choose words that collide.
#[derive(Clone, Debug, Default)]
pub struct Texts(HashSet<Text, RandomState>);

impl Texts {
    /// Bytes of a text that is worth keeping: longer ones hardly come twice.
    const LENGTH: usize = 40;

    /// The text, shared with its equals.
    pub fn share(&mut self, text: Cow<'_, str>) -> Text {
        if text.len() > Self::LENGTH {
            return text.into();
        }
        if let Some(known) = self.0.get(text.as_ref()) {
            return known.clone();
        }
        let new = Text::from(text);
        self.0.insert(new.clone());
        new
    }

    /// Makes a tree share its texts.
    pub fn share_all(&mut self, node: &mut Node) {
        match node.data_mut() {
            Data::Scalar(text) if text.len() <= Self::LENGTH => *text = self.share(Cow::Borrowed(text)),
            Data::Scalar(_) | Data::Alias(_) => {}
            Data::Sequence(items) => items.iter_mut().for_each(|item| self.share_all(item)),
            Data::Mapping(entries) => entries.iter_mut().for_each(|(key, value)| {
                self.share_all(key);
                self.share_all(value);
            }),
        }
    }
}
