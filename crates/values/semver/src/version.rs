//! One version: reading, printing, ordering, changing.

mod loose;
mod order;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) use loose::Loose;
use loose::{is_digit, is_identifier};
pub(crate) use order::compare_prerelease;

/// The longest version text that is read, in bytes.
pub const MAX_VERSION_BYTES: usize = 256;

/// A version, with the text it was read from.
///
/// Equality and order follow semver 2: build metadata and the original text do not count.
#[derive(Clone, Debug)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    pre: String,
    metadata: String,
    original: String,
}

/// Why a text is no version. The messages are the Go library's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// It does not have the shape of a version.
    #[error("invalid semantic version")]
    Invalid,
    /// It is empty (strict reading only).
    #[error("version string empty")]
    Empty,
    /// It is longer than [`MAX_VERSION_BYTES`].
    #[error("version string is too long (max {MAX_VERSION_BYTES} bytes)")]
    TooLong,
    /// A number holds something else than digits (strict reading only).
    #[error("invalid characters in version")]
    InvalidCharacters,
    /// A number starts with a zero where that is not allowed.
    #[error("version segment starts with 0")]
    SegmentStartsZero,
    /// The part after `+` has an empty or unfit piece.
    #[error("invalid metadata string")]
    InvalidMetadata,
    /// The part after `-` has an empty or unfit piece.
    #[error("invalid prerelease string")]
    InvalidPrerelease,
    /// A number is empty or does not fit into 64 bits.
    #[error("error parsing version segment: {0:?} is not a 64-bit number")]
    Segment(String),
    /// Counting up would pass the largest number.
    #[error("{0} version increment would overflow uint64")]
    IncrementOverflow(&'static str),
}

impl Version {
    /// A version of these parts; its original text is how it prints.
    ///
    /// # Errors
    /// When `pre` or `metadata` is not empty and not of semver's form.
    pub fn new(major: u64, minor: u64, patch: u64, pre: &str, metadata: &str) -> Result<Self, VersionError> {
        if !pre.is_empty() {
            check_prerelease(pre)?;
        }
        if !metadata.is_empty() {
            check_metadata(metadata)?;
        }
        let version = Self {
            major,
            minor,
            patch,
            pre: pre.to_owned(),
            metadata: metadata.to_owned(),
            original: String::new(),
        };
        Ok(version.renamed(""))
    }

