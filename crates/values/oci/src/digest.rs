//! The name of content: SHA-256 and nothing else.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const PREFIX: &str = "sha256:";
const LENGTH: usize = 32;

/// A SHA-256 digest, written `sha256:<64 lower-case hex digits>`.
///
/// Other algorithms are refused: every registry and every Flux artifact in use names content by SHA-256, and
/// one algorithm means that equal digests are equal content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; LENGTH]);

impl Digest {
    /// The digest of `content`.
    pub fn of(content: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(content);
        hasher.finish()
    }

    /// The digest whose bytes are these.
    pub const fn from_bytes(bytes: [u8; LENGTH]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// The 64 hex digits, without the algorithm.
    pub fn hex(&self) -> String {
        let mut text = String::with_capacity(2 * LENGTH);
        for byte in self.0 {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// The tag under which clients of a registry without the referrers API find the list of referrers:
    /// `sha256-<hex>` (OCI distribution spec 1.1, "Referrers Tag Schema").
    pub fn referrers_tag(&self) -> crate::Tag {
        crate::Tag::new_unchecked(format!("sha256-{}", self.hex()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let invalid = || InvalidDigest(text.chars().take(100).collect());
        let hex = text.strip_prefix(PREFIX).ok_or_else(invalid)?.as_bytes();
        if hex.len() != 2 * LENGTH {
            return Err(invalid());
        }
        let mut bytes = [0_u8; LENGTH];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let [high, low] = pair else { return Err(invalid()) };
            let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) else {
                return Err(invalid());
            };
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

/// Lower case only: two spellings of one digest would be two cache keys.
const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Text that is no `sha256:<64 lower-case hex digits>`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no digest: expected sha256: and 64 lower-case hex digits")]
pub struct InvalidDigest(String);

/// Computes a [`Digest`] while content streams past.
#[derive(Clone)]
pub struct Hasher {
    context: Context,
    length: u64,
}

impl Hasher {
    /// A hasher that has seen nothing.
    pub fn new() -> Self {
        Self {
            context: Context::new(&SHA256),
            length: 0,
        }
    }

    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.length = self.length.saturating_add(bytes.len() as u64);
    }

    /// How many bytes were added.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The digest of all that was added.
    pub fn finish(self) -> Digest {
        let mut bytes = [0_u8; LENGTH];
        for (to, from) in bytes.iter_mut().zip(self.context.finish().as_ref()) {
            *to = *from;
        }
        Digest(bytes)
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl std::io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn the_digest_of_nothing_is_the_known_one() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse::<Digest>().unwrap(), Digest::of(b""));
    }

    #[test]
    fn streaming_gives_the_same_digest_as_the_whole() {
        let mut hasher = Hasher::new();
        hasher.update(b"ab");
        hasher.update(b"c");
        assert_eq!(hasher.length(), 3);
        assert_eq!(hasher.finish(), Digest::of(b"abc"));
    }

    #[test]
    fn other_spellings_are_refused() {
        let upper = EMPTY.to_uppercase();
        let short = &EMPTY[..70];
        for text in [
            "",
            "sha256:",
            &upper,
            short,
            &EMPTY.replace("sha256", "sha512"),
            &format!("{EMPTY}0"),
        ] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_referrers_tag_is_the_digest_with_a_dash() {
        assert_eq!(Digest::of(b"").referrers_tag().as_str(), EMPTY.replace(':', "-"));
    }
}
