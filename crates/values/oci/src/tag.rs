//! The name that moves.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest tag that the distribution spec allows.
const MAX: usize = 128;

/// A tag: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

impl Tag {
    /// Reads a tag.
    ///
    /// # Errors
    /// When `text` is not in the grammar of the OCI distribution spec.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidTag> {
        let text = text.into();
        if is_valid(&text) {
            Ok(Self(text))
        } else {
            Err(InvalidTag(text.chars().take(150).collect()))
        }
    }

    /// For text that is built here and cannot be wrong.
    pub(crate) const fn new_unchecked(text: String) -> Self {
        Self(text)
    }

    /// The tag `latest`.
    pub fn latest() -> Self {
        Self("latest".to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_valid(text: &str) -> bool {
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    let bytes = text.as_bytes();
    bytes.len() <= MAX
        && bytes.first().is_some_and(|c| word(*c))
        && bytes.iter().all(|c| word(*c) || matches!(c, b'.' | b'-'))
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({})", self.0)
    }
}

impl FromStr for Tag {
    type Err = InvalidTag;

    fn from_str(text: &str) -> Result<Self, InvalidTag> {
        Self::new(text)
    }
}

impl AsRef<str> for Tag {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Serialize for Tag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Text that is no tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no tag: expected at most 128 of A-Z a-z 0-9 . _ - and no leading dot or dash")]
pub struct InvalidTag(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_the_specification_s() {
        for good in ["latest", "v1.2.3", "_x", "sha256-abc.sig", &"a".repeat(128)] {
            assert!(Tag::new(good).is_ok(), "{good}");
        }
        for bad in ["", ".x", "-x", "a/b", "a:b", "1.0+2", "ä", &"a".repeat(129)] {
            assert!(Tag::new(bad).is_err(), "{bad}");
        }
    }
}