    /// Reads a version as the Go library's `NewVersion` does by default: a leading `v`, missing minor and patch
    /// numbers and leading zeros are accepted.
    ///
    /// # Errors
    /// See [`VersionError`].
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        Self::read(text, false)
    }

    /// The same without coercion: a number, also one in the pre-release, must not start with a zero.
    ///
    /// # Errors
    /// See [`VersionError`].
    pub fn parse_uncoerced(text: &str) -> Result<Self, VersionError> {
        Self::read(text, true)
    }

    fn read(text: &str, refuse_zeros: bool) -> Result<Self, VersionError> {
        if text.len() > MAX_VERSION_BYTES {
            return Err(VersionError::TooLong);
        }
        let (loose, rest) = Loose::take(text, is_digit).ok_or(VersionError::Invalid)?;
        if !rest.is_empty() {
            return Err(VersionError::Invalid);
        }
        let numbers = [Some(loose.major), loose.minor, loose.patch];
        if refuse_zeros && numbers.iter().flatten().any(|number| starts_with_zero(number)) {
            return Err(VersionError::SegmentStartsZero);
        }
        let [major, minor, patch] = numbers.map(|number| number.map_or(Ok(0), segment));
        let version = Self {
            major: major?,
            minor: minor?,
            patch: patch?,
            pre: loose.pre.unwrap_or_default().to_owned(),
            metadata: loose.metadata.unwrap_or_default().to_owned(),
            original: text.to_owned(),
        };
        if loose.pre.is_some() {
            check_prerelease(&version.pre)?;
        }
        if loose.metadata.is_some() {
            check_metadata(&version.metadata)?;
        }
        Ok(version)
    }

    /// Reads a version by the letter of semver 2, as the Go library's `StrictNewVersion` does.
    ///
    /// # Errors
    /// See [`VersionError`].
    pub fn parse_strict(text: &str) -> Result<Self, VersionError> {
        if text.is_empty() {
            return Err(VersionError::Empty);
        }
        if text.len() > MAX_VERSION_BYTES {
            return Err(VersionError::TooLong);
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(last)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VersionError::Invalid);
        };
        let (last, metadata) = match last.split_once('+') {
            Some((last, metadata)) => {
                check_metadata(metadata)?;
                (last, metadata)
            }
            None => (last, ""),
        };
        let (patch, pre) = match last.split_once('-') {
            Some((patch, pre)) => {
                check_prerelease(pre)?;
                (patch, pre)
            }
            None => (last, ""),
        };
        for part in [major, minor, patch] {
            if !part.chars().all(is_digit) {
                return Err(VersionError::InvalidCharacters);
            }
            if starts_with_zero(part) {
                return Err(VersionError::SegmentStartsZero);
            }
        }
        Ok(Self {
            major: segment(major)?,
            minor: segment(minor)?,
            patch: segment(patch)?,
            pre: pre.to_owned(),
            metadata: metadata.to_owned(),
            original: text.to_owned(),
        })
    }

    /// The first number.
    pub const fn major(&self) -> u64 {
        self.major
    }

    /// The second number.
    pub const fn minor(&self) -> u64 {
        self.minor
    }

    /// The third number.
    pub const fn patch(&self) -> u64 {
        self.patch
    }

    /// The part after `-`, or nothing.
    pub fn prerelease(&self) -> &str {
        &self.pre
    }

    /// The part after `+`, or nothing.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The text this was read from.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// The next patch version; of a pre-release, the version it leads to.
    ///
    /// # Errors
    /// When the number is the largest already.
    pub fn next_patch(&self) -> Result<Self, VersionError> {
        let step = u64::from(self.pre.is_empty());
        let patch = self
            .patch
            .checked_add(step)
            .ok_or(VersionError::IncrementOverflow("patch"))?;
        Ok(self.release(self.major, self.minor, patch))
    }

    /// The next minor version.
    ///
    /// # Errors
    /// When the number is the largest already.
    pub fn next_minor(&self) -> Result<Self, VersionError> {
        let minor = self
            .minor
            .checked_add(1)
            .ok_or(VersionError::IncrementOverflow("minor"))?;
        Ok(self.release(self.major, minor, 0))
    }

    /// The next major version.
    ///
    /// # Errors
    /// When the number is the largest already.
    pub fn next_major(&self) -> Result<Self, VersionError> {
        let major = self
            .major
            .checked_add(1)
            .ok_or(VersionError::IncrementOverflow("major"))?;
        Ok(self.release(major, 0, 0))
    }

    /// The same version with another pre-release part (empty: none).
    ///
    /// # Errors
    /// When `pre` is not of semver's form.
    pub fn with_prerelease(&self, pre: &str) -> Result<Self, VersionError> {
        if !pre.is_empty() {
            check_prerelease(pre)?;
        }
        Ok(Self {
            pre: pre.to_owned(),
            ..self.clone()
        }
        .renamed(self.v_prefix()))
    }

    /// The same version with other build metadata (empty: none).
    ///
    /// # Errors
    /// When `metadata` is not of semver's form.
    pub fn with_metadata(&self, metadata: &str) -> Result<Self, VersionError> {
        if !metadata.is_empty() {
            check_metadata(metadata)?;
        }
        Ok(Self {
            metadata: metadata.to_owned(),
            ..self.clone()
        }
        .renamed(self.v_prefix()))
    }

    fn release(&self, major: u64, minor: u64, patch: u64) -> Self {
        let (pre, metadata, original) = (String::new(), String::new(), String::new());
        Self {
            major,
            minor,
            patch,
            pre,
            metadata,
            original,
        }
        .renamed(self.v_prefix())
    }

    fn renamed(mut self, prefix: &str) -> Self {
        self.original = format!("{prefix}{self}");
        self
    }

    fn v_prefix(&self) -> &'static str {
        if self.original.starts_with('v') { "v" } else { "" }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.pre.is_empty() {
            write!(f, "-{}", self.pre)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::parse(text)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self)
            .cmp(&numbers(other))
            .then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_prerelease(&self.pre, &other.pre),
            })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

/// Digits only: Rust's own parser would take a `+` as well.
fn unsigned(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

fn segment(text: &str) -> Result<u64, VersionError> {
    unsigned(text).ok_or_else(|| VersionError::Segment(text.to_owned()))
}

fn starts_with_zero(number: &str) -> bool {
    number.len() > 1 && number.starts_with('0')
}

fn check_prerelease(pre: &str) -> Result<(), VersionError> {
    for piece in pre.split('.') {
        if piece.is_empty() || !piece.chars().all(is_identifier) {
            return Err(VersionError::InvalidPrerelease);
        }
        if piece.chars().all(is_digit) && starts_with_zero(piece) {
            return Err(VersionError::SegmentStartsZero);
        }
    }
    Ok(())
}

fn check_metadata(metadata: &str) -> Result<(), VersionError> {
    if metadata
        .split('.')
        .all(|piece| !piece.is_empty() && piece.chars().all(is_identifier))
    {
        Ok(())
    } else {
        Err(VersionError::InvalidMetadata)
    }
}
