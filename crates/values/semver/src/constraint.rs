//! Constraints: groups of comparisons, joined by `||`.

mod check;
mod parse;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Version;

/// The longest constraint text that is read, in bytes.
pub const MAX_CONSTRAINT_BYTES: usize = 512;

/// The most groups (parts between `||`) that a constraint may have.
pub const MAX_CONSTRAINT_GROUPS: usize = 32;

/// A parsed constraint such as `>=1.2 <2 || ~3.1`.
///
/// A version matches when every comparison of at least one group holds. Pre-releases match only in a group
/// that itself names a pre-release, or when [`Constraint::including_prereleases`] asked for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    groups: Vec<Group>,
    include_prereleases: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    parts: Vec<Part>,
    names_prerelease: bool,
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    operator: Operator,
    /// The operator as it was written.
    written_operator: &'static str,
    /// The version as it was written.
    written: String,
    version: Version,
    precision: Precision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    TildeOrEqual,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

/// How much of the version was written; the rest was absent or a wildcard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Precision {
    Nothing,
    Major,
    Minor,
    Full,
}

/// Why a text is no constraint. The messages are the Go library's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintError {
    /// It is longer than [`MAX_CONSTRAINT_BYTES`].
    #[error("constraint string is too long (max {MAX_CONSTRAINT_BYTES} bytes)")]
    TooLong,
    /// It has more groups than [`MAX_CONSTRAINT_GROUPS`].
    #[error("too many constraint groups (max {MAX_CONSTRAINT_GROUPS})")]
    TooManyGroups,
    /// A group does not have the shape of comparisons.
    #[error("improper constraint: {0:?}")]
    Improper(String),
    /// The shape is right, but a version in it is not.
    #[error("constraint parser error")]
    Version,
}

/// Why a version does not match. The messages are the Go library's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Mismatch(String);

impl Constraint {
    /// Reads a constraint.
    ///
    /// # Errors
    /// See [`ConstraintError`]. The empty text is an error.
    pub fn parse(text: &str) -> Result<Self, ConstraintError> {
        parse::constraint(text)
    }

    /// The same constraint, matching pre-releases in every group.
    #[must_use]
    pub fn including_prereleases(mut self) -> Self {
        self.include_prereleases = true;
        self
    }

    /// Whether `version` satisfies the constraint.
    pub fn matches(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            let prereleases = self.include_prereleases || group.names_prerelease;
            group
                .parts
                .iter()
                .all(|part| part.check(version, prereleases).is_ok())
        })
    }

    /// The same, saying why not: a line for each comparison that failed.
    ///
    /// # Errors
    /// Every reason, in the order of the constraint's parts.
    pub fn validate(&self, version: &Version) -> Result<(), Vec<Mismatch>> {
        let mut reasons = Vec::new();
        let mut prerelease_told = false;
        for group in &self.groups {
            let prereleases = self.include_prereleases || group.names_prerelease;
            if !prereleases && !version.prerelease().is_empty() {
                if !prerelease_told {
                    reasons.push(check::is_prerelease(version));
                    prerelease_told = true;
                }
                continue;
            }
            let failed: Vec<Mismatch> = group
                .parts
                .iter()
                .filter_map(|part| part.check(version, prereleases).err())
                .collect();
            if failed.is_empty() {
                return Ok(());
            }
            reasons.extend(failed);
        }
        Err(reasons)
    }

    /// How many comparisons each group has, in order.
    pub fn group_sizes(&self) -> Vec<usize> {
        self.groups.iter().map(|group| group.parts.len()).collect()
    }
}

impl FromStr for Constraint {
    type Err = ConstraintError;

    fn from_str(text: &str) -> Result<Self, ConstraintError> {
        Self::parse(text)
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.groups.iter().enumerate() {
            f.write_str(if index > 0 { " || " } else { "" })?;
            for (index, part) in group.parts.iter().enumerate() {
                let space = if index > 0 { " " } else { "" };
                write!(f, "{space}{}{}", part.written_operator, part.written)?;
            }
        }
        Ok(())
    }
}

impl Serialize for Constraint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Constraint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
